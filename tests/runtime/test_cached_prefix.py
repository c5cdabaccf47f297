"""What providers cache of a request: each request begins with the bytes of the one before.

The cached part is compared as it goes over the wire, in the order in which providers read it.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pi.config.environment import read_environment
from pi.extensions import load_for
from pi.runtime.host import Host, open_host
from pi.runtime.options import RunOptions
from tests.scripted_provider import ScriptedProvider, Turn

DAY = 86_400
HEADS = {
    "anthropic-messages": ("tools", "system"),
    "openai-completions": ("tools",),
    "openai-responses": ("tools", "instructions"),
    "google-generative-ai": ("tools", "systemInstruction"),
    "mistral-conversations": ("tools",),
}
BODIES = ("messages", "input", "contents")


def turns() -> Iterator[Turn]:
    """Answers with tools and without, in turn, each call with an id of its own."""
    for number in range(100):
        if number % 3 == 2:
            yield {"blocks": [{"text": f"Answer {number}."}]}
        else:
            calls = [
                {"tool": "read", "id": f"call{number}a", "args": {"path": "a.txt"}},
                {"tool": "bash", "id": f"call{number}b", "args": {"command": "echo hi"}},
            ]
            yield {"blocks": [{"text": f"Look {number}."}, *calls], "stop": "toolUse"}


class Bench:
    """A home with a model, and hosts opened in it one after the other."""

    def __init__(self, home: Path, work: Path, server: ScriptedProvider, api: str) -> None:
        self.home, self.work, self.server, self.api = home, work, server, api
        self.agent = home / ".pi" / "agent"
        work.mkdir(exist_ok=True)
        (work / "a.txt").write_text("hello\n")
        (work / "AGENTS.md").write_text("Be brief.\n")

    def describe(self, **model: Any) -> None:
        names = {"m1": {}, "m2": {}}
        models = [{"id": name, **own, **model} for name, own in names.items()]
        provider = {
            "baseUrl": self.server.base_url(self.api),
            "api": self.api,
            "apiKey": "k",
            "models": models,
        }
        self.write("models.json", json.dumps({"providers": {"mock": provider}}))

    def write(self, name: str, text: str) -> None:
        path = self.agent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    async def open(self, **options: Any) -> Host:
        variables = {"HOME": str(self.home), "USERPROFILE": str(self.home), "PATH": "/usr/bin:/bin"}
        chosen = RunOptions(provider="mock", model="m1", **options)
        host = await open_host(chosen, read_environment(variables), cwd=self.work)
        await host.begin()
        return host

    async def say(self, host: Host, text: str = "Go on.") -> None:
        await host.prompt(text)
        await host.settled()

    @property
    def bodies(self) -> list[Any]:
        return self.server.bodies

    def head(self, at: int) -> list[str]:
        return [json.dumps(self.bodies[at].get(key)) for key in HEADS[self.api]]

    def sent(self, at: int) -> list[str]:
        """The messages of a request, each as it goes over the wire but for its cache marks."""
        body = self.bodies[at]
        return [json.dumps(_unmarked(m)) for key in BODIES for m in body.get(key, ())]

    def check(self, before: int, after: int) -> None:
        """The later request begins with all of the earlier one."""
        assert self.head(after) == self.head(before)
        old, new = self.sent(before), self.sent(after)
        assert new[: len(old)] == old
        assert len(new) > len(old)


def _unmarked(value: Any) -> Any:
    """Without cache marks, which move; a text is a block with it and may be one without."""
    if isinstance(value, list):
        return [_unmarked(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _unmarked(each) for key, each in value.items() if key != "cache_control"}
    content = kept.get("content")
    if isinstance(content, str) and kept.get("role") == "user":
        kept["content"] = [{"type": "text", "text": content}]
    return kept


@pytest.fixture(params=list(HEADS))
def bench(request: pytest.FixtureRequest, home: Path, tmp_path: Path) -> Iterator[Bench]:
    with ScriptedProvider([*turns()]) as server:
        made = Bench(home, tmp_path / "work", server, request.param)
        made.describe()
        yield made


@pytest.fixture
def anthropic(home: Path, tmp_path: Path) -> Iterator[Bench]:
    with ScriptedProvider([*turns()]) as server:
        made = Bench(home, tmp_path / "work", server, "anthropic-messages")
        made.describe()
        yield made


def test_turns_reload_resume_and_another_day(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        host = await bench.open()
        await bench.say(host, "Begin.")
        await host.reload()
        await bench.say(host)
        host.session.set_name("a name")
        await bench.say(host)
        await host.close()
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + 3 * DAY)
        host = await bench.open(continue_latest=True)
        await bench.say(host)
        await host.reload()
        await bench.say(host)
        await host.close()

    asyncio.run(play())
    assert len(bench.bodies) == 15
    for at in range(1, 15):
        bench.check(at - 1, at)


def test_another_model_and_back(bench: Bench) -> None:
    async def play() -> None:
        host = await bench.open()
        await bench.say(host, "Begin.")
        one = host.model
        other = host.services.registry.find("mock", "m2")
        assert one is not None and other is not None
        host.set_model(other)
        await bench.say(host)
        host.set_model(one)
        await bench.say(host)
        await host.close()

    asyncio.run(play())
    for before, after in ((0, 1), (1, 2), (3, 4), (4, 5), (2, 6), (6, 7), (7, 8)):
        bench.check(before, after)


def test_a_level_and_back(bench: Bench) -> None:
    bench.describe(reasoning=True)

    async def play() -> None:
        host = await bench.open()
        await bench.say(host, "Begin.")
        host.set_thinking("high")
        await bench.say(host)
        host.set_thinking("medium")
        await bench.say(host)
        await host.close()

    asyncio.run(play())
    for at in range(1, 9):
        bench.check(at - 1, at)


def test_tools_switched_and_back(bench: Bench) -> None:
    """What changed is told; what was there before is there again, in its old place."""

    async def play() -> None:
        host = await bench.open()
        await bench.say(host, "Begin.")
        names = [tool.name for tool in host.session.tools]
        host.extending.use_tools([name for name in names if name != "edit"])
        await bench.say(host)
        host.extending.use_tools(names)
        await bench.say(host)
        await host.close()

    asyncio.run(play())
    assert bench.head(3) != bench.head(2)
    assert bench.head(6) == bench.head(2)


def test_tools_switched_where_the_model_takes_it(anthropic: Bench) -> None:
    anthropic.describe(
        compat={"supportsMidConvoSystemMessages": True, "supportsMidConvoToolChanges": True}
    )

    async def play() -> None:
        host = await anthropic.open()
        await anthropic.say(host, "Begin.")
        names = [tool.name for tool in host.session.tools]
        host.extending.use_tools(["read", "bash"])
        await anthropic.say(host)
        host.extending.use_tools(names)
        await anthropic.say(host)
        await host.reload()
        await anthropic.say(host)
        await host.close()

    asyncio.run(play())
    for at in range(1, 12):
        anthropic.check(at - 1, at)


SKILL = "---\nname: {0}\ndescription: Does {0}\n---\nDo {0}.\n"


def test_the_order_of_files_does_not_matter(anthropic: Bench) -> None:
    """Skills, prompts and extensions are told in one order, however a folder lists them."""
    names = [f"s{number}" for number in range(12)]

    async def play(order: list[str]) -> None:
        for name in order:
            anthropic.write(f"skills/{name}/SKILL.md", SKILL.format(name))
            anthropic.write(
                f"extensions/{name}.py",
                f"def extend(pi):\n    @pi.tool(snippet='{name}')\n"
                f"    def t_{name}() -> str:\n        '''{name}'''\n        return ''\n",
            )
        variables = {
            "HOME": str(anthropic.home),
            "USERPROFILE": str(anthropic.home),
            "PATH": "/usr/bin:/bin",
        }
        options = RunOptions(provider="mock", model="m1", no_session=True)
        host = await open_host(options, read_environment(variables), load_for, cwd=anthropic.work)
        await host.begin()
        await anthropic.say(host)
        await host.close()

    asyncio.run(play(names))
    for name in names:
        (anthropic.agent / "skills" / name / "SKILL.md").unlink()
        (anthropic.agent / "skills" / name).rmdir()
        (anthropic.agent / "extensions" / f"{name}.py").unlink()
    asyncio.run(play(names[::-1]))
    text = json.dumps(anthropic.bodies[0])
    assert "Does s11" in text and "t_s11" in text
    assert anthropic.head(3) == anthropic.head(0)


def test_nothing_of_the_moment_is_in_the_prompt(
    anthropic: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play() -> None:
        host = await anthropic.open(no_session=True)
        await anthropic.say(host)
        await host.close()

    asyncio.run(play())
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 400 * DAY)
    asyncio.run(play())
    assert anthropic.head(3) == anthropic.head(0)
    for year in range(2020, 2040):
        assert str(year) not in "".join(anthropic.head(0))
