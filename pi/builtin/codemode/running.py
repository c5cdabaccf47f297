"""One script: its process, the tools it calls, what it keeps, and what becomes of it."""

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

from pi.builtin.codemode.catalogue import Callable, by_identifier, described, identifier
from pi.builtin.codemode.models import ModelCalls
from pi.builtin.codemode.output import Ended, result_of
from pi.builtin.codemode.script import Script, read_script
from pi.builtin.codemode.worker import Worker, answer, worker
from pi.builtin.ranking import rank
from pi.extensions import Context, Pi, ToolContext, ToolFailure, ToolResult
from pi.tools.files import whole_characters

__all__ = ["run_script"]

STORE = "codemode-store"
LIMITS = {"value": 262_144, "values": 1_048_576}
"""Characters of JSON that a script may store: one value, all of them together."""
AT_ONCE = 64
"""Calls that run at the same time; more wait."""
FOUND = 8
"""Tools that a search gives, unless the script says otherwise."""
RECORDED = 256
"""Calls that are listed with the result."""


async def run_script(pi: Pi, ctx: Context, call: ToolContext, code: str) -> ToolResult:
    """The result of a script. Raises ToolFailure where it does not even begin."""
    script = read_script(code)
    names = {tool.name for tool in call.tools()}
    infos = [tool for tool in pi.all_tools() if tool["name"] in names]
    run = _Run(ctx, call, infos)
    began = time.monotonic()
    call.update(ToolResult([], details={"calls": []}))
    try:
        async with asyncio.timeout(script.seconds):
            end = await run.play(script, _stored(ctx))
    except TimeoutError:
        assert script.seconds is not None, "else there is no end"
        text = f"Error: the script took longer than its {script.seconds * 1000:.0f} ms"
        end = {"ok": False, "error": text}
    except asyncio.CancelledError:
        ended = run.ended("Error: cancelled", time.monotonic() - began)
        call.update(result_of(ended, script.tokens))
        raise
    if end["ok"] and (end["set"] or end["delete"]):
        pi.append_entry(STORE, {"set": end["set"], "delete": end["delete"]})
    error = None if end["ok"] else end["error"]
    ended = run.ended(error, time.monotonic() - began)
    return await asyncio.to_thread(result_of, ended, script.tokens)


def _stored(ctx: Context) -> dict[str, str]:
    """What scripts of this branch have kept: key → JSON."""
    kept: dict[str, str] = {}
    for entry in ctx.session.branch():
        data = entry.get("data") if entry.get("customType") == STORE else None
        if entry["type"] != "custom" or not isinstance(data, dict):
            continue
        put, gone = data.get("set"), data.get("delete")
        for key, value in put.items() if isinstance(put, dict) else ():
            kept[key] = json.dumps(value, separators=(",", ":"))
        for key in gone if isinstance(gone, list) else ():
            kept.pop(str(key), None)
    return kept


class _Run:
    """items: what was put out so far. calls: the tools called so far, as details tell them."""

    def __init__(self, ctx: Context, call: ToolContext, infos: list[dict[str, Any]]) -> None:
        self.items: list[dict[str, Any]] = []
        self.calls: list[dict[str, Any]] = []
        self._call = call
        self._infos = infos
        self._tools = by_identifier(infos)
        self._count = 0
        self._room = asyncio.Semaphore(AT_ONCE)
        self._models = ModelCalls(ctx, call.call_id, self._list, self._tell)

    def ended(self, error: str | None, seconds: float) -> Ended:
        models = self._models
        return Ended(error, seconds, self.items, self.calls, models.usage, models.images)

    async def play(self, script: Script, stored: Mapping[str, str]) -> dict[str, Any]:
        """The record of the script's end. Whatever still runs then is cancelled."""
        tools = self._tools.values()
        setup = {
            "source": script.source,
            "tools": {tool.identifier: tool.name for tool in tools},
            "some": [tool.identifier for tool in tools][:20],
            "names": [_about(tool) for tool in tools],
            "store": dict(stored),
            "limits": LIMITS,
        }
        running: set[asyncio.Task[None]] = set()
        async with worker(setup, self._call.env) as process:
            try:
                async for record in process.records():
                    if record["kind"] == "end":
                        return record
                    if record["kind"] not in ("call", "ask"):
                        self.items.append(record)
                        continue
                    if record["kind"] == "call":
                        self._note(record)
                    await self._room.acquire()
                    task = asyncio.create_task(self._settle(process, record))
                    running.add(task)
                    task.add_done_callback(running.discard)
                    task.add_done_callback(lambda _: self._room.release())
                raise AssertionError("records end with an end")
            finally:
                for task in running:
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)

    async def _settle(self, process: Worker, record: dict[str, Any]) -> None:
        try:
            if record["kind"] == "call":
                value = await self._run_tool(record["name"], record.get("args", {}), record["told"])
            else:
                value = await self._look_up(record["what"], record["args"])
            line = answer(record["n"], value)
        except ToolFailure as failure:
            line = answer(record["n"], str(failure), ok=False)
        except Exception as error:  # noqa: BLE001  (the script must not wait for ever)
            line = answer(record["n"], f"{type(error).__name__}: {error}", ok=False)
        await process.send(line)

    def _note(self, record: dict[str, Any]) -> None:
        """Take down a call that is asked for."""
        self._count += 1
        args = json.dumps(record.get("args", {}), ensure_ascii=False, separators=(",", ":"))
        record["told"] = {
            "id": f"{self._call.call_id}/{self._count}",
            "name": record["name"],
            "args": whole_characters(args[:1000]),
            "status": "cancelled",  # unless it comes to more
        }
        self._list(record["told"])

    def _list(self, told: dict[str, Any]) -> None:
        if len(self.calls) < RECORDED:
            self.calls.append(told)

    async def _run_tool(self, name: str, args: Any, told: dict[str, Any]) -> Any:
        """What a call gives the script. Raises ToolFailure with the text of its error."""
        told["status"] = "running"
        self._tell()
        began = time.monotonic()
        try:
            result = await self._call.call_tool(name, args)
        except asyncio.CancelledError:
            told["status"] = "cancelled"
            raise
        told["status"] = "error" if result.is_error else "ok"
        told["durationMs"] = round((time.monotonic() - began) * 1000)
        text = "\n".join(block["text"] for block in result.content if block["type"] == "text")
        if result.is_error:
            told["error"] = text[:500]
        self._tell()
        known = next((tool for tool in self._tools.values() if tool.name == name), None)
        if known is not None and known.output is not None and result.structured is not None:
            return result.structured
        if result.is_error:
            raise ToolFailure(text)
        return text

    def _tell(self) -> None:
        calls = [dict(call) for call in self.calls]
        self._call.update(ToolResult([], details={"calls": calls}))

    # What scripts ask about tools and of models

    async def _look_up(self, what: str, args: Mapping[str, Any]) -> Any:
        if what == "search":
            return self._search(args)
        if what not in ("tool", "namespace"):
            return await self._models.answer(what, args)
        name = str(args["name"])
        if what == "tool":
            tool = self._tools.get(identifier(name))
            return None if tool is None else described(tool)
        return self._namespace(name)

    def _search(self, args: Mapping[str, Any]) -> list[dict[str, str]]:
        limit, wanted = args.get("limit", FOUND), args.get("namespace")
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise ToolFailure("searchTools: limit must be a whole number, 1 or more")
        if wanted is not None and not isinstance(wanted, str):
            raise ToolFailure("searchTools: namespace must be a string")
        infos = self._infos
        if wanted is not None:
            infos = [info for info in infos if _goes_by(info.get("namespace"), wanted)]
        names = [info["name"] for info in rank(str(args["query"]), infos)][:limit]
        tools = {tool.name: tool for tool in self._tools.values()}
        return [_about(tools[name]) for name in names]

    def _namespace(self, name: str) -> dict[str, Any] | None:
        tools = [tool for tool in self._tools.values() if _goes_by(tool.namespace, name)]
        if not tools or tools[0].namespace is None:
            return None
        space = tools[0].namespace
        about: dict[str, Any] = {"name": space.name}
        if space.description:
            about["description"] = space.description
        if space.instructions:
            about["instructions"] = space.instructions
        return {**about, "tools": [_about(tool) for tool in tools]}


def _goes_by(space: Any, name: str) -> bool:
    """Whether a namespace has that name or alias, as it is or as an identifier."""
    if space is None:
        return False
    return identifier(name) in {identifier(each) for each in (space.name, *space.aliases)}


def _about(tool: Callable) -> dict[str, str]:
    return {"name": tool.identifier, "description": described(tool)}
