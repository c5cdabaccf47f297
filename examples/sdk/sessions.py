"""Sessions in files: begin one, go on with it, branch it, fork it, make a page of it, find it."""

import asyncio
import tempfile
from pathlib import Path

import pi

MODEL = "demo/demo-1"


async def main(folder: Path) -> None:
    where: pi.Place = {"session_dir": folder / "sessions", "cwd": folder}
    (folder / "README.md").write_text("# An example\n\nNothing much.\n")

    async with pi.new_session(name="first steps", model=MODEL, **where) as session:
        await session.prompt("What is in this folder?")
        path = session.path
        print("messages:", len(session.messages))

    async with pi.continue_session(model=MODEL, **where) as session:
        assert session.path == path and session.name == "first steps"
        first, _ = session.questions()[0]
        moved = await session.navigate(first, label="where it began")
        print("to say again:", moved.text)
        await session.prompt("read README.md")
        print("branches:", sum(1 for entry in session.entries() if entry["type"] == "message"))

        text = await session.fork(first)
        print("forked before:", text, "in", session.path != path)
        await session.prompt("find Nothing")
        page = await session.export_html(folder / "talk.html")
        print("page:", page.name)

    assert path is not None, "it is kept in a file"
    async with pi.open_session(path, model=MODEL, **where) as session:
        stats = session.statistics()
        print("questions:", stats["userMessages"])

    # Those of the folder, as a list or by what was said in them.
    for info in await pi.list_sessions(**where):
        print("kept:", info.title, info.messages)
    for info in await pi.search_sessions("what folder", **where):
        print("found:", info.title, "in", info.excerpt)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(main(Path(name)))
