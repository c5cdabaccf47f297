"""Walking: order, ignore files at every place they come from, and what goes wrong on the way."""

import os
import sys
import threading
from pathlib import Path

import pytest

from pi._speedups.pattern.globs import folder_glob, glob
from pi._speedups.pattern.program import compile_program


def make(root: Path, files: dict[str, str]) -> bytes:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_text(text, encoding="utf-8")
    return os.fsencode(root)


def walked(modules, root: bytes, **options) -> list[str]:
    walker = modules.walk.Walker(root, **options)
    out = []
    while batch := walker.next(3):
        out += [os.fsdecode(name) + ("/" if kind == 2 else "") for name, kind in batch]
    assert walker.next(1) == []
    return out


def test_order_is_by_name_folders_before_their_contents(modules, tmp_path: Path) -> None:
    root = make(tmp_path, {"d1/f": "", "d1.txt": "", "d10/f": "", "d1/e/g": "", "B": "", "a": ""})
    assert walked(modules, root) == [
        "B", "a", "d1/", "d1/e/", "d1/e/g", "d1/f", "d1.txt", "d10/", "d10/f"
    ]  # fmt: skip


def test_gitignore_counts_in_a_repository(modules, tmp_path: Path) -> None:
    root = make(tmp_path, {".gitignore": "*.log\n", "a.log": "", "b": ""})
    assert walked(modules, root) == [".gitignore", "a.log", "b"]
    assert walked(modules, root, require_git=False) == [".gitignore", "b"]
    (tmp_path / ".git").mkdir()
    assert walked(modules, root) == [".git/", ".gitignore", "b"]
    assert walked(modules, root, use_git=False) == [".git/", ".gitignore", "a.log", "b"]


def test_nested_files_and_negation(modules, tmp_path: Path) -> None:
    root = make(
        tmp_path,
        {
            ".git/": "",
            ".gitignore": "*.log\nout/\n/top\n",
            "x/.gitignore": "!keep.log\nb/*\n",
            "x/keep.log": "",
            "x/other.log": "",
            "x/b/c": "",
            "x/top": "",
            "top": "",
            "out/keep.log": "",
        },
    )
    assert walked(modules, root) == [
        ".git/", ".gitignore", "x/", "x/.gitignore", "x/b/", "x/keep.log", "x/top"
    ]  # fmt: skip


def test_a_nested_repository_is_not_governed_by_its_parent(modules, tmp_path: Path) -> None:
    root = make(
        tmp_path,
        {".git/": "", ".gitignore": "*.n\n", "a.n": "", "in/.git/": "", "in/b.n": "", "in/c": ""},
    )
    assert walked(modules, root) == [".git/", ".gitignore", "in/", "in/.git/", "in/b.n", "in/c"]
    assert walked(modules, root + b"/in") == [".git/", "b.n", "c"]


def test_parents_count_up_to_the_repository(modules, tmp_path: Path) -> None:
    make(
        tmp_path,
        {
            ".gitignore": "*.outer\n",
            ".ignore": "*.everywhere\n",
            "repo/.git/info/exclude": "*.excluded\n",
            "repo/.gitignore": "/sub/anchored\n*.inner\n",
            "repo/sub/anchored": "",
            "repo/sub/a.inner": "",
            "repo/sub/a.outer": "",
            "repo/sub/a.everywhere": "",
            "repo/sub/a.excluded": "",
            "repo/sub/a.global": "",
            "repo/sub/kept": "",
        },
    )
    root = os.fsencode(tmp_path / "repo" / "sub")
    assert walked(modules, root) == ["a.global", "a.outer", "kept"]
    assert walked(modules, root, everywhere=b"*.global\n/sub/kept\n") == ["a.outer"]


def test_ignore_files_win_over_git(modules, tmp_path: Path) -> None:
    root = make(
        tmp_path,
        {".git/": "", ".gitignore": "a\n", ".ignore": "!a\nb\n", "a": "", "b": "", ".mine": "c\n",
         "c": ""},
    )  # fmt: skip
    assert walked(modules, root) == [".git/", ".gitignore", ".ignore", ".mine", "a", "c"]
    assert "c" not in walked(modules, root, ignore_names=(b".ignore", b".mine"))
    assert "a" not in walked(modules, root, ignore_names=())


def test_a_git_file_points_to_the_repository(modules, tmp_path: Path) -> None:
    root = make(
        tmp_path,
        {
            "main/.git/info/exclude": "*.x\n",
            "main/.git/worktrees/w/commondir": "../..\n",
            "w/a.x": "",
            "w/b": "",
        },
    )
    (tmp_path / "w" / ".git").write_text(f"gitdir: {tmp_path}/main/.git/worktrees/w\n")
    assert walked(modules, root + b"/w") == [".git", "b"]


def test_globs_choose(modules, tmp_path: Path) -> None:
    root = make(
        tmp_path,
        {
            ".git/": "",
            ".gitignore": "*.log\n",
            "a.log": "",
            "a.py": "",
            "s/b.log": "",
            "s/A.PY": "",
        },
    )

    def only(pattern: str, **more) -> list[str]:
        node, folders = folder_glob(pattern)
        program = compile_program(node, lines=False)
        return walked(modules, root, only=program, only_folders=folders, files_only=True, **more)

    assert only("*.log") == ["a.log", "s/b.log"]
    assert only("s/*.log") == ["s/b.log"]
    assert only("a.*", only_excludes=True) == [".gitignore", "s/A.PY"]
    assert only("s/", only_excludes=True) == [".gitignore", "a.py"]
    by_name = compile_program(glob("*.py", ignore_case=True), lines=False)
    assert walked(modules, root, select=by_name) == ["a.py", "s/A.PY"]
    by_path = compile_program(glob("**/s/*"), lines=False)
    assert walked(modules, root, select=by_path, select_path=True) == ["s/A.PY"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX names and links")
def test_links_are_entries_and_not_followed(modules, tmp_path: Path) -> None:
    root = make(tmp_path, {"d/f": ""})
    (tmp_path / "d" / "loop").symlink_to("..")
    (tmp_path / "gone").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    walker = modules.walk.Walker(root)
    kinds = dict(walker.next(20))
    assert kinds == {b"d": 2, b"d/f": 1, b"d/loop": 3, b"gone": 3, b"pipe": 4}
    assert walked(modules, root, files_only=True) == ["d/f"]
    (tmp_path / "link").symlink_to("d")
    assert walked(modules, root + b"/link") == ["f", "loop"]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names that are not UTF-8")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_rules_without_end(modules, tmp_path: Path) -> None:
    root = make(tmp_path, {"a/b.txt": "", "c/d.txt": "", ".git/HEAD": ""})
    os.mkfifo(tmp_path / ".ignore")
    (tmp_path / ".gitignore").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "a" / ".gitignore")
    (tmp_path / "c" / ".ignore").symlink_to("/dev/zero")
    (tmp_path / ".git" / "info").mkdir()
    os.mkfifo(tmp_path / ".git" / "info" / "exclude")
    seen = walked(modules, root)
    assert {"a/b.txt", "c/d.txt"} <= {*seen}
    assert "b.txt" in walked(modules, root + b"/a")


def test_names_that_are_not_utf8(modules, tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/\xff\xfe"
    os.mkdir(folder)
    for name in (b"a\xff.txt", b"\xe9.log", "é".encode()):
        with open(folder + b"/" + name, "wb"):
            pass
    with open(folder + b"/.gitignore", "wb") as file:
        file.write(b"\xe9*\n")
    walker = modules.walk.Walker(os.fsencode(tmp_path), require_git=False)
    assert [name for name, _ in walker.next(20)] == [
        b"\xff\xfe", b"\xff\xfe/.gitignore", b"\xff\xfe/a\xff.txt", b"\xff\xfe/\xc3\xa9"
    ]  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_unreadable_folders_are_reported(modules, tmp_path: Path) -> None:
    root = make(tmp_path, {"a/x": "", "locked/y": "", "z": ""})
    walker = modules.walk.Walker(root)
    assert [name for name, _ in walker.next(1)] == [b"a"]
    (tmp_path / "locked").chmod(0)
    # Nothing is unreadable to root, so a folder vanishes too, between its name and its contents.
    assert [name for name, _ in walker.next(2)] == [b"a/x", b"locked"]
    (tmp_path / "locked").chmod(0o700)
    assert modules.walk.Walker(root + b"/missing").next(5) == []
    missing = modules.walk.Walker(root + b"/missing")
    missing.next(5)
    assert missing.errors == [(b"", 2)]
    if os.geteuid():
        (tmp_path / "locked").chmod(0)
        other = modules.walk.Walker(root)
        assert [name for name, _ in other.next(9)] == [b"a", b"a/x", b"locked", b"z"]
        (tmp_path / "locked").chmod(0o700)
        assert other.errors == [(b"locked/", 13)]


def test_deep_and_wide(modules, tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d" * 40] * 60)
    deep.mkdir(parents=True)
    for number in range(400):
        (tmp_path / f"{number:04}{'x' * 60}").touch()
    assert len(walked(modules, os.fsencode(tmp_path))) == 460


def test_stop_and_threads(modules, tmp_path: Path) -> None:
    root = make(tmp_path, {f"d{n % 7}/f{n}": "" for n in range(200)})
    walker = modules.walk.Walker(root)
    seen: list[list[bytes]] = [[] for _ in range(4)]

    def take(mine: list[bytes]) -> None:
        while batch := walker.next(5):
            mine += [name for name, _ in batch]

    threads = [threading.Thread(target=take, args=(mine,)) for mine in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(name for mine in seen for name in mine) == sorted(
        n for n, _ in modules.walk.Walker(root).next(1000)
    )
    stopped = modules.walk.Walker(root)
    assert stopped.next(2)
    stopped.stop()
    assert stopped.next(2) == []


def test_bad_arguments(modules) -> None:
    with pytest.raises(ValueError, match="zero byte"):
        modules.walk.Walker(b"/a\0b")
    with pytest.raises(ValueError, match="at least one"):
        modules.walk.Walker(b"/").next(0)
    with pytest.raises(TypeError):
        modules.walk.Walker("/")
