"""OpenAI Responses, streamed, and the servers that speak it.

The body is in responses_request.py, the answer in responses_reader.py: other APIs share them.
"""

from collections.abc import AsyncGenerator
from functools import partial

from pi.providers.assembly import Assembly
from pi.providers.base import Context, StreamOptions
from pi.providers.hosts import responses_compat, service_headers
from pi.providers.responses_reader import ResponsesReader, service_rates
from pi.providers.responses_request import (
    affinity,
    by_plan,
    effort_of,
    grammars_for,
    responses_body,
)
from pi.providers.streaming import Call, converse
from pi.wire.events import AssistantEvent
from pi.wire.model import Model

__all__ = ["request", "stream"]


def stream(
    model: Model, context: Context, options: StreamOptions
) -> AsyncGenerator[AssistantEvent, None]:
    """Yield `start`, deltas, then exactly one `done` or `error`."""
    assembly = Assembly(model)
    told = responses_compat(model).get("supportsMidConvoEffort") and options.thinking != "off"
    told = told and model.reasoning and not by_plan(model, options)
    effort = effort_of(model, options.thinking) if told else None
    reader = ResponsesReader(
        assembly, effort=effort, rates=service_rates(model), grammars=grammars_for(model, context)
    )
    return converse(assembly, reader, partial(request, model, context, options), options)


def request(model: Model, context: Context, options: StreamOptions) -> Call:
    """What is sent for this conversation."""
    body, history = responses_body(model, context, options, effort_changes=True)
    headers = {"content-type": "application/json", "accept": "application/json"}
    if options.api_key is not None:
        headers["authorization"] = f"Bearer {options.api_key}"
    headers |= service_headers(model, options.session_id, history)
    if options.cache_retention != "none":
        headers |= affinity(model, options.session_id)
    headers |= {name.lower(): value for name, value in options.headers.items()}
    return Call(f"{model.base_url.rstrip('/')}/responses", headers, body)
