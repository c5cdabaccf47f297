"""Files, folders and entry points as extensions; what is wrong with them, by file and line."""

import subprocess
import sys
from pathlib import Path

import pytest

from pi.agent.hook_events import EVENTS
from pi.extensions.modules import LoadError, entry_point
from tests.e2e.conftest import Machine, ScriptedFactory
from tests.extensions.conftest import Extend, calls

HELLO = """
def extend(pi):
    @pi.on("session_start")
    def start(event, ctx):
        ctx.ui.notify("hello")
        pi.append_entry("hello", {"file": __file__, "name": __name__})
"""


def names(extended_entries: list[dict[str, object]]) -> list[str]:
    return [str(e["customType"]) for e in extended_entries if e["type"] == "custom"]


def discovered(machine: Machine) -> Path:
    folder = machine.agent / "extensions"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_files_and_folders_are_found_and_two_may_have_modules_of_one_name(
    machine: Machine, scripted: ScriptedFactory
) -> None:
    folder = discovered(machine)
    (folder / "single.py").write_text(
        "def extend(pi):\n    pi.on('session_start', lambda: pi.append_entry('single'))\n"
    )
    for name in ("one", "two"):
        (folder / name).mkdir()
        (folder / name / "tools.py").write_text(f"NAME = {name!r}\n")
        (folder / name / "__init__.py").write_text(
            "from .tools import NAME\n"
            "def extend(pi):\n    pi.on('session_start', lambda: pi.append_entry(NAME))\n"
        )
    script = scripted([{"blocks": [{"text": "ok"}]}])
    done = script.run("-p", "hi")
    assert (done.code, done.stderr) == (0, "")
    assert sorted(names(machine.entries())) == ["one", "single", "two"]
    assert list((folder / "__pycache__").glob("single.*.pyc")), "bytecode is kept"


def test_a_project_has_its_own_once_it_is_trusted(
    machine: Machine, scripted: ScriptedFactory
) -> None:
    folder = machine.project / ".pi" / "extensions"
    folder.mkdir(parents=True)
    (folder / "here.py").write_text(HELLO)
    script = scripted([{"blocks": [{"text": "ok"}]}])
    assert script.run("-na", "-p", "hi").code == 0
    assert names(machine.entries()) == []
    machine.session().unlink()
    assert script.run("-a", "-p", "hi").code == 0
    assert names(machine.entries()) == ["hello"]
    machine.session().unlink()
    assert script.run("-a", "-ne", "-p", "hi").code == 0
    assert names(machine.entries()) == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def extend(pi:\n    pass\n", ":1, in loading: SyntaxError: "),
        ("import nothing_like_that\n", ":1, in loading: ModuleNotFoundError: "),
        (
            "def extend(pi):\n    raise ValueError('no luck')\n",
            ":2, in loading: ValueError: no luck",
        ),
        (
            "def extend(pi):\n    pi.on('nonsense', print)\n",
            ":2, in loading: ValueError: there is no event",
        ),
        (
            "def extend(pi):\n    pi.append_entry('x')\n",
            ":2, in loading: PiError: no session is open yet",
        ),
        ("import sys\nsys.exit(3)\n", ":2, in loading: SystemExit: 3"),
        (
            "async def extend(pi):\n    1 / 0\n",
            ":2, in loading: ZeroDivisionError: division by zero",
        ),
        ("X = 1\n", ", in loading: LoadError: "),
        ("extend = 3\n", ", in loading: LoadError: "),
        ("\0", "broken.py"),
    ],
    ids=[
        "syntax",
        "import",
        "raises",
        "event",
        "too early",
        "exits",
        "coroutine",
        "none",
        "no function",
        "nul",
    ],
)
def test_a_faulty_one_is_named_and_the_rest_goes_on(
    machine: Machine, scripted: ScriptedFactory, source: str, said: str
) -> None:
    folder = discovered(machine)
    (folder / "broken.py").write_text(source)
    (folder / "good.py").write_text(HELLO)
    done = scripted([{"blocks": [{"text": "ok"}]}]).run("-p", "hi")
    assert (done.code, done.text) == (0, "ok\n")
    assert f"{folder / 'broken.py'}" in done.stderr
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert names(machine.entries()) == ["hello"]


def test_what_the_command_line_names_must_load(extend: Extend) -> None:
    pi = extend("def extend(pi):\n    1 / 0\n")
    done = pi.run("-p", "hi")
    assert done.code == 1
    assert "extension_0.py:2 cannot be loaded: ZeroDivisionError" in done.stderr
    assert pi.machine.sessions() == []


@pytest.mark.parametrize(("name", "file"), [("gone.py", "gone.py"), ("empty", "empty/__init__.py")])
def test_what_the_command_line_names_must_be_there(
    machine: Machine, scripted: ScriptedFactory, name: str, file: str
) -> None:
    (machine.project / "empty").mkdir()
    done = scripted([]).run("-e", f"./{name}", "-p", "hi")
    assert done.code == 1
    assert f"{machine.project / file} is not there" in done.stderr
    assert machine.sessions() == []


def test_nothing_of_a_faulty_one_stays(machine: Machine, scripted: ScriptedFactory) -> None:
    (discovered(machine) / "half.py").write_text(
        "def extend(pi):\n"
        "    pi.on('session_start', lambda: pi.append_entry('half'))\n"
        "    @pi.tool\n"
        "    def half(x: str) -> str:\n        '''Half'''\n"
        "    pi.register_provider('halfway', base_url='http://127.0.0.1:9/v1', api_key='k',\n"
        "        api='openai-completions', models=[{'id': 'h'}], refresh_models=lambda r: 1 / 0)\n"
        "    pi.register_mcp_server('halved', {'url': 'http://127.0.0.1:9/mcp'})\n"
        "    raise RuntimeError\n"
    )
    script = scripted([{"blocks": [{"text": "ok"}]}])
    done = script.run("-p", "hi")
    assert names(machine.entries()) == []
    assert "half" not in str(script.bodies[0]["tools"])
    assert not any(name in done.stderr for name in ("halfway", "halved", "ZeroDivisionError"))
    assert "halfway" not in script.run("--list-models").text


GUARDED = """
def extend(pi):
    flag = pi.flag("{flag}", kind="string", default="{name}")

    @pi.tool(name="{tool}", description="of {name}")
    def tool() -> str:
        return f"{name} {{flag()}}"

    pi.on("session_start", lambda: pi.append_entry("{name}"))
"""


@pytest.mark.parametrize(("tool", "flag"), [("read", "other"), ("mine", "level")])
def test_tools_and_flags_of_others_are_not_taken(
    machine: Machine, scripted: ScriptedFactory, tool: str, flag: str
) -> None:
    folder = discovered(machine)
    (folder / "a.py").write_text(GUARDED.format(name="first", tool="read", flag="level"))
    (folder / "b.py").write_text(GUARDED.format(name="second", tool=tool, flag=flag))
    script = scripted([calls("read", {}), {"blocks": [{"text": "ok"}]}])
    done = script.run("--level", "up", "-p", "hi")
    what = "tool read" if tool == "read" else "flag --level"
    told = f"ValueError: there is a {what} already, of the extension {folder / 'a.py'}"
    assert done.code == 0
    assert (str(folder / "b.py") in done.stderr, told in done.stderr) == (True, True)
    (result,) = (m for m in machine.messages() if m["role"] == "toolResult")
    assert result["content"][0]["text"] == "first up"
    assert names(machine.entries()) == ["first"], "nothing of the second one is there"


def test_a_file_has_neighbours_too(machine: Machine, scripted: ScriptedFactory) -> None:
    folder = discovered(machine)
    for name, manifest in (
        ("one/package.json", '{"pi": {"extensions": ["./src/main.py"]}}'),
        ("two/pyproject.toml", '[tool.pi]\nextensions = ["src/main.py"]\n'),
    ):
        place = folder / name
        (place.parent / "src" / "deep").mkdir(parents=True)
        place.write_text(manifest)
        source = place.parent / "src"
        source.joinpath("words.py").write_text(f"NAME = {place.parent.name!r}\n")
        source.joinpath("deep", "more.py").write_text("from ..words import NAME\n")
        source.joinpath("main.py").write_text(
            "from . import words\nfrom .deep.more import NAME\n"
            "def extend(pi):\n"
            "    pi.on('agent_start', lambda: pi.append_entry('named', [words.NAME, NAME]))\n"
        )
    done = scripted([{"blocks": [{"text": "ok"}]}]).run("-p", "hi")
    assert (done.code, done.stderr) == (0, "")
    named = [e["data"] for e in machine.entries() if e["type"] == "custom"]
    assert named == [["one", "one"], ["two", "two"]]


def test_javascript_is_named(machine: Machine, scripted: ScriptedFactory) -> None:
    (discovered(machine) / "old.ts").write_text("export default function (pi) {}\n")
    done = scripted([{"blocks": [{"text": "ok"}]}]).run("-p", "hi")
    assert done.code == 0
    assert "old.ts" in done.stderr


def test_help_lists_options_of_extensions(extend: Extend) -> None:
    pi = extend(
        "def extend(pi):\n"
        "    pi.flag('plan', 'Only plan')\n"
        "    pi.flag('at', 'Where', kind='string')\n"
    )
    done = pi.run("--help")
    assert done.code == 0
    assert "--plan" in done.text
    assert "--at <value>" in done.text
    assert pi.run("--nonsense", "-p", "hi").code == 2


def test_nothing_is_imported_without_extensions(
    machine: Machine, scripted: ScriptedFactory
) -> None:
    script = scripted([{"blocks": [{"text": "ok"}]}])
    code = (
        "import sys; from pi.cli import main; main(sys.argv[1:]);"
        "names = ('pi.extensions', 'pi.agent.hook', 'pi.agent.extended', 'pi.runtime.additions');"
        "print(*[name for name in sys.modules if name.startswith(names)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *script.options, "-p", "hi"],
        capture_output=True,
        text=True,
        cwd=machine.project,
        env=machine.environment,
        stdin=subprocess.DEVNULL,
        check=True,
        timeout=60,
    )
    assert done.stdout == "ok\n\n"


def test_the_first_extension_of_the_docs(machine: Machine, scripted: ScriptedFactory) -> None:
    page = Path(__file__).parents[2] / "docs" / "extensions.md"
    if not page.exists():
        pytest.skip("an installed package has no docs")
    source = page.read_text().partition("```python\n")[2].partition("```")[0]
    assert len([line for line in source.splitlines() if line.strip()]) <= 10
    (discovered(machine) / "hello.py").write_text(source)
    turns = [
        calls("roll", {"sides": 1}),
        calls("bash", {"command": "sudo true"}, "call_2"),
        {"blocks": [{"text": "ok"}]},
    ]
    done = scripted(turns).run("-p", "roll")
    assert (done.code, done.stderr) == (0, "")
    rolled, refused = (m for m in machine.messages() if m["role"] == "toolResult")
    assert rolled["content"][0]["text"] == "1"
    assert refused["content"][0]["text"] == "No sudo here"


def test_every_event_is_in_the_docs() -> None:
    page = Path(__file__).parents[2] / "docs" / "extensions.md"
    if not page.exists():
        pytest.skip("an installed package has no docs")
    text = page.read_text()
    short = ("tool_execution_update", "tool_execution_end")  # said together with the first
    assert [name for name in EVENTS if f"`{name}`" not in text and name not in short] == []


def test_an_entry_point_of_a_package(tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "team_tools").mkdir(parents=True)
    (site / "team_tools" / "__init__.py").write_text("class Box:\n    extend = staticmethod(len)\n")
    assert entry_point("team_tools:Box.extend", site) is len
    with pytest.raises(AttributeError):
        entry_point("team_tools", site)
    with pytest.raises(LoadError, match="is no function"):
        entry_point("team_tools:__name__", site)
