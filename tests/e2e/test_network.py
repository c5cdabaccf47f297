"""Proxies, private certificate authorities and the log, as the environment sets them."""

import base64
import json
import ssl
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Machine, Result
from tests.scripted_provider import ScriptedProvider

TLS = Path(__file__).parent.parent / "providers" / "tls"
CA = str(TLS / "ca.pem")
OK = [{"blocks": [{"text": "ok"}]}]


@pytest.fixture
def certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem")
    return context


def ask(machine: Machine, url: str, *arguments: str, **env: str) -> Result:
    provider = {"baseUrl": url, "api": "anthropic-messages", "apiKey": "secret-key"}
    provider |= {"models": [{"id": "m1"}]}  # type: ignore[dict-item]
    machine.write("models.json", {"providers": {"mock": provider}})
    if not (machine.agent / "settings.json").exists():
        machine.write("settings.json", {"retry": {"enabled": False}})
    return machine.run("--model", "mock/m1", *arguments, "-p", "hi", **env)


def test_a_private_authority(machine: Machine, tmp_path: Path, certificate: ssl.SSLContext) -> None:
    # OpenSSL looks certificates up by the hash of their subject: openssl x509 -subject_hash
    (tmp_path / "0135fb2e.0").write_bytes(Path(CA).read_bytes())
    with ScriptedProvider(OK, tls=certificate) as server:
        refused = ask(machine, server.url)
        assert (refused.code, refused.text) == (1, "")
        assert "certificate" in refused.stderr.lower()
        for env in (
            {"NODE_EXTRA_CA_CERTS": CA},
            {"SSL_CERT_FILE": CA},
            {"SSL_CERT_DIR": str(tmp_path)},
        ):
            result = ask(machine, server.url, **env)
            assert (result.code, result.text, result.stderr) == (0, "ok\n", ""), env


@pytest.mark.parametrize("name", ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"])
def test_an_unusable_bundle_is_one_line(
    machine: Machine, certificate: ssl.SSLContext, name: str
) -> None:
    with ScriptedProvider(OK, tls=certificate) as server:
        result = ask(machine, server.url, **{name: "/nowhere/ca.pem"})
    assert (result.code, result.text) == (1, "")
    assert "/nowhere/ca.pem" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_proxy_and_the_hosts_it_is_not_for(machine: Machine) -> None:
    target = "http://models.example.test"
    with ScriptedProvider(OK) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            assert ask(machine, target, **{name: proxy.url}).text == "ok\n", name
        assert ask(machine, target, HTTP_PROXY=proxy.url, NO_PROXY="example.test").code == 1
        machine.write("settings.json", {"httpProxy": proxy.url, "retry": {"enabled": False}})
        assert ask(machine, target).text == "ok\n"
        assert ask(machine, target, NO_PROXY="a.test, example.test").code == 1
        assert ask(machine, target, no_proxy="*").code == 1
        assert len(proxy.requests) == 4


def test_https_through_a_proxy(machine: Machine, certificate: ssl.SSLContext) -> None:
    with ScriptedProvider(OK) as proxy:
        proxy.tunnel_tls = certificate
        result = ask(machine, "https://localhost", HTTPS_PROXY=proxy.url, NODE_EXTRA_CA_CERTS=CA)
        assert (result.code, result.text) == (0, "ok\n"), result.stderr
        assert proxy.tunnels == ["localhost:443"]


def test_the_log_tells_requests_and_retries_but_no_secrets(
    machine: Machine, tmp_path: Path
) -> None:
    machine.write("settings.json", {"retry": {"baseDelayMs": 10}})
    log = tmp_path / "pi.log"
    with ScriptedProvider([{"status": 503, "headers": {"request-id": "req_7"}}, *OK]) as server:
        result = ask(machine, server.url, PI_LOG=str(log))
        assert (result.code, result.text, result.stderr) == (0, "ok\n", "")
        address = f"{server.url}/v1/messages"
    text = log.read_text()
    assert text.count(f"POST {address}, ") == 2
    assert f"{address} answered 503 " in text and "req_7" in text
    assert "retry 1 of 3" in text
    assert "secret-key" not in text and "hi" not in json.dumps(text).split()


def test_verbose_tells_retries(machine: Machine) -> None:
    machine.write("settings.json", {"retry": {"baseDelayMs": 10}})
    with ScriptedProvider([{"status": 503}, *OK]) as server:
        result = ask(machine, server.url, "--verbose")
    assert (result.code, result.text) == (0, "ok\n")
    retry, session = result.stderr.splitlines()
    assert retry.startswith("Info: retry 1 of 3 in 0.0 s: 503")
    assert session == f"Session: {machine.session()}"


@pytest.mark.parametrize(
    ("settings", "turn"),
    [
        # keep-alives are no sign of life
        ({"httpIdleTimeoutMs": 1000}, {**OK[0], "hang": 2, "ping": 0.05}),
        ({"httpIdleTimeoutMs": 1000}, {**OK[0], "hang": "headers"}),
        ({"retry": {"provider": {"timeoutMs": 500}}}, {**OK[0], "hang": "headers"}),
    ],
)
def test_a_stalled_server(machine: Machine, settings: dict[str, Any], turn: Any) -> None:
    # One retry is what it takes, but a busy machine may be late again.
    retry = {"maxRetries": 4, "baseDelayMs": 10, **settings.get("retry", {})}
    machine.write("settings.json", {**settings, "retry": retry})
    with ScriptedProvider([turn, *OK * 4]) as server:
        result = ask(machine, server.url)
        assert (result.code, result.text) == (0, "ok\n"), result.stderr
        assert len(server.requests) >= 2


def test_retries_of_one_request_wait_as_the_server_asks(machine: Machine) -> None:
    provider = {"maxRetries": 2, "maxRetryDelayMs": 5000}
    machine.write("settings.json", {"retry": {"enabled": False, "provider": provider}})
    busy = {"status": 429, "body": {"error": {"message": "slow"}}}
    with ScriptedProvider([{**busy, "headers": {"retry-after-ms": "20"}}, *OK]) as server:
        assert ask(machine, server.url).text == "ok\n"
    with ScriptedProvider([{**busy, "headers": {"retry-after": "60"}}, *OK]) as server:
        result = ask(machine, server.url)
        assert result.code == 1 and "60s" in result.stderr and len(server.requests) == 1


def test_a_request_signed_with_keys_of_aws(machine: Machine) -> None:
    pytest.importorskip("botocore")
    models = [{"id": "anthropic.claude-x", "api": "bedrock-converse-stream"}]
    keys = {
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "session",
        "AWS_REGION": "eu-west-1",
    }
    with ScriptedProvider(OK) as server:
        provider = {"baseUrl": server.url, "models": models}
        machine.write("models.json", {"providers": {"amazon-bedrock": provider}})
        result = machine.run("--model", "amazon-bedrock/anthropic.claude-x", "-p", "hi", **keys)
        assert (result.code, result.text) == (0, "ok\n"), result.stderr
        (request,) = server.requests
    scope = "/eu-west-1/bedrock/aws4_request, SignedHeaders="
    assert scope in request.headers["authorization"]
    assert request.headers["x-amz-security-token"] == "session"
    log = result.stderr + machine.session().read_text()
    assert "secret" not in log and "AKIATEST" not in log


def test_the_transport_of_the_settings(machine: Machine) -> None:
    claims = {"https://api.openai.com/auth": {"chatgpt_account_id": "a"}}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    sign_in = {"type": "oauth", "access": f"h.{payload}.s", "refresh": "r", "expires": 1 << 42}
    machine.write("auth.json", {"openai-codex": sign_in}).chmod(0o600)
    known = ("--model", "openai-codex/gpt-6.1-sol")
    for transport, ways in (("auto", ["WEBSOCKET"] * 2), ("sse", ["POST"] * 2)):
        machine.write("settings.json", {"transport": transport})
        with ScriptedProvider(OK) as server:
            machine.write("models.json", {"providers": {"openai-codex": {"baseUrl": server.url}}})
            result = machine.run(*known, "--no-session", "-p", "one", "two")
            assert (result.code, result.text) == (0, "ok\n"), result.stderr
            assert [request.method for request in server.requests] == ways


def test_what_is_missing_for_aws_and_google_is_said(machine: Machine, tmp_path: Path) -> None:
    for package in ("botocore", "google"):
        folder = tmp_path / "hide" / package
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("raise ImportError")
    hidden = {"PYTHONPATH": str(tmp_path / "hide")}
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    claude = "amazon-bedrock/us.anthropic.claude-opus-5-5"
    result = machine.run("--model", claude, "-p", "hi", **hidden, **keys)
    assert (result.code, result.text) == (1, "")
    assert "pip install 'pi-coding-agent-py[bedrock]'" in result.stderr
    path = tmp_path / "adc.json"
    path.write_text("{}")
    place = {"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_CLOUD_LOCATION": "l"}
    named = {**place, "GOOGLE_APPLICATION_CREDENTIALS": str(path)}
    result = machine.run("--model", "google-vertex/gemini-2.5-pro", "-p", "hi", **hidden, **named)
    assert (result.code, result.text) == (1, "")
    assert "pip install 'pi-coding-agent-py[vertex]'" in result.stderr
