"""Anthropic's workload identity federation: a platform's identity token for a short-lived one.

The identity token is in a file that the platform keeps fresh; it is read anew for each exchange.
Source: docs/providers.md, and the exchange of Anthropic's own libraries as it goes over the wire.
"""

from collections.abc import Mapping
from pathlib import Path

from pi.auth.oauth.base import Surroundings
from pi.auth.oauth.tokens import expiry, post_json, with_patience
from pi.errors import AuthError

__all__ = ["Federation"]

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
BETAS = "oauth-2025-04-20,oidc-federation-2026-04-01"
FILE = "ANTHROPIC_IDENTITY_TOKEN_FILE"
FIELDS = {
    "federation_rule_id": "ANTHROPIC_FEDERATION_RULE_ID",
    "organization_id": "ANTHROPIC_ORGANIZATION_ID",
    "service_account_id": "ANTHROPIC_SERVICE_ACCOUNT_ID",
    "workspace_id": "ANTHROPIC_WORKSPACE_ID",
}
MARGIN = 60.0
"""Seconds before a token's end at which the next one is fetched."""


class Federation:
    """The tokens of a run, each used while it is good."""

    def __init__(self, variables: Mapping[str, str], around: Surroundings) -> None:
        self._variables = variables
        self._around = around
        self._tokens: dict[str, tuple[str, int]] = {}

    def token(self, base_url: str) -> str:
        """A bearer token for this server. Blocks. Raises AuthError or NetworkError."""
        known, end = self._tokens.get(base_url, ("", 0))
        if known and self._around.now() < end:
            return known
        fields = {"grant_type": GRANT, "assertion": self._identity()}
        fields |= {
            field: self._variables[name]
            for field, name in FIELDS.items()
            if self._variables.get(name)
        }
        url = f"{base_url.rstrip('/')}/v1/oauth/token"
        answer = with_patience(
            self._around,
            lambda: post_json(
                self._around, "Anthropic", url, fields, headers={"anthropic-beta": BETAS}
            ),
        )
        token = answer.text("access_token", "exchange the identity token")
        self._tokens[base_url] = token, expiry(answer, self._around, margin=MARGIN)
        return token

    def _identity(self) -> str:
        path = Path(self._variables[FILE])
        try:
            token = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise AuthError(f"cannot read the identity token in {path}: {reason}") from error
        if not token:
            raise AuthError(f"the identity token in {path} is empty", hint=f"Check {FILE}.")
        return token
