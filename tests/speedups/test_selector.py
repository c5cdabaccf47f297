"""The one place that picks: what it offers, what it picks, and that searching is loaded late."""

import os
import subprocess
import sys

import pytest

import pi._speedups

LATE = (
    "Automaton",
    "Names",
    "Rules",
    "TreeRows",
    "TreeSearch",
    "Walker",
    "search_bytes",
    "search_file",
)


def run(code: str, **env: str) -> list[str]:
    return subprocess.check_output(
        [sys.executable, "-c", code], text=True, env={**os.environ, **env}
    ).split()


def test_the_rare_is_loaded_when_asked_for() -> None:
    loaded = run("import sys, pi._speedups; print(*sys.modules)")
    late = (".rows", "._rows", ".scan", "._scan", ".search", "._search", ".pattern")
    assert not [name for name in loaded if name.endswith(late)]
    later = run("import sys; from pi._speedups import Walker; print(*sys.modules)")
    assert {"pi._speedups.scan", "pi._speedups._scan"} & set(later)


def test_pure_on_request() -> None:
    code = "from pi._speedups import COMPILED, Walker; print(COMPILED, Walker.__module__)"
    assert run(code, PI_PURE="1") == ["False", "pi._speedups._walk"]


@pytest.mark.skipif(os.name == "nt", reason="the search modules are compiled on POSIX only")
def test_what_is_expected_is_picked() -> None:
    expected = os.environ.get("PI_EXPECT")
    if expected is None:
        pytest.skip("PI_EXPECT does not say what to expect")
    prefix = "_" if expected == "pure" else ""
    assert pi._speedups.Walker.__module__ == f"pi._speedups.{prefix}walk"


def test_names() -> None:
    for name in LATE:
        assert name in pi._speedups.__all__
        assert callable(getattr(pi._speedups, name))
    with pytest.raises(AttributeError, match="nothing"):
        _ = pi._speedups.nothing
