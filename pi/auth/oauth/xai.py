"""xAI: a Grok account, through the device flow."""

from pi.auth.oauth.base import Entry, Method, Person, Surroundings
from pi.auth.oauth.device import Wait, next_step, poll, read_code
from pi.auth.oauth.tokens import Answer, grant, post_form, renewed, with_patience

__all__ = ["FLOW"]

CLIENT_ID = "b1a00492-073a-47ea-816f-4c329264a828"
SCOPES = "openid profile email offline_access grok-cli:access api:access"
DEVICE = "https://auth.x.ai/oauth2/device/code"
TOKEN = "https://auth.x.ai/oauth2/token"
MARGIN = 300.0
LIFETIME = 3600.0
"""Seconds, for an answer that does not say."""


class XAI:
    name = "xAI"
    methods: tuple[Method, ...] = ("browser",)

    def sign_in(self, person: Person, around: Surroundings, method: Method) -> Entry:
        fields = {"client_id": CLIENT_ID, "scope": SCOPES, "referrer": "pi"}
        code = read_code(post_form(around, self.name, DEVICE, fields))
        asked = {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "client_id": CLIENT_ID,
            "device_code": code.device_code,
        }

        def step() -> Answer | Wait:
            got = post_form(around, self.name, TOKEN, asked)
            return next_step(got) or got

        return grant(poll(code, person, around, step), around, margin=MARGIN, lifetime=LIFETIME)

    def renew(self, entry: Entry, around: Surroundings) -> Entry:
        fields = {
            "grant_type": "refresh_token",
            "client_id": CLIENT_ID,
            "refresh_token": entry["refresh"],
        }
        answer = with_patience(around, lambda: post_form(around, self.name, TOKEN, fields))
        old = entry["refresh"]
        return {**entry, **renewed(answer, around, old, margin=MARGIN, lifetime=LIFETIME)}


FLOW = XAI()
