"""Mistakes of a program are told where they are made, with what to do instead."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pi


async def answer(model: Any, context: Any, options: Any) -> AsyncIterator[Any]:
    yield "hi"


async def no_stream(model: Any, context: Any, options: Any) -> str:
    return "hi"


def no_async_stream(model: Any, context: Any, options: Any) -> Iterator[str]:
    yield "hi"


def plain(number: int) -> str:
    """No tool yet."""
    return str(number)


def choices(folder: Path, stream: Any = answer) -> dict[str, Any]:
    return {
        "model": "own/m",
        "providers": [pi.Provider("own", ["m"], stream)],
        "cwd": folder,
        "in_memory": True,
    }


@pytest.mark.parametrize(
    ("wrong", "says", "hint"),
    [
        ({"cwd": "/no/such/folder"}, "no folder /no/such/folder", None),
        ({"thinking": "much"}, "no thinking level 'much'", "There are off, minimal"),
        ({"tools": "read"}, "tools are a list, not 'read'", "tools=['read']"),
        ({"tools": [plain]}, "is no tool: it has no name", "@pi.tool"),
        (
            {"settings": {"compaction": {"enabled": "no"}}},
            "compaction.enabled: expected true or false, found a string$",
            None,
        ),
    ],
)
def test_opening(home: Path, tmp_path: Path, wrong: Any, says: str, hint: str | None) -> None:
    async def work() -> None:
        with pytest.raises(pi.ConfigError, match=says) as caught:
            await pi.new_session(**{**choices(tmp_path), **wrong})
        if hint is not None:
            assert hint in (caught.value.hint or "")

    asyncio.run(work())


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda session: session.prompt(5), TypeError, "a prompt is text, not 5"),
        (lambda session: session.prompt("x", ["a.png"]), TypeError, r"pi\.image\(path\)"),
        (lambda session: session.steer(None), TypeError, "a prompt is text"),
        (lambda session: session.follow_up("x", [b""]), TypeError, "is no image"),
        (lambda session: session.set_thinking("much"), pi.ConfigError, "no thinking level"),
        (lambda session: session.set_tools(["read", "rad"]), pi.ConfigError, "no tool 'rad'"),
    ],
)
def test_calling(
    home: Path, tmp_path: Path, call: Callable[[Any], Any], error: type[Exception], says: str
) -> None:
    async def work() -> None:
        async with pi.new_session(**choices(tmp_path)) as session:
            before = session.tools
            with pytest.raises(error, match=says):
                await call(session)
            assert session.tools == before
            assert session.queued == ([], [])
            assert (await session.prompt("fine")).text == "hi"
            assert session.id in repr(session)

    asyncio.run(work())


@pytest.mark.parametrize("stream", [no_stream, no_async_stream])
def test_a_stream_that_is_none(home: Path, tmp_path: Path, stream: Any) -> None:
    async def work() -> None:
        async with pi.new_session(**choices(tmp_path, stream)) as session:
            with pytest.raises(pi.ReplyError, match="an `async def` with `yield`"):
                await session.prompt("x")

    asyncio.run(work())
