"""Kimi For Coding: a Kimi account, through the device flow."""

from dataclasses import replace

from pi.auth.oauth.base import Entry, Method, Person, Surroundings
from pi.auth.oauth.device import Wait, next_step, poll, read_code
from pi.auth.oauth.tokens import Answer, grant, post_form, renewed, with_patience

__all__ = ["FLOW"]

CLIENT_ID = "17e5f671-d194-4dfb-9706-5516cb48c098"
DEVICE = "https://auth.kimi.com/api/oauth/device_authorization"
TOKEN = "https://auth.kimi.com/api/oauth/token"
DEVICE_LIFETIME = 900.0


class Kimi:
    name = "Kimi For Coding"
    methods: tuple[Method, ...] = ("browser",)

    def sign_in(self, person: Person, around: Surroundings, method: Method) -> Entry:
        code = read_code(post_form(around, self.name, DEVICE, {"client_id": CLIENT_ID}))
        asked = {
            "client_id": CLIENT_ID,
            "device_code": code.device_code,
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        }

        def step() -> Answer | Wait:
            got = post_form(around, self.name, TOKEN, asked)
            return next_step(got) or got

        code = replace(code, lifetime=code.lifetime or DEVICE_LIFETIME)
        return grant(poll(code, person, around, step), around, margin=0)

    def renew(self, entry: Entry, around: Surroundings) -> Entry:
        fields = {
            "client_id": CLIENT_ID,
            "grant_type": "refresh_token",
            "refresh_token": entry["refresh"],
        }
        answer = with_patience(around, lambda: post_form(around, self.name, TOKEN, fields))
        return {**entry, **renewed(answer, around, entry["refresh"], margin=0)}


FLOW = Kimi()
