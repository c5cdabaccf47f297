"""Events of what the person says, of runs, turns and messages, and of tools."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pi.agent.hook_events.base import UNCHANGED, Event, Record
from pi.wire.messages import (
    AgentMessage,
    AssistantMessage,
    CustomMessage,
    ImageContent,
    ToolResultMessage,
    Usage,
    UserContent,
)

__all__ = [
    "InputSource",
    "Outcome",
    "AgentBeforeSettle",
    "AgentEnd",
    "AgentSettled",
    "AgentStart",
    "BashDone",
    "BashRunner",
    "BeforeAgentStart",
    "Block",
    "Boundary",
    "Handled",
    "InputEvent",
    "MessageEnd",
    "MessageStart",
    "MessageUpdate",
    "PromptOptions",
    "ResultPatch",
    "RunAs",
    "Start",
    "ToolCall",
    "ToolExecutionEnd",
    "ToolExecutionStart",
    "ToolExecutionUpdate",
    "ToolResultEvent",
    "Transform",
    "TurnEnd",
    "TurnStart",
    "UserBash",
]


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
    """It was run; this is what came of it.

    truncated: output is not all of it; full_output_path: a file that has all.
    """

    output: str
    exit_code: int | None = 0
    cancelled: bool = False
    truncated: bool = False
    full_output_path: str | None = None


# Runs


@dataclass(slots=True)
class PromptOptions:
    """What the system prompt is made of. Handlers of before_agent_start may change the collections.

    selected_tools: names, in order. hidden_tools: those of them that requests leave out, since
    another tool tells of them; only to be read. tool_snippets, tool_guidelines: by tool.
    prompt_guidelines: more rules. sections: more sections, or others for those pi has, by tag;
    None takes one away. force_system_prompt: in place of all of it, for this run's requests.
    """

    cwd: str
    custom_prompt: str | None = None
    append_system_prompt: Sequence[str] = ()
    context_files: Sequence[Any] = ()
    skills: Sequence[Any] = ()
    selected_tools: list[str] = field(default_factory=list)
    hidden_tools: tuple[str, ...] = ()
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
    """Nothing is left to do. Boundary answers are chained; see TurnEnd.

    outcome: of the last turn; a run that was aborted does not come here.
    """

    name = "agent_before_settle"
    outcome: Outcome
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

    content: Sequence[UserContent] = UNCHANGED
    details: Any = UNCHANGED
    structured_content: Any = UNCHANGED
    is_error: bool = UNCHANGED
    usage: Usage | None = UNCHANGED
