"""OpenRouter: the browser flow gives a key of the account, which does not expire."""

from pi.auth.oauth.base import Entry, Method, Person, SignInRefused, Surroundings
from pi.auth.oauth.browser import Redirect, authorize
from pi.auth.oauth.tokens import post_json

__all__ = ["FLOW"]

AUTHORIZE = "https://openrouter.ai/auth"
KEYS = "https://openrouter.ai/api/v1/auth/keys"
# No state comes back: what cannot be guessed is the path.
REDIRECT = Redirect("/oauth/callback", host="127.0.0.1", secret_path=True)
NEVER = 2**53 - 1


class OpenRouter:
    name = "OpenRouter"
    methods: tuple[Method, ...] = ("browser",)

    def sign_in(self, person: Person, around: Surroundings, method: Method) -> Entry:
        got = authorize(
            self.name,
            AUTHORIZE,
            {},
            person,
            around,
            REDIRECT,
            redirect_name="callback_url",
            with_state=False,
        )
        fields = {
            "code": got.code,
            "code_verifier": got.verifier,
            "code_challenge_method": "S256",
        }
        key = post_json(around, self.name, KEYS, fields).text("key", "get a key")
        return {"type": "oauth", "access": key, "refresh": "", "expires": NEVER}

    def renew(self, entry: Entry, around: Surroundings) -> Entry:
        raise SignInRefused(f"{self.name}: the stored key has no successor")


FLOW = OpenRouter()
