"""Signing in with a device code, with a clock that only waiting moves."""

from collections.abc import Callable
from typing import Any

import pytest

from pi.auth.oauth import OAUTH_PROVIDERS, flow_of
from pi.auth.oauth.base import Entry, Flow, SignInRefused
from pi.errors import AuthError
from tests.auth.authorization_server import Answer, FakeClock, Recorded, Server, Someone, around
from tests.auth.test_auth_browser import ACCOUNT, jwt

CODE = {
    "device_code": "DC",
    "user_code": "ABCD-EFGH",
    "verification_uri": "https://x.example/device",
    "interval": 2,
    "expires_in": 60,
}
TOKENS = {"access_token": "AT", "refresh_token": "RT", "expires_in": 900}
XAI = ("/auth.x.ai/oauth2/device/code", "/auth.x.ai/oauth2/token")
KIMI = ("/auth.kimi.com/api/oauth/device_authorization", "/auth.kimi.com/api/oauth/token")
RADIUS = ("/radius.pi.dev/v1/oauth/device", "/radius.pi.dev/v1/oauth/token")
META = ("/auth.meta.com/oidc/device/authorization/", "/auth.meta.com/oidc/device/token/")
PENDING: Answer = (400, {"error": "authorization_pending"})
SLOW: Answer = (400, {"error": "slow_down"})


def flow(provider: str) -> Flow:
    found = flow_of(provider)
    assert found is not None
    return found


def sign_in(
    answers: list[Answer], code: Any = None, clock: FakeClock | None = None
) -> tuple[Entry, Someone, FakeClock]:
    clock, person = clock or FakeClock(), Someone()
    with Server({XAI[0]: [(200, code or CODE)], XAI[1]: answers}) as server:
        return flow("xai").sign_in(person, around(server, clock), "browser"), person, clock


def test_pending_then_slower_then_done() -> None:
    named: Answer = (400, {"error": "slow_down", "interval": 20})
    entry, person, clock = sign_in([PENDING, SLOW, named, (200, TOKENS)])
    assert clock.slept == [2, 2, 7, 20]
    assert entry == {
        "type": "oauth",
        "access": "AT",
        "refresh": "RT",
        "expires": clock.time + (900 - 300) * 1000,
    }
    assert person.urls == ["https://x.example/device"]
    assert any("ABCD-EFGH" in line for line in person.said)


def test_intervals_are_sane() -> None:
    _, _, clock = sign_in([(200, TOKENS)], {**CODE, "interval": 0.001})
    assert clock.slept == [1]
    _, _, clock = sign_in([(200, TOKENS)], {**CODE, "interval": "often"})
    assert clock.slept == [5]


def test_the_filled_in_address_is_preferred() -> None:
    complete = "https://x.example/device?code=ABCD-EFGH"
    _, person, _ = sign_in([(200, TOKENS)], {**CODE, "verification_uri_complete": complete})
    assert person.urls == [complete]


def test_nobody_enters_the_code() -> None:
    clock = FakeClock()
    with pytest.raises(SignInRefused, match="expired") as caught:
        sign_in([PENDING], clock=clock)
    assert sum(clock.slept) == 60
    assert caught.value.hint == "Start again, and enter the code in time."
    with pytest.raises(SignInRefused, match="expired"):
        sign_in([SLOW])


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((400, {"error": "access_denied"}), "denied"),
        ((400, {"error": "expired_token"}), "expired"),
        ((400, {"error": "invalid_client", "error_description": "DC?"}), "invalid_client: …?"),
        ((200, {"error": "bad_verification_code"}), "bad_verification_code"),
        ((500, b"<html>"), "HTTP 500"),
        ((200, {"refresh_token": "RT"}), "lacks"),
    ],
)
def test_refused(answer: Answer, message: str) -> None:
    with pytest.raises(AuthError) as caught:
        sign_in([PENDING, answer])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "code",
    [
        {},
        {**CODE, "device_code": 5},
        {**CODE, "verification_uri": "file:///etc/passwd"},
        {**CODE, "verification_uri": None},
    ],
)
def test_a_useless_start(code: Any) -> None:
    with pytest.raises(AuthError):
        sign_in([(200, TOKENS)], code or {"x": 1})


def test_kimi_and_radius() -> None:
    for provider, (start, token), margin, at_once in (
        ("kimi-coding", KIMI, 0, False),
        ("radius", RADIUS, 60, True),
    ):
        clock = FakeClock()
        with Server({start: [(200, CODE)], token: [PENDING, (200, TOKENS)]}) as server:
            here = around(server, clock)
            entry = flow(provider).sign_in(Someone(), here, "headless")
            assert entry["expires"] == clock.time + (900 - margin) * 1000
            assert clock.slept == ([2] if at_once else [2, 2])
            renewed = flow(provider).renew({**entry, "refresh": "OLD"}, here)
            assert server.to(token)[-1].fields["refresh_token"] == "OLD"
        assert renewed == {**entry, "refresh": "RT"}


def test_xai_keeps_a_refresh_token_that_is_not_replaced() -> None:
    with Server({XAI[1]: [(200, {"access_token": "NEW"})]}) as server:
        clock = FakeClock()
        old = {"type": "oauth", "access": "A", "refresh": "R", "expires": 1, "x": "kept"}
        new = flow("xai").renew(old, around(server, clock))
    expires = clock.time + (3600 - 300) * 1000
    assert new == {**old, "access": "NEW", "expires": expires}


def test_meta() -> None:
    key = "/api.meta.ai/muse-code/key"
    answers = {
        META[0]: [(200, CODE)],
        META[1]: [PENDING, (200, {"access_token": "ACCOUNT"})],
        key: [(200, {"api_key": "mk-1"}), (200, {"api_key": "mk-2"})],
    }
    clock = FakeClock()
    with Server(answers) as server:
        here = around(server, clock)
        entry = flow("meta").sign_in(Someone(), here, "browser")
        renewed = flow("meta").renew(entry, here)
        assert [r.headers["authorization"] for r in server.to(key)] == ["Bearer ACCOUNT"] * 2
    day = clock.time + 86_400_000
    assert entry == {"type": "oauth", "refresh": "ACCOUNT", "access": "mk-1", "expires": day}
    assert renewed == {**entry, "access": "mk-2"}


def test_codex_with_a_device_code() -> None:
    clock = FakeClock()
    base = "/auth.openai.com/api/accounts/deviceauth"
    start = {"device_auth_id": "dev", "user_code": "ABCD", "interval": "3"}
    done = {"authorization_code": "AC", "code_verifier": "CV"}
    answers = {
        f"{base}/usercode": [(200, start)],
        f"{base}/token": [(403, {"error": {"code": "unknown"}}), (404, {}), (200, done)],
        "/auth.openai.com/oauth/token": [(200, {**TOKENS, "access_token": jwt(ACCOUNT)})],
    }
    with Server(answers) as server:
        person = Someone()
        entry = flow("openai-codex").sign_in(person, around(server, clock), "headless")
        sent = server.requests[-1].fields
    assert clock.slept == [3, 3]
    assert entry["accountId"] == "acc-1"
    assert (sent["code"], sent["code_verifier"]) == ("AC", "CV")
    assert sent["redirect_uri"] == "https://auth.openai.com/deviceauth/callback"
    assert person.urls == ["https://auth.openai.com/codex/device"]


MODELS = {
    "data": [
        {"id": "a", "model_picker_enabled": True, "policy": {"state": "enabled"}},
        {"id": "off", "model_picker_enabled": True, "policy": {"state": "disabled"}},
        {"id": "b", "model_picker_enabled": True},
        {"id": "hidden", "model_picker_enabled": False},
        {
            "id": "talker",
            "model_picker_enabled": True,
            "capabilities": {"supports": {"tool_calls": False}},
        },
        "odd",
        {"id": 5, "model_picker_enabled": True},
    ]
}


def copilot(
    domain: str, api: str, token: str, models: list[Answer]
) -> dict[str, list[Answer] | Callable[[Recorded], Answer]]:
    return {
        f"/{domain}/login/device/code": [(200, CODE)],
        f"/{domain}/login/oauth/access_token": [
            (200, {"error": "authorization_pending"}),
            (200, {"error": "slow_down", "interval": 3}),
            (200, {"access_token": "ghu"}),
        ],
        f"/api.{domain}/copilot_internal/v2/token": [
            (200, {"token": token, "expires_at": 2_000_000_000})
        ],
        f"/{api}/models": models,
    }


def test_copilot() -> None:
    token = "tid=1;proxy-ep=proxy.business.githubcopilot.com;sku=x"
    api = "api.business.githubcopilot.com"
    clock = FakeClock()
    with Server(copilot("github.com", api, token, [(200, MODELS)])) as server:
        entry = flow("github-copilot").sign_in(
            Someone(answers=[""]), around(server, clock), "browser"
        )
        sent = server.to(f"/{api}/models")[0].headers
    assert clock.slept == [2, 2, 3]
    assert entry == {
        "type": "oauth",
        "refresh": "ghu",
        "access": token,
        "expires": (2_000_000_000 - 300) * 1000,
        "availableModelIds": ["a", "b"],
    }
    assert sent["authorization"] == f"Bearer {token}"
    assert sent["copilot-integration-id"] == "vscode-chat"
    assert sent["user-agent"].startswith("GitHubCopilotChat/")


@pytest.mark.parametrize("typed", ["my.ghe.com", "https://my.ghe.com/login?x=1"])
def test_copilot_for_an_enterprise(typed: str) -> None:
    models: list[Answer] = [(500, {})]
    with Server(copilot("my.ghe.com", "copilot-api.my.ghe.com", "tid=1", models)) as server:
        person = Someone(answers=[typed])
        here = around(server)
        entry = flow("github-copilot").sign_in(person, here, "browser")
        # What the plan has cannot be told: what was known of it stays, and the token counts.
        assert "availableModelIds" not in entry
        assert entry["enterpriseUrl"] == "my.ghe.com"
        before = {**entry, "availableModelIds": ["a"]}
        assert flow("github-copilot").renew(before, here) == before


@pytest.mark.parametrize("typed", ["no domain", "localhost", "a/../b", "x.com@evil", "[::1"])
def test_copilot_refuses_what_is_no_domain(typed: str) -> None:
    with Server() as server:
        with pytest.raises(SignInRefused, match="not a domain"):
            flow("github-copilot").sign_in(Someone(answers=[typed]), around(server), "browser")
        assert server.requests == []


def test_every_provider_has_its_flow() -> None:
    for provider in OAUTH_PROVIDERS:
        found = flow(provider)
        assert found.name
        assert found.methods[0] == "browser"
    assert flow_of("groq") is None
