import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pi.modes.interactive.pickers.session_library import SessionLibrary, delete_session
from pi.modes.interactive.pickers.session_query import parse_session_query
from pi.modes.interactive.pickers.session_rows import age
from pi.modes.interactive.pickers.sessions import SessionPicker
from pi.modes.interactive.pickers.stage import Stage
from pi.session.index.catalog import SessionIndex
from pi.session.store import SessionStore

from .conftest import Done, Loop, golden, press, screen, type_in

NOW = 1_760_000_000
HOUR = 3600


def write(
    root: Path, name: str, *texts: str, cwd: str = "/home/me/here", age: int = HOUR, **more: Any
) -> Path:
    """A session with what was said in turn by user and assistant, the last of it `age` s ago."""
    folder = root / f"--{cwd[1:].replace('/', '-')}--"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.jsonl"
    stamp = "2025-10-09T08:53:20.000Z"
    header = {"type": "session", "version": 3, "id": name, "timestamp": stamp, "cwd": cwd}
    if parent := more.get("parent"):
        header["parentSession"] = str(parent)
    lines: list[Any] = [header]
    last = None
    for at, text in enumerate(texts):
        said = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(NOW - age))
        lines.append(
            {
                "type": "message",
                "id": f"{at:08x}",
                "parentId": last,
                "timestamp": said,
                "message": {
                    "role": "assistant" if at % 2 else "user",
                    "content": [{"type": "text", "text": text}],
                    "timestamp": (NOW - age) * 1000,
                },
            }
        )
        last = f"{at:08x}"
    if title := more.get("title"):
        lines.append({"type": "session_info", "id": "ffffffff", "parentId": last,
                      "timestamp": stamp, "name": title})  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "sessions"
    first = write(root, "one", "what is in a.txt?", "It says hello.", "and foxes?", "Red.")
    write(root, "two", "what is in a.txt?", "Hello!", parent=first, age=5 * 60)
    write(root, "three", "Tell about zebras", "Striped.", title="my zebra session", age=10)
    write(root, "four", "李子 wide 🍑 title \x1b[31m with\nlines", cwd="/srv/other", age=9 * 86400)
    return root


@pytest.fixture
def make(
    root: Path, tmp_path: Path, stage: Stage, done: Done, loop: Loop
) -> Iterator[Callable[..., SessionPicker]]:
    libraries: list[SessionLibrary] = []

    def make(**more: Any) -> SessionPicker:
        calls: list[Callable[[], None]] = []
        library = SessionLibrary(tmp_path / "index.sqlite", root, calls.append)
        libraries.append(library)
        panel = SessionPicker(
            stage,
            done,
            library,
            **{
                "is_here": lambda one: one.summary.cwd == "/home/me/here",
                "home": Path("/home/me"),
                "now": lambda: NOW,
                **more,
            },
        )

        def settle(until: Callable[[], bool] = lambda: True) -> None:
            deadline = time.monotonic() + 60
            while not (panel.complete and until()):
                assert time.monotonic() < deadline
                loop.run(0.2)
                while calls:
                    calls.pop(0)()
                time.sleep(0.002)

        panel.settle = settle  # type: ignore[attr-defined]
        settle()
        return panel

    yield make
    for library in libraries:
        library.close()
        library.join(60)


def shown(panel: SessionPicker) -> list[str]:
    return [row.session.summary.id for row in panel.rows]


def find(panel: Any, text: str) -> list[str]:
    press(panel, "ctrl+u")
    type_in(panel, text)
    panel.settle()
    return shown(panel)


def test_looks(make: Callable[..., SessionPicker], root: Path) -> None:
    panel = make(current=root / "--home-me-here--" / "three.jsonl")
    golden(panel, "sessions", height=12)
    press(panel, "tab")
    golden(panel, "sessions-all", height=12)
    for columns in range(20, 201, 20):
        screen(panel, columns, 14)


def test_threads_and_other_orders(make: Callable[..., SessionPicker]) -> None:
    panel = make()
    assert shown(panel) == ["three", "one", "two"]
    assert [row.lead for row in panel.rows] == ["", "", "└─ "]
    press(panel, "ctrl+s")
    assert shown(panel) == ["three", "two", "one"]
    press(panel, "ctrl+s", "ctrl+s")
    assert shown(panel) == ["three", "one", "two"]


def test_scope_and_choice(make: Callable[..., SessionPicker], done: Done) -> None:
    panel = make()
    press(panel, "tab")
    assert "four" in shown(panel)
    press(panel, "up", "enter")
    assert done.value.name == "four.jsonl"


def test_names_only_and_paths(make: Callable[..., SessionPicker]) -> None:
    panel = make()
    press(panel, "ctrl+n")
    assert shown(panel) == ["three"]
    assert ".jsonl" not in screen(panel)
    press(panel, "ctrl+p")
    assert "three.jsonl" in screen(panel, 200)
    press(panel, "ctrl+n")
    assert len(shown(panel)) == 3


def test_search_in_titles_and_in_what_was_said(make: Callable[..., SessionPicker]) -> None:
    panel = make()
    assert find(panel, "zebra") == ["three"]
    assert find(panel, "foxes") == ["one"]
    assert "foxes" in screen(panel, 80).split("\n")[-4]
    assert find(panel, '"and foxes"') == ["one"]
    assert find(panel, '"foxes and"') == []
    assert find(panel, "re:fo.es") == ["one"]
    assert find(panel, "re:ZEBRA") == ["three"]
    assert find(panel, "re:(fo") == []
    assert "No expression" in screen(panel)
    assert find(panel, "re:") == []
    assert find(panel, "a.txt here") == ["two", "one"]
    assert find(panel, "!?") == []
    assert find(panel, "") == ["three", "one", "two"]


def test_relevance(make: Callable[..., SessionPicker]) -> None:
    panel = make()
    press(panel, "ctrl+s", "ctrl+s")
    assert find(panel, "zebra session")[0] == "three"
    assert find(panel, "hello") == ["two", "one"] or find(panel, "hello") == ["one", "two"]


def test_escape_and_every_moving_key(make: Callable[..., SessionPicker], done: Done) -> None:
    panel = make()
    press(panel, "down", "pageDown", "pageUp", "up")
    assert panel.current is not None and panel.current.summary.id == "two"
    press(panel, "escape")
    assert done.value is None


def test_rename(make: Callable[..., SessionPicker], root: Path) -> None:
    panel = make()
    press(panel, "down", "ctrl+r")
    assert "Rename session" in screen(panel)
    type_in(panel, "a name")
    press(panel, "enter")
    assert "a name" in screen(panel)
    assert panel.current is not None and panel.current.summary.name == "a name"
    with SessionStore.open(root / "--home-me-here--" / "one.jsonl") as store:
        assert store.name == "a name"
    press(panel, "ctrl+r", "escape")
    press(panel, "ctrl+r", "ctrl+u", "enter")
    assert panel.current.summary.name is None


def test_a_session_that_is_open_elsewhere_cannot_be_renamed(
    make: Callable[..., SessionPicker], root: Path
) -> None:
    panel = make()
    with SessionStore.open(root / "--home-me-here--" / "three.jsonl"):
        press(panel, "ctrl+r")
        type_in(panel, "x")
        press(panel, "enter")
        assert "three.jsonl" in screen(panel, 200)


def test_delete(make: Callable[..., SessionPicker], root: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    panel: Any = make()
    press(panel, "ctrl+d")
    assert "Delete this session?" in screen(panel)
    press(panel, "x", "escape")
    assert len(shown(panel)) == 3
    press(panel, "ctrl+backspace", "enter")
    panel.settle(lambda: len(panel.rows) == 2)
    assert shown(panel) == ["one", "two"]
    assert "Deleted." in screen(panel)
    assert not (root / "--home-me-here--" / "three.jsonl").exists()


def test_the_open_one_cannot_be_deleted(
    make: Callable[..., SessionPicker], root: Path, loop: Loop
) -> None:
    path = root / "--home-me-here--" / "three.jsonl"
    panel = make(current=path)
    press(panel, "ctrl+d", "enter")
    assert path.exists()
    press(panel2 := make(current=path), "ctrl+d")
    assert "cannot be deleted" in screen(panel2)
    loop.run(10)
    assert "cannot be deleted" not in screen(panel2)


def test_what_cannot_be_deleted_is_told(make: Callable[..., SessionPicker]) -> None:
    def refuse(path: Path) -> str:
        raise __import__("pi.errors").errors.SessionError(f"no: {path.name}")

    panel: Any = make(delete=refuse)
    press(panel, "ctrl+d", "enter")
    panel.settle(lambda: "no: three.jsonl" in screen(panel))
    assert len(shown(panel)) == 3


def test_trash(tmp_path: Path, monkeypatch: Any) -> None:
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    trash = bin_ / "trash"
    trash.write_text(f'#!/bin/sh\nmv "$1" {tmp_path}/trashed\n')
    trash.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_}:{os.environ['PATH']}")
    path = tmp_path / "-s.jsonl"
    path.write_text("x")
    assert delete_session(path) == "Moved to the trash."
    assert (tmp_path / "trashed").exists()
    trash.write_text("#!/bin/sh\nexit 1\n")
    path.write_text("x")
    assert delete_session(path) == "Deleted." and not path.exists()
    assert delete_session(path) == "Moved to the trash."  # gone already: all the same


def test_no_sessions(make: Callable[..., SessionPicker], root: Path, done: Done) -> None:
    panel = make(is_here=lambda one: False)
    assert len(shown(panel)) == 4  # of all folders, then
    for file in root.rglob("*.jsonl"):
        file.unlink()
    panel = make()
    assert "No sessions in this folder" in screen(panel)
    press(panel, "tab", "enter", "ctrl+d", "ctrl+r", "up", "down")
    assert "No sessions." in screen(panel)
    assert done.values == []


def test_forks_in_a_circle_are_all_shown(make: Callable[..., SessionPicker], root: Path) -> None:
    here = root / "--home-me-here--"
    write(root, "a", "x", parent=here / "b.jsonl")
    write(root, "b", "y", parent=here / "a.jsonl")
    write(root, "c", "z", parent=here / "c.jsonl")
    assert {"a", "b", "c"} <= set(shown(make()))


def test_a_cold_index_shows_the_newest_first(root: Path, tmp_path: Path) -> None:
    for number in range(60):
        path = write(root, f"many{number}", f"text {number}", age=1000 + number)
        os.utime(path, (number, number))
    got: list[Any] = []
    calls: list[Callable[[], None]] = []
    library = SessionLibrary(tmp_path / "cold.sqlite", root, calls.append)
    library.list(got.append)
    deadline = time.monotonic() + 60
    while len(got) < 2:
        assert time.monotonic() < deadline
        while calls:
            calls.pop(0)()
        time.sleep(0.002)
    library.close()
    library.join(60)
    assert not got[0].complete and len(got[0].sessions) == 40
    assert got[1].complete and len(got[1].sessions) == 64
    with SessionIndex(tmp_path / "cold.sqlite") as index:
        known, unread = index.peek(root)
        assert len(known) == 64 and unread == []


def test_queries() -> None:
    query = parse_session_query(' fix "the Login" a/b ')
    assert (query.words, query.phrases) == (("fix", "a", "b"), ("the login",))
    assert parse_session_query('"open').phrases == ("open",)
    assert parse_session_query("re:[").problem


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "now"), (59, "now"), (60, "1m"), (3600, "1h"), (90000, "1d"), (8 * 86400, "1w"),
     (400 * 86400, "1y"), (10**12, "999y")],
)  # fmt: skip
def test_age(seconds: int, text: str) -> None:
    assert age(int((NOW - seconds) * 1000), NOW) == text
