"""Signing in through a browser, against a server of our own."""

import base64
import hashlib
import json
import signal
import socket
import threading
import time
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.auth.oauth import browser, flow_of
from pi.auth.oauth.base import Flow, SignInCancelled, SignInRefused
from pi.auth.oauth.browser import Redirect, read_pasted
from pi.auth.oauth.loopback import is_free
from pi.auth.oauth.pkce import challenge_of, new_token
from pi.errors import AuthError
from tests.auth.authorization_server import (
    FakeClock,
    Server,
    Someone,
    around,
    comes_back,
    fetch,
    redirect_of,
)

ANTHROPIC_TOKEN = "/platform.claude.com/v1/oauth/token"
TOKENS = {"access_token": "AT", "refresh_token": "RT", "expires_in": 3600}


def flow(provider: str) -> Flow:
    found = flow_of(provider)
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def any_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fixed ports would make tests that run at the same time meet."""
    from pi.auth.oauth import anthropic, chatgpt, codex, radius

    for module in (anthropic, chatgpt, codex, radius):
        monkeypatch.setattr(module, "REDIRECT", replace(module.REDIRECT, port=0))


def test_a_challenge_is_the_verifiers_hash() -> None:
    # The example of RFC 7636, appendix B.
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert len({new_token() for _ in range(50)}) == 50


def test_anthropic() -> None:
    clock = FakeClock()
    with Server({ANTHROPIC_TOKEN: [(200, TOKENS)]}) as server:
        person = Someone(comes_back(code="CODE"))
        entry = flow("anthropic").sign_in(person, around(server, clock), "browser")
        (request,) = server.to(ANTHROPIC_TOKEN)
    assert entry == {
        "type": "oauth",
        "access": "AT",
        "refresh": "RT",
        "expires": clock.time + 3_300_000,
    }
    asked = person.query
    assert asked["redirect_uri"].startswith("http://localhost:")
    assert asked["code_challenge_method"] == "S256"
    assert urlsplit(person.urls[0])[:3] == ("https", "claude.ai", "/oauth/authorize")
    sent = request.fields
    digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"]
    assert sent["code_verifier"] != asked["state"]
    assert (sent["grant_type"], sent["code"], sent["state"], sent["redirect_uri"]) == (
        "authorization_code",
        "CODE",
        asked["state"],
        asked["redirect_uri"],
    )


@pytest.mark.parametrize("shape", ["url", "code", "code#state", "query"])
def test_a_pasted_redirect(shape: str) -> None:
    def paste(url: str) -> str:
        asked = dict(pair.split("=", 1) for pair in urlsplit(url).query.split("&"))
        state = asked["state"]
        return {
            "url": f"http://localhost:1/callback?code=CODE&state={state}",
            "code": "  CODE\n",
            "code#state": f"CODE#{state}",
            "query": f"?code=CODE&state={state}",
        }[shape]

    with Server({ANTHROPIC_TOKEN: [(200, TOKENS)]}) as server:
        entry = flow("anthropic").sign_in(Someone(pastes=paste), around(server), "browser")
        assert server.requests[0].fields["code"] == "CODE"
    assert entry["access"] == "AT"


def test_a_code_shown_by_a_page() -> None:
    with Server({ANTHROPIC_TOKEN: [(200, TOKENS)]}) as server:
        person = Someone(answers=["CODE#{state}"])
        flow("anthropic").sign_in(person, around(server), "headless")
        sent = server.requests[0].fields
    assert sent["redirect_uri"] == "https://platform.claude.com/oauth/code/callback"
    assert sent["redirect_uri"] == person.query["redirect_uri"]


@pytest.mark.parametrize("pasted", ["CODE#other", "http://localhost/x?code=CODE&state=other"])
def test_a_pasted_redirect_of_another_attempt(pasted: str) -> None:
    with Server() as server:
        with pytest.raises(AuthError, match="another attempt"):
            flow("anthropic").sign_in(Someone(pastes=pasted), around(server), "browser")
        assert server.requests == []


def test_a_callback_of_another_attempt_is_told_so_and_waited_past() -> None:
    pages = []

    def browse(url: str) -> None:
        asked = dict(pair.split("=", 1) for pair in urlsplit(url).query.split("&"))
        port = int(asked["redirect_uri"].split("%3A")[2].split("%2F")[0])
        here = f"http://127.0.0.1:{port}/callback"
        pages.append(fetch(f"{here}?code=EVIL&state=wrong"))
        pages.append(fetch(f"{here}?state={asked['state']}"))
        pages.append(fetch(f"http://127.0.0.1:{port}/other?code=EVIL&state={asked['state']}"))
        pages.append(fetch(f"{here}?code=GOOD&state={asked['state']}"))

    with Server({ANTHROPIC_TOKEN: [(200, TOKENS)]}) as server:
        flow("anthropic").sign_in(Someone(browse), around(server), "browser")
        assert [request.fields["code"] for request in server.requests] == ["GOOD"]
    assert [status for status, _ in pages[:3]] == [400, 400, 404]
    assert not any("EVIL" in page for _, page in pages)


@pytest.mark.parametrize("way", ["callback", "paste"])
def test_denied(way: str) -> None:
    denied = {"error": "access_denied", "error_description": "No,\nthanks"}
    if way == "callback":
        person = Someone(comes_back(**denied))
    else:
        person = Someone(pastes=lambda url: redirect_of(Someone(urls=[url]).query, **denied))
    with Server() as server, pytest.raises(SignInRefused, match=r"refused: No, thanks"):
        flow("anthropic").sign_in(person, around(server), "browser")


def test_nobody_comes() -> None:
    with Server() as server, pytest.raises(AuthError, match="nobody signed in within"):
        flow("anthropic").sign_in(Someone(), around(server, timeout=0.2), "browser")


@pytest.mark.parametrize("pasted", ["", "http://localhost/?state="])
def test_nothing_pasted(pasted: str) -> None:
    with Server() as server, pytest.raises(AuthError, match=r"cancelled|another attempt|no code"):
        flow("anthropic").sign_in(Someone(pastes=pasted), around(server), "browser")


def test_cancelled() -> None:
    with Server() as server, pytest.raises(SignInCancelled):
        flow("anthropic").sign_in(Someone(), around(server), "headless")


def test_no_thread_and_no_port_is_left() -> None:
    before = threading.active_count()
    with Server({ANTHROPIC_TOKEN: [(200, TOKENS)]}) as server:
        person = Someone(comes_back(code="CODE"))
        flow("anthropic").sign_in(person, around(server), "browser")
    port = int(person.query["redirect_uri"].split(":")[2].split("/")[0])
    with socket.socket() as again:
        assert again.connect_ex(("127.0.0.1", port)) != 0
    names = [thread.name for thread in threading.enumerate()]
    assert "pi-sign-in" not in names, before


def test_a_taken_port(monkeypatch: pytest.MonkeyPatch) -> None:
    from pi.auth.oauth import anthropic, codex

    with socket.socket() as taken, Server({ANTHROPIC_TOKEN: [(200, TOKENS)]}) as server:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        # A client that is known by its port cannot do without it; another takes any.
        monkeypatch.setattr(codex, "REDIRECT", replace(codex.REDIRECT, port=port))
        with pytest.raises(AuthError, match=f"cannot listen on 127.0.0.1:{port}"):
            flow("openai-codex").sign_in(Someone(), around(server), "browser")
        monkeypatch.setattr(anthropic, "REDIRECT", replace(anthropic.REDIRECT, port=port))
        person = Someone(comes_back(code="C"))
        assert flow("anthropic").sign_in(person, around(server), "browser")["access"] == "AT"


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (400, {"error": "invalid_grant", "error_description": "bad CODE-77"}, "invalid_grant"),
        (500, b"<html>", "HTTP 500"),
        (200, b"not json", "lacks"),
        (200, {"access_token": "AT", "expires_in": 5}, "lacks"),
        (200, {"access_token": "AT", "refresh_token": "RT"}, "lacks"),
        (200, {"access_token": "AT", "refresh_token": "RT", "expires_in": -5}, "lacks"),
        (302, b"", "HTTP 302"),
    ],
)
def test_a_useless_token_answer(status: int, body: Any, message: str) -> None:
    with Server({ANTHROPIC_TOKEN: [(status, body)]}) as server:
        person = Someone(comes_back(code="CODE-77"))
        with pytest.raises(AuthError, match=message) as caught:
            flow("anthropic").sign_in(person, around(server), "browser")
        verifier = server.requests[0].fields["code_verifier"]
    assert "CODE-77" not in str(caught.value)
    assert verifier not in str(caught.value)
    assert "AT" not in str(caught.value)


CHATGPT_TOKEN = "/auth.openai.com/api/accounts/oauth/token"


def test_chatgpt() -> None:
    clock = FakeClock()
    tokens = {**TOKENS, "scope": "openid chatgpt.tokens.use.direct"}
    with Server({CHATGPT_TOKEN: [(200, tokens)]}) as server:
        person = Someone(comes_back(code="CODE", client_id="dyn_9"))
        here = around(server, clock, device_id="1234")
        entry = flow("openai").sign_in(person, here, "browser")
        renewed = flow("openai").renew({**entry, "kept": 1}, here)
        first, second = server.requests
    assert entry == {
        "type": "oauth",
        "access": "AT",
        "refresh": "RT",
        "expires": clock.time + 3_420_000,
        "clientId": "dyn_9",
        "scopes": ["openid", "chatgpt.tokens.use.direct"],
    }
    assert renewed == {**entry, "kept": 1}
    assert person.query["ext_agent_host_id"] == "urn:uuid:1234"
    assert person.query["redirect_uri"].startswith("http://127.0.0.1:")
    assert first.fields["client_id"] == second.fields["client_id"] == "dyn_9"
    assert first.fields["resource"] == second.fields["resource"] == "https://api.openai.com/v1"
    assert second.fields["refresh_token"] == "RT"


def test_chatgpt_needs_a_client_and_the_scope() -> None:
    with Server({CHATGPT_TOKEN: [(200, {**TOKENS, "scope": "openid"})]}) as server:
        with pytest.raises(AuthError, match="names no client"):
            flow("openai").sign_in(Someone(comes_back(code="C")), around(server), "browser")
        assert server.requests == []
        person = Someone(comes_back(code="C", client_id="d"))
        with pytest.raises(SignInRefused, match="did not grant"):
            flow("openai").sign_in(person, around(server), "browser")


def jwt(claims: Any) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.s"


ACCOUNT = {"https://api.openai.com/auth": {"chatgpt_account_id": "acc-1"}}
CODEX_TOKEN = "/auth.openai.com/oauth/token"


def test_codex() -> None:
    clock = FakeClock()
    tokens = {**TOKENS, "access_token": jwt(ACCOUNT)}
    with Server({CODEX_TOKEN: [(200, tokens)]}) as server:
        person = Someone(comes_back(code="CODE"))
        entry = flow("openai-codex").sign_in(person, around(server, clock), "browser")
    assert entry == {
        "type": "oauth",
        "access": jwt(ACCOUNT),
        "refresh": "RT",
        "expires": clock.time + 3_600_000,
        "accountId": "acc-1",
    }


@pytest.mark.parametrize("token", ["AT", "a.b.c", jwt([]), jwt({}), "a.%%%.c", jwt({"x": 1})])
def test_codex_needs_an_account(token: str) -> None:
    with Server({CODEX_TOKEN: [(200, {**TOKENS, "access_token": token})]}) as server:
        person = Someone(comes_back(code="CODE"))
        with pytest.raises(AuthError, match="no ChatGPT account"):
            flow("openai-codex").sign_in(person, around(server), "browser")
        kept = {"refresh": "R", "accountId": "acc-0"}
        assert flow("openai-codex").renew(kept, around(server))["accountId"] == "acc-0"


def test_openrouter() -> None:
    path = "/openrouter.ai/api/v1/auth/keys"
    with Server({path: [(200, {"key": "sk-or"})]}) as server:
        person = Someone(comes_back(code="CODE"))
        entry = flow("openrouter").sign_in(person, around(server), "browser")
        sent = server.requests[0].fields
    assert entry == {"type": "oauth", "access": "sk-or", "refresh": "", "expires": 2**53 - 1}
    assert "state" not in person.query
    # What stands in for a state: a path nobody can guess.
    assert len(urlsplit(person.query["callback_url"]).path.removeprefix("/oauth/callback/")) >= 32
    assert challenge_of(sent["code_verifier"]) == person.query["code_challenge"]


def test_radius() -> None:
    clock = FakeClock()
    answers = {
        "/radius.pi.dev/v1/oauth": [(200, {"authorizationEndpoint": "https://radius.pi.dev/in"})],
        "/radius.pi.dev/v1/oauth/token": [(200, {**TOKENS, "scope": "gateway"})],
    }
    with Server(answers) as server:
        person = Someone(comes_back(code="CODE"))
        entry = flow("radius").sign_in(person, around(server, clock), "browser")
    assert person.urls[0].startswith("https://radius.pi.dev/in?response_type=code&")
    assert entry["expires"] == clock.time + 3_540_000
    assert entry["scope"] == "gateway"


def test_radius_refuses_an_insecure_page() -> None:
    answers = {"/radius.pi.dev/v1/oauth": [(200, {"authorizationEndpoint": "http://x/in"})]}
    with Server(answers) as server, pytest.raises(AuthError, match="not a secure one"):
        flow("radius").sign_in(Someone(), around(server), "browser")


@given(st.text())
def test_any_paste_is_read(text: str) -> None:
    assert all(isinstance(value, str) for value in read_pasted(text).values())


@given(
    st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True), st.from_regex(r"\w{1,9}", fullmatch=True)
)
def test_pasted_shapes_agree(code: str, state: str) -> None:
    from urllib.parse import urlencode

    query = urlencode({"code": code, "state": state})
    expected = {"code": code, "state": state}
    for text in (f"http://h/p?{query}", f"http://h/p#{query}", query, f"?{query}"):
        assert read_pasted(text) == expected
    assert read_pasted(f"{code}#{state}") == expected
    assert read_pasted(code) == {"code": code}


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="Windows has no such signals")
def test_an_interrupt_that_another_thread_notices_ends_the_wait() -> None:
    def paste(url: str) -> str:
        time.sleep(0.5)  # until the main thread waits
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        time.sleep(20)
        return ""

    with Server() as server, pytest.raises(KeyboardInterrupt):
        browser.authorize(
            "X", "https://x", {}, Someone(pastes=paste), around(server), Redirect("/")
        )


@pytest.mark.skipif(not (socket.has_ipv6 and is_free("::1", 0)), reason="this machine has no ::1")
@pytest.mark.parametrize(
    ("host", "chosen"), [("::1", ""), ("[::1]", ""), ("localhost", "::1"), ("localhost", "[::1]")]
)
def test_a_browser_that_comes_back_by_ipv6(host: str, chosen: str) -> None:
    def visit(url: str) -> None:
        asked = dict(parse_qsl(urlsplit(url).query))
        port = urlsplit(asked["redirect_uri"]).port
        fetch(f"http://[::1]:{port}/back?code=CODE&state={asked['state']}")

    with Server() as server:
        where = around(server, callback_host=chosen, timeout=10)
        redirect = Redirect("/back", host=host)
        person = Someone(visit)
        code = browser.authorize("X", "https://x", {}, person, where, redirect)
    assert code.code == "CODE"
    named = "[::1]" if "::1" in host else host
    assert code.redirect_uri.startswith(f"http://{named}:")


def test_an_unusable_host_is_said() -> None:
    with Server() as server, pytest.raises(AuthError, match="cannot listen") as caught:
        browser.authorize(
            "X",
            "https://x",
            {},
            Someone(),
            around(server, callback_host="192.0.2.1"),
            Redirect("/"),
        )
    assert caught.value.hint == "Check PI_OAUTH_CALLBACK_HOST."
    redirect = Redirect("/", host="2001:db8::1")
    with Server() as server, pytest.raises(AuthError, match="cannot listen on 2001:") as caught:
        browser.authorize("X", "https://x", {}, Someone(), around(server), redirect)
    assert "127.0.0.1" in (caught.value.hint or "")
