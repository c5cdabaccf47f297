"""From an API's name to its module, imported when the first request needs it."""

from collections.abc import Mapping
from importlib import import_module

from pi.errors import ModelError
from pi.providers.base import StreamFunction

__all__ = ["APIS", "stream_function"]

APIS: Mapping[str, str] = {
    "anthropic-messages": "pi.providers.anthropic_messages",
    "azure-openai-responses": "pi.providers.azure_openai_responses",
    "bedrock-converse-stream": "pi.providers.bedrock_converse_stream",
    "google-generative-ai": "pi.providers.google_generative_ai",
    "google-vertex": "pi.providers.google_vertex",
    "mistral-conversations": "pi.providers.mistral_conversations",
    "openai-codex-responses": "pi.providers.openai_codex_responses",
    "openai-completions": "pi.providers.openai_completions",
    "openai-responses": "pi.providers.openai_responses",
    "pi-messages": "pi.providers.pi_messages",
    "demo": "pi.providers.demo",
}
"""The module of each API; it exports `stream`."""


def stream_function(api: str) -> StreamFunction:
    """The `stream` of an API. Raises ModelError for one that is not known."""
    try:
        module = APIS[api]
    except KeyError:
        raise ModelError(
            f"unknown api {api!r}", hint=f"known here: {', '.join(sorted(APIS))}"
        ) from None
    function: StreamFunction = import_module(module).stream
    return function
