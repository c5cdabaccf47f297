"""Files, folders and entry points as extensions; what is wrong with them, by file and line."""

import subprocess
import sys
from pathlib import Path

import pytest

from pi.agent.hook_events import EVENTS
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


def test_nothing_of_a_faulty_one_stays(machine: Machine, scripted: ScriptedFactory) -> None:
    (discovered(machine) / "half.py").write_text(
        "def extend(pi):\n"
        "    pi.on('session_start', lambda: pi.append_entry('half'))\n"
        "    @pi.tool\n"
        "    def half(x: str) -> str:\n        '''Half'''\n"
        "    raise RuntimeError\n"
    )
    script = scripted([{"blocks": [{"text": "ok"}]}])
    script.run("-p", "hi")
    assert names(machine.entries()) == []
    assert "half" not in str(script.bodies[0]["tools"])


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
