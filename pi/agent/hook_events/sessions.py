"""Events of the start and of sessions: opened, replaced, forked, compacted, navigated."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pi.agent.hook_events.base import UNCHANGED, Event, Record
from pi.wire.entries import BranchSummaryEntry, CompactionEntry, SessionEntry
from pi.wire.events import CompactionReason
from pi.wire.messages import AgentMessage, Usage

__all__ = [
    "StartReason",
    "ShutdownReason",
    "Cancel",
    "CompactionPlan",
    "CustomCompaction",
    "CustomTree",
    "ProjectTrust",
    "Resources",
    "ResourcesDiscover",
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
    "TreePlan",
    "Trust",
]


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
    """Where a move in the tree leads, and what it leaves.

    replace_instructions: whether the instructions stand in place of pi's own for a summary.
    """

    target_id: str
    old_leaf_id: str | None
    common_ancestor_id: str | None
    entries_to_summarize: Sequence[SessionEntry]
    user_wants_summary: bool
    custom_instructions: str | None = None
    replace_instructions: bool = False
    label: str | None = None


class SessionBeforeTree(Event):
    """Before a move in the tree. Cancel stops it; a later CustomTree wins over an earlier one."""

    name = "session_before_tree"
    preparation: TreePlan


class CustomTree(Record):
    """summary: used where the person wants one. The others go over the person's own.

    replace_instructions: True makes custom_instructions all that a summary is asked for with.
    """

    summary: str | None = None
    details: Any = None
    usage: Usage | None = None
    custom_instructions: str | None = None
    replace_instructions: bool | None = None
    label: str | None = None


class SessionTree(Event):
    """A move in the tree was made."""

    name = "session_tree"
    new_leaf_id: str | None
    old_leaf_id: str | None
    summary_entry: BranchSummaryEntry | None
    from_extension: bool
