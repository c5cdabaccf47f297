"""A model of a program's own: an asynchronous generator that yields text, and calls of tools."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pi


async def shout(model: pi.Model, context: Any, options: Any) -> AsyncIterator[str]:
    """Say back, word by word and loudly, what was said last."""
    said = [m for m in context.messages if m["role"] == "user"][-1]["content"][0]["text"]
    for word in said.split():
        yield f"{word.upper()} "
        await asyncio.sleep(0)


async def main() -> None:
    provider = pi.Provider("loud", ["shouter"], stream=shout)
    async with pi.new_session(
        model="loud/shouter", providers=[provider], in_memory=True, tools=[], context_files=False
    ) as session:
        print(await session.prompt("hello there"))


if __name__ == "__main__":
    asyncio.run(main())
