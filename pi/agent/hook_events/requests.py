"""Events of requests to a provider, of the model in use, and of questions to the person."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pi.agent.hook_events.base import Event, Record
from pi.wire.messages import AgentMessage
from pi.wire.model import Model

__all__ = [
    "AfterProviderResponse",
    "BeforeProviderHeaders",
    "BeforeProviderRequest",
    "CacheWarmingDecision",
    "ContextEvent",
    "ContextWithSystem",
    "McpServersChange",
    "ModelSelect",
    "ProviderStreamEvent",
    "ThinkingLevelSelect",
    "UiPromptEnd",
    "UiPromptStart",
    "WarmCache",
]


# Requests


class ContextEvent(Event):
    """Before a request. An answer is the messages to send; prompt and tools stay pi's."""

    name = "context"
    messages: list[AgentMessage]


class ContextWithSystem(Event):
    """After all of `context`. An answer is the whole transcript, a system message first."""

    name = "context_with_system"
    messages: list[AgentMessage]


class BeforeProviderHeaders(Event):
    """headers may be changed in place; None takes one away."""

    name = "before_provider_headers"
    headers: dict[str, str | None]


class BeforeProviderRequest(Event):
    """An answer other than None is the payload, for later handlers and for the request."""

    name = "before_provider_request"
    payload: Any


class AfterProviderResponse(Event):
    """Before the answer's body is read. headers: names in lower case."""

    name = "after_provider_response"
    status: int
    headers: Mapping[str, str]


class ProviderStreamEvent(Event):
    """What the provider sent, before pi reads it. data: read only."""

    name = "provider_stream_event"
    provider: str
    api: str
    model: str
    data: Any


class CacheWarmingDecision(Event):
    """Before a prompt cache is refreshed, or not. action: pi's own decision; the last answer wins.

    In US dollars: warm_cost of the refresh, miss_cost of the next request more than with the cache.
    continuation_probability: that there is a next request in time.
    """

    name = "cache_warming_decision"
    warm_cost: float
    miss_cost: float
    continuation_probability: float
    action: Literal["warm", "stop"]


class WarmCache(Record):
    """ "warm" refreshes it now; "stop" lets it go until there was another request."""

    action: Literal["warm", "stop"]


class McpServersChange(Event):
    """An extension registered an MCP server or took one back, after the session had begun.

    servers: all that are registered now. Who hears of this is who connects them.
    """

    name = "mcp_servers_change"
    servers: Sequence[Any]


# Model and person


class ModelSelect(Event):
    """After thinking_level_select, if the level changed with it."""

    name = "model_select"
    model: Model
    previous_model: Model | None
    source: Literal["set", "cycle"]


class ThinkingLevelSelect(Event):
    name = "thinking_level_select"
    level: str
    previous_level: str


class UiPromptStart(Event):
    """pi waits for the person. Overlapping dialogs are one wait."""

    name = "ui_prompt_start"
    kind: Literal["select", "confirm", "input", "editor", "custom"]
    title: str | None = None
    reason: Literal["ui_prompt"] = "ui_prompt"


class UiPromptEnd(Event):
    """The wait is over."""

    name = "ui_prompt_end"
