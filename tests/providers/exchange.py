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


def collect(
    model: Model, messages: Sequence[Any], http: HttpOptions | None = None, **options: Any
) -> list[Any]:
    """All events of one reply."""

    async def run() -> list[Any]:
        client = HttpClient(http)
        options.setdefault("api_key", "key")
        asked = StreamOptions(http=client, **options)
        try:
            stream = stream_function(model.api)(model, Context(messages), asked)
            return [event async for event in stream]
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
        known = Model(id="m1", provider="mock", api=self.api, base_url="", reasoning=True)
        fields = {"base_url": self.server.base_url(self.api), **(model or {})}
        self.events = collect(replace(known, **fields), messages or [user("go")], http, **options)
        return self.events

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
