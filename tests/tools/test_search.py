"""Which files grep and find see: rules from everywhere, git as the judge, hostile patterns."""

import os
import random
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HOSTILE = ["a*" * 20 + "b", "*a" * 30 + "b", "*" * 5000 + "x", "?*" * 30 + "b", "[a-z]*" * 30 + "0"]


def seen(run, path: str = ".") -> list[str]:
    """What find lists, without what lies in a .git."""
    text = run("find", pattern="*", path=path).text
    names = [] if text.startswith("No files") else text.split("\n")
    return [name for name in names if ".git" not in name.rstrip("/").split("/")]


def searched(run, path: str = ".") -> list[str]:
    """The files grep reads, without what lies in a .git."""
    text = run("grep", pattern="", path=path, limit=10_000).text
    names = dict.fromkeys(line.split(":")[0] for line in text.split("\n"))
    return [name for name in names if ".git" not in name.split("/") and name != "No matches"]


@pytest.mark.parametrize("pattern", HOSTILE)
@pytest.mark.parametrize("prefix", ["", "**/", "d/"])
def test_no_glob_takes_for_ever(run, put, pattern: str, prefix: str) -> None:
    name = "a" * 100 + "c"
    put(".git/HEAD", "")
    put(".gitignore", f"{prefix}{pattern}\n")
    put(name, "hit\n")
    put(f"d/{name}", "hit\n")
    assert run("grep", pattern="hit").text.count("hit") == 2
    assert run("grep", pattern="hit", glob=f"!{pattern}").text.count("hit") == 2
    assert run("find", pattern=pattern, path=".").text.count(name) == 0


def test_folders_in_folders(run, put) -> None:
    put(".git/HEAD", "")
    put(".gitignore", "**/d*/" * 12 + "b\n")
    put("/".join(["d"] * 60) + "/c", "hit\n")
    assert run("grep", pattern="hit").text.count("hit") == 1


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*)*b$", "(a?){60}a{60}"])
def test_no_pattern_takes_for_ever(run, put, pattern: str) -> None:
    put("f", b"a" * 3_000 + b"!\n")
    ran = run("grep", pattern=pattern)
    assert not ran.is_error


@given(st.text("ab*?[]!{},\\/-.\ud83d", max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_text_is_a_glob_or_an_error(run, text: str) -> None:
    for ran in (run("find", pattern=text), run("grep", pattern="x", glob=text)):
        assert ran.text.startswith(("No files", "No matches", "Not a glob: "))
        assert ran.is_error is ran.text.startswith("Not a glob")


def test_git_files_count_in_a_repository_only_but_for_find(run, put) -> None:
    put(".gitignore", "*.log\n")
    put(".ignore", "*.ign\n")
    put("a.log", "x\n")
    put("a.ign", "x\n")
    assert searched(run) == [".gitignore", ".ignore", "a.log"]
    assert seen(run) == [".gitignore", ".ignore"]
    (run.cwd / ".git").mkdir()
    assert searched(run) == [".gitignore", ".ignore"]


def test_each_tool_has_an_ignore_file_of_its_own(run, put) -> None:
    put(".ignore", "a\nb\n")
    put(".rgignore", "!a\n")
    put(".fdignore", "!b\n")
    for name in "abc":
        put(name, "x\n")
    assert searched(run) == [".fdignore", ".ignore", ".rgignore", "a", "c"]
    assert seen(run) == [".fdignore", ".ignore", ".rgignore", "b", "c"]


def test_a_nested_repository_is_not_governed_by_the_outer_one(run, put) -> None:
    put(".gitignore", "*.log\n")
    for name in ("a.log", "inner/b.log", "inner/d/c.log"):
        put(name, "x\n")
    (run.cwd / ".git").mkdir()
    (run.cwd / "inner/.git").mkdir()
    assert searched(run) == [".gitignore", "inner/b.log", "inner/d/c.log"]
    assert seen(run, "inner") == ["b.log", "d/", "d/c.log"]


def test_a_nested_star_applies_only_where_it_is(run, put) -> None:
    (run.cwd / ".git").mkdir()
    for name in ("star/x", "a", "other/b"):
        put(name, "x\n")
    put("star/.gitignore", "*\n")
    assert seen(run) == ["a", "other/", "other/b", "star/"]
    assert searched(run) == ["a", "other/b"]


def test_the_repository_s_and_the_user_s_own_files(run, put, tmp_path) -> None:
    """The user's come from the home of the call's environment, not of this process."""
    home = tmp_path / "other-home"
    run.env["HOME"] = str(home)
    (home / ".config/git").mkdir(parents=True)
    (home / ".config/git/ignore").write_text("*.mine\n")
    put(".git/info/exclude", "*.secret\n")
    for name in ("a.mine", "d/b.secret", "c"):
        put(name, "x\n")
    assert seen(run) == ["c", "d/"]
    assert searched(run) == ["c"]
    (home / "xdg/git").mkdir(parents=True)
    (home / "xdg/git/ignore").write_text("d\n")
    run.env["XDG_CONFIG_HOME"] = str(home / "xdg")
    assert searched(run) == ["a.mine", "c"]
    (home / ".gitconfig").write_text("[core]\n\texcludesFile = ~/mine\n")
    (home / "mine").write_text("c\n")
    assert seen(run) == ["a.mine", "d/"]


RULES = [
    *("*.log", "!keep.log", "/top", "dir/", "!dir/", "sub/file", "**/deep", "deep/**", "a/**/z"),
    *("*", "!*/", "!*.py", "# no", "\\#x", "x ", "x\\ ", "[ab]", "[!a]", "?", "!a", "sub/*"),
    *("foo/", "/foo", "a**", "**/sub/**", "!/sub", "*.{log,py}"),
]
NAMES = ["a", "b", "z", "x", "x ", "#x", "top", "keep.log", "a.log", "m.py", "foo", "deep"]
FOLDERS = ["", "sub/", "dir/", "deep/", "a_/", "sub/deep/", "foo_/", "sub/a_/deep/"]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is the judge")
@pytest.mark.parametrize("seed", range(12))
def test_git_agrees(run, put, seed: int) -> None:
    chance = random.Random(seed)
    for folder in FOLDERS:
        (run.cwd / folder).mkdir(parents=True, exist_ok=True)
    for folder in FOLDERS:
        for name in chance.sample(NAMES, 6):
            if not (run.cwd / folder / name).exists():
                put(f"{folder}{name}", "x\n")
    for folder in chance.sample(FOLDERS, 3):
        put(f"{folder}.gitignore", "\n".join(chance.sample(RULES, 4)) + "\n")
    env = {"PATH": os.environ["PATH"], "HOME": run.env["HOME"], "GIT_CONFIG_NOSYSTEM": "1"}

    def git(*arguments: str) -> str:
        command = ["git", *arguments]
        done = subprocess.run(command, cwd=run.cwd, env=env, check=True, capture_output=True)
        return done.stdout.decode()

    git("init", "-q", "--template=")
    listed = git("ls-files", "-z", "--others", "--exclude-standard").split("\0")
    expected = sorted(filter(None, listed))
    assert sorted(name for name in seen(run) if not name.endswith("/")) == expected
    assert sorted(searched(run)) == expected
