"""Sessions in files: begin one, go on with it, branch it, fork it, make a page of it."""

import asyncio
import tempfile
from pathlib import Path

import pi


async def main(folder: Path) -> None:
    choices = {"model": "demo/demo-1", "session_dir": folder / "sessions", "cwd": folder}
    (folder / "README.md").write_text("# An example\n\nNothing much.\n")

    async with pi.new_session(name="first steps", **choices) as session:
        await session.prompt("What is in this folder?")
        path = session.path
        print("messages:", len(session.messages))

    async with pi.continue_session(**choices) as session:
        assert session.path == path and session.name == "first steps"
        questions = [
            entry
            for entry in session.entries()
            if entry["type"] == "message" and entry["message"]["role"] == "user"
        ]
        moved = await session.navigate(questions[0]["id"], label="where it began")
        print("to say again:", moved.text)
        await session.prompt("read README.md")
        print("branches:", sum(1 for entry in session.entries() if entry["type"] == "message"))

        text = await session.fork(questions[0]["id"])
        print("forked before:", text, "in", session.path != path)
        await session.prompt("find Nothing")
        print("page:", session.export_html(folder / "talk.html").name)

    async with pi.open_session(path, **choices) as session:
        stats = session.statistics()
        print("questions:", stats["userMessages"])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(main(Path(name)))
