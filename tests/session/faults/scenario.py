"""What a person does with sessions, step by step, and what must be there afterwards.

`work` tells what was acknowledged: every entry that a store on a file says it has. `inspect` finds
out, in another process, what of it is missing.
"""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from pi.agent.session import AgentSession
from pi.agent.toolset import ToolSet
from pi.auth.store import AuthStore
from pi.config.settings_types import Compaction
from pi.errors import PiError
from pi.providers.base import Context
from pi.session.copy import write_copy
from pi.session.fork import clone_session, fork_before, fork_session
from pi.session.index.catalog import SessionIndex
from pi.session.repair import repair
from pi.session.store import SessionStore
from pi.tools.base import ToolContext
from pi.wire.events import AssistantEvent
from pi.wire.messages import ThinkingLevel, text_of
from pi.wire.model import Model
from tests.agent.conftest import MODEL, Echo, blank, says
from tests.session.session_lines import assistant, header, message, user, write

__all__ = ["Report", "inspect", "prepare", "work"]

Report = Callable[[dict[str, Any]], None]

OLD = "old.jsonl"
BROKEN = "broken.jsonl"
LONG = "several kilobytes of text, so that half a write ends in the middle of a line. " * 60


class Place:
    """Where everything is: below one folder."""

    def __init__(self, root: Path) -> None:
        self.work = root / "work"
        self.sessions = root / "agent" / "sessions"
        self.folder = self.sessions / "--work--"
        self.index = root / "agent" / "session-index.sqlite"
        self.auth = root / "agent" / "auth.json"


def prepare(root: Path) -> None:
    """What is there before anything happens: a session of an old version, and a damaged one."""
    place = Place(root)
    place.work.mkdir(parents=True)
    lines: list[Any] = [header(version=2), user("a", None, "from long ago")]
    lines.append(message("b", "a", "hookMessage", "an old role", customType="x", display=True))
    write(place.folder / OLD, *lines)
    whole = [header(id="broken"), user("a", None), assistant("b", "a"), user("c", "gone")]
    write(place.folder / BROKEN, *whole[:2], b"no record", *whole[2:], b'{"type":"mess')


def work(root: Path, report: Report, make_room: Callable[[], None]) -> None:
    asyncio.run(_Work(Place(root), report, make_room).run())


class _Work:
    def __init__(self, place: Place, report: Report, make_room: Callable[[], None]) -> None:
        self.place = place
        self.report = report
        self.make_room = make_room
        self.told: set[tuple[str, str]] = set()

    async def run(self) -> None:
        place = self.place
        store = SessionStore.create(str(place.work), place.folder)
        session = agent(store)
        store.append_model_change("script", "m1")
        await self.step(store, lambda: self.say(session, "alpha use the tool"))
        await self.step(store, lambda: self.say(session, f"bravo {LONG}"))
        await self.step(store, lambda: session.set_name("named"))
        await self.step(store, lambda: store.append_label(store.leaf_id or "", "here"))
        await self.step(None, self.look)
        await self.step(store, lambda: self.compact(session))
        await self.step(store, lambda: self.say(session, "charlie use the tool"))
        first = next(entry["id"] for entry in store.entries() if entry["type"] == "message")
        await self.step(store, lambda: session.navigate(first))
        await self.step(store, lambda: self.say(session, "delta on another branch"))
        assert store.path is not None
        path = store.path
        forked = await self.step(None, lambda: fork_session(path, str(place.work), place.folder))
        await self.step(forked, lambda: self.say(agent(forked), "echo in the fork"))
        forked.close()
        cloned = await self.step(None, lambda: clone_session(store, place.folder))
        self.acknowledge(cloned)
        cloned.close()
        last = [e["id"] for e in store.entries() if _says(e, "delta")][-1]
        before, _ = await self.step(None, lambda: fork_before(store, last, place.folder))
        await self.step(before, lambda: self.say(agent(before), "foxtrot instead"))
        before.close()
        copy = place.work / "copy.jsonl"
        await self.step(None, lambda: write_copy(path, copy, replace=True))
        old = await self.step(None, lambda: SessionStore.open(place.folder / OLD))
        await self.step(old, lambda: self.say(agent(old), "golf after so long"))
        old.close()
        await self.step(None, lambda: repair(place.folder / BROKEN))
        mended = await self.step(None, lambda: SessionStore.open(place.folder / BROKEN))
        await self.step(mended, lambda: self.say(agent(mended), "hotel in what was broken"))
        mended.close()
        for provider in ("one", "two"):
            await self.step(None, lambda provider=provider: self.sign_in(provider))
        await self.step(None, self.look)
        store.close()

    async def step(self, store: SessionStore | None, do: Callable[[], Any]) -> Any:
        """Do it; where the machine fails, once more, now that it works again."""
        try:
            result = await _awaited(do())
        except PiError as error:
            self.acknowledge(store)
            self.report({"failed": str(error)})
            self.make_room()
            result = await _awaited(do())
        self.acknowledge(store)
        return result

    async def say(self, session: AgentSession, text: str) -> None:
        async for _ in session.prompt([{"type": "text", "text": text}]):
            self.acknowledge(session.store)

    async def compact(self, session: AgentSession) -> None:
        async for event in session.compact():
            if event["type"] == "compaction_end" and event.get("errorMessage"):
                raise PiError(event["errorMessage"])

    def look(self) -> None:
        with SessionIndex(self.place.index) as index:
            index.search(self.place.sessions, "alpha")

    def sign_in(self, provider: str) -> None:
        AuthStore(self.place.auth).put(provider, {"type": "api_key", "key": provider})
        self.report({"key": provider})

    def acknowledge(self, store: SessionStore | None) -> None:
        if store is None or not store.saved or store.path is None:
            return
        for row in store.history.index().ids:
            if (store.path.name, row) not in self.told:
                self.told.add((store.path.name, row))
                self.report({"session": store.path.name, "id": row, "is": digest(store.get(row))})


def inspect(root: Path, told: list[dict[str, Any]], *, killed: bool) -> list[str]:
    """What of it is missing or wrong, after everything was opened, used and opened again.

    killed: half a line may be at the end of what was written to, and what was damaged may still be.
    """
    place = Place(root)
    problems: list[str] = []
    by_session: dict[str, list[dict[str, Any]]] = {OLD: [], BROKEN: []}
    for item in told:
        if "session" in item:
            by_session.setdefault(item["session"], []).append(item)
    for name, entries in by_session.items():
        problems += asyncio.run(_inspect_session(place.folder / name, entries, killed))
    problems += _inspect_index(place, set(by_session), told)
    lock = place.auth.with_name("auth.json.lock")
    if lock.exists():  # of a process that died: it counts until it is old
        os.utime(lock, (1, 1))
    kept = AuthStore(place.auth)
    for item in told:
        if "key" in item and item["key"] not in kept.providers():
            problems.append(f"the key of {item['key']} is gone")
    AuthStore(place.auth).put("three", {"type": "api_key", "key": "three"})
    return problems


async def _inspect_session(path: Path, entries: list[dict[str, Any]], killed: bool) -> list[str]:
    problems = []
    excused = 0 if not killed else 2 if path.name == BROKEN else 1
    for again in (False, True):
        try:
            store = SessionStore.open(path)
        except PiError as error:
            return [f"{path.name} does not open: {error}"]
        with store:
            missing = [e["id"] for e in entries if digest(store.get(e["id"])) != e["is"]]
            if missing:
                problems.append(f"{path.name} lost {missing} (second look: {again})")
            damage = store.history.damage()
            if damage is not None and damage.count > excused:
                problems.append(f"{path.name}: {damage.count} damaged lines")
            store.build_context()
            if not again:
                async for _ in agent(store).prompt([{"type": "text", "text": "and on"}]):
                    pass
                after = list(store.entries())[-1]
                entries = [*entries, {"id": after["id"], "is": digest(after)}]
    return problems


def _inspect_index(place: Place, names: set[str], told: list[dict[str, Any]]) -> list[str]:
    with SessionIndex(place.index) as index:
        listed = {one.path.name for one in index.sessions(place.sessions)}
        hits = index.search(place.sessions, "and on", limit=None)
    problems = [f"{name} is not listed" for name in sorted(names - listed)]
    found = {hit.session.path.name for hit in hits}
    return problems + [f"{name} is not found" for name in sorted(names - found)]


def agent(store: SessionStore) -> AgentSession:
    def request(
        model: Model, context: Context, thinking: ThinkingLevel
    ) -> AsyncIterator[AssistantEvent]:
        last = context.messages[-1]
        if last["role"] == "user" and text_of(last["content"]).endswith("use the tool"):
            call = {"id": "call_1", "name": "echo", "arguments": {"text": LONG}}
            return says("let me look", call, tokens=100)(blank())
        return says(f"done {LONG}", tokens=100)(blank())

    return AgentSession(
        store,
        model=MODEL,
        thinking="medium",
        tools=ToolSet([Echo()], {"preamble": "Be good."}),
        request=request,
        tool_context=lambda call_id, update: ToolContext(call_id, Path("/"), {}, update),
        compaction=Compaction(keep_recent_tokens=200),
    )


def digest(entry: Any) -> str:
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()[:16]


def _says(entry: Any, text: str) -> bool:
    return entry["type"] == "message" and text in json.dumps(entry["message"].get("content"))


async def _awaited(result: Any) -> Any:
    return await result if isinstance(result, Awaitable) else result
