"""OpenAI Codex: a ChatGPT plan, through the browser or with a device code of OpenAI's own kind."""

import base64
import binascii
import json
from typing import Any

from pi.auth.oauth.base import Entry, Method, Person, Surroundings
from pi.auth.oauth.browser import Redirect, authorize
from pi.auth.oauth.device import DeviceCode, Wait, poll
from pi.auth.oauth.tokens import Answer, grant, post_form, post_json, renewed, with_patience
from pi.errors import AuthError

__all__ = ["FLOW"]

CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann"
AUTHORIZE = "https://auth.openai.com/oauth/authorize"
TOKEN = "https://auth.openai.com/oauth/token"
USER_CODE = "https://auth.openai.com/api/accounts/deviceauth/usercode"
DEVICE_TOKEN = "https://auth.openai.com/api/accounts/deviceauth/token"
DEVICE_PAGE = "https://auth.openai.com/codex/device"
DEVICE_REDIRECT = "https://auth.openai.com/deviceauth/callback"
DEVICE_LIFETIME = 900.0
SCOPES = "openid profile email offline_access"
REDIRECT = Redirect("/auth/callback", 1455)
CLAIMS = "https://api.openai.com/auth"


class Codex:
    name = "OpenAI Codex"
    methods: tuple[Method, ...] = ("browser", "headless")

    def sign_in(self, person: Person, around: Surroundings, method: Method) -> Entry:
        if method == "headless":
            return self._device(person, around)
        got = authorize(
            self.name,
            AUTHORIZE,
            {
                "response_type": "code",
                "client_id": CLIENT_ID,
                "scope": SCOPES,
                "id_token_add_organizations": "true",
                "codex_cli_simplified_flow": "true",
                "originator": "pi",
            },
            person,
            around,
            REDIRECT,
        )
        return self._exchange(around, got.code, got.verifier, got.redirect_uri)

    def renew(self, entry: Entry, around: Surroundings) -> Entry:
        fields = {
            "grant_type": "refresh_token",
            "refresh_token": entry["refresh"],
            "client_id": CLIENT_ID,
        }
        answer = with_patience(around, lambda: post_form(around, self.name, TOKEN, fields))
        new = renewed(answer, around, entry["refresh"], margin=0)
        account = _account(new["access"]) or entry.get("accountId")
        return {**entry, **new, "accountId": self._named(account)}

    def _device(self, person: Person, around: Surroundings) -> Entry:
        answer = post_json(around, self.name, USER_CODE, {"client_id": CLIENT_ID})
        doing = "start the sign-in"
        code = DeviceCode(
            answer.text("device_auth_id", doing),
            answer.text("user_code", doing),
            DEVICE_PAGE,
            interval=answer.number("interval") or 5.0,
            lifetime=DEVICE_LIFETIME,
        )
        asked = {"device_auth_id": code.device_code, "user_code": code.user_code}

        def step() -> Answer | Wait:
            got = post_json(around, self.name, DEVICE_TOKEN, asked)
            if got.error == "slow_down":
                return Wait(got.number("interval"), slower=True)
            # Not yet confirmed is a 403 or a 404 here.
            return Wait() if got.status in (403, 404) else got

        done = poll(code, person, around, step, at_once=True)
        doing = "sign in"
        return self._exchange(
            around,
            done.text("authorization_code", doing),
            done.text("code_verifier", doing),
            DEVICE_REDIRECT,
        )

    def _exchange(
        self, around: Surroundings, code: str, verifier: str, redirect_uri: str
    ) -> dict[str, Any]:
        fields = {
            "grant_type": "authorization_code",
            "client_id": CLIENT_ID,
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect_uri,
        }
        tokens = grant(post_form(around, self.name, TOKEN, fields), around, margin=0)
        return {**tokens, "accountId": self._named(_account(tokens["access"]))}

    def _named(self, account: Any) -> str:
        if isinstance(account, str) and account:
            return account
        raise AuthError(f"{self.name}: the token names no ChatGPT account")


def _account(token: str) -> str | None:
    """The account in a token's claims. Not verified: only its issuer makes use of it."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error):
        return None
    ours = claims.get(CLAIMS) if isinstance(claims, dict) else None
    account = ours.get("chatgpt_account_id") if isinstance(ours, dict) else None
    return account if isinstance(account, str) else None


FLOW = Codex()
