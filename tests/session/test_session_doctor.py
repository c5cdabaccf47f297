"""Damage found, and repaired without losing what is whole."""

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi.errors import SessionError
from pi.session.doctor import examine, salvage
from pi.session.history import History
from pi.session.journal import Journal
from pi.session.repair import Repaired, repair
from pi.session.source import FileSource, MemorySource
from tests.session.session_lines import assistant, dump, entry, file_bytes, header, parsed, user


def findings(*lines: Any, end: bytes = b"") -> list[tuple[str, int, str]]:
    source = MemorySource(file_bytes(*lines) + end)
    return [(one.kind, one.line, one.entry) for one in examine(source)]


def mended(path: Path, *lines: Any, end: bytes = b"") -> tuple[Repaired, list[Any]]:
    """Repair a file; the result, and the lines in it, which must be sound."""
    data = file_bytes(*lines) + end
    path.write_bytes(data)
    done = repair(path)
    if done.copy is None:
        assert path.read_bytes() == data
    else:
        assert done.copy.read_bytes() == data
        assert done.copy.parent == path.parent
        assert not done.copy.name.endswith(".jsonl")
    assert not any(one.is_damage for one in done.left)
    return done, parsed(path)


def way(path: Path) -> list[str]:
    """Ids from the root to the leaf."""
    source = FileSource(path)
    try:
        return [one["id"] for one in History(source).path()]
    finally:
        source.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s.jsonl"


def test_a_sound_session_has_none_and_is_left_alone(path: Path) -> None:
    lines = [header(), user("a", None), assistant("b", "a"), b"", user("c", "a"), user("r", None)]
    assert findings(*lines) == []
    done, _ = mended(path, *filter(None, lines))
    assert done.findings == ()
    assert [item.name for item in path.parent.iterdir()] == ["s.jsonl"]


def test_each_kind_with_its_line_and_entry() -> None:
    broken = dump(user("x", "a"))[:-5]
    assert findings(
        header(),
        user("a", None),
        b"garbage",
        b"",
        broken,
        broken + dump(assistant("b", "a")),
        header(id="other"),
        user("a", None, "another"),
        user("p", "nobody"),
        user("q", "s"),
        user("s", "q"),
        user("t", "t"),
        entry("future", "f", "a"),
        end=dump(user("z", "a"))[:30],
    ) == [
        ("damaged-line", 3, ""),
        ("damaged-line", 5, "x"),
        ("fused-lines", 6, "x"),
        ("extra-header", 7, ""),
        ("duplicate-id", 8, "a"),
        ("missing-parent", 9, "p"),
        ("cycle", 10, "q"),
        ("cycle", 12, "t"),
        ("unknown-type", 13, "f"),
        ("torn-end", 14, ""),
    ]


def test_lines_before_the_header_count_as_damage(path: Path) -> None:
    assert findings(b"\xff\xfe junk", b"", header(), user("a", None)) == [("damaged-line", 1, "")]
    _, lines = mended(path, b"junk", header(), user("a", None))
    assert [line["id"] for line in lines] == [header()["id"], "a"]


def test_what_is_no_session_is_said_and_left_alone(path: Path) -> None:
    ((kind, line, _),) = findings(b"nothing")
    assert (kind, line) == ("not-a-session", 0)
    path.write_bytes(b"nothing\n")
    done = repair(path)
    assert done.copy is None
    assert path.read_bytes() == b"nothing\n"


def test_remarks_are_no_damage(path: Path) -> None:
    old = {"type": "message", "timestamp": "2026", "message": {"role": "user", "content": "x"}}
    assert findings(header(version=None), old, old) == [("old-version", 0, "")]
    done, _ = mended(path, header(), entry("future", "f", None))
    assert done.copy is None
    assert [str(one) for one in done.findings] == [
        "line 2 (entry f) has a type that this version of pi does not know: future"
    ]


def test_broken_lines_go_and_their_children_follow_what_they_followed(path: Path) -> None:
    broken = dump(assistant("b", "a"))[:-5]
    _, lines = mended(
        path, header(), user("a", None), user("side", "a"), broken, user("c", "b"),
        end=dump(user("d", "c"))[:25],
    )  # fmt: skip
    assert [line["id"] for line in lines[1:]] == ["a", "side", "c"]
    assert way(path) == ["a", "c"]


def test_a_missing_parent_becomes_the_line_before(path: Path) -> None:
    _, lines = mended(path, header(), user("a", None), user("c", "lost"), user("d", "c"))
    assert way(path) == ["a", "c", "d"]
    assert lines[2]["message"] == user("c", "lost")["message"]
    _, lines = mended(path, header(), user("a", "lost"))
    assert lines[1]["parentId"] is None


def test_a_record_behind_a_torn_one_is_kept(path: Path) -> None:
    fused = dump(assistant("b", "a"))[:60] + dump(user("c", "b"))
    _, lines = mended(path, header(), user("a", None), fused)
    assert [line["id"] for line in lines[1:]] == ["a", "c"]
    assert way(path) == ["a", "c"]


def test_two_records_on_one_line_are_both_kept(path: Path) -> None:
    fused = dump(assistant("b", "a")) + dump(user("c", "b"))
    _, lines = mended(path, header(), user("a", None), fused)
    assert way(path) == ["a", "b", "c"]
    assert lines[2:] == [assistant("b", "a"), user("c", "b")]


def test_a_content_block_at_the_end_is_no_record() -> None:
    line = b'{"type":"message","id":"a","parentId":null,"message":{"content":['
    assert salvage(line + b'{"type":"toolCall","id":"call_1","name":"x"}') == []


def test_ids_given_twice_become_two(path: Path) -> None:
    same = assistant("a", None)
    _, lines = mended(
        path, header(), same, same, user("b", "a"), user("a", "b", "other"), user("c", "a")
    )
    assert [line["id"] for line in lines[1:3]] == ["a", "b"]
    renamed = lines[3]["id"]
    assert renamed not in ("a", "b", "c")
    assert lines[3]["message"] == user("a", "b", "other")["message"]
    assert way(path) == ["a", "b", renamed, "c"]


def test_an_entry_that_is_its_own_ancestor_follows_the_line_before(path: Path) -> None:
    mended(path, header(), user("a", None), user("b", "c"), user("c", "b"), user("d", "c"))
    assert way(path) == ["a", "b", "c", "d"]
    _, lines = mended(path, header(), user("a", "b"), user("b", "a"))
    assert lines[1]["parentId"] is None
    assert way(path) == ["a", "b"]


def test_whole_lines_stay_as_they_are_byte_for_byte(path: Path) -> None:
    odd = b'{ "type":"message", "id":"a","parentId":null,"x":1e3,"message":{"role":"user"} }'
    mended(path, header(), odd, b"garbage", user("b", "a"))
    assert path.read_bytes() == file_bytes(header(), odd, user("b", "a"))


def test_a_copy_never_takes_the_place_of_an_earlier_one(path: Path) -> None:
    first, _ = mended(path, header(), b"one")
    second, _ = mended(path, header(), b"two")
    assert first.copy is not None
    assert second.copy is not None
    assert (first.copy.name, second.copy.name) == ("s.jsonl.bak", "s.jsonl.bak.1")
    assert first.copy.read_bytes() == file_bytes(header(), b"one")


def test_a_session_that_is_open_is_not_repaired(path: Path) -> None:
    path.write_bytes(file_bytes(header(), b"garbage"))
    journal = Journal.open(path)
    try:
        with pytest.raises(SessionError, match="open in another pi"):
            repair(path)
    finally:
        journal.close()
    assert path.read_bytes() == file_bytes(header(), b"garbage")


def test_a_failure_leaves_everything_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = file_bytes(header(), b"garbage")
    path.write_bytes(data)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(SessionError, match="No space left"):
        repair(path)
    assert path.read_bytes() == data
    assert not [item for item in path.parent.iterdir() if item.name.endswith(".new")]


@given(seed=st.integers(0, 2**32), count=st.integers(0, 12))
@settings(max_examples=120, deadline=None)
def test_any_mess_becomes_a_sound_session_that_keeps_its_messages(
    seed: int, count: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = random.Random(seed)
    names = ["a", "b", "c", "d", "e"]
    lines: list[bytes] = [dump(header())]
    for number in range(count):
        line = dump(user(source.choice(names), source.choice([*names, None]), f"text {number}"))
        match source.randrange(6):
            case 0:
                line = line[: source.randrange(1, len(line))]
            case 1:
                line = line[: source.randrange(1, len(line))] + dump(
                    user("f", "a", f"kept {number}")
                )
            case _:
                pass
        lines.append(line)
    path = tmp_path_factory.mktemp("mess") / "s.jsonl"
    _, after = mended(path, *lines)
    texts = [line["message"]["content"][0]["text"] for line in after[1:]]
    whole = [
        f"text {number}"
        for number, line in enumerate(lines[1:])
        if f'"text {number}"'.encode() in line and line.count(b"parentId") == 1
        and line.endswith(b"}}")
    ]  # fmt: skip
    assert [text for text in texts if text in whole] == whole
    again = repair(path)
    assert again.copy is None
