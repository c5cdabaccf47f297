"""A model on a scripted server, and the whole of one request as a list of events."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pi.providers.base import Context, StreamOptions
from pi.providers.http import HttpClient, HttpOptions
from pi.providers.registry import stream_function
from pi.wire.model import Model
from tests.scripted_provider import ScriptedProvider

ANTHROPIC = "anthropic-messages"
COMPLETIONS = "openai-completions"
RESPONSES = "openai-responses"
GOOGLE = "google-generative-ai"
MISTRAL = "mistral-conversations"
AZURE = "azure-openai-responses"
CODEX = "openai-codex-responses"
PI = "pi-messages"
BEDROCK = "bedrock-converse-stream"
VERTEX = "google-vertex"


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content, "timestamp": 1}


def text(value: str, **extra: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **extra}


def image(data: str = "QUJD") -> dict[str, Any]:
    return {"type": "image", "data": data, "mimeType": "image/png"}


def call(call_id: str, name: str = "read", **extra: Any) -> dict[str, Any]:
    return {"type": "toolCall", "id": call_id, "name": name, "arguments": {}, **extra}


def result(call_id: str, *content: Any, error: bool = False) -> dict[str, Any]:
    return {
        "role": "toolResult",
        "toolCallId": call_id,
        "toolName": "read",
        "content": list(content) or [text("out")],
        "isError": error,
        "timestamp": 1,
    }


def assistant(*content: Any, api: str, model: str = "m1", **extra: Any) -> dict[str, Any]:
    return {
        "role": "assistant",
        "content": list(content),
        "api": api,
        "provider": "mock",
        "model": model,
        "usage": {},
        "stopReason": "stop",
        "timestamp": 1,
        **extra,
    }


def system(**fields: Any) -> dict[str, Any]:
    return {"role": "system", "content": "", "timestamp": 1, **fields}


TOOL = {
    "name": "read",
    "description": "reads",
    "parameters": {
        "type": "object",
        "properties": {"path": {"type": "string"}, "limit": {"type": "number"}},
        "required": ["path"],
    },
    "constrainedSampling": {"type": "json_schema", "strict": "prefer"},
}


PROMPT = system(sections={"a": "AAA", "b": "BBB"}, toolsAdded=[TOOL])


def collect(
    model: Model, messages: Sequence[Any], http: HttpOptions | None = None, **options: Any
) -> list[Any]:
    """All events of one reply."""
    return collect_all(model, [messages], http, **options)[0]


def collect_all(
    model: Model,
    conversations: Sequence[Sequence[Any]],
    http: HttpOptions | None = None,
    **options: Any,
) -> list[list[Any]]:
    """All events of some replies, one after the other by one client."""

    async def run() -> list[list[Any]]:
        client = HttpClient(http)
        options.setdefault("api_key", "key")
        asked = StreamOptions(http=client, **options)
        stream = stream_function(model.api)
        try:
            return [
                [event async for event in stream(model, Context(messages), asked)]
                for messages in conversations
            ]
        finally:
            await client.aclose()

    return asyncio.run(run())


class Exchange:
    """A script, what was asked of it, and what came out."""

    def __init__(self, api: str, turns: list[Any]) -> None:
        self.api = api
        self.server = ScriptedProvider(turns)

    def ask(
        self,
        messages: Sequence[Any] = (),
        *,
        http: HttpOptions | None = None,
        model: dict[str, Any] | None = None,
        **options: Any,
    ) -> list[Any]:
        asked = messages or [user("go")]
        self.events = collect(self.model(**(model or {})), asked, http, **options)
        return self.events

    def model(self, **fields: Any) -> Model:
        known = Model(id="m1", provider="mock", api=self.api, base_url="", reasoning=True)
        return replace(known, **{"base_url": self.server.base_url(self.api), **fields})

    @property
    def body(self) -> dict[str, Any]:
        return self.server.requests[-1].body

    @property
    def headers(self) -> dict[str, str]:
        return self.server.requests[-1].headers

    @property
    def message(self) -> dict[str, Any]:
        last = self.events[-1]
        return last["message"] if last["type"] == "done" else last["error"]

    @property
    def failure(self) -> Any:
        assert self.events[-1]["type"] == "error"
        return self.events[-1]["failure"]


def sent(exchange: Exchange, messages: Sequence[Any], **options: Any) -> list[Any]:
    """A conversation as this API is told it, without the prompt and tools that go beside it."""
    exchange.ask(messages, **options)
    body = exchange.body
    conversation: list[Any] = next(
        body[key] for key in ("messages", "input", "contents") if key in body
    )
    return conversation
