"""Anthropic: a Claude subscription, through the browser or with a code to paste."""

from pi.auth.oauth.base import Entry, Method, Person, Surroundings
from pi.auth.oauth.browser import Redirect, authorize
from pi.auth.oauth.tokens import grant, post_json, renewed, with_patience

__all__ = ["FLOW"]

CLIENT_ID = "9d1c250a-e61b-44d9-88ed-5944d1962f5e"
AUTHORIZE = "https://claude.ai/oauth/authorize"
TOKEN = "https://platform.claude.com/v1/oauth/token"
CODE_PAGE = "https://platform.claude.com/oauth/code/callback"
SCOPES = (
    "org:create_api_key user:profile user:inference user:sessions:claude_code user:mcp_servers "
    "user:file_upload"
)
# The port is known, so that it can be forwarded; any other is accepted too.
REDIRECT = Redirect("/callback", 53692, any_port=True)
MARGIN = 300.0


class Anthropic:
    name = "Anthropic"
    methods: tuple[Method, ...] = ("browser", "headless")

    def sign_in(self, person: Person, around: Surroundings, method: Method) -> Entry:
        got = authorize(
            self.name,
            AUTHORIZE,
            {"code": "true", "client_id": CLIENT_ID, "response_type": "code", "scope": SCOPES},
            person,
            around,
            REDIRECT if method == "browser" else CODE_PAGE,
        )
        fields = {
            "grant_type": "authorization_code",
            "client_id": CLIENT_ID,
            "code": got.code,
            "state": got.state,
            "redirect_uri": got.redirect_uri,
            "code_verifier": got.verifier,
        }
        return grant(post_json(around, self.name, TOKEN, fields), around, margin=MARGIN)

    def renew(self, entry: Entry, around: Surroundings) -> Entry:
        fields = {
            "grant_type": "refresh_token",
            "client_id": CLIENT_ID,
            "refresh_token": entry["refresh"],
        }
        answer = with_patience(around, lambda: post_json(around, self.name, TOKEN, fields))
        return {**entry, **renewed(answer, around, entry["refresh"], margin=MARGIN)}


FLOW = Anthropic()
