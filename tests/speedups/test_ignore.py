"""Ignore rules: git's own answer on generated patterns and trees."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pi._speedups.pattern.places import global_excludes
from tests.speedups.conftest import search_modules
from tests.speedups.strategies import ignore_lines, paths

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="no git to compare with")


def said_by_git(folder: Path, names: list[str]) -> dict[str, int]:
    """1 ignored, -1 kept by a negated rule, 0 nothing, for each path."""
    asked = b"".join(name.encode() + b"\0" for name in names)
    command = ["git", "-C", str(folder), "check-ignore", "-v", "-n", "-z", "--stdin", "--no-index"]
    output = subprocess.run(command, input=asked, capture_output=True, check=False).stdout
    fields = output.decode().split("\0")
    answers = {}
    for at in range(0, len(fields) - 3, 4):
        rule, name = fields[at + 2], fields[at + 3]
        answers[name] = 0 if not rule else -1 if rule.startswith("!") else 1
    return answers


def grow(root: Path, names: list[str]) -> dict[str, bool]:
    """A tree of these paths alone, every second a folder; which are, with those on the way."""
    for old in root.iterdir():
        if old.is_dir() and old.name != ".git":
            shutil.rmtree(old)
        elif not old.is_dir():
            old.unlink()
    for at, name in enumerate(names):
        path = root / name
        if path.exists() or any((root / part).is_file() for part in Path(name).parents):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if at % 2 else path.touch()
    grown = (path for path in root.rglob("*") if ".git" not in path.parts)
    return {path.relative_to(root).as_posix(): path.is_dir() for path in grown}


def decided(rules, path: str, folder: bool) -> int:
    """What a walk from the root makes of it: an ignored folder is never entered."""
    parts = path.split("/")
    said = 0
    for count in range(1, len(parts) + 1):
        here = "/".join(parts[:count]).encode()
        said = rules.check(here, folder or count < len(parts))
        if said == 1:
            break
    return said


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    if shutil.which("git"):
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


@needs_git
@pytest.mark.parametrize("kind", ["pure", "compiled"])
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rules=st.lists(st.tuples(st.booleans(), ignore_lines()), min_size=1, max_size=4),
    names=st.lists(paths(), min_size=1, max_size=8, unique=True),
)
def test_agrees_with_git(
    repository: Path, kind: str, rules: list[tuple[bool, str]], names: list[str]
) -> None:
    text = "".join(("!" if negated else "") + line + "\n" for negated, line in rules)
    asked = grow(repository, names)
    (repository / ".gitignore").write_text(text, encoding="utf-8")
    git = said_by_git(repository, list(asked))
    ours = search_modules(kind).ignore.Rules(text.encode())
    for name, folder in asked.items():
        got = decided(ours, name, folder)
        assert (got == 1) == (git[name] == 1), (text, name)


@settings(max_examples=200, deadline=None)
@given(text=st.binary(max_size=30), path=st.binary(min_size=1, max_size=20), folder=st.booleans())
def test_twins_agree_on_any_bytes(text: bytes, path: bytes, folder: bool) -> None:
    answers = {
        search_modules(kind).ignore.Rules(text).check(path, folder) for kind in ("pure", "compiled")
    }
    assert len(answers) == 1


@settings(max_examples=200, deadline=None)
@given(lines=st.lists(ignore_lines(), max_size=4), path=paths(), folder=st.booleans())
def test_twins_agree_on_rules(lines: list[str], path: str, folder: bool) -> None:
    text = "\n".join(lines).encode()
    answers = {
        search_modules(kind).ignore.Rules(text).check(path.encode(), folder)
        for kind in ("pure", "compiled")
    }
    assert len(answers) == 1


@pytest.mark.parametrize(
    ("text", "path", "folder", "expected"),
    [
        (b"*.log", b"a/b.log", False, 1),
        (b"/a", b"b/a", False, 0),
        (b"a/b", b"x/a/b", False, 0),
        (b"**/a", b"x/y/a", False, 1),
        (b"a/**", b"a", True, 0),
        (b"a/**", b"a/b/c", False, 1),
        (b"a/**/b", b"a/b", False, 1),
        (b"a/**/b", b"a/x/y/b", False, 1),
        (b"a/*/b", b"a/x/y/b", False, 0),
        (b"build/", b"build", False, 0),
        (b"build/", b"x/build", True, 1),
        (b"*.log\n!keep.log", b"keep.log", False, -1),
        (b"a \nb\\ ", b"a", False, 1),
        (b"b\\ ", b"b ", False, 1),
        (b"\\#x", b"#x", False, 1),
        (b"# x", b"# x", False, 0),
        (b"\xef\xbb\xbfa\r\nb\r\n", b"b", False, 1),
        (b"\xff*", b"\xfe", False, 0),
        (b"\xff*", b"\xff\xfe", False, 1),
        (b"[a", b"[a", False, 0),
        (b"", b"a", False, 0),
    ],
)
def test_rules(modules, text: bytes, path: bytes, folder: bool, expected: int) -> None:
    assert modules.ignore.Rules(text).check(path, folder) == expected


def test_hostile_patterns_end(modules) -> None:
    rules = modules.ignore.Rules(b"*a" * 40 + b"\n" + b"**/a*/" * 30 + b"x")
    assert rules.check(b"b" * 200, False) == 0
    assert rules.check(b"/".join([b"ab"] * 100) + b"/y", False) == 0


def test_global_excludes(tmp_path: Path) -> None:
    assert global_excludes(tmp_path) == b""
    (tmp_path / ".config" / "git").mkdir(parents=True)
    (tmp_path / ".config" / "git" / "ignore").write_bytes(b"*.a\n")
    assert global_excludes(tmp_path) == b"*.a\n"
    (tmp_path / ".gitconfig").write_text("[user]\n\tname = x\n[Core]\n\texcludesFile = ~/mine\n")
    assert global_excludes(tmp_path) == b""
    (tmp_path / "mine").write_bytes(b"*.b\n")
    assert global_excludes(tmp_path) == b"*.b\n"
