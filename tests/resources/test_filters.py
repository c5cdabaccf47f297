"""Filters of settings and manifests."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.resources.filters import Filter

BASE, HOME = Path("/base"), Path("/home/me")
PATHS = [
    BASE / "skills/a/SKILL.md",
    BASE / "skills/b/SKILL.md",
    BASE / "skills/lone.md",
    BASE / "prompts/deep/x.md",
    BASE / "prompts/.hidden.md",
    Path("/elsewhere/y.md"),
    HOME / "z.md",
]
A, B, LONE, X, HIDDEN, Y, Z = PATHS


@pytest.mark.parametrize(
    ("entries", "chosen"),
    [
        ([], PATHS),
        (["!**"], [HIDDEN]),
        (["!**/*.md"], [HIDDEN]),
        (["!skills/**"], [X, HIDDEN, Y, Z]),
        (["!skills/*"], [X, HIDDEN, Y, Z]),
        (["!a"], [B, LONE, X, HIDDEN, Y, Z]),
        (["!SKILL.md"], [LONE, X, HIDDEN, Y, Z]),
        (["!{a,lone.md}"], [B, X, HIDDEN, Y, Z]),
        (["!skills/[ab]/SKILL.md"], [LONE, X, HIDDEN, Y, Z]),
        (["!skills/?/*"], [LONE, X, HIDDEN, Y, Z]),
        (["!+(x|y).md"], [A, B, LONE, HIDDEN, Z]),
        (["!/elsewhere/*"], [A, B, LONE, X, HIDDEN, Z]),
        (["!~/*"], [A, B, LONE, X, HIDDEN, Y]),
        (["skills/*"], [A, B, LONE]),
        (["skills/*", "!b"], [A, LONE]),
        (["skills/a/SKILL.md"], [A]),
        (["skills/a"], [A]),
        (["prompts"], []),
        (["-skills/a"], [B, LONE, X, HIDDEN, Y, Z]),
        (["-skills/a/SKILL.md"], [B, LONE, X, HIDDEN, Y, Z]),
        (["-./skills/lone.md"], [A, B, X, HIDDEN, Y, Z]),
        (["-lone.md"], PATHS),
        (["-/elsewhere/y.md"], [A, B, LONE, X, HIDDEN, Z]),
        (["-~/z.md"], [A, B, LONE, X, HIDDEN, Y]),
        (["!**", "+skills/a"], [A, HIDDEN]),
        (["+skills/a", "!**"], [A, HIDDEN]),
        (["+skills/a", "-skills/a"], [B, LONE, X, HIDDEN, Y, Z]),
        (["prompts/**", "+skills/a"], [A, X]),
    ],
)
def test_choose(entries: list[str], chosen: list[Path]) -> None:
    assert Filter(entries, BASE, HOME).choose(PATHS) == set(chosen)


@pytest.mark.parametrize(
    ("entries", "decisions"),
    [
        ([], {}),
        (["-skills/a"], {A: False}),
        (["!skills/**", "+skills/b"], {A: False, B: True, LONE: False}),
        (["+skills/b", "!skills/**"], {A: False, B: False, LONE: False}),
        (["skills/*.md"], {LONE: True}),
    ],
)
def test_decide(entries: list[str], decisions: dict[Path, bool]) -> None:
    found = Filter(entries, BASE, HOME)
    decided = {path: found.decide(path) for path in PATHS}
    assert {path: on for path, on in decided.items() if on is not None} == decisions


@given(st.lists(st.text(st.sampled_from("!+-*?[]{}()/.~a\\,@ "), max_size=8), max_size=4))
def test_no_entry_is_too_odd(entries: list[str]) -> None:
    found = Filter(entries, BASE, HOME)
    assert found.choose(PATHS) <= set(PATHS)
    for path in PATHS:
        found.decide(path)


def test_a_pattern_without_end_leaves_the_others_be(caplog: pytest.LogCaptureFixture) -> None:
    many = [f"!nothing-{number}" for number in range(2000)]
    found = Filter(["!" + "{a,b}" * 20, *many, "!skills/a"], BASE, HOME)
    assert found.choose(PATHS) == {path for path in PATHS if path != A}
    assert "{a,b}{a,b}" in caplog.text
