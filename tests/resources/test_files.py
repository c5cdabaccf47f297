"""Files of each kind in a folder."""

import os
from pathlib import Path

import pytest

from pi.resources.files import agent_skills, all_files, conventional, extension_entries, files_in


def make(root: Path, *names: str, **contents: str) -> None:
    for name in (*names, *contents):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(contents.get(name, ""))


def names(root: Path, paths: list[Path]) -> list[str]:
    return [path.relative_to(root).as_posix() for path in paths]


def test_skills(tmp_path: Path) -> None:
    make(
        tmp_path,
        *("b/SKILL.md", "b/x/SKILL.md", "b/notes.md", "a/deep/SKILL.md", "a/other.md", "z.md"),
        *(".hidden/SKILL.md", "node_modules/x/SKILL.md", ".z.md", "z.txt", "c/skill.md"),
    )
    assert names(tmp_path, conventional("skills", tmp_path)) == [
        "a/deep/SKILL.md",
        "b/SKILL.md",
        "z.md",
    ]
    assert names(tmp_path, agent_skills(tmp_path)) == [
        "a/deep/SKILL.md",
        "a/other.md",
        "b/SKILL.md",
        "c/skill.md",
    ]
    make(tmp_path, "SKILL.md")
    assert names(tmp_path, files_in("skills", tmp_path)) == ["SKILL.md"]
    assert conventional("skills", tmp_path / "nothing") == []


@pytest.mark.parametrize("kind", ["prompts", "themes"])
def test_prompts_and_themes(tmp_path: Path, kind: str) -> None:
    make(tmp_path, "b.md", "a.md", "x/c.md", ".d.md", "b.json", "x/y/c.json", "node_modules/e.md")
    suffix = ".md" if kind == "prompts" else ".json"
    top = [name for name in ("a.md", "b.md", "b.json") if name.endswith(suffix)]
    deep = [name for name in ("x/c.md", "x/y/c.json") if name.endswith(suffix)]
    assert names(tmp_path, conventional(kind, tmp_path)) == top  # type: ignore[arg-type]
    make(tmp_path, ".e.json", ".gitignore", **{".gitignore": "*.md\n*.json\n"})
    hidden = [".d.md"] if kind == "prompts" else [".e.json"]
    assert names(tmp_path, all_files(kind, tmp_path)) == hidden + top  # type: ignore[arg-type]
    (tmp_path / ".gitignore").unlink()
    assert names(tmp_path, files_in(kind, tmp_path)) == top + deep  # type: ignore[arg-type]


def test_ignore_files(tmp_path: Path) -> None:
    make(tmp_path, "a.md", "b.md", "c/a.md", "c/b.md", "c/d/b.md", "e/x.md", "e/y.md", "f/x.md")
    make(tmp_path, **{".gitignore": "b.md\n/e/x.md\n", ".fdignore": "f/\n"})
    make(tmp_path / "c", **{".ignore": "!b.md\n/a.md\n"})
    assert names(tmp_path, files_in("prompts", tmp_path)) == [
        "a.md",
        "c/b.md",
        "e/y.md",
    ]


def test_ignore_files_are_read_as_the_npm_package_reads_them(tmp_path: Path) -> None:
    make(tmp_path, "a.md", "x/a.md", "x/B.md", "x/y/a.md", "x/y/b.md", "x/y/c.md")
    make(tmp_path, **{".gitignore": "C.MD\n"})
    make(tmp_path / "x", **{".gitignore": "# x\n\na.md\nb.md\n!B.md\n"})
    assert names(tmp_path, files_in("prompts", tmp_path)) == [
        "a.md",
        "x/B.md",
        "x/y/a.md",
        "x/y/b.md",
    ]


@pytest.mark.skipif(os.name == "nt", reason="no pipes with names there")
def test_an_ignore_file_that_never_ends(tmp_path: Path) -> None:
    make(tmp_path, "a.md")
    os.mkfifo(tmp_path / ".gitignore")
    (tmp_path / ".ignore").symlink_to("/dev/zero")
    assert names(tmp_path, files_in("prompts", tmp_path)) == ["a.md"]


def test_extensions(tmp_path: Path) -> None:
    make(
        tmp_path,
        *("one.py", "two.ts", "three.js", "four.txt", "__pycache__/one.pyc", ".five.py"),
        *("pack/__init__.py", "pack/other.py", "web/index.ts", "web/more.ts", "old/index.js"),
        *("both/__init__.py", "both/index.ts", "loose/helper.py", "listed/src/a.py"),
        **{
            "listed/package.json": '{"pi": {"extensions": ["./src/a.py", "./missing.ts"]}}',
            "table/pyproject.toml": '[tool.pi]\nextensions = ["main.py"]\n',
            "table/main.py": "",
        },
    )
    assert names(tmp_path, conventional("extensions", tmp_path)) == [
        *("both", "listed/src/a.py", "old/index.js", "one.py", "pack", "table/main.py"),
        *("three.js", "two.ts", "web/index.ts"),
    ]
    assert extension_entries(tmp_path / "loose") == []
    make(tmp_path, "__init__.py")
    assert conventional("extensions", tmp_path) == [tmp_path]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links(tmp_path: Path) -> None:
    make(tmp_path, "real/a.md", "real/SKILL.md")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "way").symlink_to(tmp_path / "real")
    (folder / "a.md").symlink_to(tmp_path / "real" / "a.md")
    (folder / "gone.md").symlink_to("nowhere")
    (folder / "round").symlink_to(".")
    assert names(folder, conventional("skills", folder)) == ["a.md", "way/SKILL.md"]
    assert names(folder, files_in("prompts", folder)) == ["a.md", "way/SKILL.md", "way/a.md"]


def test_names_that_are_not_utf_8(tmp_path: Path) -> None:
    try:
        (tmp_path / os.fsdecode(b"\xff.md")).write_text("x")
    except OSError:
        pytest.skip("no such names here")
    make(tmp_path, **{".gitignore": "x\n"})
    assert len(files_in("prompts", tmp_path)) == 1
