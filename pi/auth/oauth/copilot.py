"""GitHub Copilot: GitHub's device flow, then a short-lived Copilot token for the GitHub one.

Stored: `refresh` is GitHub's token, which does not expire; `access` is Copilot's, which says where
requests go. `enterpriseUrl` is the GitHub Enterprise domain, `availableModelIds` what the plan has.
"""

from typing import Any
from urllib.parse import urlsplit

from pi.auth.addresses import copilot_address, is_host
from pi.auth.oauth.base import Entry, Method, Person, SignInRefused, Surroundings
from pi.auth.oauth.device import Wait, next_step, poll, read_code
from pi.auth.oauth.tokens import Answer, get, post_form, with_patience
from pi.errors import AuthError

__all__ = ["FLOW"]

CLIENT_ID = "Iv1.b507a08c87ecfe98"
SCOPE = "read:user"
PUBLIC = "github.com"
MARGIN = 300.0
# The service serves known editors only.
AGENT = {"User-Agent": "GitHubCopilotChat/0.35.0"}
EDITOR = {
    **AGENT,
    "Editor-Version": "vscode/1.107.0",
    "Editor-Plugin-Version": "copilot-chat/0.35.0",
    "Copilot-Integration-Id": "vscode-chat",
}
API_VERSION = {"X-GitHub-Api-Version": "2026-06-01"}


class Copilot:
    name = "GitHub Copilot"
    methods: tuple[Method, ...] = ("browser",)

    def sign_in(self, person: Person, around: Surroundings, method: Method) -> Entry:
        answer = person.ask(
            "GitHub Enterprise domain, such as company.ghe.com (empty: github.com): "
        )
        domain = _domain(answer)
        code = read_code(
            post_form(
                around,
                self.name,
                f"https://{domain}/login/device/code",
                {"client_id": CLIENT_ID, "scope": SCOPE},
                AGENT,
            )
        )
        asked = {
            "client_id": CLIENT_ID,
            "device_code": code.device_code,
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        }

        def step() -> Answer | Wait:
            url = f"https://{domain}/login/oauth/access_token"
            got = post_form(around, self.name, url, asked, AGENT)
            return next_step(got) or got

        github = poll(code, person, around, step).text("access_token", "sign in")
        entry: dict[str, Any] = {"type": "oauth", "refresh": github}
        if domain != PUBLIC:
            entry["enterpriseUrl"] = domain
        return self._with_token(entry, around)

    def renew(self, entry: Entry, around: Surroundings) -> Entry:
        return self._with_token(entry, around)

    def _with_token(self, entry: Entry, around: Surroundings) -> Entry:
        """`entry` with a new Copilot token and what it may use."""
        doing = "get a Copilot token"
        domain = entry.get("enterpriseUrl") or PUBLIC
        bearer = {"Authorization": f"Bearer {entry['refresh']}", **EDITOR}
        url = f"https://api.{domain}/copilot_internal/v2/token"
        answer = with_patience(around, lambda: get(around, self.name, url, bearer))
        access = answer.text("token", doing)
        ends = answer.number("expires_at")
        if ends is None:
            raise answer.failure(doing)
        new: dict[str, Any] = {
            "refresh": entry["refresh"],
            "access": access,
            "expires": int((ends - MARGIN) * 1000),
        }
        models = self._models(access, entry.get("enterpriseUrl"), around)
        return {**entry, **new, **({} if models is None else {"availableModelIds": models})}

    def _models(self, access: str, domain: str | None, around: Surroundings) -> list[str] | None:
        """What the plan offers, None where that cannot be told: it must not cost the token."""
        url = f"{copilot_address(access, domain)}/models"
        headers = {"Authorization": f"Bearer {access}", **EDITOR, **API_VERSION}
        try:
            answer = get(around, self.name, url, headers)
        except AuthError:
            return None
        listed = answer.fields.get("data")
        if not answer.ok or not isinstance(listed, list):
            return None
        return [model["id"] for model in listed if isinstance(model, dict) and _offered(model)]


def _offered(model: dict[str, Any]) -> bool:
    """Shown in pickers, not switched off by policy, able to call tools."""
    policy = model.get("policy")
    state = policy.get("state") if isinstance(policy, dict) else None
    abilities = model.get("capabilities")
    supports = abilities.get("supports") if isinstance(abilities, dict) else None
    tools = supports.get("tool_calls") if isinstance(supports, dict) else None
    return (
        isinstance(model.get("id"), str)
        and model.get("model_picker_enabled") is True
        and state != "disabled"
        and tools is not False
    )


def _domain(text: str) -> str:
    if not text:
        return PUBLIC
    try:
        host = urlsplit(text if "://" in text else f"https://{text}").hostname or ""
    except ValueError:
        host = ""
    if not is_host(host):
        raise SignInRefused(f"not a domain: {text!r}", hint="Write it like company.ghe.com.")
    return host


FLOW = Copilot()
