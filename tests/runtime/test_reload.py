"""What a reload brings: settings and resources as they are now, in the conversation under way."""

import asyncio
from pathlib import Path

from pi.config.environment import read_environment
from pi.runtime.host import open_host
from pi.runtime.options import RunOptions


def test_reload(home: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    skill = home / ".pi" / "agent" / "skills" / "a" / "SKILL.md"
    template = home / ".pi" / "agent" / "prompts" / "p.md"

    async def play() -> None:
        environment = read_environment({"HOME": str(home), "USERPROFILE": str(home), "PATH": ""})
        options = RunOptions(provider="demo", no_session=True)
        host = await open_host(options, environment, cwd=work)
        try:
            await host.prompt("hello")
            await host.settled()
            assert host.expand("/p x") == "/p x"
            for path, text in (
                (skill, "---\nname: a\ndescription: Does a\n---\nDo a.\n"),
                (template, "say $1"),
            ):
                path.parent.mkdir(parents=True)
                path.write_text(text)
            await host.reload()
            assert host.expand("/p x") == "say x"
            assert "Do a." in host.expand("/skill:a")
            assert "Does a" in host.services.prompt_sections(host.session.tools)["skills"]
            await host.prompt("/p y")
            await host.settled()
            messages = host.store.build_context().messages
            assert [message["role"] for message in messages] == [
                *("system", "user", "assistant", "system", "user", "assistant"),
            ]
            assert list(messages[3]["sections"]) == ["skills"]
            assert messages[4]["content"][0]["text"] == "say y"
            template.unlink()
            await host.reload()
            assert host.expand("/p x") == "/p x"
        finally:
            await host.close()

    asyncio.run(play())
