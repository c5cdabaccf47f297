"""Extensions that come with pi: on unless somebody says otherwise, loaded when there is need."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pi.cli.extending import Extender
from pi.config.environment import read_environment
from pi.config.paths import find_paths
from pi.config.settings import load_settings
from pi.extensions.api import Pi
from pi.resources import builtin
from pi.resources.builtin import BuiltIn
from pi.resources.loading import ResourceChoice
from pi.runtime.host import Host, open_host
from pi.runtime.options import RunOptions

LOADED: list[str] = []


def extend(pi: Pi) -> None:
    """What the built-in extension of these tests does."""
    LOADED.append(str(pi.path))

    @pi.tool(active=False)
    def probe() -> str:
        """Probe."""
        return "probed"

    @pi.command("poke", "Poke it")
    def poke(arguments: str) -> None:
        LOADED.append(f"poked {arguments}")


def fails(pi: Pi) -> None:
    raise RuntimeError("no")


PROBE = BuiltIn(
    "probe",
    f"{__name__}:extend",
    "For tests",
    tools=("probe",),
    commands=(("poke", "Poke it"),),
    wanted=lambda paths, project_counts: (paths.agent / "probe.json").exists(),
)


@pytest.fixture(autouse=True)
def _table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin, "BUILT_INS", (PROBE,))
    LOADED.clear()


@pytest.fixture
def agent(home: Path) -> Path:
    folder = home / ".pi" / "agent"
    folder.mkdir(parents=True)
    return folder


def play(
    agent: Path, tmp_path: Path, act: Callable[[Host], object], options: RunOptions | None = None
) -> None:
    home = str(agent.parent.parent)
    environment = read_environment({"HOME": home, "USERPROFILE": home, "PATH": ""})
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)

    async def run() -> None:
        chosen = options or RunOptions(provider="demo", no_session=True)
        host = await open_host(chosen, environment, Extender(), cwd=work)
        try:
            await host.begin()
            answer = act(host)
            if asyncio.iscoroutine(answer):
                await answer
        finally:
            await host.close()

    asyncio.run(run())


def names(host: Host) -> list[str]:
    return [tool.name for tool in host.session.tools]


def test_nothing_is_loaded_where_there_is_no_need(agent: Path, tmp_path: Path) -> None:
    def act(host: Host) -> None:
        assert host.additions is None
        assert "probe" not in names(host)

    play(agent, tmp_path, act)
    assert LOADED == []


@pytest.mark.parametrize("tools", [("+probe",), ("pro*",), ("read", "probe")])
def test_its_tool_is_asked_for(agent: Path, tmp_path: Path, tools: tuple[str, ...]) -> None:
    options = RunOptions(provider="demo", no_session=True, tools=tools)
    play(agent, tmp_path, lambda host: LOADED.append(str("probe" in names(host))), options)
    assert LOADED == ["builtin:probe", "True"]


def test_settings_ask_for_its_tool(agent: Path, tmp_path: Path) -> None:
    (agent / "settings.json").write_text(json.dumps({"defaultTools": ["+probe"]}))

    def act(host: Host) -> None:
        assert names(host) == ["read", "bash", "edit", "write", "probe"]
        assert host.additions is not None
        assert host.additions.tools["probe"].source == {
            "path": "builtin:probe",
            "source": "builtin",
            "scope": "temporary",
            "origin": "top-level",
        }

    play(agent, tmp_path, act)


def test_a_file_makes_it_wanted(agent: Path, tmp_path: Path) -> None:
    (agent / "probe.json").write_text("{}")
    play(agent, tmp_path, lambda host: None)
    assert LOADED == ["builtin:probe"]


def test_a_session_that_had_its_tool_has_it_again(agent: Path, tmp_path: Path) -> None:
    asking = RunOptions(provider="demo", tools=("+probe",), session_id="one")

    async def say(host: Host) -> None:
        await host.prompt("hello")
        await host.settled()

    play(agent, tmp_path, say, asking)
    resumed = RunOptions(provider="demo", session_id="one")
    play(agent, tmp_path, lambda host: LOADED.append(names(host)[-1]), resumed)
    assert LOADED == ["builtin:probe", "builtin:probe", "probe"]


def test_its_command_wakes_it(agent: Path, tmp_path: Path) -> None:
    async def act(host: Host) -> None:
        (listed,) = host.extending.command_list()
        assert (listed["name"], listed["source"]) == ("poke", "extension")
        assert listed["sourceInfo"]["path"] == "builtin:probe"
        await host.prompt("/poke now")
        assert [command["name"] for command in host.extending.command_list()] == ["poke"]
        await host.prompt("/poke again")
        before = host.session
        await host.new_session()
        assert host.session is not before

    play(agent, tmp_path, act)
    assert LOADED == ["builtin:probe", "poked now", "poked again", "builtin:probe"]


def test_others_extensions_find_it_there(agent: Path, tmp_path: Path) -> None:
    """And come before it, wherever they are found."""
    extension = agent / "extensions" / "mine.py"
    extension.parent.mkdir()
    extension.write_text(
        "from tests.builtin.test_loading import LOADED\n"
        "def extend(pi):\n"
        "    LOADED.append('mine')\n"
        "    pi.on('session_start', lambda: LOADED.append(pi.all_tools()[-1]['name']))\n"
    )
    play(agent, tmp_path, lambda host: None)
    assert LOADED == ["mine", "builtin:probe", "probe"]


def test_one_that_somebody_replaces_is_left_out(agent: Path, tmp_path: Path) -> None:
    extension = agent / "extensions" / "mine.py"
    extension.parent.mkdir()
    extension.write_text("def extend(pi):\n    pi.command('poke')(lambda: None)\n")
    play(agent, tmp_path, lambda host: None)
    assert LOADED == []


@pytest.mark.parametrize(
    ("user", "project", "choice", "on"),
    [
        ([], [], {}, True),
        (["-builtin:probe"], [], {}, False),
        (["!builtin:probe"], [], {}, False),
        (["-builtin:probe", "+builtin:probe"], [], {}, True),
        (["-builtin:probe"], ["+builtin:probe"], {}, True),
        (["+builtin:probe"], ["-builtin:probe"], {}, False),
        (["builtin:probe"], [], {}, True),
        (["-builtin:other"], [], {}, True),
        ([], [], {"without": frozenset({"extensions"})}, False),
        (
            *(["-builtin:probe"], []),
            *({"without": frozenset({"extensions"}), "extensions": ("builtin:probe",)}, True),
        ),
        ([], [], {"without_builtin": frozenset({"probe"})}, False),
    ],
)
def test_who_has_a_say(
    agent: Path,
    tmp_path: Path,
    user: list[str],
    project: list[str],
    choice: dict[str, object],
    on: bool,
) -> None:
    """`-ne` and settings, but a name after -e goes over both."""
    (agent / "settings.json").write_text(json.dumps({"extensions": user}))
    folder = tmp_path / "work" / ".pi"
    folder.mkdir(parents=True)
    (folder / "settings.json").write_text(json.dumps({"extensions": project}))
    options = RunOptions(
        provider="demo",
        no_session=True,
        tools=("+probe",),
        trust="approve",
        resources=ResourceChoice(**choice),  # type: ignore[arg-type]
    )
    play(agent, tmp_path, lambda host: LOADED.append(str("probe" in names(host))), options)
    assert (["builtin:probe", "True"] if on else ["False"]) == LOADED


def test_lists_have_all_of_them(agent: Path, tmp_path: Path) -> None:
    (agent / "settings.json").write_text(json.dumps({"extensions": ["-builtin:probe"]}))
    home = str(agent.parent.parent)
    paths = find_paths(read_environment({"HOME": home, "USERPROFILE": home}), tmp_path)
    (item,) = builtin.listed(load_settings(paths, trusted=False))
    assert (str(item.path), item.enabled) == ("builtin:probe", False)


def test_a_failure_is_told_and_pi_goes_on(
    agent: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    faulty = PROBE._replace(entry=f"{__name__}:fails")
    monkeypatch.setattr(builtin, "BUILT_INS", (faulty,))
    (agent / "probe.json").write_text("{}")
    play(agent, tmp_path, lambda host: LOADED.append("opened"))
    assert LOADED == ["opened"]
    assert "RuntimeError: no" in caplog.text
