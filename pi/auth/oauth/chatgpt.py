"""OpenAI with a ChatGPT account: the browser flow, with a client made for each sign-in.

The first request names a placeholder; the redirect brings the client id to use from then on, which
is stored beside the tokens.
"""

from collections.abc import Mapping
from typing import Any

from pi.auth.oauth.base import Entry, Method, Person, SignInRefused, Surroundings
from pi.auth.oauth.browser import Redirect, authorize
from pi.auth.oauth.pkce import new_token
from pi.auth.oauth.tokens import Answer, grant, post_form, renewed, with_patience
from pi.errors import AuthError

__all__ = ["FLOW"]

PLACEHOLDER_CLIENT = "dynamic_agent_client"
AUTHORIZE = "https://auth.openai.com/api/accounts/authorize"
TOKEN = "https://auth.openai.com/api/accounts/oauth/token"
RESOURCE = "https://api.openai.com/v1"
NEEDED_SCOPE = "chatgpt.tokens.use.direct"
SCOPES = f"openid profile email offline_access resource.invoke {NEEDED_SCOPE}"
REDIRECT = Redirect("/auth/callback", 1455, host="127.0.0.1")
MARGIN = 180.0


class ChatGPT:
    name = "OpenAI"
    methods: tuple[Method, ...] = ("browser",)

    def sign_in(self, person: Person, around: Surroundings, method: Method) -> Entry:
        got = authorize(
            self.name,
            AUTHORIZE,
            {
                "client_id": PLACEHOLDER_CLIENT,
                "agent_name_hint": "Pi",
                "ext_agent_host_id": f"urn:uuid:{around.device_id}",
                "response_type": "code",
                "resource": RESOURCE,
                "scope": SCOPES,
                "nonce": new_token(),
            },
            person,
            around,
            REDIRECT,
        )
        client = got.query.get("client_id", "").strip()
        if not client:
            raise AuthError(
                f"{self.name}: the redirect names no client",
                hint="Paste the whole address the browser ends at, not the code alone.",
            )
        fields = {
            "grant_type": "authorization_code",
            "client_id": client,
            "code": got.code,
            "code_verifier": got.verifier,
            "redirect_uri": got.redirect_uri,
            "resource": RESOURCE,
        }
        answer = post_form(around, self.name, TOKEN, fields)
        tokens = grant(answer, around, margin=MARGIN)
        return {**tokens, "clientId": client, "scopes": self._scopes(answer)}

    def renew(self, entry: Entry, around: Surroundings) -> Entry:
        client = entry.get("clientId")
        if not isinstance(client, str) or not client:
            raise SignInRefused(f"{self.name}: the stored sign-in names no client")
        fields = {
            "grant_type": "refresh_token",
            "client_id": client,
            "refresh_token": entry["refresh"],
            "resource": RESOURCE,
        }
        answer = with_patience(around, lambda: post_form(around, self.name, TOKEN, fields))
        new: Mapping[str, Any] = renewed(answer, around, entry["refresh"], margin=MARGIN)
        # RFC 6749: a renewal that does not mention scopes leaves them as they were.
        scopes = self._scopes(answer) if answer.fields.get("scope") else entry.get("scopes", [])
        return {**entry, **new, "scopes": scopes}

    def _scopes(self, answer: Answer) -> list[str]:
        scopes = answer.text("scope", "get tokens").split()
        if NEEDED_SCOPE not in scopes:
            raise SignInRefused(f"{self.name}: the account did not grant {NEEDED_SCOPE}")
        return scopes


FLOW = ChatGPT()
