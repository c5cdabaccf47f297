"""Where a provider's requests go, for those whose address depends on the account."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from pi.errors import AuthError
from pi.wire.model import Model

__all__ = ["address_of", "copilot_address", "deployment_of", "is_host"]

COPILOT_ADDRESS = "https://api.individual.githubcopilot.com"

# Compiled by `re` at their first use: most runs get by without.
_PLACEHOLDER = r"\{([A-Z][A-Z0-9_]*)\}"
# Roots of these hosts, as the portal shows them, lack the path of the API.
_AZURE_ROOT = r"(?i)https://[^/]+\.(?:ai|cognitiveservices|openai)\.azure\.com"


def address_of(
    model: Model,
    variables: Mapping[str, str],
    *,
    token: str = "",
    enterprise: str | None = None,
) -> str:
    """The model's base URL, `{NAME}` filled in from `variables`. Raises AuthError naming them.

    token: the key; GitHub Copilot's says where it is valid. enterprise: a GitHub domain.
    """
    if model.provider == "azure":
        return _azure(model, variables)
    if model.api == "bedrock-converse-stream":
        from pi.auth.aws import bedrock_address  # noqa: PLC0415  (for Bedrock alone)

        return bedrock_address(model, variables)
    if model.api == "google-vertex":
        from pi.auth.google import vertex_address  # noqa: PLC0415  (for Vertex alone)

        return vertex_address(model, variables, keyed=bool(token))
    if model.provider == "github-copilot" and model.base_url == COPILOT_ADDRESS:
        return copilot_address(token, enterprise)

    def fill(match: re.Match[str]) -> str:
        value = variables.get(match[1])
        if not value:
            raise AuthError(
                f'provider "{model.provider}" needs the variable {match[1]}',
                hint=f'Set it, or add it to "env" of "{model.provider}" in auth.json.',
            )
        return value

    return re.sub(_PLACEHOLDER, fill, model.base_url)


def deployment_of(model: Model, variables: Mapping[str, str]) -> str | None:
    """What the account calls the model, if it differs: `MODEL=NAME,…` of the variable for Azure."""
    if model.provider != "azure":
        return None
    for pair in variables.get("AZURE_OPENAI_DEPLOYMENT_NAME_MAP", "").split(","):
        model_id, _, name = pair.partition("=")
        if model_id.strip() == model.id and name.strip():
            return name.strip()
    return None


def copilot_address(access: str, enterprise: str | None) -> str:
    """Where requests with this token go: as it says itself, or as the kind of account does."""
    for part in access.split(";"):
        name, _, host = part.partition("=")
        if name == "proxy-ep" and is_host(host):
            return f"https://api.{host.removeprefix('proxy.')}"
    return f"https://copilot-api.{enterprise}" if enterprise else COPILOT_ADDRESS


def is_host(text: str) -> bool:
    """Whether this is a plain domain name, safe to build an address from."""
    labels = text.split(".")
    return len(labels) > 1 and all(
        label and label.isascii() and label.replace("-", "").isalnum() for label in labels
    )


def _azure(model: Model, variables: Mapping[str, str]) -> str:
    name = variables.get("AZURE_OPENAI_RESOURCE_NAME")
    address = variables.get("AZURE_OPENAI_BASE_URL") or (
        f"https://{name}.openai.azure.com" if name else model.base_url
    )
    if not address:
        raise AuthError(
            'provider "azure" needs an address',
            hint="Set AZURE_OPENAI_BASE_URL or AZURE_OPENAI_RESOURCE_NAME.",
        )
    address = address.rstrip("/")
    if re.fullmatch(_AZURE_ROOT, address):
        address = f"{address}/openai/v1"
    version = variables.get("AZURE_OPENAI_API_VERSION")
    if version and model.api == "azure-openai-responses":
        address = f"{address}?api-version={quote(version, safe='')}"
    return address
