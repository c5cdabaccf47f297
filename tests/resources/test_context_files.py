"""Which instruction files apply in a folder, and in which order."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pi.resources.context_files import NAMES, ContextFiles, load_context_files


@pytest.fixture
def agent_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / ".pi" / "agent"
    folder.mkdir(parents=True)
    return folder


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def load(cwd: Path, agent_dir: Path) -> ContextFiles:
    """What is found, less what this machine may have above the test's own folder."""
    found = load_context_files(cwd, agent_dir)
    own = agent_dir.parents[2]
    return found._replace(
        files=tuple(file for file in found.files if file.path.is_relative_to(own))
    )


def texts(found: ContextFiles) -> list[str]:
    return [file.text for file in found.files]


def test_the_agent_folder_first_then_from_the_outside_in(tmp_path: Path, agent_dir: Path) -> None:
    work = tmp_path / "a" / "b"
    write(agent_dir / "AGENTS.md", "G  \n")
    write(tmp_path / "CLAUDE.md", "outer")
    write(work / "AGENTS.md", "inner")
    write(work / "c" / "AGENTS.md", "below, so not ours")
    found = load(work, agent_dir)
    assert texts(found) == ["G  \n", "outer", "inner"]
    assert [file.path for file in found.files] == [
        agent_dir / "AGENTS.md",
        tmp_path / "CLAUDE.md",
        work / "AGENTS.md",
    ]
    assert found.diagnostics == ()


def test_the_first_name_speaks_for_its_folder(tmp_path: Path, agent_dir: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    for name in reversed(NAMES):
        write(work / name, name)
        (text,) = texts(load(work, agent_dir))
        # On a file system that ignores case the two spellings are one file.
        assert text.lower() == name.lower()


def test_an_override_counts_in_its_own_folder_only(tmp_path: Path, agent_dir: Path) -> None:
    write(agent_dir / "AGENTS.md", "global")
    write(tmp_path / "w" / "AGENTS.md", "outer")
    write(tmp_path / "w" / "s" / "AGENTS.md", "inner")
    write(tmp_path / "w" / "s" / "AGENTS.override.md", "instead")
    assert texts(load(tmp_path / "w" / "s", agent_dir)) == [
        "global",
        "outer",
        "instead",
    ]


def test_an_empty_override_silences_its_folder(tmp_path: Path, agent_dir: Path) -> None:
    write(tmp_path / "w" / "AGENTS.override.md", "\n")
    write(tmp_path / "w" / "AGENTS.md", "never read")
    # It is sent as it is: two programs that share a session must not send different prompts.
    assert texts(load(tmp_path / "w", agent_dir)) == ["\n"]


def test_a_run_inside_the_agent_folder_reads_it_once(agent_dir: Path) -> None:
    write(agent_dir / "AGENTS.md", "G")
    inside = agent_dir / "sessions"
    inside.mkdir()
    assert texts(load(inside, agent_dir)) == ["G"]
    assert texts(load(agent_dir, agent_dir)) == ["G"]


def test_a_folder_of_that_name_or_a_dangling_link_is_passed_over(
    tmp_path: Path, agent_dir: Path
) -> None:
    (tmp_path / "w" / "AGENTS.override.md").mkdir(parents=True)
    if sys.platform != "win32":
        (tmp_path / "w" / "AGENTS.md").symlink_to("nowhere")
        os.mkfifo(tmp_path / "w" / "AGENTS.MD")
    write(tmp_path / "w" / "CLAUDE.md", "C")
    found = load(tmp_path / "w", agent_dir)
    assert texts(found) == ["C"]
    assert found.diagnostics == ()


def test_bytes_that_are_not_utf8_are_reported_once(tmp_path: Path, agent_dir: Path) -> None:
    path = write(tmp_path / "w" / "AGENTS.md", b"one\ntwo caf\xe9\nx\xff")
    found = load(tmp_path / "w", agent_dir)
    assert texts(found) == ["one\ntwo caf\N{REPLACEMENT CHARACTER}\nx\N{REPLACEMENT CHARACTER}"]
    (line,) = found.diagnostics
    assert str(path) in line and "line 2" in line


def test_a_byte_order_mark_goes_and_line_endings_stay(tmp_path: Path, agent_dir: Path) -> None:
    write(tmp_path / "w" / "AGENTS.md", b"\xef\xbb\xbfB\r\nC\r\n")
    assert texts(load(tmp_path / "w", agent_dir)) == ["B\r\nC\r\n"]


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="needs a file nobody can read")
def test_an_unreadable_file_is_reported_and_the_next_name_speaks(
    tmp_path: Path, agent_dir: Path
) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "AGENTS.md").symlink_to("/proc/self/mem")
    write(tmp_path / "w" / "CLAUDE.md", "C")
    found = load(tmp_path / "w", agent_dir)
    assert texts(found) == ["C"]
    (line,) = found.diagnostics
    assert str(tmp_path / "w" / "AGENTS.md") in line


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_a_worktree_inside_its_repository_speaks_for_it(tmp_path: Path, agent_dir: Path) -> None:
    write(tmp_path / "AGENTS.md", "above")
    main = tmp_path / "main"
    write(main / "AGENTS.md", "main")
    write(main / "sub" / "AGENTS.md", "sub")
    git(main, "init", "-q")
    git(main, "add", ".")
    git(main, "commit", "-qm", "x")
    git(main, "worktree", "add", "-q", "trees/inside", "-b", "inside")
    git(main, "worktree", "add", "-q", "../beside", "-b", "beside")
    inside = main / "trees" / "inside"
    write(inside / "AGENTS.md", "changed")
    assert texts(load(inside / "sub", agent_dir)) == ["above", "changed", "sub"]
    assert texts(load(main / "sub", agent_dir)) == ["above", "main", "sub"]
    assert texts(load(tmp_path / "beside", agent_dir)) == ["above", "main"]
    (inside / "AGENTS.md").rename(inside / "CLAUDE.md")
    assert texts(load(inside, agent_dir)) == ["above", "main", "changed"]
    (inside / "CLAUDE.md").unlink()
    assert texts(load(inside, agent_dir)) == ["above", "main"]


@pytest.mark.parametrize("text", ["", "gitdir: nowhere", "gitdir: /dev", "x", "gitdir:"])
def test_a_git_file_of_another_kind(tmp_path: Path, agent_dir: Path, text: str) -> None:
    write(tmp_path / "AGENTS.md", "above")
    write(tmp_path / "x" / "AGENTS.md", "here")
    write(tmp_path / "x" / ".git", text)
    assert texts(load(tmp_path / "x", agent_dir)) == ["above", "here"]
