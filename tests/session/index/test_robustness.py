"""The index file in every bad state, and several processes on it at once."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pi.session.index import guard, mounts
from pi.session.index.catalog import SessionIndex
from pi.session.index.database import SCHEMA
from pi.session.index.guard import Busy, Guard
from pi.session.index.mounts import is_network

Talk = Callable[..., Path]

SEARCH = """
import sys
from pathlib import Path
from pi.session.index.catalog import SessionIndex
file, root, words = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
with SessionIndex(file) as index:
    print(len(index.sessions(root)), len(index.search(root, words, limit=None)), flush=True)
    print(*index.notices, sep="\\n", file=sys.stderr)
"""


def start(code: str, *arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def works(file: Path, root: Path, count: int) -> SessionIndex:
    """List and search, and check that both are right."""
    with SessionIndex(file) as index:
        assert len(index.sessions(root)) == count
        assert len(index.search(root, "hello", limit=None)) == count
    return index


def answers(root: Path, talk: Talk, count: int = 3) -> None:
    for number in range(count):
        talk(f"s{number}", f"hello number{number}", "good day")


def test_it_is_private_and_lasts(file: Path, root: Path, talk: Talk) -> None:
    answers(root, talk)
    assert works(file, root, 3).lasting
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    file.unlink()
    assert works(file, root, 3).lasting
    assert file.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"not a database at all" * 100, b"SQLite format 3\0" + b"\xff" * 8000],
    ids=["empty", "text", "damaged"],
)
def test_a_file_of_no_use_is_made_anew(file: Path, root: Path, talk: Talk, content: bytes) -> None:
    answers(root, talk)
    file.write_bytes(content)
    assert works(file, root, 3).lasting
    assert works(file, root, 3).notices == []


@pytest.mark.parametrize("version", [0, SCHEMA + 1, 99])
def test_another_schema_is_made_anew(file: Path, root: Path, talk: Talk, version: int) -> None:
    answers(root, talk)
    works(file, root, 3)
    database = sqlite3.connect(file)
    database.execute(f"PRAGMA user_version = {version}")
    database.execute("ALTER TABLE sessions RENAME TO other")
    database.commit()
    database.close()
    assert works(file, root, 3).lasting
    with SessionIndex(file) as index:
        assert index.notices == []


def test_damage_within_is_found_and_the_file_made_anew(file: Path, root: Path, talk: Talk) -> None:
    answers(root, talk, 40)
    works(file, root, 40)
    size = file.stat().st_size
    with file.open("r+b") as out:
        # Everything but the first page, which says that it is a database and what is in it.
        out.seek(4096)
        out.write(b"\xa5" * (size - 4096))
    with SessionIndex(file) as index:
        assert len(index.search(root, "hello", limit=None)) == 40
        assert index.lasting
        assert "damaged" in index.notices[0]
    with SessionIndex(file) as index:
        assert len(index.sessions(root)) == 40
        assert index.notices == []


def test_missing_tables_are_made_anew(file: Path, root: Path, talk: Talk) -> None:
    answers(root, talk)
    works(file, root, 3)
    database = sqlite3.connect(file)
    database.execute("DROP TABLE texts")
    database.commit()
    database.close()
    assert works(file, root, 3).lasting


def test_a_folder_in_its_place_is_worked_around(file: Path, root: Path, talk: Talk) -> None:
    answers(root, talk)
    file.mkdir()
    index = works(file, root, 3)
    assert not index.lasting
    assert "without the session index" in index.notices[0]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_folder_that_may_not_be_written_is_worked_around(
    file: Path, root: Path, talk: Talk
) -> None:
    answers(root, talk)
    root.parent.chmod(0o500)
    try:
        assert not works(file, root, 3).lasting
    finally:
        root.parent.chmod(0o700)


def test_a_database_that_cannot_be_written_is_worked_around(
    file: Path, root: Path, talk: Talk
) -> None:
    answers(root, talk)
    works(file, root, 3)
    talk("new", "hello again")
    with SessionIndex(file) as index:
        index._database.connection.execute("PRAGMA query_only = 1")
        assert len(index.sessions(root)) == 4
        assert not index.lasting
        assert len(index.search(root, "hello")) == 4
        assert "without the session index" in index.notices[0]


def test_a_full_disk_is_worked_around(file: Path, root: Path, talk: Talk) -> None:
    answers(root, talk)
    works(file, root, 3)
    talk("new", "hello " + " ".join(f"word{number}" for number in range(20_000)))
    with SessionIndex(file) as index:
        pages = index._database.connection.execute("PRAGMA page_count").fetchone()[0]
        index._database.connection.execute(f"PRAGMA max_page_count = {pages}")
        assert len(index.search(root, "hello")) == 4
        assert not index.lasting
        assert "full" in index.notices[0]
    assert works(file, root, 4).lasting


def test_no_locks_means_no_index(
    file: Path, root: Path, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    answers(root, talk)
    monkeypatch.setattr(guard, "_lock", refuse)
    index = works(file, root, 3)
    assert not index.lasting
    assert "no locks" in index.notices[0]
    assert not file.exists()


def test_network_file_systems_are_told_by_the_table_of_mounts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: Path, root: Path, talk: Talk
) -> None:
    home = tmp_path / "a home"
    (home / "local").mkdir(parents=True)
    table = tmp_path / "mounts"
    point = str(home.resolve()).replace(" ", "\\040")
    table.write_text(
        f"/dev/root / ext4 rw 0 0\nserver:/export {point} nfs4 rw 0 0\n"
        f"/dev/sda {point}/local ext4 rw 0 0\n\nshort\n"
    )
    assert is_network(home, table)
    assert is_network(home / "deeper" / "still", table)
    assert not is_network(home / "local" / "x", table)
    assert not is_network(tmp_path, table)
    assert not is_network(home, tmp_path / "no table")
    answers(root, talk)
    table.write_text(f"server:/ {str(root.parent.resolve()).replace(' ', chr(92) + '040')} nfs 0 0")
    monkeypatch.setattr(mounts.is_network, "__defaults__", (table,))
    index = works(file, root, 3)
    assert not index.lasting
    assert "network" in index.notices[0]


@pytest.mark.skipif(sys.platform == "win32", reason="nobody shares there")
def test_the_guard_keeps_makers_and_users_apart(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with Guard(lock, "shared"), Guard(lock, "shared"), pytest.raises(Busy):
        Guard(lock, "alone", patience=0.05)
    with Guard(lock, "alone"), pytest.raises(Busy):
        Guard(lock, "shared", patience=0.05)
    Guard(lock, "alone", patience=0).close()


def test_a_database_that_others_write_to_is_answered_around(
    file: Path, root: Path, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(root, talk)
    works(file, root, 3)
    talk("new", "hello from a new one")
    monkeypatch.setattr("pi.session.index.database.PATIENCE", 0.05)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with SessionIndex(file) as index:
            assert len(index.sessions(root)) == 4, "what could not be written is known all the same"
            assert index.notices == []
            assert len(index.search(root, "hello")) == 3
            (notice,) = index.notices
            assert "1 session" in notice
    finally:
        other.rollback()
        other.close()
    works(file, root, 4)


def test_many_processes_at_once(file: Path, root: Path, talk: Talk) -> None:
    for number in range(60):
        talk(f"s{number}", *(f"hello words {at} " + "text " * 200 for at in range(6)))
    processes = [start(SEARCH, file, root, "hello") for _ in range(5)]
    for number in range(60, 70):
        talk(f"s{number}", "goodbye")
    for process in processes:
        out, err = process.communicate(timeout=100)
        assert process.returncode == 0, err
        assert "locked" not in err
        listed, found = map(int, out.split())
        assert 60 <= listed <= 70
        assert found == 60
    with SessionIndex(file) as index:
        assert len(index.search(root, "hello", limit=None, every_entry=True)) == 360


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_at_any_moment_it_is_whole_afterwards(file: Path, root: Path, talk: Talk) -> None:
    for number in range(40):
        talk(f"s{number}", *(f"hello words {at} " + "text " * 300 for at in range(10)))
    code = "import pi.session.index.catalog as c; c.TEXTS = 20_000; c.SUMMARIES = 20_000\n" + SEARCH
    began = time.monotonic()
    whole = start(code, file.with_name("measure.sqlite"), root, "hello")
    whole.communicate(timeout=100)
    length = time.monotonic() - began
    for share in range(8):
        process = start(code, file, root, "hello")
        time.sleep(length * (0.3 + share * 0.08))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    with SessionIndex(file) as index:
        hits = index.search(root, "hello", limit=None, every_entry=True)
        assert len({(hit.session.path, hit.excerpt.entry) for hit in hits}) == len(hits) == 400
        assert index.lasting
        assert index.notices == []
        database = index._database.connection
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        database.execute("INSERT INTO texts (texts) VALUES ('integrity-check')")


def test_reindex_forgets_and_learns_again(file: Path, root: Path, talk: Talk) -> None:
    answers(root, talk)
    with SessionIndex(file) as index:
        index.search(root, "hello")
        database = index._database.connection
        database.execute("UPDATE sessions SET first = 'wrong'")
        assert index.sessions(root)[0].title == "wrong"
        listed = index.reindex(root)
        assert {one.title for one in listed} == {f"hello number{n}" for n in range(3)}
        assert len(index.search(root, "hello")) == 3
