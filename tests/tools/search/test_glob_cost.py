"""Patterns made to take for ever: anybody's .gitignore may hold one."""

import fnmatch
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pi.tools.search.glob import translate

HOSTILE = ["a*" * 20 + "b", "*a" * 30 + "b", "*" * 5000 + "x", "?*" * 30 + "b", "[a-z]*" * 30 + "0"]


@pytest.mark.parametrize("pattern", HOSTILE)
@pytest.mark.parametrize("prefix", ["", "**/", "d/"])
def test_stars(run, put, pattern: str, prefix: str) -> None:
    name = "a" * 100 + "c"
    put(".git/HEAD", "")
    put(".gitignore", f"{prefix}{pattern}\n")
    put(name, "hit\n")
    put(f"d/{name}", "hit\n")
    assert run("grep", pattern="hit").text.count("hit") == 2
    assert run("find", pattern=pattern, path=".").text.count(name) == 0


def test_folders_in_folders(run, put) -> None:
    put(".git/HEAD", "")
    put(".gitignore", "**/d*/" * 12 + "b\n")
    put("/".join(["d"] * 60) + "/c", "hit\n")
    assert run("grep", pattern="hit").text.count("hit") == 1


def component(pattern: str) -> str:
    """What fnmatch makes of a glob without slashes: the same thing by another way."""
    return fnmatch.translate(re.sub(r"\*+", "*", pattern))


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=12))
@example("*ab*a*b", "aabaab")
def test_components_match_as_fnmatch_says(pattern: str, name: str) -> None:
    if pattern.startswith("**") and not pattern.strip("*"):
        return  # a whole component of two stars also crosses slashes
    ours = re.fullmatch(translate(pattern), name) is not None
    assert ours == (re.match(component(pattern), name) is not None)


@given(
    st.lists(st.sampled_from(["**", "a", "b", "*", "a*b*"]), min_size=1, max_size=6),
    st.lists(st.sampled_from(["a", "b", "ab", "aab"]), min_size=1, max_size=6),
)
def test_paths_match_as_the_plain_rules_say(pattern: list[str], path: list[str]) -> None:
    def matches(globs: list[str], parts: list[str]) -> bool:
        if not globs:
            return not parts
        if globs[0] == "**":
            if len(globs) == 1:
                # Behind a slash it wants something below; alone it takes everything.
                return bool(parts) or len(pattern) == 1
            return any(matches(globs[1:], parts[at:]) for at in range(len(parts) + 1))
        return (
            bool(parts)
            and re.match(component(globs[0]), parts[0]) is not None
            and matches(globs[1:], parts[1:])
        )

    ours = re.fullmatch(translate("/".join(pattern)), "/".join(path)) is not None
    assert ours == matches(pattern, path)
