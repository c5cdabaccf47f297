"""What may be added to a session between turns: drafts of entries, checked as a whole, then stored.

Source: docs/extensions.md, turn_end and agent_before_settle.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pi.agent.checks import content_problem, json_problem
from pi.agent.transcript import Transcript
from pi.session.context import active_entries, project
from pi.wire.entries import SessionEntry, iso_now
from pi.wire.messages import AgentMessage

__all__ = ["commit", "preview"]

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "custom": ("customType",),
    "custom_message": ("customType", "content"),
    "context_edit": ("targetId",),
    "compaction": ("summary", "firstKeptEntryId", "tokensBefore"),
}


def preview(transcript: Transcript, drafts: Sequence[Mapping[str, Any]]) -> list[AgentMessage]:
    """The context as it would be with these. Raises ValueError for what cannot be stored.

    A compaction among them is not previewed: what it leaves is known once it is stored.
    """
    for number, draft in enumerate(drafts):
        _check(transcript, draft, f"entries[{number}]")
    active = active_entries(transcript.store.history)
    entries = [*([active.compaction] if active.compaction is not None else []), *active.entries]
    for number, draft in enumerate(drafts):
        if draft["type"] != "compaction":
            entry = {
                "id": f"draft-{number}",
                "parentId": None,
                "timestamp": iso_now(),
                "display": True,
                **draft,
            }
            entries.append(cast("SessionEntry", entry))
    return [message for _, shown in project(entries) for message in shown]


def commit(transcript: Transcript, drafts: Sequence[Mapping[str, Any]]) -> list[SessionEntry]:
    """Store them, in their order. Raises SessionError when that cannot be done."""
    store = transcript.store
    written: list[SessionEntry] = []
    for draft in drafts:
        kind = draft["type"]
        if kind == "custom":
            written.append(store.append_custom(draft["customType"], draft.get("data")))
        elif kind == "custom_message":
            written.append(
                store.append_custom_message(
                    draft["customType"],
                    draft["content"],
                    display=bool(draft.get("display", True)),
                    details=draft.get("details"),
                )
            )
        elif kind == "context_edit":
            replacement = draft.get("replacement")
            content = replacement["content"] if isinstance(replacement, Mapping) else replacement
            written.append(store.append_context_edit(draft["targetId"], content))
        else:
            written.append(
                transcript.compact(
                    draft["summary"],
                    draft["firstKeptEntryId"],
                    draft["tokensBefore"],
                    details=draft.get("details"),
                    usage=draft.get("usage"),
                    from_hook=True,
                )
            )
    transcript.reload()
    return written


def _check(transcript: Transcript, draft: Mapping[str, Any], where: str) -> None:
    kind = draft.get("type")
    if not isinstance(kind, str) or kind not in _NEEDED:
        raise ValueError(f"{where}: type must be one of {', '.join(_NEEDED)}, not {kind!r}")
    for key in _NEEDED[kind]:
        if key not in draft:
            raise ValueError(f"{where}: a {kind} needs {key}")
    for key in ("targetId", "firstKeptEntryId"):
        target = draft.get(key)
        if target is not None and transcript.store.get(target) is None:
            raise ValueError(f"{where}: there is no entry {target!r}")
    problem = json_problem(dict(draft))
    if problem is None and kind == "custom_message":
        problem = content_problem(draft["content"], text=True)
    if problem is not None:
        raise ValueError(f"{where}: {problem}")
