"""OpenAI's models by a ChatGPT sign-in: the Responses API as Codex uses it, streamed.

The key is a token of that sign-in; which account it belongs to is written in it.
"""

import base64
import binascii
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Any

from pi.errors import AuthenticationError
from pi.providers.assembly import Assembly
from pi.providers.base import Context, StreamOptions
from pi.providers.responses_reader import ResponsesReader, service_rates
from pi.providers.responses_request import (
    MAX_ID,
    affinity,
    grammars_for,
    reasoning_fields,
    responses_input,
)
from pi.providers.streaming import Call, converse
from pi.wire.events import AssistantEvent
from pi.wire.jsonio import loads
from pi.wire.model import Model

__all__ = ["request", "stream"]

BETA = "responses=experimental"
CLAIM = "https://api.openai.com/auth"
NO_PROMPT = "Help the user with what they ask."
"""The endpoint refuses a request without instructions."""


async def stream(
    model: Model, context: Context, options: StreamOptions
) -> AsyncGenerator[AssistantEvent, None]:
    """Yield `start`, deltas, then exactly one `done` or `error`."""
    assembly = Assembly(model)
    grammars = grammars_for(model, context)
    rates = service_rates(model)
    reader = ResponsesReader(assembly, rates=rates, grammars=grammars, notes_end=True)
    build = partial(request, model, context, options)
    if options.transport == "sse":
        async with aclosing(converse(assembly, reader, build, options)) as events:
            async for event in events:
                yield event
        return
    # Loaded by those who use it alone.
    from pi.providers.codex_websocket import SocketAnswer  # noqa: PLC0415

    answer = SocketAnswer(assembly, options)
    async with aclosing(converse(assembly, reader, build, options, answer)) as events:
        async for event in events:
            if event["type"] == "done":
                answer.answered()
            yield event


def request(model: Model, context: Context, options: StreamOptions) -> Call:
    """What is sent for this conversation."""
    told = responses_input(model, context, options, strict=True, loose=None, prompt_apart=True)
    body: dict[str, Any] = {
        "model": model.id,
        "store": False,
        "stream": True,
        "instructions": told.prompt or NO_PROMPT,
        "input": told.items,
        "text": {"verbosity": "low"},
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        **reasoning_fields(model, options),
        "include": ["reasoning.encrypted_content"],
    }
    if told.tools:
        body["tools"] = told.tools
    headers = {
        "content-type": "application/json",
        "accept": "text/event-stream",
        "openai-beta": BETA,
        "originator": "pi",
    }
    if options.api_key is not None:
        headers["authorization"] = f"Bearer {options.api_key}"
        headers["chatgpt-account-id"] = _account(options.api_key)
    if options.session_id and options.cache_retention != "none":
        session = options.session_id[:MAX_ID]
        body["prompt_cache_key"] = session
        headers |= affinity(model, session)
    headers |= {name.lower(): value for name, value in options.headers.items()}
    return Call(_url(model.base_url), headers, body)


def _url(base_url: str) -> str:
    base = base_url.rstrip("/")
    if base.endswith("/codex/responses"):
        return base
    return f"{base}/responses" if base.endswith("/codex") else f"{base}/codex/responses"


def _account(token: str) -> str:
    """The ChatGPT account of a sign-in's token, a JWT. Raises AuthenticationError."""
    try:
        _, payload, _ = token.split(".")
        padded = payload + "=" * (-len(payload) % 4)
        account = loads(base64.urlsafe_b64decode(padded))[CLAIM]["chatgpt_account_id"]
    except (ValueError, binascii.Error, KeyError, TypeError):
        account = None
    if not isinstance(account, str) or not account:
        raise AuthenticationError(
            "the key is no token of a ChatGPT sign-in: it names no account",
            hint="sign in again, or use an OpenAI API key with the provider openai",
        )
    return account
