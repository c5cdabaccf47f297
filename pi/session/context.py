"""From the entries on a path to the messages a model sees.

Three steps: choose the entries (the latest compaction stands for what it summarises), project each
to messages (the latest context_edit of each wins), convert what only pi knows to user messages.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from pi.session.history import History, Step
from pi.session.reader import decode, lines_forward
from pi.wire.entries import SessionEntry
from pi.wire.messages import AgentMessage, BashExecutionMessage, UserContent, UserMessage
from pi.wire.model import VIRTUAL_API

__all__ = [
    "ActiveEntries",
    "SessionContext",
    "active_entries",
    "build_context",
    "project",
    "reports_usage",
    "selected_model",
    "to_model_messages",
    "written_entries",
]

LOOK_BACK = 4 << 20
"""Bytes read beyond the context in search of the model and the thinking level."""

HEAD = 1 << 16
"""Bytes at the beginning that are searched when even that does not say."""

_TEXT_ROLES = ("assistant", "toolResult")
_EDITABLE_ROLES = ("user", "custom", *_TEXT_ROLES)


class SessionContext(NamedTuple):
    """What a session hands to the next request.

    messages: oldest first. entry_ids: for each message the entry it comes from.
    model: provider and id last used or chosen on this branch, None for never.
    thinking_level: last chosen on this branch, None for never.
    measured: index of the latest answer whose reported usage still covers all that stands before
    it, None where a compaction or an edit came after every answer.
    """

    messages: list[AgentMessage]
    entry_ids: list[str]
    model: tuple[str, str] | None = None
    thinking_level: str | None = None
    measured: int | None = None


class ActiveEntries(NamedTuple):
    """What stands in the context entry by entry, oldest first.

    compaction: the latest on the branch, None for none. entries: what it keeps, then what came
    after it. after: index of the first that came after it.
    """

    compaction: SessionEntry | None
    entries: list[SessionEntry]
    after: int


@dataclass(slots=True)
class _State:
    """Model and level, as far as they are known while walking from new to old."""

    model: tuple[str, str] | None = None
    level: str | None = None
    answered_at: str | None = None  # the level the latest answer was asked for at

    def see(self, entry: SessionEntry) -> None:
        fields = cast("dict[str, Any]", entry)
        kind = fields.get("type")
        if kind == "model_change":
            self._model(fields.get("provider"), fields.get("modelId"))
        elif kind == "thinking_level_change":
            level = fields.get("thinkingLevel")
            if self.level is None and isinstance(level, str):
                self.level = level
        elif kind == "message":
            message = fields.get("message")
            if not isinstance(message, dict) or message.get("role") != "assistant":
                return
            if message.get("api") != VIRTUAL_API:  # else nobody answered
                self._model(message.get("provider"), message.get("model"))
            level = message.get("thinkingLevel")
            if self.answered_at is None and isinstance(level, str):
                self.answered_at = level

    def _model(self, provider: object, model: object) -> None:
        if self.model is None and isinstance(provider, str) and isinstance(model, str):
            self.model = (provider, model)


@dataclass(slots=True)
class _Chosen:
    """Entries for the context, each list newest first.

    oldest: where to go on looking for what the context does not say; None at the root.
    """

    after: list[SessionEntry] = field(default_factory=list)
    compaction: SessionEntry | None = None
    kept: list[SessionEntry] = field(default_factory=list)
    oldest: Step | None = None

    def newest_first(self) -> list[SessionEntry]:
        middle = [] if self.compaction is None else [self.compaction]
        return self.after + middle + self.kept

    def in_order(self) -> list[SessionEntry]:
        """The compaction, what it keeps, what came after it."""
        front = [] if self.compaction is None else [self.compaction]
        kept = [entry for entry in reversed(self.kept) if not _is_folded(entry)]
        return front + kept + self.after[::-1]


def build_context(
    history: History, entry_id: str | None = None, *, look_back: int = LOOK_BACK
) -> SessionContext:
    """The context at an entry, the leaf unless given. Raises KeyError for an unknown id.

    A small session is read back to its root. A large one is read to where the context begins and
    `look_back` bytes on; if the level was last chosen before that, it is taken from the latest
    answer, which names its own, or from the head of the file, where it is first chosen.
    """
    chosen = _choose(history, history.up(entry_id))
    state = _State()
    for entry in chosen.newest_first():
        state.see(entry)
    model, level = state.model, state.level
    if chosen.oldest is not None and not _look_further(history, chosen.oldest, state, look_back):
        head = _head_state(history)
        model = state.model or head.model
        level = state.level or state.answered_at or head.level
    messages: list[AgentMessage] = []
    entry_ids: list[str] = []
    ordered = chosen.in_order()
    old = len(ordered) - len(chosen.after)
    measured: int | None = None
    for position, (entry, projected) in enumerate(project(ordered)):
        messages += projected
        entry_ids += [entry["id"]] * len(projected)
        if position < old:
            continue
        if entry["type"] == "context_edit":
            measured = None
        elif projected and reports_usage(projected[-1]):
            measured = len(messages) - 1
    return SessionContext(messages, entry_ids, model or state.model, level or state.level, measured)


def active_entries(history: History) -> ActiveEntries:
    """The entries the context at the leaf is made of; what they come to is `project`'s matter."""
    chosen = _choose(history, history.up())
    kept = chosen.kept[::-1]
    return ActiveEntries(chosen.compaction, kept + chosen.after[::-1], len(kept))


def written_entries(
    history: History, most: int | None = None
) -> list[tuple[SessionEntry, list[AgentMessage]]]:
    """What a person reads at the leaf, oldest first: entries of the context as they were written.

    An edit changes what a model gets and not what was said: each entry comes with the messages
    that it had before that. most: so many entries with messages, the newest; all unless given.
    """
    chosen = _choose(history, history.up(), most)
    compaction = [] if chosen.compaction is None else [chosen.compaction]
    found = [
        (entry, _messages(entry)) for entry in compaction + chosen.kept[::-1] + chosen.after[::-1]
    ]
    if most is None:
        return found
    with_messages = [at for at, (_, messages) in enumerate(found) if messages]
    return found[with_messages[-most] :] if len(with_messages) > most else found


def reports_usage(message: AgentMessage) -> bool:
    """Whether an answer says how many tokens the context had."""
    if message["role"] != "assistant" or message.get("stopReason") in ("error", "aborted"):
        return False
    usage = cast("dict[str, Any]", message).get("usage")
    parts = ("totalTokens", "input", "output", "cacheRead", "cacheWrite")
    return isinstance(usage, dict) and any(
        isinstance(usage.get(part), int | float) and usage[part] for part in parts
    )


def selected_model(
    history: History, context: SessionContext, is_virtual: Callable[[str, str], bool]
) -> tuple[str, str] | None:
    """The model that the branch of the leaf says is selected. context: of the same.

    A virtual one holds until another is chosen: answers name the models that gave them.
    """
    for step in history.up():
        if step.head.type == "model_change":
            fields = cast("dict[str, Any]", history.decoded(step.line, step.start) or {})
            chosen = str(fields.get("provider")), str(fields.get("modelId"))
            if is_virtual(*chosen):
                return chosen
            break
    return context.model


def project(
    entries: Iterable[SessionEntry],
) -> Iterator[tuple[SessionEntry, list[AgentMessage]]]:
    """Each entry with the messages it puts before the model: none, one, or two of a compaction.

    Only edits among `entries` count. Metadata of an edited message stays; a replacement that is
    none is ignored.
    """
    chosen = list(entries)
    edits: dict[str, Any] = {}
    for entry in chosen:
        fields = cast("dict[str, Any]", entry)
        if fields.get("type") == "context_edit" and isinstance(fields.get("targetId"), str):
            edits[fields["targetId"]] = fields.get("replacement", _NO_EDIT)
    for entry in chosen:
        edit = edits.get(entry["id"], _NO_EDIT)
        yield entry, [] if edit is None else [_edited(m, edit) for m in _messages(entry)]


def to_model_messages(messages: Iterable[AgentMessage]) -> list[AgentMessage]:
    """System, user, assistant and tool result messages only: what a provider is given.

    A shell command the person ran, a summary and an extension's message become user messages; a
    command excluded from the context and roles nobody knows are dropped.
    """
    converted: list[AgentMessage] = []
    for message in messages:
        match message["role"]:
            case "system" | "user" | "assistant" | "toolResult":
                converted.append(message)
            case "bashExecution":
                if not message.get("excludeFromContext"):
                    converted.append(_user(_shell_text(message), message["timestamp"]))
            case "custom":
                converted.append(_user(message["content"], message["timestamp"]))
            case "branchSummary":
                text = _BRANCH.format(summary=message["summary"])
                converted.append(_user(text, message["timestamp"]))
            case "compactionSummary":
                text = _COMPACTED.format(summary=message["summary"])
                converted.append(_user(text, message["timestamp"]))
    return converted


_NO_EDIT: Any = object()

_COMPACTED = """\
The earlier part of this conversation is no longer shown in full. This summary stands for it:

<earlier_conversation>
{summary}
</earlier_conversation>"""

_BRANCH = """\
Before this point the conversation followed another branch, which was left. What happened there:

<other_branch>
{summary}
</other_branch>"""


def _choose(history: History, steps: Iterator[Step], most: int | None = None) -> _Chosen:
    """Take from `steps` what belongs into the context, and no step more.

    most: entries with messages that are enough, if they come after the compaction.
    """
    chosen = _Chosen()
    count = 0
    for step in steps:
        if most is not None and count >= most:
            break
        entry = history.decoded(step.line, step.start)
        if entry is None:
            continue
        if cast("dict[str, Any]", entry).get("type") != "compaction":
            chosen.after.append(entry)
            count += most is not None and bool(_messages(entry))
            continue
        chosen.compaction = entry
        chosen.oldest = step
        first_kept = cast("dict[str, Any]", entry).get("firstKeptEntryId")
        if isinstance(first_kept, str) and first_kept != entry["id"]:
            _keep(history, steps, first_kept, chosen)
        break
    return chosen


def _keep(history: History, steps: Iterator[Step], first_kept: str, chosen: _Chosen) -> None:
    """Add what the compaction keeps; nothing when the entry it begins with is not on the path.

    Decoded only once that entry is found: where it is missing, this walks the whole history.
    """
    spans: list[tuple[int, int]] = []
    for step in steps:
        spans.append((step.start, step.start + len(step.line)))
        if step.head.id == first_kept:
            for start, end in spans:
                entry = history.decoded(history.source.read(start, end), start)
                if entry is not None:
                    chosen.kept.append(entry)
            chosen.oldest = step
            return


def _look_further(history: History, oldest: Step, state: _State, look_back: int) -> bool:
    """Look above `oldest` until model and level are known.

    Returns whether nothing more can be found: they are known, or the root was reached.
    """
    floor = oldest.start - look_back
    last = oldest
    for step in history.above(oldest, floor):
        if state.model is not None and state.level is not None:
            return True
        if _may_tell(step, state):
            entry = history.decoded(step.line, step.start)
            if entry is not None:
                state.see(entry)
        last = step
    return history.whole or floor <= 0 or last.head.parent is None


def _may_tell(step: Step, state: _State) -> bool:
    """Whether an entry is worth decoding for what is not known yet."""
    if step.head.type == "message":
        # A thousand answers may pass that name no level; an escape could hide the key.
        return state.model is None or b'"thinkingLevel"' in step.line or b"\\u" in step.line
    return step.head.type in ("model_change", "thinking_level_change")


def _head_state(history: History) -> _State:
    """What the entries at the beginning of the file set before the first message."""
    state = _State()
    first: list[SessionEntry] = []
    for _, line in lines_forward(history.source, 0, min(HEAD, history.end)):
        entry = cast("SessionEntry | None", decode(line))
        if entry is not None and entry.get("type") == "message":
            break
        if entry is not None:
            first.append(entry)
    for entry in reversed(first):
        state.see(entry)
    return state


def _messages(entry: SessionEntry) -> list[AgentMessage]:
    fields = cast("dict[str, Any]", entry)
    match fields.get("type"):
        case "message":
            message = fields.get("message")
            if isinstance(message, dict) and isinstance(message.get("role"), str):
                return [cast("AgentMessage", message)]
        case "compaction":
            return _compaction_messages(fields)
        case "branch_summary":
            if fields.get("summary"):
                return [
                    {
                        "role": "branchSummary",
                        "summary": str(fields["summary"]),
                        "fromId": fields.get("fromId"),
                        "timestamp": _milliseconds(fields.get("timestamp")),
                    }
                ]
        case "custom_message":
            custom: dict[str, Any] = {
                "role": "custom",
                "customType": fields.get("customType", ""),
                "content": fields.get("content", ""),
                "display": fields.get("display", False),
            }
            if "details" in fields:
                custom["details"] = fields["details"]
            custom["timestamp"] = _milliseconds(fields.get("timestamp"))
            return [cast("AgentMessage", custom)]
    return []


def _compaction_messages(fields: dict[str, Any]) -> list[AgentMessage]:
    messages: list[AgentMessage] = []
    system = fields.get("systemMessage")
    if isinstance(system, dict) and system.get("role") == "system":
        messages.append(cast("AgentMessage", system))
    tokens = fields.get("tokensBefore")
    messages.append(
        {
            "role": "compactionSummary",
            "summary": str(fields.get("summary") or ""),
            "tokensBefore": tokens if isinstance(tokens, int) else 0,
            "timestamp": _milliseconds(fields.get("timestamp")),
        }
    )
    return messages


def _edited(message: AgentMessage, edit: Any) -> AgentMessage:
    """The message with other content. `edit`: {"content": …}; bare content is understood too."""
    content = edit.get("content") if isinstance(edit, dict) else edit
    role = message["role"]
    if role not in _EDITABLE_ROLES or not isinstance(content, str | list):
        return message
    if isinstance(content, str) and role in _TEXT_ROLES:
        content = [{"type": "text", "text": content}]
    return cast("AgentMessage", {**message, "content": content})


def _is_folded(entry: SessionEntry) -> bool:
    """Whether a compaction already speaks for a kept entry: prompts and earlier compactions."""
    fields = cast("dict[str, Any]", entry)
    message = fields.get("message")
    return fields.get("type") == "compaction" or (
        isinstance(message, dict) and message.get("role") == "system"
    )


def _milliseconds(timestamp: object) -> int:
    """Unix time of an entry's timestamp; 0 for one that is no time."""
    if isinstance(timestamp, str):
        try:
            time = datetime.fromisoformat(timestamp)
        except ValueError:
            return 0
        return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
    return int(timestamp) if isinstance(timestamp, int | float) else 0


def _user(content: str | list[UserContent], timestamp: int) -> UserMessage:
    blocks: list[UserContent] = (
        [{"type": "text", "text": content}] if isinstance(content, str) else content
    )
    return {"role": "user", "content": blocks, "timestamp": timestamp}


def _shell_text(message: BashExecutionMessage) -> str:
    """What the model is told of a command that the person ran."""
    output, code = message.get("output", ""), message.get("exitCode")
    parts = [f"I ran a shell command myself: `{message.get('command', '')}`"]
    if output:
        fence = "```"
        while fence in output:
            fence += "`"
        parts.append(f"{fence}\n{output}\n{fence}")
    else:
        parts.append("It printed nothing.")
    if message.get("cancelled"):
        parts.append("I stopped it before it was done.")
    elif code:
        parts.append(f"It failed with exit code {code}.")
    if message.get("truncated") and message.get("fullOutputPath"):
        parts.append(
            f"Only part of the output is shown; all of it is in {message['fullOutputPath']}"
        )
    return "\n\n".join(parts)
