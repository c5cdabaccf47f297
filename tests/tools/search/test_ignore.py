"""Which files a search sees: the rules one by one, and git itself as the judge."""

import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.tools.search.glob import GlobError, translate
from pi.tools.search.ignore import IgnoreStack, parse_rule
from pi.tools.search.walk import Found, walk


def seen(folder: Path, *names: str, git_only_in_repository: bool = True, home: str = "/nowhere"):
    stack = IgnoreStack.outermost(
        folder,
        names or (".ignore", ".gitignore"),
        git_needs_repository=git_only_in_repository,
        env={"HOME": home},
    )
    entries = walk(str(folder), stack, found=Found(), stop=threading.Event())
    return [
        entry.relative + ("/" if entry.is_folder else "")
        for entry in entries
        if not entry.relative.startswith(".git/") and ".git" not in entry.relative.split("/")
    ]


def tree(root: Path, **files: str) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


@pytest.mark.parametrize(
    ("glob", "matches", "others"),
    [
        ("*.ts", ["a.ts", ".ts"], ["d/a.ts", "a.tsx"]),
        ("**/*.ts", ["a.ts", "d/a.ts", "d/e/a.ts"], ["a.js"]),
        ("src/**", ["src/a", "src/d/a"], ["src", "src/", "a"]),
        ("src/**/x", ["src/x", "src/d/x", "src/d/e/x"], ["src/dx", "x"]),
        ("a**b", ["ab", "axb"], ["a/b"]),
        ("**", ["a", "a/b"], []),
        ("?.ts", ["a.ts"], ["/.ts", "ab.ts"]),
        ("[ab].ts", ["a.ts", "b.ts"], ["c.ts"]),
        ("[!ab].ts", ["c.ts"], ["a.ts", "/.ts"]),
        ("[^a-c]x", ["dx"], ["ax", "bx"]),
        ("[]a]", ["]", "a"], ["b"]),
        ("a[[]1]", ["a[1]"], []),
        ("\\*", ["*"], ["a"]),
        ("*.{ts,js}", ["a.ts", "a.js"], ["a.c"]),
        ("{a,d/{b,c}}.x", ["a.x", "d/b.x", "d/c.x"], ["b.x"]),
        ("{**/a,b}", ["a", "d/a", "b"], ["d/b"]),
        ("a,b", ["a,b"], []),
        ("a.b", ["a.b"], ["axb"]),
    ],
)
def test_globs(glob: str, matches: list[str], others: list[str]) -> None:
    import re

    pattern = re.compile(translate(glob))
    assert [name for name in matches if not pattern.fullmatch(name)] == []
    assert [name for name in others if pattern.fullmatch(name)] == []


@pytest.mark.parametrize("glob", ["[", "[a", "{a", "a}", "a\\", "[z-a]", "[!"])
def test_globs_that_are_none(glob: str) -> None:
    with pytest.raises(GlobError):
        translate(glob)


@given(st.text("ab*?[]!{},\\/-.", max_size=12))
def test_any_text_is_a_glob_or_an_error(text: str) -> None:
    import re

    try:
        pattern = translate(text)
    except GlobError:
        return
    re.compile(pattern).fullmatch("a/b.a")


def test_nested_files_add_and_take_back(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    tree(
        tmp_path,
        **{
            ".gitignore": "*.log\n/top\n",
            "a.log": "",
            "top": "",
            "d/top": "",
            "d/.gitignore": "!b.log\n*.tmp\n",
            "d/b.log": "",
            "d/c.tmp": "",
            "c.tmp": "",
        },
    )
    assert seen(tmp_path) == [".gitignore", "c.tmp", "d/", "d/.gitignore", "d/b.log", "d/top"]


def test_parents_count_up_to_the_root_of_the_repository(tmp_path: Path) -> None:
    tree(
        tmp_path,
        **{
            ".gitignore": "*.outer\n",
            "repo/.gitignore": "*.log\n",
            "repo/d/a.log": "",
            "repo/d/b.outer": "",
            "repo/d/c": "",
        },
    )
    (tmp_path / ".git").mkdir()
    (tmp_path / "repo/.git").mkdir()
    assert seen(tmp_path / "repo/d") == ["b.outer", "c"]


def test_a_nested_repository_is_not_governed_by_the_outer_one(tmp_path: Path) -> None:
    tree(tmp_path, **{".gitignore": "*.log\n", "a.log": "", "inner/b.log": "", "inner/d/c.log": ""})
    (tmp_path / ".git").mkdir()
    (tmp_path / "inner/.git").mkdir()
    assert seen(tmp_path) == [".gitignore", "inner/", "inner/b.log", "inner/d/", "inner/d/c.log"]


def test_a_nested_star_applies_only_where_it_is(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    tree(tmp_path, **{"star/.gitignore": "*\n", "star/x": "", "a": "", "other/b": ""})
    assert seen(tmp_path) == ["a", "other/", "other/b", "star/"]


def test_git_files_count_in_a_repository_only_unless_asked(tmp_path: Path) -> None:
    tree(tmp_path, **{".gitignore": "*.log\n", ".ignore": "*.ign\n", "a.log": "", "a.ign": ""})
    assert seen(tmp_path) == [".gitignore", ".ignore", "a.log"]
    assert seen(tmp_path, git_only_in_repository=False) == [".gitignore", ".ignore"]


def test_ignore_wins_over_gitignore(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    tree(
        tmp_path, **{".gitignore": "*.log\n", ".ignore": "!keep.log\n", "keep.log": "", "a.log": ""}
    )
    assert "keep.log" in seen(tmp_path)
    assert "a.log" not in seen(tmp_path)


def test_the_repository_s_and_the_user_s_own_files(tmp_path: Path) -> None:
    home = tmp_path / "home"
    work = tmp_path / "work"
    tree(home, **{".config/git/ignore": "*.mine\n"})
    tree(work, **{".git/info/exclude": "*.secret\n", "a.mine": "", "d/b.secret": "", "c": ""})
    assert seen(work, home=str(home)) == ["c", "d/"]
    tree(home, **{".gitconfig": "[core]\n\texcludesFile = ~/other\n", "other": "c\n"})
    assert seen(work, home=str(home)) == ["a.mine", "d/"]


def test_ignored_folders_are_not_opened(tmp_path: Path, monkeypatch) -> None:
    tree(tmp_path, **{".ignore": "node_modules/\n", "node_modules/p/i.js": "", "a": ""})
    opened = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: opened.append(path) or scandir(path))
    assert seen(tmp_path) == [".ignore", "a"]
    assert opened == [str(tmp_path)]


def test_a_folder_asked_for_by_name_is_searched_though_ignored(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    tree(
        tmp_path,
        **{
            ".gitignore": "node_modules/\n*.log\n",
            "node_modules/p/i.js": "",
            "node_modules/a.log": "",
        },
    )
    assert seen(tmp_path / "node_modules") == ["p/", "p/i.js"]


@pytest.mark.parametrize("line", ["", "  ", "# note", "/", "!", "[", "a\\"])
def test_lines_that_are_no_rules(line: str) -> None:
    assert parse_rule(line) is None


def test_unreadable_folders_are_counted(tmp_path: Path, monkeypatch) -> None:
    tree(tmp_path, **{"d/x": "", "e": ""})
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("d"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    stack = IgnoreStack.outermost(tmp_path, (".ignore",), git_needs_repository=True, env={})
    found = Found()
    list(walk(str(tmp_path), stack, found=found, stop=threading.Event()))
    assert found.unreadable == 1


RULES = [
    "*.log",
    "!keep.log",
    "/top",
    "dir/",
    "!dir/",
    "sub/file",
    "**/deep",
    "deep/**",
    "a/**/z",
    "*",
    "!*/",
    "!*.py",
    "# no",
    "\\#x",
    "x ",
    "x\\ ",
    "[ab]",
    "[!a]",
    "?",
    "!a",
    "sub/*",
    "foo/",
    "/foo",
    "a**",
    "**/sub/**",
    "!/sub",
    "*.{log,py}",
]
NAMES = ["a", "b", "z", "x", "x ", "#x", "top", "keep.log", "a.log", "m.py", "foo", "deep"]
FOLDERS = ["", "sub/", "dir/", "deep/", "a_/", "sub/deep/", "foo_/", "sub/a_/deep/"]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is the judge")
@pytest.mark.parametrize("seed", range(12))
def test_git_agrees(tmp_path: Path, seed: int) -> None:
    import random

    chance = random.Random(seed)
    for folder in FOLDERS:
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    for folder in FOLDERS:
        for name in chance.sample(NAMES, 6):
            path = tmp_path / folder / name
            if not path.exists():
                path.touch()
    for folder in chance.sample(FOLDERS, 3):
        lines = chance.sample(RULES, 4)
        (tmp_path / folder / ".gitignore").write_text("\n".join(lines) + "\n")
    git = {"cwd": tmp_path, "check": True, "capture_output": True}
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "init", "-q"], env=env, **git)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--others", "--exclude-standard"], env=env, **git
    ).stdout.decode()
    ours = [name for name in seen(tmp_path, ".gitignore") if not name.endswith("/")]
    assert sorted(ours) == sorted(filter(None, listed.split("\0")))
