"""The HTTP client: what it imports, whom it trusts, where it goes through."""

import asyncio
import os
import re
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from pi.errors import ConfigError, NetworkError
from pi.providers.http import HttpClient, HttpOptions, user_agent
from pi.wire.model import Model
from tests.providers.exchange import ANTHROPIC, collect, user
from tests.scripted_provider import ScriptedProvider

# A private CA and a certificate of 127.0.0.1 and localhost, valid until 2120; for tests alone.
TLS = Path(__file__).parent / "tls"
CA = TLS / "ca.pem"


def ask(base_url: str, options: HttpOptions | None = None):
    model = Model(id="m1", provider="mock", api=ANTHROPIC, base_url=base_url)
    return collect(model, [user("go")], options)[-1]


def run(code: str) -> str:
    return subprocess.check_output(
        [sys.executable, "-c", code], text=True, env={**os.environ, "PYTHONWARNINGS": "error"}
    )


def test_nothing_heavy_is_imported_before_the_first_request():
    names = run(
        "import sys, pi.providers.base, pi.providers.http, pi.providers.registry;"
        "print(*sys.modules)"
    ).split()
    assert not {"httpx", "ssl", "truststore", "click", "asyncio"} & set(names)


def test_httpx_comes_without_its_command_line():
    names = run(
        "import sys, pi.providers.http as h; h._httpx(); h._httpx();"
        "assert 'httpx._main' not in sys.modules; print(*sys.modules)"
    ).split()
    assert "httpx" in names
    assert not {"click", "rich", "pygments"} & set(names)


def test_threads_may_load_httpx_together():
    code = (
        "import threading, pi.providers.http as h\n"
        "start = threading.Barrier(6); bad = []\n"
        "def load():\n"
        "    start.wait()\n"
        "    if not hasattr(h._httpx(), 'AsyncClient'): bad.append(1)\n"
        "threads = [threading.Thread(target=load) for _ in range(6)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
        "print(len(bad))"
    )
    assert run(code) == "0\n"


def test_plain_http_needs_no_certificates():
    code = f"""
import asyncio, sys
sys.path.insert(0, {str(TLS.parent.parent)!r})
from tests.scripted_provider import ScriptedProvider
from pi.providers.http import HttpClient
async def main(url):
    client = HttpClient()
    async with client.stream(url + "/v1/messages", headers={{}}, content=b"{{}}") as answer:
        assert answer.status_code == 200
    await client.aclose()
with ScriptedProvider([{{"raw": []}}]) as server:
    asyncio.run(main(server.url))
print(*sys.modules)
"""
    assert "truststore" not in run(code).split()


def test_user_agent():
    assert re.fullmatch(r"pi/\d\S* \(\w+; python/3\.\d+\.\d+; \w*\)", user_agent())


def server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem")
    return context


@pytest.fixture
def tls_server():
    with ScriptedProvider([{"blocks": [{"text": "ok"}]}], tls=server_context()) as server:
        yield server


@pytest.mark.parametrize("options", [HttpOptions(extra_ca=CA), HttpOptions(ca_file=CA)])
def test_a_private_ca(tls_server, options):
    assert ask(tls_server.url, options)["type"] == "done"


def test_a_private_ca_in_a_folder(tls_server, tmp_path):
    # OpenSSL looks certificates up by the hash of their subject: openssl x509 -subject_hash
    (tmp_path / "0135fb2e.0").write_bytes(CA.read_bytes())
    assert ask(tls_server.url, HttpOptions(ca_dir=tmp_path))["type"] == "done"


def test_an_unknown_ca_is_refused_and_explained(tls_server):
    event = ask(tls_server.url)
    assert isinstance(event["failure"], NetworkError)
    assert event["failure"].retryable is False
    assert "NODE_EXTRA_CA_CERTS" in event["failure"].hint
    assert tls_server.requests == []


@pytest.mark.parametrize("field", ["ca_file", "extra_ca"])
@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_unusable_bundle_is_named(tls_server, tmp_path, field, content):
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_text(content)
    event = ask(tls_server.url, HttpOptions(**{field: bundle}))
    assert isinstance(event["failure"], ConfigError)
    assert str(bundle) in event["error"]["errorMessage"]


@pytest.fixture
def proxy():
    """Answers for every host itself, as plain requests or in tunnels."""
    with ScriptedProvider([{"blocks": [{"text": "by proxy"}]}]) as server:
        yield server


TARGET = "http://models.example.test/api"


def test_the_proxy_of_the_settings(proxy):
    for address in (proxy.url, proxy.url.removeprefix("http://")):
        assert ask(TARGET, HttpOptions(proxy=address))["type"] == "done"
    assert [r.target for r in proxy.requests] == [f"{TARGET}/v1/messages?beta=true"] * 2


def test_https_goes_through_a_tunnel(proxy):
    proxy.tunnel_tls = server_context()
    event = ask("https://localhost", HttpOptions(proxy=proxy.url, extra_ca=CA))
    assert event["type"] == "done"
    assert proxy.tunnels == ["localhost:443"]


@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY"])
def test_the_proxy_of_the_environment(proxy, monkeypatch, name):
    monkeypatch.setenv(name, proxy.url)
    assert ask(TARGET)["type"] == "done"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,example.test")
    assert ask(TARGET)["type"] == "error"
    assert len(proxy.requests) == 1


@pytest.mark.parametrize(
    ("no_proxy", "direct"),
    [
        ((), False),
        (("other.test",), False),
        (("models.example.test",), True),
        (("example.test",), True),
        ((".example.test",), True),
        (("*",), True),
        (("", " models.example.test "), True),
    ],
)
def test_hosts_that_bypass_the_proxy(proxy, no_proxy, direct):
    event = ask(TARGET, HttpOptions(proxy=proxy.url, no_proxy=no_proxy))
    assert (event["type"] == "error") is direct
    assert len(proxy.requests) == (0 if direct else 1)


@pytest.mark.parametrize("proxy_url", ["gopher://127.0.0.1:1", "http://127.0.0.1:nan"])
def test_an_unusable_proxy_is_named(proxy_url):
    event = ask(TARGET, HttpOptions(proxy=proxy_url))
    assert isinstance(event["failure"], ConfigError)
    assert proxy_url in event["error"]["errorMessage"]


def test_a_dead_proxy_is_a_network_error():
    event = ask(TARGET, HttpOptions(proxy="http://127.0.0.1:1"))
    assert isinstance(event["failure"], NetworkError) and event["failure"].retryable


def test_a_server_that_does_not_run():
    failure = ask("http://127.0.0.1:1")["failure"]
    assert isinstance(failure, NetworkError)
    assert str(failure) == "cannot connect to 127.0.0.1:1: Connection refused"


def test_a_client_may_be_closed_twice_and_used_again():
    async def use(url):
        client = HttpClient()
        for _ in range(2):
            async with client.stream(f"{url}/v1/messages", headers={}, content=b"{}") as answer:
                assert answer.headers["content-type"] == "text/event-stream"
            await client.aclose()
            await client.aclose()

    with ScriptedProvider([{"blocks": []}]) as server:
        asyncio.run(use(server.url))
        assert server.requests[0].headers["accept-encoding"] == "identity"


def test_blanks_around_a_header_are_left_out() -> None:
    with ScriptedProvider([{"blocks": []}]) as server:
        headers = {"x-a": " v\r\n", "x-b": "\tJosé ", "x-c": "a b", "User-Agent": " own"}
        model = Model(id="m1", provider="mock", api=ANTHROPIC, base_url=server.url)
        assert collect(model, [user("go")], api_key="k\n", headers=headers)[-1]["type"] == "done"
        sent = server.requests[0].headers
    names = ("x-api-key", "x-a", "x-b", "x-c", "user-agent")
    assert [sent[name] for name in names] == ["k", "v", "José", "a b", "own"]


@pytest.mark.parametrize("value", ["sec\nret", "sec\x00ret", "sec\x7fret", "\ufeffsecret"])
def test_what_cannot_be_sent_is_not_shown(value: str) -> None:
    model = Model(id="m1", provider="mock", api=ANTHROPIC, base_url="http://127.0.0.1:9")
    failure = collect(model, [user("go")], api_key=value)[-1]
    message = failure["error"]["errorMessage"]
    assert "'x-api-key' holds characters that HTTP cannot carry" in message
    assert "sec" not in message
