"""Which variables hold which provider's key. Source: docs/providers.md."""

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["KEY_SOURCES", "KeySource", "key_source"]


class KeySource(NamedTuple):
    """How one provider takes its key from the environment.

    variables: names in order of precedence. bearer: those whose value is sent as
    `Authorization: Bearer`, whatever the API's own header. needs: variables that must be set too.
    ambient: sets of variables that stand for a credential the platform supplies.
    header: the one that takes `Bearer KEY`, where it is not the API's own.
    """

    variables: tuple[str, ...] = ()
    bearer: frozenset[str] = frozenset()
    needs: tuple[str, ...] = ()
    ambient: tuple[tuple[str, ...], ...] = ()
    header: str | None = None


def _one(*variables: str) -> KeySource:
    return KeySource(variables)


KEY_SOURCES: Mapping[str, KeySource] = {
    "amazon-bedrock": KeySource(
        ("AWS_BEARER_TOKEN_BEDROCK",),
        ambient=(
            ("AWS_PROFILE",),
            ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
            ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI",),
            ("AWS_WEB_IDENTITY_TOKEN_FILE",),
        ),
    ),
    "ant-ling": _one("ANT_LING_API_KEY"),
    "anthropic": KeySource(
        ("ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_OAUTH_TOKEN", "ANTHROPIC_API_KEY"),
        bearer=frozenset({"ANTHROPIC_AUTH_TOKEN"}),
        ambient=(
            (
                "ANTHROPIC_FEDERATION_RULE_ID",
                "ANTHROPIC_ORGANIZATION_ID",
                "ANTHROPIC_IDENTITY_TOKEN_FILE",
            ),
        ),
    ),
    "azure": _one("AZURE_OPENAI_API_KEY"),
    "baseten": _one("BASETEN_API_KEY"),
    "cerebras": _one("CEREBRAS_API_KEY"),
    "cloudflare-ai-gateway": KeySource(
        ("CLOUDFLARE_API_KEY",),
        needs=("CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_GATEWAY_ID"),
        header="cf-aig-authorization",
    ),
    "cloudflare-workers-ai": KeySource(("CLOUDFLARE_API_KEY",), needs=("CLOUDFLARE_ACCOUNT_ID",)),
    "deepseek": _one("DEEPSEEK_API_KEY"),
    "fireworks": _one("FIREWORKS_API_KEY"),
    "github-copilot": KeySource(("COPILOT_GITHUB_TOKEN",), header="Authorization"),
    "google": _one("GEMINI_API_KEY"),
    "google-vertex": KeySource(
        ("GOOGLE_CLOUD_API_KEY",),
        # With a file of application default credentials: see pi.auth.ambient.
        ambient=(
            ("GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"),
            ("GCLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"),
        ),
    ),
    "groq": _one("GROQ_API_KEY"),
    "huggingface": _one("HF_TOKEN"),
    "kimi-coding": _one("KIMI_API_KEY"),
    "meta": _one("META_API_KEY"),
    "minimax": _one("MINIMAX_API_KEY"),
    "minimax-cn": _one("MINIMAX_CN_API_KEY"),
    "mistral": _one("MISTRAL_API_KEY"),
    "moonshotai": _one("MOONSHOT_API_KEY"),
    "moonshotai-cn": _one("MOONSHOT_API_KEY"),
    "nvidia": _one("NVIDIA_API_KEY"),
    "openai": _one("OPENAI_API_KEY"),
    "opencode": _one("OPENCODE_API_KEY"),
    "opencode-go": _one("OPENCODE_API_KEY"),
    "openrouter": _one("OPENROUTER_API_KEY"),
    "qwen-token-plan": _one("QWEN_TOKEN_PLAN_API_KEY"),
    "qwen-token-plan-cn": _one("QWEN_TOKEN_PLAN_CN_API_KEY"),
    "qwen-token-plan-individual": _one("QWEN_TOKEN_PLAN_API_KEY"),
    "qwen-token-plan-individual-cn": _one("QWEN_TOKEN_PLAN_CN_API_KEY"),
    "radius": _one("RADIUS_API_KEY"),
    "together": _one("TOGETHER_API_KEY"),
    "typesafe": _one("TYPESAFE_API_KEY"),
    "vercel-ai-gateway": _one("AI_GATEWAY_API_KEY"),
    "xai": _one("XAI_API_KEY"),
    "xiaomi": _one("XIAOMI_API_KEY"),
    "xiaomi-token-plan-ams": _one("XIAOMI_TOKEN_PLAN_AMS_API_KEY"),
    "xiaomi-token-plan-cn": _one("XIAOMI_TOKEN_PLAN_CN_API_KEY"),
    "xiaomi-token-plan-sgp": _one("XIAOMI_TOKEN_PLAN_SGP_API_KEY"),
    "zai": _one("ZAI_API_KEY"),
    "zai-coding-cn": _one("ZAI_CODING_CN_API_KEY"),
}

_NONE = KeySource()


def key_source(provider: str) -> KeySource:
    return KEY_SOURCES.get(provider, _NONE)
