"""Providers of extensions: lists of models that a service gives, signing in, keys for requests."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import COMMAND, Machine
from tests.e2e.interactive.tmux import TMUX, Screen
from tests.extensions.conftest import SAYS_DONE, Extend, Extended
from tests.extensions.test_examples_tools import EXAMPLES, needs_examples

in_terminal = pytest.mark.skipif(TMUX is None, reason="no tmux here")
NEVER = 4_102_444_800_000
AFTER = {"type": "oauth", "access": "a", "refresh": "r", "expires": 1000}


class Service:
    """Answers each path with what `answers` has for it. asked: paths and bodies."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, str]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                service.asked.append((self.path, self.rfile.read(length).decode()))
                answer = service.answers.get(self.path)
                data = json.dumps(answer).encode()
                self.send_response(404 if answer is None else 200)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_POST = do_GET

            def log_message(self, *_: Any) -> None:
                """Nothing on stderr."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


LIVE = """
import json, os
from pi.extensions import OAuth

def extend(pi):
    async def models(refresh):
        with open(os.environ["ASKED"], "a") as log:
            stored = refresh.stored and len(refresh.stored["models"])
            told = [refresh.network, refresh.force, stored]
            log.write(json.dumps([*told, refresh.credential]) + "\\n")
        if "FAIL" in os.environ and refresh.network:
            raise RuntimeError("no server")
        if "WRONG" in os.environ:
            return [{"id": 5}]
        if not refresh.network:
            return refresh.stored["models"] if refresh.stored else None
        models = [{"id": "found"}, {"id": "too", "contextWindow": 1000}]
        assert await refresh.store(models, note="mine")
        return models

    pi.register_provider("live", base_url="http://127.0.0.1:9/v1", api="openai-completions",
                         api_key="$LIVE_KEY", models=[{"id": "first"}], refresh_models=models)

    @pi.command("refresh")
    async def refresh(args, ctx):
        failed = await ctx.models.refresh(["live"], force=True)
        ctx.ui.notify(", ".join(f"{k}: {v}" for k, v in failed.items()) or "fine")

    @pi.command("forget")
    async def forget():
        pi.unregister_provider("live")
"""


def live(extend: Extend, **environment: str) -> Extended:
    pi = extend(LIVE)
    log = pi.machine.home / "asked.jsonl"
    pi.machine.environment |= {"ASKED": str(log), "LIVE_KEY": "sesame", **environment}
    return pi


def asked(pi: Extended) -> list[Any]:
    log = Path(pi.machine.environment["ASKED"])
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    log.unlink()
    return lines


def listed(pi: Extended) -> list[str]:
    done = pi.machine.run(*pi.options, "--list-models", "live")
    return [line.split()[1] for line in done.text.splitlines()[1:] if line.startswith("live ")]


def names(person: Any) -> list[str]:
    models = person.request({"type": "get_available_models"})["data"]["models"]
    return [model["id"] for model in models if model["provider"] == "live"]


def test_lists_of_a_service(extend: Extend) -> None:
    pi = live(extend)
    assert listed(pi) == ["first"], "nothing is known, and nobody is asked"
    assert asked(pi) == [[False, False, None, None]]
    del pi.machine.environment["PI_OFFLINE"]
    with pi.rpc() as person:
        while "found" not in names(person):
            person.request({"type": "get_state"})
        assert names(person) == ["found", "too"], "they are all that it has now"
        person.finish()
    key = {"type": "api_key", "key": "sesame"}
    assert asked(pi) == [[False, False, None, None]] * 2 + [[True, False, None, key]]
    kept = json.loads((pi.machine.agent / "models-store.json").read_text())["live"]
    assert kept["models"][0] == {"id": "found"} and kept["note"] == "mine" and kept["checkedAt"]
    assert listed(pi) == ["found", "too"], "what was stored"
    pi.machine.environment["PI_OFFLINE"] = "1"
    with pi.rpc() as person:
        person.ask("/refresh")
        person.ask("/forget")
        assert names(person) == []
        person.finish()
    assert person.notices() == ["fine"]
    assert not any(line[0] for line in asked(pi)), "offline"


def test_lists_without_a_key_or_a_server(extend: Extend) -> None:
    pi = live(extend, FAIL="1")
    del pi.machine.environment["PI_OFFLINE"]
    with pi.rpc() as person:
        person.ask("/refresh")
        assert names(person) == ["first"]
        person.finish()
    assert person.notices() == ["live: no server"]
    assert person.errors_of_extensions() == []
    pi.machine.environment["LIVE_KEY"] = ""
    with pi.rpc() as person:
        person.ask("/refresh")
        person.finish()
    assert person.notices() == ["fine"], "without a key nobody is asked"


def test_lists_that_are_none(extend: Extend) -> None:
    pi = live(extend, WRONG="1")
    done = pi.machine.run(*pi.options, "--list-models", "live")
    assert "first" in done.text
    assert "refresh_models of live" in done.stderr and "models[0].id" in done.stderr


def test_updating_lists(extend: Extend) -> None:
    pi = live(extend)
    folder = pi.machine.agent / "extensions"
    folder.mkdir(parents=True)
    (folder / "live.py").write_text(LIVE)
    pi.options = ()
    del pi.machine.environment["PI_OFFLINE"]
    done = pi.machine.run("update", "--models")
    assert (done.code, done.text) == (0, "Lists of models refreshed: live\n")
    assert asked(pi)[-1][:2] == [True, True]
    assert listed(pi) == ["found", "too"]
    failed = pi.machine.run("update", "--models", FAIL="1")
    assert failed.code == 1 and "live: no server" in failed.stderr


SUPERSEDED = """
import asyncio

def extend(pi):
    told, started, begun = [], asyncio.Event(), asyncio.Event()

    async def models(refresh):
        if not refresh.network:
            return None
        if not started.is_set():  # pi's own, in the background: it may come at any time
            started.set()
            return None
        if not begun.is_set():
            begun.set()
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                told.append(["cancelled", await refresh.store([{"id": "late"}])])
                raise
        told.append(["stored", await refresh.store([{"id": "new"}])])
        return [{"id": "new"}]

    pi.register_provider("live", base_url="http://127.0.0.1:9/v1", api="openai-completions",
                         api_key="k", refresh_models=models)

    @pi.command("twice")
    async def twice(args, ctx):
        await started.wait()
        first = asyncio.create_task(ctx.models.refresh())
        await begun.wait()
        await ctx.models.refresh()
        pi.append_entry("told", [*told, dict(await first)])

    @pi.command("gone")
    async def gone(args, ctx):
        begun.clear()
        first = asyncio.create_task(ctx.models.refresh())
        await begun.wait()
        pi.unregister_provider("live")
        await first
        pi.append_entry("gone", "live" in ctx.models.providers())

    @pi.command("slow")
    async def slow(args, ctx):
        begun.clear()
        failed = await ctx.models.refresh(seconds=0.05)
        pi.append_entry("told", [type(error).__name__ for error in failed.values()])
"""


def test_a_refresh_takes_the_place_of_another(extend: Extend) -> None:
    pi = extend(SUPERSEDED)
    del pi.machine.environment["PI_OFFLINE"]
    with pi.rpc() as person:
        person.ask("/twice")
        person.ask("/slow")
        assert names(person) == ["new"]
        entries = person.request({"type": "get_entries"})["data"]["entries"]
        person.finish()
    told = [entry["data"] for entry in entries if entry["type"] == "custom"]
    assert told[0] == [["cancelled", False], ["stored", True], {}]
    assert told[1] == ["TimeoutError"]
    kept = json.loads((pi.machine.agent / "models-store.json").read_text())["live"]
    assert kept["models"] == [{"id": "new"}]


def test_one_that_is_taken_back_stays_away(extend: Extend) -> None:
    pi = extend(SUPERSEDED)
    del pi.machine.environment["PI_OFFLINE"]
    with pi.rpc() as person:
        person.ask("/twice")
        person.ask("/gone")
        entries = person.request({"type": "get_entries"})["data"]["entries"]
        person.finish()
    assert [e["data"] for e in entries if e.get("customType") == "gone"] == [False]


DELEGATES = """
from contextlib import aclosing
from dataclasses import replace
from pi.providers.registry import stream_function

def extend(pi):
    async def stream(model, context, options):
        headers = {**options.headers, "authorization": f"Bearer exchanged-{options.api_key}"}
        options = replace(options, api_key=None, headers=headers)
        async with aclosing(stream_function("anthropic-messages")(model, context, options)) as all:
            async for event in all:
                yield event

    import os
    pi.register_provider("gateway", base_url=os.environ["SERVICE"], api="gateway", api_key="k",
                         models=[{"id": "claude"}], stream=stream)
"""


def test_a_stream_that_hands_on_to_one_of_ours(extend: Extend) -> None:
    pi = extend(DELEGATES)
    pi.machine.environment["SERVICE"] = pi.script.server.url
    pi.script.options = ("--model", "gateway/claude")
    assert pi.run("-p", "hi").text == "done\n"
    (request,) = pi.script.server.requests
    assert request.headers["authorization"] == "Bearer exchanged-k"
    assert "x-api-key" not in request.headers and request.body["model"] == "claude"
    answer = pi.machine.messages()[-1]
    assert (answer["provider"], answer["api"]) == ("gateway", "gateway")


@needs_examples
def test_the_example_of_a_local_server(extend: Extend, service: Service) -> None:
    pi = extend(EXAMPLES / "local_models.py")
    service.answers["/v1/models"] = {"data": [{"id": "qwen", "max_model_len": 8000}]}
    pi.machine.environment["LOCAL_MODELS_URL"] = f"{service.url}/v1"
    del pi.machine.environment["PI_OFFLINE"]
    with pi.rpc() as person:
        found: list[Any] = []
        while not found:
            models = person.request({"type": "get_available_models"})["data"]["models"]
            found = [model for model in models if model["provider"] == "local"]
        person.finish()
    assert (found[0]["id"], found[0]["contextWindow"], found[0]["maxTokens"]) == (
        "qwen",
        8000,
        2000,
    )
    listing = pi.machine.run(*pi.options, "--list-models", "local", PI_OFFLINE="1").text
    assert "qwen" in listing


LISTS = """
def extend(pi):
    @pi.command("list")
    async def listed(args, ctx):
        await ctx.models.refresh(["local"])
        found = ctx.models.available_of_type("classifier")
        pi.append_entry("list", [[m.reference, m.api, m.base_url] for m in found])
"""


@needs_examples
def test_the_example_of_a_llama_cpp_server(extend: Extend, service: Service) -> None:
    """Its chat models classify, too, and its decision models do nothing else."""
    pi = extend(LISTS, EXAMPLES / "local_models.py")
    service.answers["/v1/models"] = {
        "data": [
            {"id": "qwen", "owned_by": "llamacpp", "meta": {"n_ctx": 8000}},
            {"id": "julia", "architecture": {"output_modalities": ["decisions"]}},
        ]
    }
    pi.machine.environment["LOCAL_MODELS_URL"] = f"{service.url}/v1"
    del pi.machine.environment["PI_OFFLINE"]
    with pi.rpc() as person:
        person.ask("/list")
        models = person.request({"type": "get_available_models"})["data"]["models"]
        entries = person.request({"type": "get_entries"})["data"]["entries"]
        person.finish()
    found = [m for m in models if m["provider"] == "local"]
    assert [(m["id"], m["contextWindow"]) for m in found] == [("qwen", 8000)]
    assert [e["data"] for e in entries if e["type"] == "custom"] == [
        [
            ["local/qwen", "llama-cpp-classify", service.url],
            ["local/julia", "typesafe-system-one", f"{service.url}/v1"],
        ]
    ]


SIGNING = """
import asyncio, os
from pi.extensions import OAuth, SignInRefused

def extend(pi):
    url = os.environ["SERVICE"]

    async def sign_in(sign):
        way = sign.choose("How?", ["By code", "By browser"])
        if way == 1:
            found = sign.authorize(url + "/authorize", {"client_id": "me"}, page=url + "/shown")
            tokens = sign.fetch(url + "/token", form={"code": found.code, "v": found.verifier})
        else:
            sign.show_code(url + "/device", "ABCD")
            sign.say("Waiting")
            sign.wait(0.01)
            await asyncio.sleep(0.01)
            secret = sign.ask("The secret:", secret=True)
            tokens = sign.fetch(url + "/token", json={"secret": secret})
        if tokens.status != 200:
            raise SignInRefused("the service said no")
        return {"access": "A", "refresh": "R", "expires": 4102444800000, "plan": ["m2"]}

    def renew(stored, sign):
        if stored["refresh"] == "revoked":
            raise SignInRefused("revoked")
        if stored["refresh"] == "breaks":
            return 1 / 0
        if stored["refresh"] == "nothing":
            return None
        if stored["refresh"] == "asks":
            return {"access": sign.ask("Who?")}
        return {"access": stored["access"] + "+", "expires": 4102444800000}

    def offered(models, stored):
        return [model for model in models if model["id"] in stored.get("plan", ["m1", "m2"])]

    pi.register_provider(
        "corp", base_url=url, api="anthropic-messages", models=[{"id": "m1"}, {"id": "m2"}],
        oauth=OAuth("Corporate", sign_in, renew, lambda stored: "key-" + stored["access"], offered))

    @pi.command("auth")
    async def auth(name, ctx):
        found = await ctx.models.auth(name)
        known = ctx.models.provider(name)
        ctx.ui.notify(f"{found and found.api_key} {known and (known.oauth, known.has_key)}")
        ctx.ui.notify(repr(found))
"""


def corporate(extend: Extend, service: Service, **stored: Any) -> Extended:
    pi = extend(SIGNING)
    pi.machine.environment["SERVICE"] = pi.script.server.url
    if stored:
        pi.machine.write("auth.json", {"corp": {**AFTER, **stored}}).chmod(0o600)
    pi.script.options = ("--model", "corp/m1")
    return pi


def test_a_sign_in_is_renewed_and_makes_the_key(extend: Extend, service: Service) -> None:
    pi = corporate(extend, service, refresh="R")
    assert pi.run("-p", "hi").text == "done\n"
    (request,) = pi.script.server.requests
    assert request.headers["x-api-key"] == "key-a+"
    assert "authorization" not in request.headers
    stored = json.loads((pi.machine.agent / "auth.json").read_text())["corp"]
    assert stored == {**AFTER, "refresh": "R", "access": "a+", "expires": NEVER}


@pytest.mark.parametrize(
    ("refresh", "told"),
    [
        ("revoked", 'the stored sign-in for "corp" is no longer accepted: revoked'),
        ("breaks", "Corporate: ZeroDivisionError: division by zero"),
        ("nothing", "Corporate: renew gave no tokens"),
        ("asks", "nobody is there to ask while a sign-in is renewed"),
    ],
)
def test_a_renewal_that_fails(extend: Extend, service: Service, refresh: str, told: str) -> None:
    pi = corporate(extend, service, refresh=refresh)
    before = (pi.machine.agent / "auth.json").read_bytes()
    done = pi.run("-p", "hi")
    assert done.code == 1 and told in done.stderr
    assert (pi.machine.agent / "auth.json").read_bytes() == before
    assert pi.bodies == []


def test_what_a_plan_offers(extend: Extend, service: Service) -> None:
    pi = corporate(extend, service, expires=NEVER, plan=["m2"])
    listed = pi.machine.run(*pi.options, "--list-models", "corp").text
    assert "m2" in listed and "m1" not in listed


def test_keys_for_requests_of_ones_own(extend: Extend, service: Service) -> None:
    pi = corporate(extend, service, refresh="R")
    pi.script.options = ("--model", "mock/m1")
    with pi.rpc() as person:
        person.ask("/auth corp")
        person.ask("/auth mock")
        person.ask("/auth nobody")
        person.finish()
    shown = person.notices()
    assert shown[0] == "key-a+ ('Corporate', True)"
    assert shown[2] == "secret-key (None, True)"
    assert shown[4] == "None None"
    assert not any("secret-key" in text for text in shown[1::2]), "keys are not shown by accident"


def at_machine(extend: Extend, service: Service) -> Machine:
    machine = extend(SIGNING, turns=[SAYS_DONE]).machine
    folder = machine.agent / "extensions"
    folder.mkdir(parents=True)
    (folder / "corp.py").write_text(SIGNING)
    machine.environment["SERVICE"] = service.url
    return machine


@in_terminal
@pytest.mark.parametrize("way", ["1", "2"])
def test_signing_in_by_the_command(extend: Extend, service: Service, way: str) -> None:
    machine = at_machine(extend, service)
    service.answers["/token"] = {}
    command = [*COMMAND, "auth", "login", "corp", "--no-browser"]
    with Screen(command, cwd=machine.project, env=machine.environment, columns=120) as screen:
        screen.wait("2. By browser")
        screen.type(way)
        screen.press("Enter")
        screen.wait("Enter the code: ABCD" if way == "1" else "/authorize?client_id=me")
        screen.wait("The secret:" if way == "1" else "Paste the code here:")
        screen.type("sesame")
        screen.press("Enter")
        assert screen.wait_end() == 0
    stored = json.loads((machine.agent / "auth.json").read_text())["corp"]
    assert stored == {**AFTER, "access": "A", "refresh": "R", "expires": NEVER, "plan": ["m2"]}
    (path, body) = service.asked[-1]
    assert path == "/token" and "sesame" in body


@in_terminal
def test_signing_in_at_the_editor(extend: Extend, service: Service) -> None:
    machine = at_machine(extend, service)
    command = [*COMMAND, "--model", "mock/m1"]
    with Screen(command, cwd=machine.project, env=machine.environment, columns=100) as screen:
        screen.wait("m1")
        screen.type("/login corp")
        screen.press("Enter")
        screen.wait("Corporate")
        screen.press("Enter")
        screen.wait("By browser")
        screen.press("Enter")
        screen.wait("ABCD")
        screen.type("sesame")
        screen.press("Enter")
        screen.wait("the service said no")
        service.answers["/token"] = {}
        screen.type("/login corp")
        screen.press("Enter")
        screen.wait("Corporate")
        screen.press("Enter")
        screen.wait("By browser")
        screen.press("Enter")
        screen.wait("The secret")
        screen.type("sesame")
        screen.press("Enter")
        screen.wait("Signed in to")
        screen.type("/model corp")
        screen.press("Enter")
        screen.wait("corp/m2")
    assert json.loads((machine.agent / "auth.json").read_text())["corp"]["access"] == "A"
