"""Copies that know where they come from."""

import os
from pathlib import Path
from typing import Any

import pytest

from pi.errors import SessionError
from pi.session.fork import fork_session
from pi.session.store import SessionStore
from tests.session.session_lines import TIME, file_bytes, header, parsed, user, write

USER: Any = {"role": "user", "content": "hi", "timestamp": 1}


def test_all_branches_are_copied_as_they_are(tmp_path: Path) -> None:
    odd = b'{ "id":"b", "type":"message", "parentId":"a", "message":{"n":1.50} }'
    lines = [user("a", None), odd, user("c", "a", "\ud83d")]
    path = write(tmp_path / "s.jsonl", header(), *lines[:2], b"{torn", b"", header(), lines[2])
    before = path.read_bytes()
    with (
        SessionStore.open(path),  # in use elsewhere
        fork_session(path, "/new", tmp_path / "new", id="copy") as fork,
    ):
        assert fork.id == "copy"
        assert fork.cwd == "/new"
        assert fork.header["parentSession"] == str(path)
        assert fork.path is not None
        assert fork.path.name.endswith("_copy.jsonl")
        data = fork.path.read_bytes()
        assert data.split(b"\n", 1)[1] == file_bytes(*lines)
        assert fork.append_message(USER)["parentId"] == "c"
        assert fork.notices == []
    assert path.read_bytes() == before
    assert len(os.listdir(tmp_path / "new")) == 1


def test_a_last_line_without_newline(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(file_bytes(header(), user("a", None))[:-1])
    with fork_session(path, "/new", tmp_path) as fork:
        assert fork.leaf_id == "a"
        assert fork.path is not None
        assert parsed(fork.path)[1:] == [user("a", None)]


def test_a_fork_of_an_old_version_is_of_this_one(tmp_path: Path) -> None:
    old = {"type": "message", "timestamp": TIME, "message": USER}
    path = write(tmp_path / "s.jsonl", header(version=None), old, old)
    before = path.read_bytes()
    with fork_session(path, "/new", tmp_path / "new") as fork:
        first, second = fork.path_to()
        assert second["parentId"] == first["id"]
        assert fork.header["version"] == 3
    assert path.read_bytes() == before


def test_a_large_session(tmp_path: Path) -> None:
    lines = [user(f"u{n}", f"u{n - 1}" if n else None, "x" * 10_000) for n in range(300)]
    path = write(tmp_path / "s.jsonl", header(), *lines)
    with fork_session(path, "/new", tmp_path) as fork:
        assert list(fork.entries()) == lines


@pytest.mark.parametrize("bad", ["missing.jsonl", "notes.txt", "."])
def test_what_cannot_be_forked_leaves_nothing(tmp_path: Path, bad: str) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(SessionError):
        fork_session(tmp_path / bad, "/new", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_failed_copy_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "s.jsonl", header(), user("a", None))

    def refuse(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(SessionError, match="No space left"):
        fork_session(path, "/new", tmp_path / "new")
    assert os.listdir(tmp_path / "new") == []
