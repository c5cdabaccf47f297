"""What authors of extensions import: there, told to type checkers, and light."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from pi.agent import hook_events

MODULES = ("pi.extensions", "pi.extensions.ui")


def stub_of(module: str) -> Path:
    path = Path(import_module(module).__file__ or "")
    return path.with_suffix(".pyi")


def stubbed(module: str) -> set[str]:
    names = set()
    for statement in ast.parse(stub_of(module).read_text()).body:
        if isinstance(statement, ast.ImportFrom):
            names |= {alias.asname for alias in statement.names if alias.asname}
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            names.add(statement.target.id)
    return names


@pytest.mark.parametrize("module", MODULES)
def test_the_stub_has_the_names_that_there_are(module: str) -> None:
    found = set(dir(import_module(module)))
    assert stubbed(module) == found
    assert len(found) > 20


@pytest.mark.parametrize("module", MODULES)
def test_every_name_says_what_it_is(module: str) -> None:
    there = import_module(module)
    for name in dir(there):
        assert getattr(there, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'Blok'"):
        _ = there.Blok


def test_every_event_and_answer_is_among_them() -> None:
    assert set(hook_events.__all__) <= stubbed("pi.extensions")


def test_they_load_nothing_of_the_terminal() -> None:
    code = "import sys; from pi.extensions import Block, Context, Pi, ToolCall; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "pi.extensions.api" in loaded
    assert not [name for name in loaded if name.startswith(("pi.modes", "prompt_toolkit"))]
