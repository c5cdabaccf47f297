"""Kills, full disks, second writers: with real processes on real files."""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pi.errors import SessionError
from pi.session import journal
from pi.session.store import SessionStore
from tests.session.session_lines import dump, header, parsed, user, write

USER: Any = {"role": "user", "content": "hi", "timestamp": 1}
posix = pytest.mark.skipif(os.name != "posix", reason="signals and limits")

WRITER = """
import sys
from pathlib import Path
from pi.session.store import SessionStore
store = SessionStore.open(Path(sys.argv[1]))
print("open", flush=True)
if sys.argv[2] == "write":
    number = 0
    while True:
        text = str(number) * 3000
        entry = store.append_message({"role": "user", "content": text, "timestamp": number})
        print(entry["id"], flush=True)
        number += 1
sys.stdin.read()
"""

UNLOCKED = """
import errno, fcntl, json, sys
from pathlib import Path
from pi.session.store import SessionStore

def refuse(descriptor, operation):
    raise OSError(errno.ENOLCK, "No locks available")

fcntl.flock = refuse
store = SessionStore.open(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.readline()
written = []
for number in range(60):
    text = f"{sys.argv[2]}{number}" * (1 + number * 97 % 4000)
    message = {"role": "user", "content": text, "timestamp": number}
    written.append(store.append_message(message)["id"])
print(json.dumps(written))
"""

LIMITED = """
import resource, sys
from pathlib import Path
from pi.errors import SessionError
from pi.session.store import SessionStore
path = Path(sys.argv[1])
store = SessionStore.open(path)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
written, failures = [], []
for number in range(12):
    if number == 9:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    leaf, size = store.leaf_id, path.stat().st_size
    try:
        message = {"role": "user", "content": "x" * 3000, "timestamp": number}
        written.append(store.append_message(message)["id"])
    except SessionError as error:
        failures.append(str(error))
        assert store.leaf_id == leaf
        assert path.stat().st_size == size, "a half line was left behind"
import json
print(json.dumps([written, failures]))
"""


@contextmanager
def process(code: str, *args: str) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, "-c", code, *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def session(tmp_path: Path) -> Path:
    return write(tmp_path / "s.jsonl", header(), user("a", None))


@posix
def test_nothing_acknowledged_is_lost_to_a_kill(tmp_path: Path) -> None:
    path = session(tmp_path)
    with process(WRITER, str(path), "write") as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        acknowledged = [child.stdout.readline().strip() for _ in range(40)]
        child.send_signal(signal.SIGKILL)
        acknowledged += child.stdout.read().split()
    with SessionStore.open(path) as store:
        ids = [item["id"] for item in store.path_to()]
        assert ids[: len(acknowledged) + 1] == ["a", *acknowledged]
        assert len(ids) <= len(acknowledged) + 2
        assert store.append_message(USER)["parentId"] == ids[-1]


@posix
def test_a_full_disk_is_reported_and_nothing_is_torn(tmp_path: Path) -> None:
    path = session(tmp_path)
    with process(LIMITED, str(path)) as child:
        out, err = child.communicate()
    assert err == ""
    written, failures = json.loads(out)
    assert len(failures) >= 2
    assert all("cannot write to session" in failure for failure in failures)
    assert [line["id"] for line in parsed(path)[2:]] == written
    with SessionStore.open(path) as store:
        assert [item["id"] for item in store.path_to()] == ["a", *written]
        assert store.notices == []


def test_a_second_pi_is_told_and_a_dead_one_forgotten(tmp_path: Path) -> None:
    path = session(tmp_path)
    with process(WRITER, str(path), "wait") as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        before = path.read_bytes()
        with pytest.raises(SessionError, match="open in another pi") as error:
            SessionStore.open(path)
        assert error.value.hint
        assert path.read_bytes() == before
        child.kill()
        child.wait()
        with SessionStore.open(path) as store:
            assert store.append_message(USER)["parentId"] == "a"
    # Closing is as good as dying.
    SessionStore.open(path).close()


@posix
def test_a_new_session_is_locked_too(tmp_path: Path) -> None:
    with SessionStore.create("/work", tmp_path) as store:
        store.append_message(USER)
        assert store.path is not None
        with pytest.raises(SessionError, match="open in another pi"):
            SessionStore.open(store.path)


@posix
def test_a_file_system_without_locks_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(journal.fcntl, "flock", refuse)
    with SessionStore.open(session(tmp_path)) as store:
        (notice,) = store.notices
        assert "without locks" in notice
        store.append_message(USER)


@posix
def test_without_locks_nothing_is_interleaved_or_lost(tmp_path: Path) -> None:
    path = session(tmp_path)
    with (
        process(UNLOCKED, str(path), "a") as one,
        process(UNLOCKED, str(path), "b") as two,
        process(UNLOCKED, str(path), "c") as three,
    ):
        children = (one, two, three)
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "open\n"
        for child in children:
            assert child.stdin is not None
            child.stdin.write("\n")
            child.stdin.flush()
        written = [json.loads(child.communicate()[0]) for child in children]
    with SessionStore.open(path) as store:
        for ids in written:
            entries = [store.get(entry_id) for entry_id in ids]
            # Each goes on from its own last entry.
            assert [entry and entry["parentId"] for entry in entries] == ["a", *ids[:-1]]
        assert store.history.damage() is None
        assert len(list(store.entries())) == 181


def test_times_that_run_backwards_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order is that of the file; a clock that is set back is no reason to doubt it."""
    path = session(tmp_path)
    ids = ["a"]
    for year in (2031, 1999, 2040, 1970):
        monkeypatch.setattr("pi.session.store.iso_now", lambda year=year: f"{year}-01-01T00:00:00Z")
        with SessionStore.open(path) as store:
            ids.append(store.append_message({**USER, "timestamp": year})["id"])
    with SessionStore.open(path) as store:
        assert [entry["id"] for entry in store.path_to()] == ids
        assert store.leaf_id == ids[-1]
        assert len(store.build_context().messages) == 5


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


@pytest.mark.parametrize("end", [b"\n", b""])
def test_lines_of_a_writer_without_lock_are_neither_lost_nor_fused(
    tmp_path: Path, end: bytes
) -> None:
    path = session(tmp_path)
    with SessionStore.open(path) as store:
        append(path, dump(user("theirs", "a")) + end)
        ours = store.append_message(USER)
        assert ours["parentId"] == "a"
        assert [item["id"] for item in store.entries()] == ["a", "theirs", ours["id"]]
    assert [line["id"] for line in parsed(path)[1:]] == ["a", "theirs", ours["id"]]


def test_half_a_line_of_another_writer_is_isolated(tmp_path: Path) -> None:
    path = session(tmp_path)
    with SessionStore.open(path) as store:
        append(path, b'{"type":"mess')
        ours = store.append_message(USER)
        assert any("line 3" in notice for notice in store.notices)
    assert path.read_bytes().endswith(b'{"type":"mess\n' + dump(ours) + b"\n")


@posix
def test_a_deleted_session_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "s.jsonl"
    write(path, header(), user("a", None))
    with SessionStore.open(path) as store:
        path.unlink()
        path.parent.rmdir()
        ours = store.append_message(USER)
        assert parsed(path) == [header(), user("a", None), ours]
        with pytest.raises(SessionError, match="open in another pi"):
            SessionStore.open(path)


@posix
def test_a_replaced_session_is_not_written_to(tmp_path: Path) -> None:
    path = session(tmp_path)
    with SessionStore.open(path) as store:
        other = write(tmp_path / "other", header(id="other"))
        os.replace(other, path)
        with pytest.raises(SessionError, match="replaced by another program"):
            store.append_message(USER)
    assert parsed(path) == [header(id="other")]


def test_a_shortened_session_is_not_written_to(tmp_path: Path) -> None:
    path = session(tmp_path)
    with SessionStore.open(path) as store:
        os.truncate(path, 20)
        with pytest.raises(SessionError, match="cut short"):
            store.append_message(USER)
        assert path.stat().st_size == 20


@posix
def test_a_half_line_that_cannot_be_taken_back_is_isolated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = session(tmp_path)
    with SessionStore.open(path) as store:
        assert store._journal is not None
        real = store._journal._file

        class Half:
            """A file whose disk is full after five bytes, on a device that cannot be cut."""

            def __getattr__(self, name: str) -> Any:
                return getattr(real, name)

            def write(self, data: bytes) -> int:
                real.write(data[:5])
                raise OSError(errno.ENOSPC, "No space left on device")

        def refuse(descriptor: int, size: int) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        with monkeypatch.context() as patch:
            patch.setattr(store._journal, "_file", Half())
            patch.setattr(os, "ftruncate", refuse)
            with pytest.raises(SessionError, match="No space left"):
                store.append_message(USER)
        assert path.read_bytes().endswith(b'\n{"typ')
        ours = store.append_message(USER)
        assert ours["parentId"] == "a"
        assert path.read_bytes().endswith(b'\n{"typ\n' + dump(ours) + b"\n")


@posix
def test_what_another_wrote_is_not_taken_back_with_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = session(tmp_path)
    with SessionStore.open(path) as store:
        assert store._journal is not None
        real = store._journal._file

        class Raced:
            """Another program's line goes in first, then the disk is full after five bytes."""

            written = 0

            def __getattr__(self, name: str) -> Any:
                return getattr(real, name)

            def write(self, data: bytes) -> int:
                if self.written:
                    raise OSError(errno.ENOSPC, "No space left on device")
                self.written = 5
                append(path, dump(user("theirs", "a")) + b"\n")
                return real.write(data[:5]) or 0

        with monkeypatch.context() as patch:
            patch.setattr(store._journal, "_file", Raced())
            with pytest.raises(SessionError, match="No space left"):
                store.append_message(USER)
        ours = store.append_message(USER)
        assert [item["id"] for item in store.entries()] == ["a", "theirs", ours["id"]]
    assert path.read_bytes().endswith(b'\n{"typ\n' + dump(ours) + b"\n")
