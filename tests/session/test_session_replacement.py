"""A file that takes another's place: what is left of those that did not get there."""

import os
import time
from pathlib import Path

import pytest

from pi.errors import SessionError
from pi.session.replacement import replacement


def write(target: Path) -> None:
    with replacement(target, "cannot write") as half:
        half.write_text("new")
        os.replace(half, target)


def test_what_a_killed_process_left_is_removed_a_day_later(tmp_path: Path) -> None:
    old = tmp_path / ".gone.jsonl.4711.new"
    young = tmp_path / ".busy.jsonl.4712.new"
    other = tmp_path / ".notes.new"
    for path in (old, young, other):
        path.write_text("half")
    long_ago = time.time() - 2 * 24 * 3600
    os.utime(old, (long_ago, long_ago))
    os.utime(other, (long_ago, long_ago))
    write(tmp_path / "s.jsonl")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".busy.jsonl.4712.new",
        ".notes.new",
        "s.jsonl",
    ]


def test_what_fails_leaves_nothing_and_says_why(tmp_path: Path) -> None:
    target = tmp_path / "s.jsonl"
    target.write_text("old")
    with pytest.raises(SessionError, match="cannot write: No space left"):
        fill_the_disk(target)
    assert [path.name for path in tmp_path.iterdir()] == ["s.jsonl"]
    assert target.read_text() == "old"


def fill_the_disk(target: Path) -> None:
    with replacement(target, "cannot write") as half:
        half.write_text("half")
        raise OSError(28, "No space left on device")
