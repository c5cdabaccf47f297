"""Meta: the device flow gives an account token, and that one API keys of a day each.

Stored: `refresh` is the account token, `access` the key of the day.
"""

from pi.auth.oauth.base import Entry, Method, Person, Surroundings
from pi.auth.oauth.device import Wait, next_step, poll, read_code
from pi.auth.oauth.tokens import Answer, post_form, post_json, with_patience

__all__ = ["FLOW"]

CLIENT_ID = "1031625952748946"
DEVICE = "https://auth.meta.com/oidc/device/authorization/"
TOKEN = "https://auth.meta.com/oidc/device/token/"
KEY = "https://api.meta.ai/muse-code/key"
KEY_LIFETIME = 24 * 3600.0


class Meta:
    name = "Meta"
    methods: tuple[Method, ...] = ("browser",)

    def sign_in(self, person: Person, around: Surroundings, method: Method) -> Entry:
        code = read_code(post_form(around, self.name, DEVICE, {"client_id": CLIENT_ID}))
        asked = {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "device_code": code.device_code,
            "client_id": CLIENT_ID,
        }

        def step() -> Answer | Wait:
            got = post_form(around, self.name, TOKEN, asked)
            return next_step(got) or got

        account = poll(code, person, around, step).text("access_token", "sign in")
        return {"type": "oauth", **self._key(account, around)}

    def renew(self, entry: Entry, around: Surroundings) -> Entry:
        return {**entry, **self._key(entry["refresh"], around)}

    def _key(self, account: str, around: Surroundings) -> Entry:
        headers = {"Authorization": f"Bearer {account}", "X-API-Version": "1.0.0"}
        answer = with_patience(around, lambda: post_json(around, self.name, KEY, {}, headers))
        return {
            "refresh": account,
            "access": answer.text("api_key", "get an API key"),
            "expires": int(around.now() + KEY_LIFETIME * 1000),
        }


FLOW = Meta()
