"""Events: what a provider's stream yields, and what an agent run yields.

Both are dicts with the wire's own keys, ready to be written as JSON lines without translation:
a stream of 28,000 deltas must not build and take apart 28,000 objects twice.
Source: docs/json.md.
"""

from typing import Any, Literal, NotRequired, TypedDict

from pi.wire.entries import SessionEntry
from pi.wire.messages import (
    AgentMessage,
    AssistantMessage,
    StopReason,
    ToolCall,
    ToolResultMessage,
    Usage,
)

__all__ = [
    "AgentEvent",
    "AssistantEvent",
    "BlockEnd",
    "BlockStart",
    "CompactionEnd",
    "CompactionReason",
    "CompactionResult",
    "Delta",
    "QueueUpdate",
    "SessionInfoChanged",
    "StreamDone",
    "StreamError",
    "StreamStart",
    "ToolCallEnd",
    "ToolCallStart",
    "ToolEnd",
]


class StreamStart(TypedDict):
    """First event. `partial` is the message under construction.

    Its metadata and usage are kept current; block texts are complete only at each block's end.
    """

    type: Literal["start"]
    partial: AssistantMessage


class BlockStart(TypedDict):
    type: Literal["text_start", "thinking_start"]
    contentIndex: int


class ToolCallStart(TypedDict):
    type: Literal["toolcall_start"]
    contentIndex: int
    id: str
    toolName: str


class Delta(TypedDict):
    """A toolcall_delta carries a piece of the arguments' JSON text."""

    type: Literal["text_delta", "thinking_delta", "toolcall_delta"]
    contentIndex: int
    delta: str


class BlockEnd(TypedDict):
    type: Literal["text_end", "thinking_end"]
    contentIndex: int
    content: str


class ToolCallEnd(TypedDict):
    type: Literal["toolcall_end"]
    contentIndex: int
    toolCall: ToolCall


class StreamDone(TypedDict):
    """Last event of a stream that succeeded: reason is stop, length, toolUse or deferred."""

    type: Literal["done"]
    reason: StopReason
    message: AssistantMessage


class StreamError(TypedDict):
    """Last event of a stream that failed: reason is error or aborted.

    `error` is the message so far, with errorMessage. `failure` says how, for the retry rules; it
    never leaves the process.
    """

    type: Literal["error"]
    reason: StopReason
    error: AssistantMessage
    failure: NotRequired[Exception]


AssistantEvent = (
    StreamStart
    | BlockStart
    | ToolCallStart
    | Delta
    | BlockEnd
    | ToolCallEnd
    | StreamDone
    | StreamError
)


class AgentStart(TypedDict):
    type: Literal["agent_start"]


class AgentEnd(TypedDict):
    type: Literal["agent_end"]
    messages: list[AgentMessage]
    willRetry: bool


class AgentSettled(TypedDict):
    type: Literal["agent_settled"]
    aborted: bool


class TurnStart(TypedDict):
    type: Literal["turn_start"]


class TurnEnd(TypedDict):
    type: Literal["turn_end"]
    message: AssistantMessage
    toolResults: list[ToolResultMessage]


class MessageStart(TypedDict):
    type: Literal["message_start"]
    message: AgentMessage


class MessageUpdate(TypedDict):
    type: Literal["message_update"]
    usage: Usage
    assistantMessageEvent: AssistantEvent


class MessageEnd(TypedDict):
    type: Literal["message_end"]
    message: AgentMessage


class ToolStart(TypedDict):
    type: Literal["tool_execution_start"]
    toolCallId: str
    toolName: str
    args: Any
    parentToolCallId: NotRequired[str]


class ToolUpdate(TypedDict):
    type: Literal["tool_execution_update"]
    toolCallId: str
    toolName: str
    args: Any
    partialResult: dict[str, Any]
    parentToolCallId: NotRequired[str]


class ToolEnd(TypedDict):
    """durationMs: absent when the tool did not run."""

    type: Literal["tool_execution_end"]
    toolCallId: str
    toolName: str
    result: dict[str, Any]
    isError: bool
    durationMs: NotRequired[int]
    parentToolCallId: NotRequired[str]


class RetryStart(TypedDict):
    type: Literal["auto_retry_start"]
    attempt: int
    maxAttempts: int
    delayMs: int
    errorMessage: str


class RetryEnd(TypedDict):
    type: Literal["auto_retry_end"]
    success: bool
    attempt: int
    finalError: NotRequired[str]


CompactionReason = Literal["manual", "threshold", "overflow"]


class CompactionResult(TypedDict):
    """estimatedTokensAfter: a guess at what the context comes to now."""

    summary: str
    firstKeptEntryId: str
    tokensBefore: int
    estimatedTokensAfter: int
    usage: NotRequired[Usage]
    details: NotRequired[Any]


class CompactionStart(TypedDict):
    type: Literal["compaction_start"]
    reason: CompactionReason


class CompactionEnd(TypedDict):
    """result: absent when it failed (errorMessage says why) or was aborted."""

    type: Literal["compaction_end"]
    reason: CompactionReason
    result: NotRequired[CompactionResult]
    aborted: bool
    willRetry: bool
    errorMessage: NotRequired[str]


class SummaryRetryScheduled(TypedDict):
    type: Literal["summarization_retry_scheduled"]
    attempt: int
    maxAttempts: int
    delayMs: int
    errorMessage: str


class SummaryRetryStart(TypedDict):
    """reason: of the compaction; absent for a branch summary."""

    type: Literal["summarization_retry_attempt_start"]
    source: Literal["compaction", "branchSummary"]
    reason: NotRequired[CompactionReason]


class SummaryRetryFinished(TypedDict):
    type: Literal["summarization_retry_finished"]


class QueueUpdate(TypedDict):
    """The texts waiting in each queue, all of them."""

    type: Literal["queue_update"]
    steering: list[str]
    followUp: list[str]


class EntryAppended(TypedDict):
    type: Literal["entry_appended"]
    entry: SessionEntry


class SessionInfoChanged(TypedDict):
    type: Literal["session_info_changed"]
    name: NotRequired[str]


class ThinkingLevelChanged(TypedDict):
    type: Literal["thinking_level_changed"]
    level: str


AgentEvent = (
    AgentStart
    | AgentEnd
    | AgentSettled
    | TurnStart
    | TurnEnd
    | MessageStart
    | MessageUpdate
    | MessageEnd
    | ToolStart
    | ToolUpdate
    | ToolEnd
    | RetryStart
    | RetryEnd
    | CompactionStart
    | CompactionEnd
    | SummaryRetryScheduled
    | SummaryRetryStart
    | SummaryRetryFinished
    | QueueUpdate
    | EntryAppended
    | SessionInfoChanged
    | ThinkingLevelChanged
)
