"""What models.json may hold. Source: docs/models-configuration.md."""

from pi.config.shapes import (
    BOOLEAN,
    STRING,
    TEXT,
    Leaf,
    ListOf,
    MapOf,
    Record,
    Shape,
    choice,
    number,
)
from pi.wire.messages import THINKING_LEVELS

__all__ = ["FETCHED_MODEL", "MODELS_FILE"]

_ANY = Leaf("any value", lambda value: True)
_NUMBER = number()
_TOKENS = number(above=0)
_SIZE = number(least=1, integer=True)
_OBJECT = MapOf(_ANY)

_FLAGS = (
    "supportsStore",
    "supportsDeveloperRole",
    "supportsReasoningEffort",
    "supportsUsageInStreaming",
    "supportsFinishReason",
    "requiresToolResultName",
    "requiresAssistantAfterToolResult",
    "requiresNonNullAssistantContent",
    "requiresToolsWithToolHistory",
    "requiresThinkingAsText",
    "requiresReasoningContentOnAssistantMessages",
    "zaiToolStream",
    "supportsThinkingTokenBudget",
    "supportsOpenAIGrammarTools",
    "supportsMidConvoSystemMessages",
    "supportsMidConvoToolAdditions",
    "supportsStrictMode",
    "sendSessionAffinityHeaders",
    "supportsLongCacheRetention",
    "supportsAdditionalTools",
    "supportsToolSearch",
    "supportsExplicitPromptCacheMode",
    "supportsMidConvoEffort",
    "supportsMaxOutputTokens",
    "supportsEagerToolInputStreaming",
    "supportsCacheControlOnTools",
    "supportsTemperature",
    "forceAdaptiveThinking",
    "allowEmptySignature",
    "supportsStrictTools",
    "supportsMidConvoToolChanges",
    "supportsMessageThreads",
    "sendImageOptInHeader",
)

_COMPAT_FIELDS: dict[str, Shape] = {
    **dict.fromkeys(_FLAGS, BOOLEAN),
    "maxTokensField": choice("max_completion_tokens", "max_tokens"),
    "thinkingFormat": choice(
        "openai",
        "openrouter",
        "deepseek",
        "together",
        "baseten",
        "zai",
        "qwen",
        "chat-template",
        "qwen-chat-template",
        "string-thinking",
        "ant-ling",
    ),
    "chatTemplateKwargs": _OBJECT,
    "chatTemplateArgs": _OBJECT,
    "openRouterRouting": _OBJECT,
    "vercelGatewayRouting": _OBJECT,
    "thinkingTokenBudgetField": choice(
        "thinking_token_budget", "thinking_budget", "thinking_budget_tokens"
    ),
    "cacheControlFormat": choice("anthropic"),
    "sessionAffinityFormat": choice("openai", "openai-nosession", "openrouter"),
    "promptCacheKeyMode": choice("auto", "enabled", "disabled"),
    "vllmPriority": _NUMBER,
    "allowedFallbackModels": ListOf(_OBJECT),
    "imageInput": choice("assets", "images", "state-image-urls"),
}
_COMPAT = Record(_COMPAT_FIELDS)

_PRICES: dict[str, Shape] = dict.fromkeys(("input", "output", "cacheRead", "cacheWrite"), _NUMBER)
_TIER = Record({"inputTokensAbove": _NUMBER, **_PRICES}, required=("inputTokensAbove", *_PRICES))
_COST = {**_PRICES, "tiers": ListOf(_TIER)}

_OPTIONAL_TEXT = Leaf("a string or null", lambda value: value is None or isinstance(value, str))

_MODEL: dict[str, Shape] = {
    "name": TEXT,
    "reasoning": BOOLEAN,
    "thinkingLevelMap": Record(dict.fromkeys(THINKING_LEVELS, _OPTIONAL_TEXT)),
    "input": ListOf(choice("text", "image")),
    "inputLimits": Record(
        {
            "maxRequestBytes": _SIZE,
            "images": Record(
                {
                    "resize": Record(
                        {
                            "maxWidth": _SIZE,
                            "maxHeight": _SIZE,
                            "maxBytes": _SIZE,
                            "jpegQuality": number(least=1, most=100, integer=True),
                        }
                    ),
                    "maxPerMessage": _SIZE,
                    "maxPerRequest": _SIZE,
                }
            ),
        }
    ),
    "promptCache": Record({"short": _TOKENS, "long": _TOKENS}),
    "contextWindow": _TOKENS,
    "maxTokens": _TOKENS,
    "samplingParams": _OBJECT,
    "samplingParamsByThinkingLevel": Record(dict.fromkeys(THINKING_LEVELS, _OBJECT)),
    "headers": MapOf(STRING),
    "compat": _COMPAT,
}

_LISTED: dict[str, Shape] = {
    **_MODEL,
    "id": TEXT,
    "type": choice("chat", "image", "classifier"),
    "output": ListOf(choice("text", "image")),
    "api": TEXT,
    "baseUrl": TEXT,
    "cost": Record(_COST, required=tuple(_PRICES)),
}

FETCHED_MODEL = Record(_LISTED, required=("id", "name", "api", "baseUrl"))
"""A model of models-store.json, which stands on its own."""

_PROVIDER = Record(
    {
        "name": TEXT,
        "baseUrl": TEXT,
        "apiKey": TEXT,
        "api": TEXT,
        "oauth": choice("radius"),
        "headers": MapOf(STRING),
        "compat": _COMPAT,
        "authHeader": BOOLEAN,
        "models": ListOf(Record(_LISTED, required=("id",))),
        "modelOverrides": MapOf(Record({**_MODEL, "cost": Record(_COST)})),
    }
)

MODELS_FILE = Record({"providers": MapOf(_PROVIDER)}, required=("providers",))
