"""Google's models on Vertex AI: generateContent under a project's own address.

The key, or the token of application default credentials, comes with the options; the address names
project and location (pi.auth.google).
"""

from collections.abc import AsyncGenerator
from functools import partial

from pi.providers.assembly import Assembly
from pi.providers.base import Context, StreamOptions
from pi.providers.google_generative_ai import GoogleReader
from pi.providers.google_request import google_call
from pi.providers.streaming import Call, converse
from pi.wire.events import AssistantEvent
from pi.wire.model import Model

__all__ = ["request", "stream"]


def stream(
    model: Model, context: Context, options: StreamOptions
) -> AsyncGenerator[AssistantEvent, None]:
    """Yield `start`, deltas, then exactly one `done` or `error`."""
    assembly = Assembly(model)
    return converse(
        assembly, GoogleReader(assembly), partial(request, model, context, options), options
    )


def request(model: Model, context: Context, options: StreamOptions) -> Call:
    """What is sent for this conversation."""
    name = model.id if "/" in model.id else f"publishers/google/models/{model.id}"
    return google_call(model, context, options, name)
