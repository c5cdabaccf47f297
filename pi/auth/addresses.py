"""Where a provider's requests go, for those whose address depends on the account."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from pi.errors import AuthError
from pi.wire.model import Model

__all__ = ["address_of", "deployment_of"]

_PLACEHOLDER = re.compile(r"\{([A-Z][A-Z0-9_]*)\}")
# Roots of these hosts, as the portal shows them, lack the path of the API.
_AZURE_ROOT = re.compile(
    r"https://[^/]+\.(?:ai|cognitiveservices|openai)\.azure\.com", re.IGNORECASE
)


def address_of(model: Model, variables: Mapping[str, str]) -> str:
    """The model's base URL, `{NAME}` filled in from `variables`. Raises AuthError naming them."""
    if model.provider == "azure":
        return _azure(model, variables)

    def fill(match: re.Match[str]) -> str:
        value = variables.get(match[1])
        if not value:
            raise AuthError(
                f'provider "{model.provider}" needs the variable {match[1]}',
                hint=f'Set it, or add it to "env" of "{model.provider}" in auth.json.',
            )
        return value

    return _PLACEHOLDER.sub(fill, model.base_url)


def deployment_of(model: Model, variables: Mapping[str, str]) -> str | None:
    """What the account calls the model, if it differs: `MODEL=NAME,…` of the variable for Azure."""
    if model.provider != "azure":
        return None
    for pair in variables.get("AZURE_OPENAI_DEPLOYMENT_NAME_MAP", "").split(","):
        model_id, _, name = pair.partition("=")
        if model_id.strip() == model.id and name.strip():
            return name.strip()
    return None


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
    if _AZURE_ROOT.fullmatch(address):
        address = f"{address}/openai/v1"
    version = variables.get("AZURE_OPENAI_API_VERSION")
    if version and model.api == "azure-openai-responses":
        address = f"{address}?api-version={quote(version, safe='')}"
    return address
