"""A pi in RPC mode as a child: one line of JSON for each command, event and answer."""

import asyncio
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

__all__ = ["Helper", "HelperError"]

LINE = 1 << 26
"""Bytes of the longest event."""


class HelperError(Exception):
    """It did not come to an answer."""


class Helper:
    """Start it with `async with`; leaving ends it, whatever it is at."""

    def __init__(self, program: str, arguments: list[str], cwd: Path) -> None:
        self._command = [*shlex.split(program), "--mode", "rpc", *arguments]
        self._cwd = cwd

    async def __aenter__(self) -> Self:
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._cwd,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=LINE,
            )
        except OSError as error:
            raise HelperError(f"cannot start {self._command[0]}: {error}") from error
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()  # the end of its input is the end of it
        try:
            async with asyncio.timeout(5):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def run(self, task: str, doing: Callable[[str], None]) -> str:
        """The answer to a task. doing: is told what it is at."""
        await self._send({"id": "task", "type": "prompt", "message": task})
        async for record in self._records():
            kind = record["type"]
            if kind == "response" and record.get("id") == "task" and not record["success"]:
                raise HelperError(record["error"])
            if kind == "tool_execution_start":
                doing(f"{record['toolName']} {_brief(record['args'])}")
            elif kind == "extension_ui_request":
                await self._send(
                    {"type": "extension_ui_response", "id": record["id"], "cancelled": True}
                )
            elif kind == "agent_settled":
                break
        await self._send({"id": "answer", "type": "get_last_assistant_text"})
        async for record in self._records():
            if record["type"] == "response" and record.get("id") == "answer":
                text = record["data"].get("text")
                if not text:
                    raise HelperError("there was no answer")
                return str(text)
        raise HelperError("it ended without an answer")

    async def _records(self) -> Any:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            yield json.loads(line)
        assert self._process.stderr is not None
        said = (await self._process.stderr.read()).decode("utf-8", "replace").strip()
        raise HelperError(said.splitlines()[-1] if said else "it ended by itself")

    async def _send(self, command: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        try:
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            return  # what it said last tells why


def _brief(args: dict[str, Any]) -> str:
    first = next((value for value in args.values() if isinstance(value, str)), "")
    return first if len(first) <= 60 else f"{first[:59]}…"
