"""What is known of services by their provider id or host name, where models.json says nothing.

Explicit `compat` fields always win over what is found here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pi.providers.transform import Replayed
from pi.wire.model import Model

__all__ = [
    "anthropic_compat",
    "attribution",
    "bearer_only",
    "completions_compat",
    "responses_compat",
    "service_headers",
    "service_of",
]


class Service(NamedTuple):
    """providers: ids, whatever their base URL. hosts: the host itself or a parent domain of it."""

    providers: tuple[str, ...]
    hosts: tuple[str, ...]
    completions: Mapping[str, Any]


_PLAIN: Mapping[str, Any] = {"supportsStore": False, "supportsDeveloperRole": False}
_SHORT: Mapping[str, Any] = {**_PLAIN, "maxTokensField": "max_tokens"}
_NO_EFFORT: Mapping[str, Any] = {"supportsReasoningEffort": False}
_NO_LONG: Mapping[str, Any] = {"supportsLongCacheRetention": False}

SERVICES: Mapping[str, Service] = {
    "openrouter": Service(
        ("openrouter",),
        ("openrouter.ai",),
        {
            "thinkingFormat": "openrouter",
            "sendSessionAffinityHeaders": True,
            "sessionAffinityFormat": "openrouter",
        },
    ),
    "deepseek": Service(
        ("deepseek",),
        ("deepseek.com",),
        {
            **_SHORT,
            "thinkingFormat": "deepseek",
            "requiresReasoningContentOnAssistantMessages": True,
        },
    ),
    "xai": Service(("xai",), ("api.x.ai",), {**_PLAIN, **_NO_EFFORT}),
    "zai": Service(
        ("zai", "zai-coding-cn"),
        ("api.z.ai", "open.bigmodel.cn"),
        {**_SHORT, **_NO_EFFORT, "thinkingFormat": "zai"},
    ),
    "together": Service(
        ("together",),
        ("api.together.xyz", "api.together.ai"),
        {**_SHORT, **_NO_EFFORT, **_NO_LONG, "thinkingFormat": "together"},
    ),
    "cerebras": Service(("cerebras",), ("cerebras.ai",), _PLAIN),
    "moonshot": Service(
        ("moonshotai", "moonshotai-cn"),
        ("api.moonshot.ai", "api.moonshot.cn"),
        {**_SHORT, **_NO_EFFORT},
    ),
    "opencode": Service(("opencode",), ("opencode.ai",), _PLAIN),
    "nvidia": Service(
        ("nvidia",), ("integrate.api.nvidia.com",), {**_SHORT, **_NO_EFFORT, **_NO_LONG}
    ),
    "chutes": Service((), ("chutes.ai",), _SHORT),
    "workers-ai": Service(
        ("cloudflare-workers-ai",), ("api.cloudflare.com",), {**_PLAIN, **_NO_LONG}
    ),
    "cloudflare-gateway": Service(
        ("cloudflare-ai-gateway",),
        ("gateway.ai.cloudflare.com",),
        {**_SHORT, **_NO_EFFORT, **_NO_LONG},
    ),
    "ant-ling": Service(
        ("ant-ling",),
        ("api.ant-ling.com",),
        {**_SHORT, **_NO_EFFORT, **_NO_LONG, "thinkingFormat": "ant-ling"},
    ),
}

DEFAULTS: Mapping[str, Any] = {
    "supportsStore": True,
    "supportsDeveloperRole": True,
    "supportsReasoningEffort": True,
    "supportsUsageInStreaming": True,
    "supportsFinishReason": True,
    "supportsLongCacheRetention": True,
    "maxTokensField": "max_completion_tokens",
    "thinkingFormat": "openai",
    "sessionAffinityFormat": "openai",
    "promptCacheKeyMode": "auto",
}

ANTHROPIC_DEFAULTS: Mapping[str, Any] = {
    "supportsEagerToolInputStreaming": True,
    "supportsLongCacheRetention": True,
    "supportsCacheControlOnTools": True,
}

RESPONSES_DEFAULTS: Mapping[str, Any] = {
    "supportsDeveloperRole": True,
    "supportsLongCacheRetention": True,
    "supportsMaxOutputTokens": True,
    "sessionAffinityFormat": "openai",
    "promptCacheKeyMode": "auto",
}


def service_of(model: Model) -> str | None:
    """The service behind a model: by its base URL, else by its provider id."""
    host = model.base_url.partition("://")[2].partition("/")[0].partition(":")[0].lower()
    for name, service in SERVICES.items():
        if any(host == known or host.endswith(f".{known}") for known in service.hosts):
            return name
    for name, service in SERVICES.items():
        if model.provider in service.providers:
            return name
    return None


def completions_compat(model: Model) -> dict[str, Any]:
    """Every compat field of Chat Completions that has a value for this model."""
    name = service_of(model)
    found: dict[str, Any] = dict(DEFAULTS)
    if name is not None:
        found |= SERVICES[name].completions
    if name == "openrouter":
        family = model.id.partition("/")[0]
        # The models behind it differ: few know the newer role, one family takes cache markers.
        found["supportsDeveloperRole"] = family in ("anthropic", "openai")
        if family == "anthropic":
            found["cacheControlFormat"] = "anthropic"
    return found | {key: value for key, value in model.compat.items() if value is not None}


def responses_compat(model: Model) -> dict[str, Any]:
    """Every compat field of the Responses APIs that has a value for this model."""
    found: dict[str, Any] = dict(RESPONSES_DEFAULTS)
    service = service_of(model)
    if service == "openrouter":
        found["sessionAffinityFormat"] = "openrouter"
    # Its reasoning comes back encrypted even where none was asked for.
    found["alwaysEncryptedReasoning"] = service == "xai"
    return found | {key: value for key, value in model.compat.items() if value is not None}


def anthropic_compat(model: Model) -> dict[str, Any]:
    """Every compat field of Anthropic Messages that has a value for this model."""
    found: dict[str, Any] = dict(ANTHROPIC_DEFAULTS)
    if service_of(model) == "openrouter":
        found |= {"sendSessionAffinityHeaders": True, "sessionAffinityFormat": "openrouter"}
    # A gateway that drops fields it does not know would lose the conversation before.
    own = model.provider == "anthropic" and "api.anthropic.com" in model.base_url
    found["supportsMessageThreads"] = own
    return found | {key: value for key, value in model.compat.items() if value is not None}


def service_headers(
    model: Model, session_id: str | None, history: Sequence[Replayed]
) -> dict[str, str]:
    """Headers that a service asks its clients for."""
    if model.provider == "github-copilot":
        last = history[-1]["role"] if history else "user"
        headers = {
            "x-initiator": "user" if last == "user" else "agent",
            "openai-intent": "conversation-edits",
        }
        if _holds_image(history):
            headers["copilot-vision-request"] = "true"
        return headers
    if service_of(model) == "opencode" or model.provider == "opencode-go":
        return {"x-opencode-session": session_id} if session_id else {}
    return {}


def attribution(model: Model) -> dict[str, str]:
    """Headers by which services that count programs know this one."""
    service = service_of(model)
    if service == "openrouter":
        return {
            "http-referer": "https://pi.dev",
            "x-openrouter-title": "pi",
            "x-openrouter-categories": "cli-agent",
        }
    if service == "nvidia":
        return {"x-billing-invoke-origin": "Pi"}
    if service == "opencode" or model.provider == "opencode-go":
        return {"x-opencode-client": "pi"}
    return {}


def bearer_only(model: Model) -> bool:
    """Whether an Anthropic-style endpoint of this provider takes its key as a bearer token."""
    return model.provider == "github-copilot"


def _holds_image(history: Sequence[Replayed]) -> bool:
    return any(
        block["type"] == "image"
        for message in history
        if message["role"] != "assistant" and not isinstance(message["content"], str)
        for block in message["content"]
    )
