"""The public names: said once, typed, and loaded when they are used."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pi


def test_the_stub_has_the_same_names() -> None:
    stub = Path(pi.__file__).with_suffix(".pyi")
    names = set()
    for statement in ast.parse(stub.read_text()).body:
        if isinstance(statement, ast.ImportFrom):
            names |= {alias.asname for alias in statement.names if alias.asname}
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            names.add(statement.target.id)
    assert names == set(pi.__all__)
    assert len(pi.__all__) == len(set(pi.__all__))


@pytest.mark.parametrize("name", pi.__all__)
def test_every_name_is_there_and_says_what_it_is(name: str) -> None:
    value = getattr(pi, name)
    assert name == "__version__" or name in ("Event", "Message") or value.__doc__
    assert name in dir(pi)


def test_a_name_that_is_none() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        _ = pi.nope  # type: ignore[attr-defined]


def test_import_pi_loads_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import pi; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"pi", "pi._version"}


@pytest.mark.parametrize("name", ["PiError", "Model", "Event"])
def test_plain_names_load_no_machinery(name: str) -> None:
    code = f"import sys, pi; pi.{name}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"asyncio", "httpx", "click", "pi.runtime.host"} & set(done.stdout.split())


def test_the_sdk_loads_no_command_line_and_no_terminal() -> None:
    code = "import sys, pi; pi.new_session, pi.tool, pi.Session; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not {"click", "prompt_toolkit", "pi.cli", "pi.modes", "httpx", "PIL"} & loaded
