"""The list: what it says of a session, and what it costs when files change."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pi.session.index import catalog
from pi.session.index.catalog import SessionIndex
from pi.session.index.survey import survey
from tests.session.session_lines import (
    assistant,
    compaction,
    dump,
    entry,
    file_bytes,
    header,
    message,
    system,
    user,
    write,
)

Talk = Callable[..., Path]


def said(id: str, parent: str | None, role: str, content: Any, at: Any) -> dict[str, Any]:
    line = message(id, parent, role, content)
    line["message"]["timestamp"] = at
    return line


def append(path: Path, *lines: Any) -> None:
    with path.open("ab") as out:
        out.write(file_bytes(*lines))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the session files that were opened."""
    opened: list[str] = []
    real = catalog.FileSource

    class Noting(real):  # type: ignore[valid-type, misc]
        def __init__(self, path: Path) -> None:
            opened.append(path.name)
            super().__init__(path)

    monkeypatch.setattr(catalog, "FileSource", Noting)
    return opened


def test_everything_a_list_shows(index: SessionIndex, root: Path) -> None:
    path = write(
        root / "--work--" / "a.jsonl",
        header(id="one", parentSession="/elsewhere.jsonl"),
        system("s", None),
        entry("session_info", "n", "s", name=" First\tname "),
        said("i", "n", "user", [{"type": "image", "data": "x"}], 10),
        said(
            "u",
            "i",
            "user",
            [{"type": "text", "text": " hello\nworld "}, {"type": "text", "text": "two"}],
            5_000,
        ),
        said("a", "u", "assistant", [{"type": "text", "text": "answer"}], 9_000),
        said("t", "a", "toolResult", [{"type": "text", "text": "tool"}], 99_000),
        said("u2", "t", "user", "plain", 7_000),
        entry("custom_message", "c", "u2", customType="x", content="note", display=True),
    )
    (one,) = index.sessions(root)
    assert one.path == path
    assert one.size == path.stat().st_size
    summary = one.summary
    assert (summary.id, summary.cwd, summary.parent) == ("one", "/work", "/elsewhere.jsonl")
    assert summary.name == "First\tname"
    assert summary.first == " hello\nworld  two"
    assert summary.created == "2026-11-23T18:36:05.000Z"
    assert (summary.messages, summary.user_messages, summary.assistant_messages) == (6, 3, 1)
    assert one.used == 9_000, "the latest of user and assistant, wherever it stands"
    assert index.notices == []


@pytest.mark.parametrize("loose", [False, True], ids=["compact", "spaced"])
def test_lines_in_an_unusual_order_count_like_others(
    index: SessionIndex, root: Path, loose: bool
) -> None:
    import json

    lines = [header(), user("u", None, "hi"), assistant("a", "u")]
    turned = [dict(reversed(line.items())) for line in lines]
    written = [json.dumps(line).encode() if loose else dump(line) for line in turned]
    write(root / "x.jsonl", *written)
    (one,) = index.sessions(root)
    assert one.summary.messages == 2
    assert one.summary.first == "hi"
    assert one.used == 1


def test_a_missing_message_time_falls_back_on_the_entry_and_that_on_the_header(
    index: SessionIndex, root: Path
) -> None:
    write(root / "entry.jsonl", header(id="e"), said("u", None, "user", "x", None))
    write(root / "header.jsonl", header(id="h", timestamp="2026-11-24T00:00:00.000Z"))
    neither = write(root / "neither.jsonl", header(id="n", timestamp="yesterday"))
    os.utime(neither, (1_000, 1_000))
    used = {one.summary.id: one.used for one in index.sessions(root)}
    assert used == {"e": 1795458965000, "h": 1795478400000, "n": 1_000_000}
    assert [one.summary.id for one in index.sessions(root)] == ["h", "e", "n"]


def test_the_last_name_counts_and_an_empty_one_takes_it_away(
    index: SessionIndex, root: Path
) -> None:
    path = write(
        root / "x.jsonl",
        header(),
        entry("session_info", "a", None, name="old"),
        entry("session_info", "b", "a", name="new"),
    )
    assert index.sessions(root)[0].summary.name == "new"
    append(path, entry("session_info", "c", "b", name="  "))
    assert index.sessions(root)[0].summary.name is None
    assert index.sessions(root)[0].title == ""


def test_version_1_files_are_listed(index: SessionIndex, root: Path) -> None:
    old = {"type": "message", "timestamp": "2026-01-05T00:00:00.000Z"}
    write(
        root / "old.jsonl",
        header(version=None),
        {**old, "message": {"role": "user", "content": "from long ago", "timestamp": 5}},
    )
    (one,) = index.sessions(root)
    assert (one.summary.first, one.summary.messages, one.used) == ("from long ago", 1, 5)


def test_unchanged_files_are_not_opened(
    file: Path, root: Path, talk: Talk, reads: list[str]
) -> None:
    talk("a", "one")
    talk("b", "two")
    with SessionIndex(file) as index:
        assert len(index.sessions(root)) == 2
        assert len(reads) == 2
        assert len(index.sessions(root)) == 2
    with SessionIndex(file) as index:
        assert len(index.sessions(root)) == 2
    assert len(reads) == 2
    talk("c", "three")
    with SessionIndex(file) as index:
        assert len(index.sessions(root)) == 3
    assert len(reads) == 3


def test_a_file_that_grew_is_read_from_its_old_end(
    index: SessionIndex, root: Path, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = talk("a", "one", "x" * 100_000)
    index.sessions(root)
    before = path.stat().st_size
    append(path, user("u2", "a-1", "more"), compaction("k", "u2", "u2"))
    spans: list[tuple[int, int]] = []
    real = catalog.FileSource.read

    def noting(self: Any, start: int, end: int) -> bytes:
        spans.append((start, end))
        return real(self, start, end)

    monkeypatch.setattr(catalog.FileSource, "read", noting)
    (one,) = index.sessions(root)
    assert one.summary.user_messages == 2
    assert one.summary.messages == 3
    assert one.summary.first == "one"
    assert sum(end - start for start, end in spans if start < before) < 20_000
    # The same as reading it all at once gives.
    with SessionIndex(root.parent / "other.sqlite") as fresh:
        assert fresh.sessions(root)[0].summary == one.summary


def test_a_last_line_in_the_making_is_read_when_it_is_whole(
    index: SessionIndex, root: Path, talk: Talk
) -> None:
    path = talk("a", "one")
    line = file_bytes(assistant("x", "a-0"))
    with path.open("ab") as out:
        out.write(line[:40])
    assert index.sessions(root)[0].summary.messages == 1
    with path.open("ab") as out:
        out.write(line[40:-1])
    assert index.sessions(root)[0].summary.messages == 2
    with path.open("ab") as out:
        out.write(b"\n" + file_bytes(user("y", "x")))
    assert index.sessions(root)[0].summary.messages == 3


def test_a_line_that_went_on_after_it_looked_whole_is_read_again(
    index: SessionIndex, root: Path, talk: Talk
) -> None:
    path = talk("a", "one")
    line = file_bytes(assistant("x", "a-0"))[:-1]
    with path.open("ab") as out:
        out.write(line)
    assert index.sessions(root)[0].summary.messages == 2
    with path.open("ab") as out:
        out.write(b"garbage\n")
    assert index.sessions(root)[0].summary.messages == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda path, data: path.write_bytes(data.replace(b"first", b"other") + data[-200:]),
        lambda path, data: path.write_bytes(data[: data.rfind(b"\n", 0, -1) + 1]),
        lambda path, data: (path.unlink(), path.write_bytes(data.replace(b"first", b"prior"))),
        lambda path, data: os.replace(
            write(path.with_name("new"), header(id="a"), user("u", None, "b" * 5000)), path
        ),
    ],
    ids=["rewritten longer", "shortened", "deleted and written again", "replaced"],
)
def test_a_file_that_did_not_just_grow_is_read_anew(
    index: SessionIndex, file: Path, root: Path, talk: Talk, change: Any
) -> None:
    path = talk("a", "the first words", "an answer", "more words")
    index.search(root, "words")
    change(path, path.read_bytes())
    os.utime(path, ns=(1, 1))
    (one,) = index.sessions(root)
    with SessionIndex(file.with_name("fresh.sqlite")) as fresh:
        (expected,) = fresh.sessions(root)
        assert one == expected
        for word in ("first", "other", "prior", "words", "answer"):
            ours = {hit.excerpt.text for hit in index.search(root, word, every_entry=True)}
            assert ours == {
                hit.excerpt.text for hit in fresh.search(root, word, every_entry=True)
            }, word


def test_deleted_files_go_and_with_them_their_texts(
    index: SessionIndex, root: Path, talk: Talk
) -> None:
    gone, kept = talk("a", "unicorn one"), talk("b", "unicorn two")
    assert len(index.search(root, "unicorn")) == 2
    gone.unlink()
    assert [one.path for one in index.sessions(root)] == [kept]
    assert [hit.session.path for hit in index.search(root, "unicorn")] == [kept]
    database = index._database.connection
    assert database.execute("SELECT count(*) FROM entries").fetchone() == (1,)
    assert database.execute("SELECT count(*) FROM texts").fetchone() == (1,)


def test_one_storage_does_not_push_another_out(
    index: SessionIndex, root: Path, talk: Talk, tmp_path: Path, reads: list[str]
) -> None:
    talk("a", "one")
    other = tmp_path / "elsewhere"
    write(other / "b.jsonl", header(id="b"), user("u", None, "two"))
    assert [one.summary.id for one in index.sessions(root)] == ["a"]
    assert [one.summary.id for one in index.sessions(other)] == ["b"]
    assert [one.summary.id for one in index.sessions(root)] == ["a"]
    assert len(reads) == 2


def test_what_is_no_session_is_skipped_and_reported(
    index: SessionIndex, root: Path, talk: Talk, reads: list[str]
) -> None:
    talk("a", "one")
    bad = root / "--work--" / "bad.jsonl"
    bad.write_bytes(b"junk\n")
    (root / "empty.jsonl").touch()
    (root / "notes.txt").write_text("no session")
    (root / "dangling.jsonl").symlink_to(root / "nowhere")
    for _ in range(2):
        assert len(index.sessions(root)) == 1
        (notice,) = index.notices
        assert str(bad) in notice
        assert "Skipped" in notice
    assert len(reads) == 2, "that it is none is known as long as it does not change"
    write(bad, header(id="b"))
    assert len(index.sessions(root)) == 2
    assert index.notices == []


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything"
)
def test_what_may_not_be_read_is_skipped_and_reported(
    index: SessionIndex, root: Path, talk: Talk
) -> None:
    path = talk("a", "one")
    path.chmod(0)
    assert index.sessions(root) == []
    assert str(path) in index.notices[0]
    path.chmod(0o600)
    assert len(index.sessions(root)) == 1


def test_no_storage_is_an_empty_list(index: SessionIndex, tmp_path: Path) -> None:
    assert index.sessions(tmp_path / "nothing") == []
    assert index.notices == []


def test_names_of_files_may_be_any_bytes(index: SessionIndex, root: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(root) + b"/\xff\xfe.jsonl"))
    try:
        write(path, header(), user("u", None, "odd name"))
    except OSError:
        pytest.skip("this file system wants UTF-8")
    assert index.sessions(root)[0].path == path
    assert index.search(root, "odd")[0].session.path == path


def test_texts_may_hold_what_databases_do_not_take(index: SessionIndex, root: Path) -> None:
    line = dump(user("u", None, "half PAIR nul NUL end"))
    line = line.replace(b"PAIR", b"\\ud83d").replace(b"NUL", b"\\u0000")
    write(root / "x.jsonl", header(cwd="/\ud83d"), line)
    (one,) = index.sessions(root)
    assert one.summary.first == "half ? nul   end"
    assert index.search(root, "end")[0].excerpt.marks


def test_the_survey_covers_its_own_two_levels_only(root: Path) -> None:
    found = survey(root)
    base = os.fsencode(root)
    assert found.covers(base + b"/a.jsonl")
    assert found.covers(base + b"/folder/a.jsonl")
    assert not found.covers(base + b"/folder/deeper/a.jsonl")
    assert not found.covers(os.path.dirname(base) + b"/a.jsonl")
    found.unread[base + b"/folder"] = "no"
    assert not found.covers(base + b"/folder/a.jsonl")


def test_peeking_reads_no_file(
    index: SessionIndex, root: Path, talk: Talk, reads: list[str]
) -> None:
    assert index.peek(root) == ([], [])
    old, new = talk("old", "a"), talk("new", "b")
    os.utime(old, (1, 1))
    assert index.peek(root) == ([], [new, old])
    assert reads == []
    listed = index.sessions(root)
    assert index.peek(root) == (listed, [])
    append(new, user("more", "new-0"))
    known, unread = index.peek(root)
    assert [one.path for one in known] == [old] and unread == [new]
