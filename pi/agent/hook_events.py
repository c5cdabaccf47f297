"""What those who extend pi are told and asked: one class an event, and what may be answered.

Each docstring says when the event comes and which answer counts. Events without an answer are
notices: what their handlers return is ignored. Messages, entries and payloads inside are plain
dicts with the keys that sessions store. Names and order follow docs/extensions.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, dataclass_transform

from pi.wire.entries import BranchSummaryEntry, CompactionEntry, SessionEntry
from pi.wire.events import CompactionReason
from pi.wire.messages import (
    AgentMessage,
    AssistantMessage,
    CustomMessage,
    ImageContent,
    ToolResultMessage,
    Usage,
    UserContent,
)
from pi.wire.model import Model

__all__ = [
    "UNCHANGED",
    "AfterProviderResponse",
    "AgentBeforeSettle",
    "AgentEnd",
    "AgentSettled",
    "AgentStart",
    "BashDone",
    "BeforeAgentStart",
    "BeforeProviderHeaders",
    "BeforeProviderRequest",
    "Block",
    "Boundary",
    "CacheWarmingDecision",
    "Cancel",
    "CompactionPlan",
    "ContextEvent",
    "ContextWithSystem",
    "CustomCompaction",
    "CustomTree",
    "Event",
    "Handled",
    "InputEvent",
    "McpServersChange",
    "MessageEnd",
    "MessageStart",
    "MessageUpdate",
    "ModelSelect",
    "ProjectTrust",
    "PromptOptions",
    "ProviderStreamEvent",
    "Resources",
    "ResourcesDiscover",
    "ResultPatch",
    "RunAs",
    "SessionBeforeCompact",
    "SessionBeforeFork",
    "SessionBeforeSwitch",
    "SessionBeforeTree",
    "SessionCompact",
    "SessionCompactFailed",
    "SessionInfoChanged",
    "SessionShutdown",
    "SessionStart",
    "SessionTree",
    "Start",
    "ThinkingLevelSelect",
    "ToolCall",
    "ToolExecutionEnd",
    "ToolExecutionStart",
    "ToolExecutionUpdate",
    "ToolResultEvent",
    "Transform",
    "TreePlan",
    "Trust",
    "TurnEnd",
    "TurnStart",
    "UiPromptEnd",
    "UiPromptStart",
    "UserBash",
]


@dataclass_transform()
class Record:
    """Fields by annotation, in order, as a dataclass has them.

    Sixty dataclasses take 20 ms to make, which each start with an extension would pay.
    """

    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls._fields = tuple(name for name in cls.__annotations__ if name != "name")

    def __init__(self, *values: Any, **named: Any) -> None:
        fields = self._fields
        given = {**dict(zip(fields, values, strict=False)), **named}
        if len(values) > len(fields) or len(given) < len(values) + len(named):
            raise TypeError(f"{type(self).__name__}: too many values, or one twice")
        for name in fields:
            if name not in given and not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__}: {name} is missing")
        for name in given:
            if name not in fields:
                raise TypeError(f"{type(self).__name__} has no {name}")
        self.__dict__.update(given)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"{type(self).__name__}({shown})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(
            getattr(self, name) == getattr(other, name) for name in self._fields
        )

    __hash__ = None  # type: ignore[assignment]


class Event(Record):
    """Something that happens. `name` is what handlers subscribe to."""

    name: ClassVar[str]


class _Unchanged:
    def __repr__(self) -> str:
        return "UNCHANGED"


UNCHANGED: Any = _Unchanged()
"""Stands for what an answer leaves as it is."""


# Start-up and resources


class ProjectTrust(Event):
    """Before a project with dynamic configuration is trusted. First Trust of yes or no wins.

    Project extensions are not loaded yet.
    """

    name = "project_trust"
    cwd: str


class Trust(Record):
    """remember: keep the decision in trust.json. "undecided" leaves it to others."""

    trusted: Literal["yes", "no", "undecided"]
    remember: bool = False


class ResourcesDiscover(Event):
    """After session_start. Every Resources answer counts."""

    name = "resources_discover"
    cwd: str
    reason: Literal["startup", "reload"]


class Resources(Record):
    """More folders and files, absolute or relative to the extension's folder."""

    skills: Sequence[str | Path] = ()
    prompts: Sequence[str | Path] = ()
    themes: Sequence[str | Path] = ()


# Sessions

StartReason = Literal["startup", "reload", "new", "resume", "fork"]
ShutdownReason = Literal["quit", "reload", "new", "resume", "fork"]


class SessionStart(Event):
    """A session is open. previous_session_file: for new, resume and fork."""

    name = "session_start"
    reason: StartReason
    previous_session_file: str | None = None


class SessionInfoChanged(Event):
    """The session has another name, None for none."""

    name = "session_info_changed"
    session_name: str | None


class SessionBeforeSwitch(Event):
    """Before a new session or another one. Cancel keeps this one. The first Cancel ends it."""

    name = "session_before_switch"
    reason: Literal["new", "resume"]
    target_session_file: str | None = None


class SessionBeforeFork(Event):
    """Before a fork ("before" its message) or a clone ("at" its entry). Cancel keeps this one."""

    name = "session_before_fork"
    entry_id: str
    position: Literal["before", "at"]


class Cancel(Record):
    """Do not do it."""

    reason: str = ""


class SessionShutdown(Event):
    """Before the session, and this instance of the extension, go away. Clean up here."""

    name = "session_shutdown"
    reason: ShutdownReason
    target_session_file: str | None = None


class CompactionPlan(Record):
    """What a compaction is about to do.

    messages: to be summarised. prefix: the beginning of a turn whose end is kept, if it is split.
    previous_summary: of the last compaction. read_files, modified_files: touched by all of it.
    """

    first_kept_entry_id: str | None
    messages: Sequence[AgentMessage]
    prefix: Sequence[AgentMessage]
    tokens_before: int
    previous_summary: str | None
    read_files: Sequence[str]
    modified_files: Sequence[str]

    @property
    def is_split_turn(self) -> bool:
        return bool(self.prefix)


class SessionBeforeCompact(Event):
    """Before a compaction. Cancel stops it, the last CustomCompaction takes its place."""

    name = "session_before_compact"
    preparation: CompactionPlan
    branch_entries: Sequence[SessionEntry]
    reason: CompactionReason
    will_retry: bool
    custom_instructions: str | None = None


class CustomCompaction(Record):
    """A summary of one's own. first_kept_entry_id, tokens_before: UNCHANGED is what pi planned."""

    summary: str
    first_kept_entry_id: str | None = UNCHANGED
    tokens_before: int = UNCHANGED
    details: Any = None
    usage: Usage | None = None


class SessionCompact(Event):
    """A compaction was stored."""

    name = "session_compact"
    compaction_entry: CompactionEntry
    from_extension: bool
    reason: CompactionReason
    will_retry: bool


class SessionCompactFailed(Event):
    """A compaction did not come about. error_message: None when it was aborted or cancelled."""

    name = "session_compact_failed"
    reason: CompactionReason
    error_message: str | None
    aborted: bool
    will_retry: bool
    from_extension: bool


class TreePlan(Record):
    """Where a move in the tree leads, and what it leaves."""

    target_id: str
    old_leaf_id: str | None
    common_ancestor_id: str | None
    entries_to_summarize: Sequence[SessionEntry]
    user_wants_summary: bool
    custom_instructions: str | None = None
    label: str | None = None


class SessionBeforeTree(Event):
    """Before a move in the tree. Cancel stops it; a later CustomTree wins over an earlier one."""

    name = "session_before_tree"
    preparation: TreePlan


class CustomTree(Record):
    """summary: used where the person wants one. The others go over the person's own."""

    summary: str | None = None
    details: Any = None
    usage: Usage | None = None
    custom_instructions: str | None = None
    label: str | None = None


class SessionTree(Event):
    """A move in the tree was made."""

    name = "session_tree"
    new_leaf_id: str | None
    old_leaf_id: str | None
    summary_entry: BranchSummaryEntry | None
    from_extension: bool


# What the person says

InputSource = Literal["interactive", "rpc", "extension"]


class InputEvent(Event):
    """Before templates are expanded. Transform goes to the next handler, the first Handled ends it.

    streaming_behavior: "steer" or "followUp" for what is said during a run.
    """

    name = "input"
    text: str
    images: Sequence[ImageContent]
    source: InputSource
    streaming_behavior: Literal["steer", "followUp"] | None = None


class Transform(Record):
    """Say this instead. images: None keeps them."""

    text: str
    images: Sequence[ImageContent] | None = None


class Handled(Record):
    """All is done: no run begins."""


class UserBash(Event):
    """Before a command of the person's (! or !!) runs. The first RunAs or BashDone counts.

    A handler that fails blocks the command.
    """

    name = "user_bash"
    command: str
    exclude_from_context: bool
    cwd: str


BashRunner = Callable[[str, str, Callable[[str], None]], Any]
"""(command, cwd, on_output) → the exit code, None when it was killed; may be a coroutine."""


class RunAs(Record):
    """Run it another way: another command line, or a runner of one's own (ssh, a container)."""

    command: str | None = None
    runner: BashRunner | None = None


class BashDone(Record):
    """It was run; this is what came of it."""

    output: str
    exit_code: int | None = 0
    cancelled: bool = False
    truncated: bool = False


# Runs


@dataclass(slots=True)
class PromptOptions:
    """What the system prompt is made of. Handlers of before_agent_start may change the collections.

    selected_tools: names, in order. tool_snippets, tool_guidelines: by tool.
    prompt_guidelines: more rules. sections: more sections, or others for those pi has, by tag;
    None takes one away. force_system_prompt: in place of all of it, for this run's requests.
    """

    cwd: str
    custom_prompt: str | None = None
    append_system_prompt: Sequence[str] = ()
    context_files: Sequence[Any] = ()
    skills: Sequence[Any] = ()
    selected_tools: list[str] = field(default_factory=list)
    tool_snippets: dict[str, str] = field(default_factory=dict)
    tool_guidelines: dict[str, tuple[str, ...]] = field(default_factory=dict)
    prompt_guidelines: list[str] = field(default_factory=list)
    sections: dict[str, str | None] = field(default_factory=dict)
    force_system_prompt: str | None = None


class BeforeAgentStart(Event):
    """Before a run. Every Start counts: its message is added, its prompt goes to the next handler.

    message_type: "custom" for a run that `send_message` starts, with `message` and no prompt.
    """

    name = "before_agent_start"
    message_type: Literal["user", "custom"]
    prompt: str
    images: Sequence[ImageContent]
    message: CustomMessage | None
    system_prompt: str
    system_prompt_options: PromptOptions


class Start(Record):
    """message: stored and sent, `{"customType": …, "content": …, "display": …}`.

    system_prompt: for this run's requests, in place of the whole.
    """

    message: Mapping[str, Any] | None = None
    system_prompt: str | None = None


class AgentStart(Event):
    """A low-level run begins; there may be several for one prompt."""

    name = "agent_start"


class AgentEnd(Event):
    """A low-level run ended. A retry, a compaction or a queued message may follow."""

    name = "agent_end"
    messages: Sequence[AgentMessage]


Outcome = Literal["completed", "error", "aborted"]


class AgentBeforeSettle(Event):
    """Nothing is left to do. Boundary answers are chained; see TurnEnd."""

    name = "agent_before_settle"
    entries: list[dict[str, Any]]
    go_on: bool
    context: Sequence[AgentMessage]


class AgentSettled(Event):
    """pi does not go on by itself. What handlers ask for begins after the last of them."""

    name = "agent_settled"
    aborted: bool


class TurnStart(Event):
    """timestamp: Unix milliseconds."""

    name = "turn_start"
    turn_index: int
    timestamp: int


class TurnEnd(Event):
    """A reply and its tools' results are stored. Boundary answers are chained.

    entries, go_on: what earlier handlers proposed. context: with these proposals.
    """

    name = "turn_end"
    turn_index: int
    message: AssistantMessage
    tool_results: Sequence[ToolResultMessage]
    message_entry_id: str
    tool_result_entry_ids: Sequence[str]
    outcome: Outcome
    entries: list[dict[str, Any]]
    go_on: bool
    context: Sequence[AgentMessage]


class Boundary(Record):
    """entries: drafts of type custom, custom_message, context_edit or compaction, all there are to
    be (add to event.entries). go_on: make one more request. None leaves either as it is.
    """

    entries: Sequence[Mapping[str, Any]] | None = None
    go_on: bool | None = None


class MessageStart(Event):
    """For messages of every role."""

    name = "message_start"
    message: AgentMessage


class MessageUpdate(Event):
    """A piece of the model's reply. message: so far; a text in it is complete at its block's end.

    assistant_message_event: `{"type": "text_delta", "contentIndex": 0, "delta": …}` and others.
    """

    name = "message_update"
    message: AgentMessage
    assistant_message_event: Mapping[str, Any]


class MessageEnd(Event):
    """A message is complete and not stored yet. An answer is a message of the same role for it."""

    name = "message_end"
    message: AgentMessage


# Tools


class ToolExecutionStart(Event):
    name = "tool_execution_start"
    tool_call_id: str
    tool_name: str
    args: dict[str, Any]
    parent_tool_call_id: str | None = None


class ToolExecutionUpdate(Event):
    name = "tool_execution_update"
    tool_call_id: str
    tool_name: str
    args: dict[str, Any]
    partial_result: Mapping[str, Any]
    parent_tool_call_id: str | None = None


class ToolExecutionEnd(Event):
    """Comes for every call, also for those that were not run. duration_ms: None for these."""

    name = "tool_execution_end"
    tool_call_id: str
    tool_name: str
    result: Mapping[str, Any]
    is_error: bool
    duration_ms: int | None = None
    parent_tool_call_id: str | None = None


class ToolCall(Event):
    """Before a tool runs. input may be changed in place; it is not checked again.

    The first Block ends it. A handler that fails blocks the call.
    """

    name = "tool_call"
    tool_name: str
    tool_call_id: str
    input: dict[str, Any]
    parent_tool_call_id: str | None = None


class Block(Record):
    """Do not run it. terminate: stop after this batch, if all of its results say so."""

    reason: str = ""
    terminate: bool = False


class ToolResultEvent(Event):
    """After a tool ran. Each ResultPatch goes to the next handler."""

    name = "tool_result"
    tool_name: str
    tool_call_id: str
    input: dict[str, Any]
    content: list[UserContent]
    details: Any
    structured_content: Any
    is_error: bool
    usage: Usage | None
    parent_tool_call_id: str | None = None


class ResultPatch(Record):
    """Other content without structured_content drops the latter: it may not fit any more."""

    content: list[UserContent] = UNCHANGED
    details: Any = UNCHANGED
    structured_content: Any = UNCHANGED
    is_error: bool = UNCHANGED
    usage: Usage | None = UNCHANGED


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
    """Not sent: this version does not keep prompt caches warm."""

    name = "cache_warming_decision"
    warm_cost: float
    miss_cost: float
    continuation_probability: float
    action: Literal["warm", "stop"]


class McpServersChange(Event):
    """Not sent: this version has no MCP servers."""

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


EVENTS: Mapping[str, type[Event]] = {kind.name: kind for kind in Event.__subclasses__()}
"""Every event by name."""
