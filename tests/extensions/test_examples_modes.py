"""Every example in every mode: it loads, a run goes through, and nothing is said against it.

What each does is in the other tests of examples; here none is missing.
"""

from pathlib import Path

import pytest

from tests.e2e.conftest import COMMAND
from tests.e2e.interactive.tmux import TMUX, Screen
from tests.extensions.conftest import Extend
from tests.extensions.test_examples_tools import EXAMPLES, needs_examples

pytestmark = needs_examples

NAMES = sorted(
    path.name
    for path in (EXAMPLES.iterdir() if EXAMPLES.is_dir() else ())
    if path.suffix == ".py" or (path / "__init__.py").exists()
)


@pytest.mark.parametrize("mode", ["text", "json", "rpc"])
@pytest.mark.parametrize("name", NAMES)
def test_without_a_terminal(extend: Extend, name: str, mode: str) -> None:
    pi = extend(EXAMPLES / name)
    if mode == "rpc":
        with pi.rpc() as person:
            person.ask("hello")
            assert person.request({"type": "get_commands"})["success"]
            assert person.finish() == 0
        assert person.errors_of_extensions() == []
        assert person.errors == b""
        return
    done = pi.run("--mode", mode, "-p", "hello")
    assert (done.code, done.stderr) == (0, "")
    assert done.events if mode == "json" else done.text.endswith("done\n")


@pytest.mark.skipif(TMUX is None, reason="no tmux here")
@pytest.mark.parametrize("name", NAMES)
def test_in_the_terminal(extend: Extend, name: str, tmp_path: Path) -> None:
    pi = extend(EXAMPLES / name)
    command = [*COMMAND, *pi.script.options, *pi.options, "hello"]
    with Screen(command, cwd=pi.machine.project, env=pi.machine.environment) as screen:
        screen.wait("done")
        shown = screen.text(scrollback=True)
    for word in ("Traceback", "Error:", "Warning:", "has not answered"):
        assert word not in shown, shown
