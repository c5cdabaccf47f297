"""Sessions that a program looks for: those of a folder or all, by what was said in them."""

import asyncio
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from pi.config.environment import Environment, read_environment
from pi.runtime.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.session.index.catalog import Listed

__all__ = ["Place", "SessionInfo", "list_sessions", "place_environment", "search_sessions"]

log = logging.getLogger("pi")


class Place(TypedDict, total=False):
    """Where sessions are, and what else belongs to the person.

    cwd: the folder to work in. agent_dir: instead of ~/.pi/agent. session_dir: where sessions are
    kept. environment: variables, instead of the process's own.
    """

    cwd: str | Path
    agent_dir: str | Path
    session_dir: str | Path
    environment: "Mapping[str, str]"


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session as a list shows it; its path or id opens it.

    title: its name, else the first message, else "". cwd: the folder it belongs to. used: when
    something was last said in it. messages: of every role. size: bytes. excerpt: where it was
    searched for, a part of what was found, in which entry; None for the session's name.
    """

    path: Path
    id: str
    title: str
    name: str | None
    cwd: Path
    used: datetime
    messages: int
    size: int
    excerpt: str = ""
    entry: str | None = None


async def list_sessions(*, everywhere: bool = False, **place: Unpack[Place]) -> list[SessionInfo]:
    """The sessions of the working folder, or of every folder, the last used first.

    What cannot be read is left out, and told to the logger `pi`.
    """

    def work() -> list[SessionInfo]:
        storage = _storage(place)
        with storage.index() as index:
            found = index.sessions(storage.root)
            _warn(index.notices)
        return [_info(one) for one in found if everywhere or storage.is_here(one)]

    return await asyncio.to_thread(work)


async def search_sessions(
    words: str, *, everywhere: bool = False, limit: int | None = 20, **place: Unpack[Place]
) -> list[SessionInfo]:
    """Sessions in which something was said, or that are called so; the best first.

    words: all must be in one message; "a phrase" in quotes stays together, and a word of three
    letters or more also finds those it begins. Raises SessionError without a word.
    """

    def work() -> list[SessionInfo]:
        storage = _storage(place)
        only = None if everywhere else storage.is_here
        with storage.index() as index:
            hits = index.search(storage.root, words, limit=limit, only=only)
            _warn(index.notices)
        return [
            replace(_info(hit.session), excerpt=hit.excerpt.text, entry=hit.excerpt.entry)
            for hit in hits
        ]

    return await asyncio.to_thread(work)


def place_environment(place: Place) -> Environment:
    """The variables that count in a place."""
    environment = read_environment(place.get("environment"))
    if "agent_dir" not in place:
        return environment
    return replace(environment, agent_dir=os.path.abspath(place["agent_dir"]))


def _storage(place: Place) -> Storage:
    unknown = set(place) - set(Place.__annotations__)
    if unknown:
        raise TypeError(f"unexpected: {', '.join(sorted(unknown))}")
    flag = os.path.abspath(place["session_dir"]) if "session_dir" in place else None
    cwd = Path(place["cwd"]) if "cwd" in place else None
    return Storage.find(place_environment(place), flag, cwd)


def _info(listed: "Listed") -> SessionInfo:
    summary = listed.summary
    return SessionInfo(
        path=listed.path,
        id=summary.id,
        title=listed.title,
        name=summary.name,
        cwd=Path(summary.cwd),
        used=datetime.fromtimestamp(listed.used / 1000, UTC),
        messages=summary.messages,
        size=listed.size,
    )


def _warn(notices: Sequence[str]) -> None:
    for notice in notices:
        log.warning("%s", notice)
