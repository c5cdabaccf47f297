"""`pi auth`, run as a person or a script runs it."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.auth.authorization_server import Server, fetch
from tests.e2e.conftest import Machine, ScriptedFactory

posix = pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")

# The command itself; only the hosts that it signs in at are on loopback.
AT_LOOPBACK = """
import sys
from pi.runtime.network import Sender
fetch = Sender.fetch
Sender.fetch = lambda self, method, url, *rest: fetch(
    self, method, sys.argv[1] + "/" + url.removeprefix("https://"), *rest)
from pi.cli.run import run
sys.exit(run(sys.argv[2:]))
"""
TOKEN = "/platform.claude.com/v1/oauth/token"
TOKENS = {"access_token": "AT-1", "refresh_token": "RT-1", "expires_in": 3600}


def sign_in(minutes: float = 60, **fields: Any) -> dict[str, Any]:
    expires = int((time.time() + minutes * 60) * 1000)
    return {"type": "oauth", "access": "sk-ant-oat-A", "refresh": "R", "expires": expires, **fields}


def stored(machine: Machine) -> dict[str, Any]:
    entries: dict[str, Any] = json.loads((machine.agent / "auth.json").read_text())
    return entries


def write_auth(machine: Machine, entries: Any) -> None:
    machine.write("auth.json", entries).chmod(0o600)


def check(machine: Machine, *arguments: str, **env: str) -> tuple[int, dict[str, Any]]:
    result = machine.run("auth", "check", "--json", *arguments, **env)
    assert result.text.count("\n") == 1
    record: dict[str, Any] = json.loads(result.text)
    return result.code, record


def test_help(machine: Machine) -> None:
    for arguments in (("auth",), ("auth", "--help"), ("auth", "-h")):
        result = machine.run(*arguments)
        assert (result.code, result.stderr) == (0, "")
        for word in ("login", "logout", "check", "print-api-key", "print-bearer-token"):
            assert word in result.text
    assert "--min-expiry" in machine.run("auth", "print-bearer-token", "--help").text
    assert "pi auth" in machine.run("--help").text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bogus"], "no such command 'bogus'"),
        (["check"], "say whose credentials"),
        (["check", "--bogus"], "no such option"),
        (["check", "--provider"], "requires an argument"),
        (["check", "--provider", "groq", "extra"], "extra"),
        (["print-api-key"], "say whose credentials"),
        (["print-api-key", "--provider", "groq", "--json"], "no such option"),
        (["print-bearer-token", "--provider", "xai", "--min-expiry", "5x"], "--min-expiry takes"),
        (["login"], "missing argument"),
        (["login", "xai", "--api-key", "--no-browser"], "leave out --api-key"),
        (["logout", "a", "b"], "unexpected extra argument"),
    ],
)
def test_wrong_command_lines(machine: Machine, arguments: list[str], said: str) -> None:
    result = machine.run("auth", *arguments)
    assert result.code == 2
    assert result.stdout == b""
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_check_of_keys(machine: Machine) -> None:
    assert check(machine, "--provider", "groq") == (
        1,
        {"status": "not_ready", "provider": "groq", "reason": "credentials_not_configured"},
    )
    assert check(machine, "--provider", "nobody") == (
        1,
        {"status": "not_ready", "provider": "nobody", "reason": "provider_not_found"},
    )
    ready = {"status": "ready", "provider": "groq", "authType": "api_key"}
    env = {"GROQ_API_KEY": "k1"}
    assert check(machine, "--provider", "groq", **env) == (0, ready)
    assert check(machine, "--provider", "groq", "--credentials", **env) == (
        0,
        {**ready, "credentials": "k1"},
    )
    plain = machine.run("auth", "check", "--provider", "groq", **env)
    assert (plain.code, plain.stdout, plain.stderr) == (0, b"ready\n", "")
    plain = machine.run("auth", "check", "--provider", "groq", "--credentials", **env)
    assert plain.stdout == b"k1\n"
    plain = machine.run("auth", "check", "--provider", "groq")
    assert (plain.code, plain.stdout, plain.stderr) == (1, b"not_ready\n", "")
    # A credential that the platform supplies is there, but cannot be shown.
    env = {"AWS_PROFILE": "p"}
    assert check(machine, "--provider", "amazon-bedrock", **env)[0] == 0
    code, record = check(machine, "--provider", "amazon-bedrock", "--credentials", **env)
    assert (code, record["reason"]) == (1, "credential_not_available")


@posix
def test_check_of_stored_keys(machine: Machine) -> None:
    keys = {"groq": "!echo hi", "mistral": "!false", "deepseek": "$NOPE", "zai": ""}
    write_auth(machine, {n: {"type": "api_key", "key": key} for n, key in keys.items()})
    for provider in keys:
        code, record = check(machine, "--provider", provider, "--credentials")
        if provider == "groq":
            assert (code, record["credentials"]) == (0, "hi")
        else:
            assert (code, record["reason"]) == (1, "credentials_not_configured")


def test_check_of_sign_ins(machine: Machine) -> None:
    write_auth(machine, {"anthropic": sign_in(), "meta": sign_in(-5, refresh="")})
    ready = {"status": "ready", "provider": "anthropic", "authType": "oauth"}
    assert check(machine, "--provider", "anthropic") == (0, ready)
    assert check(machine, "--model", "anthropic/claude-sonnet-4-5") == (0, ready)
    assert check(machine, "--provider", "anthropic", "--credentials") == (
        0,
        {**ready, "credentials": "sk-ant-oat-A"},
    )
    assert check(machine, "--model", "no such model")[0] == 2


def test_check_of_an_expired_sign_in(machine: Machine) -> None:
    write_auth(machine, {"anthropic": sign_in(-5)})
    assert check(machine, "--provider", "anthropic", "--no-refresh")[0] == 0
    with Server({TOKEN: [(400, {"error": "invalid_grant"})]}) as server:
        result = at_loopback(machine, server, "auth", "check", "--provider", "anthropic", "--json")
    assert result.returncode == 2
    assert json.loads(result.stdout) == {
        "status": "invalid",
        "provider": "anthropic",
        "reason": "invalid_state",
    }
    assert "Sign in again: pi auth login anthropic" in result.stderr
    assert stored(machine)["anthropic"]["refresh"] == "R"


@pytest.mark.parametrize("content", ['{"groq":', '{"groq": 5}', '{"groq": {"type": "x"}}'])
def test_an_unusable_file(machine: Machine, content: str) -> None:
    write_auth(machine, content)
    code, record = check(machine, "--provider", "groq")
    assert (code, record["status"], record["reason"]) == (2, "invalid", "invalid_state")
    result = machine.run("auth", "print-api-key", "--provider", "groq")
    assert (result.code, result.stdout) == (1, b"")
    assert "auth.json" in result.stderr
    assert (machine.agent / "auth.json").read_text() == content


def test_printing(machine: Machine) -> None:
    write_auth(machine, {"anthropic": sign_in(40), "groq": {"type": "api_key", "key": "$MINE"}})

    def said(*arguments: str) -> tuple[int, str, str]:
        result = machine.run("auth", *arguments, MINE="k1")
        return result.code, result.text, result.stderr

    assert said("print-api-key", "--provider", "groq") == (0, "k1\n", "")
    token = ("print-bearer-token", "--provider", "anthropic")
    assert said(*token) == (0, "sk-ant-oat-A\n", "")
    assert said(*token, "--min-expiry", "5M") == (0, "sk-ant-oat-A\n", "")
    for arguments, error in (
        (("print-api-key", "--provider", "anthropic"), "used with a sign-in"),
        (("print-bearer-token", "--provider", "groq"), 'no sign-in for "groq"'),
        (("print-api-key", "--provider", "xai"), 'no API key for provider "xai"'),
        (("print-api-key", "--provider", "nobody"), 'no such provider: "nobody"'),
        (("print-api-key", "--model", "nothing-like-it"), "no model"),
    ):
        code, out, err = said(*arguments)
        assert (code, out) == (1, "")
        assert error in err


def at_loopback(machine: Machine, server: Server, *arguments: str) -> Any:
    return subprocess.run(
        [sys.executable, "-c", AT_LOOPBACK, server.address, *arguments],
        capture_output=True,
        text=True,
        env=machine.environment,
        cwd=machine.project,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )


def test_a_token_is_renewed_for_printing(machine: Machine) -> None:
    write_auth(machine, {"anthropic": sign_in(10)})
    token = ("auth", "print-bearer-token", "--provider", "anthropic", "--min-expiry")
    with Server({TOKEN: [(200, TOKENS), (200, {**TOKENS, "expires_in": 900})]}) as server:
        result = at_loopback(machine, server, *token, "30m")
        assert (result.stdout, result.returncode) == ("AT-1\n", 0)
        result = at_loopback(machine, server, *token, "2h")
        assert (result.stdout, result.returncode) == ("", 1)
    assert "no token that is good for 7200 seconds" in result.stderr
    assert "AT-1" not in result.stderr
    assert stored(machine)["anthropic"]["refresh"] == "RT-1"


@pytest.mark.parametrize(
    ("answer", "printed"),
    [((200, {**TOKENS, "expires_in": 900}), "AT-1\n"), ((400, {}), "sk-ant-oat-A\n")],
)
def test_a_printed_token_should_last(machine: Machine, answer: Any, printed: str) -> None:
    """Under 30 minutes it is renewed; what that gives will do, and so will the old one."""
    write_auth(machine, {"anthropic": sign_in(20)})
    token = ("auth", "print-bearer-token", "--provider", "anthropic")
    with Server({TOKEN: [answer]}) as server:
        result = at_loopback(machine, server, *token)
        assert len(server.requests) == 1
    assert (result.stdout, result.returncode) == (printed, 0)


def test_a_run_renews_its_sign_in(machine: Machine, scripted: ScriptedFactory) -> None:
    script = scripted([{"blocks": [{"text": "hello"}], "stop": "stop"}])
    machine.write(
        "models.json",
        {"providers": {"anthropic": {"baseUrl": script.server.base_url("anthropic-messages")}}},
    )
    write_auth(machine, {"anthropic": sign_in(-5)})
    arguments = ("--provider", "anthropic", "--model", "claude-sonnet-4-5", "-p", "hi")
    with Server({TOKEN: [(200, TOKENS)]}) as server:
        result = at_loopback(machine, server, *arguments)
    assert (result.stdout, result.returncode) == ("hello\n", 0)
    assert stored(machine)["anthropic"]["access"] == "AT-1"


def test_a_sign_in_brings_its_models(machine: Machine) -> None:
    assert "openai-codex" not in machine.run("--list-models", OPENAI_API_KEY="k").text
    write_auth(machine, {"openai-codex": sign_in(accountId="a")})
    rows = machine.run("--list-models").text.splitlines()
    assert len(rows) > 2
    assert {row.split()[0] for row in rows[1:]} == {"openai-codex"}
    # A plan that names its models has no others.
    plan = ["claude-fable-5", "never heard of"]
    write_auth(machine, {"github-copilot": sign_in(availableModelIds=plan)})
    rows = machine.run("--list-models").text.splitlines()
    assert [row.split()[:2] for row in rows[1:]] == [["github-copilot", "claude-fable-5"]]


def test_logout(machine: Machine) -> None:
    write_auth(machine, {"groq": {"type": "api_key", "key": "k"}, "odd one": {"type": "x"}})
    result = machine.run("auth", "logout", "groq")
    assert (result.code, result.stderr) == (0, "")
    assert "groq" in result.text
    assert stored(machine) == {"odd one": {"type": "x"}}
    again = machine.run("auth", "logout", "groq")
    assert again.code == 0
    assert "Nothing is stored" in again.text
    assert machine.run("auth", "logout", "odd one").code == 0
    assert stored(machine) == {}
    unknown = machine.run("auth", "logout", "nobody")
    assert unknown.code == 1
    assert 'no such provider: "nobody"' in unknown.stderr


def test_login_needs_a_terminal(machine: Machine) -> None:
    for arguments in (("groq",), ("anthropic",), ("anthropic", "--api-key")):
        result = machine.run("auth", "login", *arguments, stdin=b"key\n")
        assert (result.code, result.stdout) == (1, b"")
        assert "needs a terminal" in result.stderr
    assert not (machine.agent / "auth.json").exists()
    result = machine.run("auth", "login", "openai-codex", "--api-key")
    assert "takes no API key" in result.stderr


# Makes standard input the controlling terminal, so that Ctrl-C reaches the command.
ON_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """The command on a pseudo-terminal of its own. There is no browser on its PATH."""

    def __init__(self, machine: Machine, arguments: list[str]) -> None:
        import pty

        self.shown = ""
        self._descriptor, other = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", ON_TERMINAL, *arguments],
            stdin=other,
            stdout=other,
            stderr=other,
            cwd=machine.project,
            # Where it hangs, SIGABRT shows what every thread waits for.
            env={**machine.environment, "PATH": "/nonexistent", "PYTHONFAULTHANDLER": "1"},
            start_new_session=True,
        )
        os.close(other)

    def until(self, text: str, seconds: float = 30) -> str:
        """Everything shown so far, once `text` is part of it."""
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            if not select.select([self._descriptor], [], [], 0.2)[0]:
                continue
            try:
                data = os.read(self._descriptor, 65536)
            except OSError:  # Linux's way to say that the other side is closed
                data = b""
            assert data, self.shown
            self.shown += data.decode()
        return self.shown

    def type(self, line: str) -> None:
        self.press(f"{line}\n".encode())

    def press(self, keys: bytes) -> None:
        os.write(self._descriptor, keys)

    def wait(self, seconds: float = 60) -> int:
        """The exit code; what is still shown is kept."""
        deadline = time.monotonic() + seconds
        ended = True
        while True:
            if ended and time.monotonic() > deadline:
                ended = False
                self._process.send_signal(signal.SIGABRT)
            if not select.select([self._descriptor], [], [], 0.2)[0]:
                continue
            try:
                data = os.read(self._descriptor, 65536)
            except OSError:
                break
            if not data:
                break
            self.shown += data.decode()
        os.close(self._descriptor)
        code = self._process.wait(seconds)
        assert ended, self.shown
        return code


@pytest.fixture
def terminal(machine: Machine) -> Callable[..., Terminal]:
    def start(*arguments: str) -> Terminal:
        return Terminal(machine, [str(Path(sys.executable).with_name("pi")), *arguments])

    return start


@posix
def test_storing_a_key(machine: Machine, terminal: Any) -> None:
    screen = terminal("auth", "login", "groq", "--api-key")
    screen.until("API key for groq")
    time.sleep(0.3)  # echo is switched off right after the question
    screen.type("my-secret")
    assert screen.wait() == 0
    assert "my-secret" not in screen.shown
    assert stored(machine) == {"groq": {"type": "api_key", "key": "my-secret"}}
    path = machine.agent / "auth.json"
    assert path.stat().st_mode & 0o777 == 0o600
    result = machine.run("auth", "print-api-key", "--provider", "groq")
    assert result.text == "my-secret\n"


@posix
def test_storing_an_empty_key_stores_nothing(machine: Machine, terminal: Any) -> None:
    screen = terminal("auth", "login", "groq")
    screen.until("API key for groq")
    screen.type("")
    assert screen.wait() == 1
    assert "cancelled" in screen.shown
    assert not (machine.agent / "auth.json").exists()


@posix
def test_keys_that_need_more(machine: Machine, terminal: Any) -> None:
    screen = terminal("auth", "login", "cloudflare-workers-ai")
    screen.until("API key for cloudflare")
    screen.type("k")
    screen.until("account ID: ")
    screen.type("acct")
    assert screen.wait() == 0
    screen = terminal("auth", "login", "google-vertex")
    screen.until("1-3: ")
    screen.type("7")
    screen.type("2")
    screen.until("project ID: ")
    screen.type("proj")
    screen.until("us-central1: ")
    screen.type("loc")
    assert screen.wait() == 0
    assert stored(machine) == {
        "cloudflare-workers-ai": {
            "type": "api_key",
            "key": "k",
            "env": {"CLOUDFLARE_ACCOUNT_ID": "acct"},
        },
        "google-vertex": {
            "type": "api_key",
            "env": {"GOOGLE_CLOUD_PROJECT": "proj", "GOOGLE_CLOUD_LOCATION": "loc"},
        },
    }


def signing_in(machine: Machine, server: Server, *arguments: str) -> Terminal:
    command = [sys.executable, "-c", AT_LOOPBACK, server.address, "auth", "login", *arguments]
    return Terminal(machine, command)


def redirect_in(shown: str) -> tuple[str, str]:
    """The redirect address and the state of the address on the screen."""
    from urllib.parse import parse_qs, urlsplit

    found = re.search(r"https://\S+", shown)
    assert found is not None
    query = parse_qs(urlsplit(found[0]).query)
    return query["redirect_uri"][0], query["state"][0]


@posix
@pytest.mark.parametrize("way", ["callback", "paste"])
def test_signing_in_with_a_browser(machine: Machine, way: str) -> None:
    write_auth(machine, {"groq": {"type": "api_key", "key": "k"}})
    with Server({TOKEN: [(200, TOKENS)]}) as server:
        screen = signing_in(machine, server, "anthropic")
        redirect, state = redirect_in(screen.until("paste the address"))
        address = f"{redirect}?code=CODE-9&state={state}"
        if way == "callback":
            assert fetch(address)[0] == 200
        else:
            screen.type(address)
        assert screen.wait() == 0
        assert server.requests[0].fields["code"] == "CODE-9"
    assert "Signed in to anthropic" in screen.shown
    assert "AT-1" not in screen.shown
    entries = stored(machine)
    assert set(entries) == {"groq", "anthropic"}
    assert {**entries["anthropic"], "expires": 0} == {
        "type": "oauth",
        "access": "AT-1",
        "refresh": "RT-1",
        "expires": 0,
    }


@posix
@pytest.mark.parametrize("file", [None, "{broken"])
def test_radius_brings_its_mcp_server_along(machine: Machine, file: str | None) -> None:
    path = machine.agent / "mcp.json"
    if file is not None:
        machine.write("mcp.json", file)
    device = {
        "device_code": "D",
        "user_code": "U-1",
        "verification_uri": "https://radius.pi.dev/device",
        "interval": 1,
    }
    answers = {
        "/radius.pi.dev/v1/oauth/device": [(200, device)],
        "/radius.pi.dev/v1/oauth/token": [(200, TOKENS)],
    }
    with Server(answers) as server:
        screen = signing_in(machine, server, "radius", "--no-browser")
        assert screen.wait() == 0
    assert "Signed in to radius" in screen.shown
    assert stored(machine)["radius"]["access"] == "AT-1"
    if file is None:
        entry = {"url": "https://radius.pi.dev/mcp", "auth": {"provider": "radius"}}
        assert json.loads(path.read_text()) == {"mcpServers": {"radius": entry}}
        assert f'Its MCP server "radius" was added, in {path}' in screen.shown
    else:
        assert path.read_text() == file
        assert f"its MCP server could not be added: {path}" in screen.shown


@posix
def test_giving_up(machine: Machine) -> None:
    with Server() as server:
        screen = signing_in(machine, server, "anthropic")
        screen.until("paste the address")
        screen.press(b"\x03")
        assert screen.wait() == 130
        screen = signing_in(machine, server, "anthropic", "--no-browser")
        screen.until("Paste the code")
        screen.press(b"\x04")
        assert screen.wait() == 1
    assert "Traceback" not in screen.shown
    assert not (machine.agent / "auth.json").exists()


@posix
def test_signing_in_with_a_device_code(machine: Machine) -> None:
    code = {
        "device_code": "DC",
        "user_code": "ABCD-EFGH",
        "verification_uri": "https://x.example/d",
        "interval": 1,
    }
    answers: Any = {
        "/auth.x.ai/oauth2/device/code": [(200, code)],
        "/auth.x.ai/oauth2/token": [(200, TOKENS)],
    }
    with Server(answers) as server:
        screen = signing_in(machine, server, "xai", "--no-browser")
        assert screen.wait() == 0
    assert "ABCD-EFGH" in screen.shown
    assert stored(machine)["xai"]["refresh"] == "RT-1"


@posix
def test_openai_knows_this_installation_again(machine: Machine) -> None:
    named = []
    with Server() as server:
        for _ in range(2):
            screen = signing_in(machine, server, "openai")
            found = re.search(r"urn%3Auuid%3A([0-9a-f-]{36})&", screen.until("paste the address"))
            assert found is not None
            named.append(found[1])
            screen.press(b"\x03")
            assert screen.wait() == 130
    settings = json.loads((machine.agent / "settings.json").read_text())
    assert named == [settings["deviceId"]] * 2
