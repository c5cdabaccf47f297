"""The thread behind the session picker: what it does when the index fails, and that it ends."""

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pi.modes.interactive.pickers.session_library import Found, Listing, SessionLibrary
from pi.modes.interactive.pickers.session_query import parse_session_query

from .test_sessions import write


class Waiting:
    """Takes calls from the thread and makes them when asked to."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def until(self, got: list[Any]) -> Any:
        limit = time.monotonic() + 60
        while not got:
            assert time.monotonic() < limit
            while self.calls:
                self.calls.pop(0)()
            time.sleep(0.002)
        return got[-1]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "sessions", "one", "about foxes", "Red.")
    return tmp_path / "sessions"


def test_a_broken_index_is_no_hindrance(root: Path, tmp_path: Path) -> None:
    waiting, got = Waiting(), list[Listing]()
    (tmp_path / "index").write_bytes(b"no database" * 1000)
    library = SessionLibrary(tmp_path / "index", root, waiting.calls.append)
    library.list(got.append)
    assert [one.summary.id for one in waiting.until(got).sessions] == ["one"]
    library.close()
    library.join(60)


def test_a_fault_is_answered(root: Path, tmp_path: Path, monkeypatch: Any) -> None:
    from pi.session.index.catalog import SessionIndex

    def fail(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("out of order")

    waiting, got = Waiting(), list[Any]()
    library = SessionLibrary(tmp_path / "index", root, waiting.calls.append)
    monkeypatch.setattr(SessionIndex, "_refresh", fail)
    library.list(got.append)
    listing = waiting.until(got)
    assert listing.complete and "out of order" in listing.notices[0]
    found: list[Found] = []
    library.search(parse_session_query("foxes"), found.append)
    assert "out of order" in waiting.until(found).problem
    monkeypatch.undo()
    library.search(parse_session_query("re:fox"), found.append)
    found.clear()
    assert waiting.until(found).paths
    library.close()
    library.join(60)


def test_only_the_last_search_counts(root: Path, tmp_path: Path) -> None:
    waiting, found, gate = Waiting(), list[Found](), threading.Event()
    library = SessionLibrary(tmp_path / "index", root, waiting.calls.append)
    library.run(lambda: str(gate.wait(60)), lambda text, worked: None)
    for text in ("f", "fo", "fox", "foxe", "foxes"):
        library.search(parse_session_query(text), found.append)
    gate.set()
    assert waiting.until(found).query == "foxes" and len(found) == 1
    library.close()
    library.join(60)


def test_nothing_is_told_to_one_who_has_left(root: Path, tmp_path: Path) -> None:
    waiting, got = Waiting(), list[Listing]()
    library = SessionLibrary(tmp_path / "index", root, waiting.calls.append)
    library.close()
    library.list(got.append)
    library.join(60)
    assert waiting.calls == [] and got == []
