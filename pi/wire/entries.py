"""Session entries: one JSON object a line. Source: docs/session-format.md, version 3.

Every entry but the header has `id` (8 hex digits, or a UUID), `parentId` (the entry it follows,
None for a root) and `timestamp` (ISO 8601, UTC, milliseconds).
"""

from datetime import UTC, datetime
from typing import Any, Literal, NotRequired, TypedDict

from pi.wire.messages import AgentMessage, SystemMessage, Usage, UserContent

__all__ = [
    "SESSION_VERSION",
    "BranchSummaryEntry",
    "CompactionEntry",
    "ContextEditEntry",
    "ContextReplacement",
    "CustomEntry",
    "CustomMessageEntry",
    "LabelEntry",
    "MessageEntry",
    "ModelChangeEntry",
    "SessionEntry",
    "SessionHeader",
    "SessionInfoEntry",
    "ThinkingLevelChangeEntry",
    "UsageEntry",
    "iso_now",
]

SESSION_VERSION = 3


class SessionHeader(TypedDict):
    """First line. parentSession: the file this one was forked from."""

    type: Literal["session"]
    version: int
    id: str
    timestamp: str
    cwd: str
    parentSession: NotRequired[str]


class _Entry(TypedDict):
    id: str
    parentId: str | None
    timestamp: str


class MessageEntry(_Entry):
    type: Literal["message"]
    message: AgentMessage


class ModelChangeEntry(_Entry):
    type: Literal["model_change"]
    provider: str
    modelId: str


class ThinkingLevelChangeEntry(_Entry):
    type: Literal["thinking_level_change"]
    thinkingLevel: str


class UsageEntry(_Entry):
    type: Literal["usage"]
    kind: str
    provider: str
    model: str
    usage: Usage
    note: NotRequired[str]


class CompactionEntry(_Entry):
    """firstKeptEntryId: its own id when nothing before it is kept."""

    type: Literal["compaction"]
    summary: str
    firstKeptEntryId: str
    tokensBefore: int
    systemMessage: NotRequired[SystemMessage]
    usage: NotRequired[Usage]
    details: NotRequired[Any]
    fromHook: NotRequired[bool]


class ContextReplacement(TypedDict):
    content: str | list[Any]


class ContextEditEntry(_Entry):
    """replacement: new content of the target in the model's context; None omits the target."""

    type: Literal["context_edit"]
    targetId: str
    replacement: ContextReplacement | None


class BranchSummaryEntry(_Entry):
    type: Literal["branch_summary"]
    fromId: str
    summary: str
    usage: NotRequired[Usage]
    details: NotRequired[Any]
    fromHook: NotRequired[bool]


class CustomEntry(_Entry):
    type: Literal["custom"]
    customType: str
    data: NotRequired[Any]


class CustomMessageEntry(_Entry):
    type: Literal["custom_message"]
    customType: str
    content: str | list[UserContent]
    display: bool
    details: NotRequired[Any]


class LabelEntry(_Entry):
    type: Literal["label"]
    targetId: str
    label: NotRequired[str]


class SessionInfoEntry(_Entry):
    type: Literal["session_info"]
    name: NotRequired[str]


SessionEntry = (
    MessageEntry
    | ModelChangeEntry
    | ThinkingLevelChangeEntry
    | UsageEntry
    | CompactionEntry
    | ContextEditEntry
    | BranchSummaryEntry
    | CustomEntry
    | CustomMessageEntry
    | LabelEntry
    | SessionInfoEntry
)


def iso_now() -> str:
    """The time as entries carry it: 2026-01-31T12:00:00.000Z."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
