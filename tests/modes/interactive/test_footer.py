"""The branch in the footer, read from whatever a folder holds."""

import os
from pathlib import Path

import pytest

from pi.modes.interactive.footer import branch_of


def test_the_branch(tmp_path: Path) -> None:
    git = tmp_path / ".git"
    (git / "worktrees" / "w").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "worktrees" / "w" / "HEAD").write_text("ref: refs/heads/topic/one\n")
    (tmp_path / "w" / "deep").mkdir(parents=True)
    assert branch_of(tmp_path / "w" / "deep") == "main"
    (tmp_path / "w" / ".git").write_text("gitdir: ../.git/worktrees/w\n")
    assert branch_of(tmp_path / "w" / "deep") == "topic/one"
    (git / "HEAD").write_text("0123456789abcdef0123456789abcdef01234567\n")
    assert branch_of(tmp_path) == "detached"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("kind", ["pipe", "device", "nul"])
def test_a_repository_that_is_none(tmp_path: Path, kind: str) -> None:
    """Nothing is waited for, and nothing read without end."""
    folder = tmp_path / "folder"
    (folder / "git").mkdir(parents=True)
    (folder / ".git").write_bytes(b"gitdir: g\0it" if kind == "nul" else b"gitdir: git")
    if kind == "pipe":
        os.mkfifo(folder / "git" / "HEAD")
    else:
        (folder / "git" / "HEAD").symlink_to("/dev/zero")
    assert branch_of(folder) in (None, branch_of(tmp_path))
