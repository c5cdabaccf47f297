"""Lists of models that depend on whose key asks: OpenRouter's, and the Radius gateway's.

OpenRouter says which of its models a key may use, with limits and prices; the gateway says all that
an account has. Either list stands for the whole provider in models-store.json, where the others'
only go over what is shipped.
Source: docs/providers.md, and the two services' own answers.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pi.errors import PiError
from pi.wire import jsonio

__all__ = ["WHOLE", "Access", "gateway_list", "openrouter_list"]

WHOLE = frozenset({"openrouter", "radius"})
"""The providers whose list is all that they offer."""

OPENROUTER = "https://openrouter.ai/api/v1"
RADIUS = "https://radius.pi.dev"

# Answers that say nothing of the key: a proxy may stand in for OpenRouter.
_NO_WORD = (401, 403, 404)


class Access(NamedTuple):
    """How to ask a provider. base_url: the person's own address for it, if there is one."""

    key: str
    base_url: str | None = None


Get = Callable[[str, Mapping[str, str]], tuple[int, bytes]]
"""A GET: status and body. Raises PiError when there is no answer."""


def openrouter_list(
    catalogue: Iterable[Mapping[str, Any]], access: Access, get: Get
) -> list[Mapping[str, Any]]:
    """What of the catalogue the key may use. Models that are not for chat stay as they are."""
    base = (access.base_url or OPENROUTER).rstrip("/")
    status, body = get(f"{base}/models/user", _headers(access))
    if status in _NO_WORD:
        return list(catalogue)
    value = _json(status, body)
    listed = value.get("data")
    if not isinstance(listed, list):
        raise PiError("the answer holds no list of models")
    allowed = {
        entry["id"]: entry
        for entry in listed
        if isinstance(entry, dict) and isinstance(entry.get("id"), str)
    }
    kept: list[Mapping[str, Any]] = []
    for model in catalogue:
        if model.get("type", "chat") != "chat":
            kept.append(model)
        elif (entry := allowed.get(model["id"])) is not None:
            kept.append({**model, **_facts(entry)})
    return kept


def gateway_list(access: Access, get: Get) -> list[Mapping[str, Any]]:
    """The models of the gateway's account."""
    gateway = RADIUS
    if access.base_url:
        parts = urlsplit(access.base_url)
        gateway = f"{parts.scheme}://{parts.netloc}"
    value = _json(*get(f"{gateway}/v1/config", _headers(access)))
    base, models = value.get("baseUrl"), value.get("models")
    if not isinstance(base, str) or not isinstance(models, list):
        raise PiError("the answer holds no list of models")
    own = {"api": "pi-messages", "provider": "radius", "baseUrl": base}
    return [{**model, **own} for model in models if _is_model(model)]


def _headers(access: Access) -> dict[str, str]:
    return {"Accept": "application/json", "Authorization": f"Bearer {access.key}"}


def _json(status: int, body: bytes) -> dict[str, Any]:
    if status != 200:
        raise PiError(f"the server answered HTTP {status}")
    try:
        value = jsonio.loads(body)
    except jsonio.JSONError:
        value = None
    if not isinstance(value, dict):
        raise PiError("the answer is not a JSON object")
    return value


def _is_model(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("id"), str)
        and isinstance(value.get("name"), str)
        and isinstance(value.get("input"), list)
        and isinstance(value.get("cost"), dict)
        and all(isinstance(value.get(key), int | float) for key in ("contextWindow", "maxTokens"))
    )


def _facts(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What OpenRouter says of a model for this key; a limit of nothing is none."""
    top = entry.get("top_provider")
    top = top if isinstance(top, Mapping) else {}
    facts: dict[str, Any] = {}
    if window := _count(top.get("context_length")) or _count(entry.get("context_length")):
        facts["contextWindow"] = window
    if most := _count(top.get("max_completion_tokens")):
        facts["maxTokens"] = most
    if isinstance(entry.get("pricing"), Mapping):
        facts["cost"] = _cost(entry["pricing"])
    return facts


def _count(value: Any) -> int | None:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if known and value > 0 else None


def _cost(pricing: Mapping[str, Any]) -> dict[str, Any]:
    """Dollars a million tokens, from dollars a token as text. Prices by the clock are left out."""
    names = {
        "input": "prompt",
        "output": "completion",
        "cacheRead": "input_cache_read",
        "cacheWrite": "input_cache_write",
    }
    cost: dict[str, Any] = {key: _price(pricing.get(name), 0) for key, name in names.items()}
    tiers = [
        {
            "inputTokensAbove": other["min_prompt_tokens"],
            **{key: _price(other.get(name), cost[key]) for key, name in names.items()},
        }
        for other in pricing.get("overrides") or ()
        if isinstance(other, Mapping)
        and _count(other.get("min_prompt_tokens"))
        and not {"utc_start", "utc_end", "utc_days"} & other.keys()
    ]
    return {**cost, "tiers": tiers} if tiers else cost


def _price(value: Any, otherwise: float) -> float:
    """A router's price is -1: it depends on the model that it picks."""
    try:
        dollars = float(value)
    except (TypeError, ValueError):
        return otherwise
    return round(dollars * 1_000_000, 6) if 0 <= dollars < 1 else otherwise
