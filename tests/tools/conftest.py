"""Running a tool as the agent does: arguments validated, a folder of its own, updates collected."""

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pi.errors import ToolError
from pi.tools import arguments, registry
from pi.tools.base import ImageLimits, ToolContext, ToolResult


@dataclass
class Ran:
    """What a call came to, as the agent would record it."""

    text: str
    details: Any
    is_error: bool
    structured: Any
    content: list[Any]
    updates: list[ToolResult] = field(default_factory=list)


@dataclass
class Runner:
    cwd: Path
    env: dict[str, str]

    def context(self, updates: list[ToolResult] | None = None, **settings: Any) -> ToolContext:
        collected = [] if updates is None else updates
        return ToolContext(
            call_id="call_1", cwd=self.cwd, env=self.env, update=collected.append, **settings
        )

    async def call(self, name: str, args: Mapping[str, Any], **settings: Any) -> Ran:
        updates: list[ToolResult] = []
        tool = registry.load(name)
        try:
            valid = arguments.validate(tool, args)
            result = await tool.run(valid, self.context(updates, **settings))
        except ToolError as error:
            return Ran(str(error), error.details, True, None, [], updates)
        first = result.content[0]
        assert first["type"] == "text"
        return Ran(
            first["text"],
            result.details,
            result.is_error,
            result.structured,
            result.content,
            updates,
        )

    def __call__(self, name: str, *, limits: ImageLimits | None = None, **args: Any) -> Ran:
        settings = {} if limits is None else {"images": limits}
        return asyncio.run(asyncio.wait_for(self.call(name, args, **settings), 60))


@pytest.fixture
def run(tmp_path: Path, home: Path) -> Runner:
    """run("read", path="a.txt") in a fresh folder; run.cwd is that folder."""
    work = tmp_path / "work"
    spill = tmp_path / "tmp"
    work.mkdir()
    spill.mkdir()
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(spill),
        "LANG": "C.UTF-8",
    }
    return Runner(work, env)


@pytest.fixture
def put(run: Runner) -> Callable[..., Path]:
    """put("sub/a.txt", "text") makes a file with its folders."""

    def make(name: str, content: str | bytes = "") -> Path:
        path = run.cwd / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make
