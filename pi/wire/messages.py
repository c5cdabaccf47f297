"""Messages as sessions store them and JSON events carry them.

The keys are the wire's own (camelCase) and unknown keys survive a round trip, so these are
TypedDicts over plain dicts. Source: docs/message-types.md of the session format, v3.
Message timestamps are Unix milliseconds; entry timestamps (entries.py) are ISO 8601.
"""

import time
from typing import Any, Literal, NotRequired, TypedDict

__all__ = [
    "AgentMessage",
    "AssistantContent",
    "AssistantMessage",
    "BashExecutionMessage",
    "BranchSummaryMessage",
    "CompactionSummaryMessage",
    "Cost",
    "CustomMessage",
    "ImageContent",
    "StopReason",
    "SystemMessage",
    "TextContent",
    "ThinkingContent",
    "ThinkingLevel",
    "THINKING_LEVELS",
    "ToolCall",
    "ToolDeclaration",
    "ToolReference",
    "ToolResultMessage",
    "Usage",
    "UserContent",
    "UserMessage",
    "empty_usage",
    "now_ms",
    "text_of",
]

ThinkingLevel = Literal["off", "minimal", "low", "medium", "high", "xhigh", "max"]
THINKING_LEVELS: tuple[ThinkingLevel, ...] = (
    "off",
    "minimal",
    "low",
    "medium",
    "high",
    "xhigh",
    "max",
)

StopReason = Literal["pending", "stop", "length", "toolUse", "error", "aborted", "deferred"]


class TextContent(TypedDict):
    """textSignature: opaque provider metadata."""

    type: Literal["text"]
    text: str
    textSignature: NotRequired[str]


class ImageContent(TypedDict):
    """data: base64."""

    type: Literal["image"]
    data: str
    mimeType: str


class ThinkingContent(TypedDict):
    """thinkingSignature: opaque replay data; a redacted block has it and no visible text."""

    type: Literal["thinking"]
    thinking: str
    thinkingSignature: NotRequired[str]
    redacted: NotRequired[bool]


class ToolCall(TypedDict):
    """argumentsError: why `arguments` is {} although the model sent something (malformed JSON)."""

    type: Literal["toolCall"]
    id: str
    name: str
    arguments: dict[str, Any]
    argumentsError: NotRequired[str]
    thoughtSignature: NotRequired[str]
    namespace: NotRequired[str]


AssistantContent = TextContent | ThinkingContent | ToolCall
UserContent = TextContent | ImageContent


class Cost(TypedDict):
    """US dollars."""

    input: float
    output: float
    cacheRead: float
    cacheWrite: float
    total: float
    totalFromProvider: NotRequired[bool]


class Usage(TypedDict):
    """Tokens. `input` excludes cache reads and writes; `reasoning` is part of `output`."""

    input: int
    output: int
    cacheRead: int
    cacheWrite: int
    totalTokens: int
    cost: Cost
    cacheWrite1h: NotRequired[int]
    reasoning: NotRequired[int]


class ToolDeclaration(TypedDict):
    """A tool as the model is told of it. parameters: JSON Schema of an object."""

    name: str
    description: str
    parameters: dict[str, Any]
    constrainedSampling: NotRequired[dict[str, Any]]


class ToolReference(TypedDict):
    name: str


class SystemMessage(TypedDict):
    """The first declares prompt and tools; later ones patch sections (None removes) and tools."""

    role: Literal["system"]
    content: str | list[TextContent]
    timestamp: int
    sections: NotRequired[dict[str, str | None]]
    toolsAdded: NotRequired[list[ToolDeclaration]]
    toolsRemoved: NotRequired[list[ToolReference]]


class UserMessage(TypedDict):
    role: Literal["user"]
    content: str | list[UserContent]
    timestamp: int


class AssistantMessage(TypedDict):
    """One reply of a model. `usage` and `stopReason` are always there, even after a failure."""

    role: Literal["assistant"]
    content: list[AssistantContent]
    api: str
    provider: str
    model: str
    usage: Usage
    stopReason: StopReason
    timestamp: int
    responseModel: NotRequired[str]
    responseId: NotRequired[str]
    providerThinkingLevel: NotRequired[str]
    thinkingLevel: NotRequired[ThinkingLevel]
    diagnostics: NotRequired[list[dict[str, Any]]]
    deferred: NotRequired[dict[str, Any]]
    errorMessage: NotRequired[str]
    rawStopReason: NotRequired[str]
    durationMs: NotRequired[int]
    endTurn: NotRequired[bool]


class ToolResultMessage(TypedDict):
    role: Literal["toolResult"]
    toolCallId: str
    toolName: str
    content: list[UserContent]
    isError: bool
    timestamp: int
    details: NotRequired[Any]
    usage: NotRequired[Usage]
    nestedCalls: NotRequired[dict[str, Any]]
    durationMs: NotRequired[int]


class BashExecutionMessage(TypedDict):
    """A shell command the person ran; becomes user text unless excludeFromContext."""

    role: Literal["bashExecution"]
    command: str
    output: str
    cancelled: bool
    truncated: bool
    timestamp: int
    exitCode: NotRequired[int]
    fullOutputPath: NotRequired[str]
    excludeFromContext: NotRequired[bool]


class CustomMessage(TypedDict):
    role: Literal["custom"]
    customType: str
    content: str | list[UserContent]
    display: bool
    timestamp: int
    details: NotRequired[Any]


class BranchSummaryMessage(TypedDict):
    role: Literal["branchSummary"]
    summary: str
    fromId: str | None
    timestamp: int


class CompactionSummaryMessage(TypedDict):
    role: Literal["compactionSummary"]
    summary: str
    tokensBefore: int
    timestamp: int


AgentMessage = (
    SystemMessage
    | UserMessage
    | AssistantMessage
    | ToolResultMessage
    | BashExecutionMessage
    | CustomMessage
    | BranchSummaryMessage
    | CompactionSummaryMessage
)


def now_ms() -> int:
    """The time as messages carry it."""
    return time.time_ns() // 1_000_000


def empty_usage() -> Usage:
    """Nothing used yet: what a message carries until its provider reports."""
    return {
        "input": 0,
        "output": 0,
        "cacheRead": 0,
        "cacheWrite": 0,
        "totalTokens": 0,
        "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0, "total": 0},
    }


def text_of(content: str | list[Any]) -> str:
    """The text blocks of a message's content, joined by newlines."""
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content if block.get("type") == "text")
