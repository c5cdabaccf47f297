"""OpenAI's models on Azure: the Responses API under an account's own address.

Source: docs/providers.md, and the API's public reference.
"""

from collections.abc import AsyncGenerator
from dataclasses import replace
from functools import partial

from pi.providers.assembly import Assembly
from pi.providers.base import Context, StreamOptions
from pi.providers.responses_reader import ResponsesReader
from pi.providers.responses_request import grammars_for, responses_body
from pi.providers.streaming import Call, converse
from pi.wire.events import AssistantEvent
from pi.wire.model import Model

__all__ = ["request", "stream"]

API_VERSION = "v1"


def stream(
    model: Model, context: Context, options: StreamOptions
) -> AsyncGenerator[AssistantEvent, None]:
    """Yield `start`, deltas, then exactly one `done` or `error`."""
    assembly = Assembly(model)
    return converse(
        assembly,
        ResponsesReader(assembly, grammars=grammars_for(model, context)),
        partial(request, model, context, options),
        options,
    )


def request(model: Model, context: Context, options: StreamOptions) -> Call:
    """What is sent for this conversation. The base URL may name the version in its query."""
    # How long Azure keeps a prompt is the account's affair.
    short = "short" if options.cache_retention == "long" else options.cache_retention
    asked = replace(options, cache_retention=short)
    body, _ = responses_body(model, context, asked, strict=True)
    headers = {"content-type": "application/json", "accept": "application/json"}
    if options.api_key is not None:
        headers["api-key"] = options.api_key
    headers |= {name.lower(): value for name, value in options.headers.items()}
    address, _, query = model.base_url.partition("?")
    url = f"{address.rstrip('/')}/responses?{query or f'api-version={API_VERSION}'}"
    return Call(url, headers, body)
