"""Radius: the gateway's own accounts, through the browser or a device code."""

from typing import Any

from pi.auth.oauth.base import Entry, Method, Person, Surroundings
from pi.auth.oauth.browser import Redirect, authorize
from pi.auth.oauth.device import Wait, next_step, poll, read_code
from pi.auth.oauth.tokens import Answer, get, grant, post_form, renewed, with_patience
from pi.errors import AuthError

__all__ = ["FLOW"]

GATEWAY = "https://radius.pi.dev"
CLIENT_ID = "pi-gateway"
SCOPES = "gateway offline_access"
REDIRECT = Redirect("/oauth/callback", 1456, host="127.0.0.1")
MARGIN = 60.0


class Radius:
    name = "Radius"
    methods: tuple[Method, ...] = ("browser", "headless")

    def sign_in(self, person: Person, around: Surroundings, method: Method) -> Entry:
        answer = (
            self._device(person, around) if method == "headless" else self._code(person, around)
        )
        return self._scoped(answer, grant(answer, around, margin=MARGIN))

    def renew(self, entry: Entry, around: Surroundings) -> Entry:
        fields = {
            "grant_type": "refresh_token",
            "client_id": CLIENT_ID,
            "refresh_token": entry["refresh"],
        }
        url = f"{GATEWAY}/v1/oauth/token"
        answer = with_patience(around, lambda: post_form(around, self.name, url, fields))
        new = renewed(answer, around, entry["refresh"], margin=MARGIN)
        return self._scoped(answer, {**entry, **new})

    def _code(self, person: Person, around: Surroundings) -> Answer:
        """Where to sign in is the gateway's to say."""
        config = get(around, self.name, f"{GATEWAY}/v1/oauth", {})
        endpoint = config.text("authorizationEndpoint", "start the sign-in")
        if not endpoint.startswith("https://"):
            raise AuthError(f"{self.name}: the address to sign in at is not a secure one")
        parameters = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "scope": SCOPES,
            "handoff": "url",
        }
        got = authorize(self.name, endpoint, parameters, person, around, REDIRECT)
        fields = {
            "grant_type": "authorization_code",
            "client_id": CLIENT_ID,
            "code": got.code,
            "code_verifier": got.verifier,
            "redirect_uri": got.redirect_uri,
        }
        return post_form(around, self.name, f"{GATEWAY}/v1/oauth/token", fields)

    def _device(self, person: Person, around: Surroundings) -> Answer:
        fields = {"client_id": CLIENT_ID, "scope": SCOPES}
        code = read_code(post_form(around, self.name, f"{GATEWAY}/v1/oauth/device", fields))
        asked = {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "client_id": CLIENT_ID,
            "device_code": code.device_code,
        }

        def step() -> Answer | Wait:
            got = post_form(around, self.name, f"{GATEWAY}/v1/oauth/token", asked)
            return next_step(got) or got

        return poll(code, person, around, step, at_once=True)

    def _scoped(self, answer: Answer, entry: dict[str, Any]) -> Entry:
        scope = answer.fields.get("scope")
        return {**entry, "scope": scope} if isinstance(scope, str) and scope else entry


FLOW = Radius()
