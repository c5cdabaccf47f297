"""Models that a program brings: a server of its own, or a function that answers."""

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from pi.errors import ConfigError, PiError, StreamFormatError
from pi.models.custom import ProviderConfig
from pi.providers.assembly import Assembly
from pi.providers.base import Context, StreamFunction, StreamOptions
from pi.runtime.services import OWN_API
from pi.wire.events import AssistantEvent
from pi.wire.jsonio import dumps
from pi.wire.model import Model

__all__ = ["Call", "Provider"]


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call, as a provider's function yields it."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""


Answer = Callable[[Model, Context, StreamOptions], AsyncIterator[Any]]


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider and its models.

    models: an id, or a mapping as in models.json, for each.
    stream: an asynchronous generator function `(model, context, options)`: it yields pieces of text
        and `Call`s, or the events of pi.providers.base.StreamFunction; what it raises fails the
        reply. Without it, base_url, api and (unless it is a server without one) api_key say which
        server is asked, as in models.json.
    """

    name: str
    models: Sequence[str | Mapping[str, Any]]
    stream: Answer | None = None
    base_url: str | None = None
    api: str | None = None
    api_key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def config(self) -> ProviderConfig:
        """As models.json would say it. Raises ConfigError."""
        if self.stream is None and (self.base_url is None or self.api is None):
            raise ConfigError(f"provider {self.name}: it needs stream, or base_url and api")
        own = self.stream is not None
        record: dict[str, Any] = {
            "baseUrl": self.base_url or "own:",
            "api": OWN_API if own else self.api,
            "apiKey": self.api_key or "none",
            "models": [{"id": m} if isinstance(m, str) else dict(m) for m in self.models],
        }
        # Only programs that bring a provider need the shapes.
        from pi.models.shapes import MODELS_FILE  # noqa: PLC0415

        problems = list(MODELS_FILE.problems({"providers": {self.name: record}}, ""))
        if problems:
            raise ConfigError(problems[0])
        return ProviderConfig(
            name=self.name,
            base_url=record["baseUrl"],
            api=record["api"],
            api_key=record["apiKey"],
            headers=self.headers,
            models=tuple(record["models"]),
        )

    def stream_function(self) -> StreamFunction | None:
        return None if self.stream is None else _events_of(self.stream)


def _events_of(answer: Answer) -> StreamFunction:
    """A function that may yield text and calls, as one that yields events."""

    async def stream(
        model: Model, context: Context, options: StreamOptions
    ) -> AsyncGenerator[AssistantEvent, None]:
        reply = _Reply(model)
        try:
            async with _closing(answer(model, context, options)) as pieces:
                async for piece in pieces:
                    for event in reply.take(piece):
                        yield event
                    if reply.ended:
                        return
        except PiError as error:
            yield reply.assembly.fail(error)
        except Exception as error:  # noqa: BLE001  (a fault in the program's function fails the reply)
            failure = StreamFormatError(f"{type(error).__name__}: {error}")
            failure.retryable = False
            yield reply.assembly.fail(failure)
        else:
            for event in reply.finish():
                yield event
        finally:
            reply.assembly.flush()

    return stream


@asynccontextmanager
async def _closing(answering: Any) -> AsyncGenerator[AsyncIterator[Any], None]:
    """What a program's function gave, closed afterwards. Raises TypeError for what is no stream."""
    if not hasattr(answering, "__aiter__"):
        if inspect.iscoroutine(answering):
            answering.close()
        raise TypeError("a provider's stream is an `async def` with `yield`, not a function alone")
    try:
        yield answering
    finally:
        if hasattr(answering, "aclose"):
            await answering.aclose()


class _Reply:
    """Pieces of an answer on their way to events. ended: its last event was among them."""

    def __init__(self, model: Model) -> None:
        self.assembly = Assembly(model)
        self.ended = False
        self._started = False
        self._called = False
        self._text: Any = None

    def take(self, piece: Any) -> list[AssistantEvent]:
        if isinstance(piece, Mapping):
            self._started = True
            self.ended = piece.get("type") in ("done", "error")
            return [piece]  # type: ignore[list-item]
        events = self._begin()
        if isinstance(piece, str):
            if self._text is None:
                self._text, started = self.assembly.open_text()
                events.append(started)
            events.append(self._text.delta(piece))
        elif isinstance(piece, Call):
            events += self._end_text()
            block, call = self.assembly.open_call(piece.id or f"call_{uuid4().hex}", piece.name)
            arguments = dumps(dict(piece.arguments)).decode()
            events += [call, block.delta(arguments), self.assembly.end(block)]
            self._called = True
        else:
            raise TypeError(f"a provider yields text, calls or events, not {piece!r:.80}")
        return events

    def finish(self) -> list[AssistantEvent]:
        reason: Any = "toolUse" if self._called else "stop"
        return [*self._begin(), *self._end_text(), self.assembly.done(reason)]

    def _begin(self) -> list[AssistantEvent]:
        if self._started:
            return []
        self._started = True
        return [self.assembly.start()]

    def _end_text(self) -> list[AssistantEvent]:
        block, self._text = self._text, None
        return [] if block is None else [self.assembly.end(block)]
