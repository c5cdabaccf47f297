"""The tree of a whole file: blocks, a second thread, labels, totals."""

from pathlib import Path
from typing import Any

import pytest

from pi.session import history, tree
from pi.session.reader import read_header
from pi.session.source import FileSource, MemorySource
from pi.session.tree import Totals, TreeIndex
from tests.session.session_lines import assistant, compaction, entry, file_bytes, header, user


def index(source: Any) -> TreeIndex:
    return TreeIndex.build(source, read_header(source)[1], source.size)


def usage(count: int, cost: float) -> dict[str, Any]:
    figures = {"input": count, "output": 2 * count, "cacheRead": 3, "cacheWrite": 0.5}
    return {**figures, "totalTokens": 9, "cost": {"input": 9, "total": cost}}


@pytest.mark.parametrize("large", [0, 1 << 30], ids=["two threads", "one"])
def test_a_file_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: int) -> None:
    lines: list[Any] = [header()]
    for number in range(300):
        lines.append(user(f"u{number}", f"u{number - 1}" if number else None, "x" * number))
        lines.append(b"{torn" if number % 100 == 50 else b"")
    path = tmp_path / "s.jsonl"
    path.write_bytes(file_bytes(*lines)[:-1])
    monkeypatch.setattr(tree, "LARGE", large)
    monkeypatch.setattr(tree, "LARGE_BLOCK", 1000)
    monkeypatch.setattr(tree, "BLOCK", 1000)
    source = FileSource(path)
    found = index(source)
    assert found.ids == [f"u{number}" for number in range(300)]
    assert list(found.up(299)) == list(range(299, -1, -1))
    assert found.leaves() == [299]
    assert len(found.garbage) == 3
    begin, end = found.span(299)
    assert source.read(begin, end).startswith(b'{"type":"message","id":"u299"')
    source.close()


def test_what_was_cut_off_meanwhile_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(file_bytes(header(), user("a", None), user("b", "a")))
    source = FileSource(path)
    path.write_bytes(file_bytes(header(), user("a", None)))
    assert index(source).ids == ["a"]
    source.close()


def test_labels_and_totals() -> None:
    tool = user("t", "b")
    tool["message"] |= {"role": "toolResult", "usage": usage(5, 0.25)}
    data = file_bytes(
        header(),
        user("a", None, '"usage":{"input":1000}'),
        assistant("b", "a", usage=usage(1, 0.1), details={"usage": usage(1000, 9)}),
        tool,
        entry("usage", "u", "t", kind="cache_warm", usage=usage(10, 0.30000000000000004)),
        compaction("k", "u", "a", usage=usage(100, 1e-7)),
        entry("custom", "c", "k", customType="x", usage=usage(1000, 9)),
        assistant("d", "c", usage={"input": "many", "cost": None}),
        entry("label", "l1", "d", targetId="a", label="one"),
        entry("label", "l2", "l1", targetId="b", label="two"),
        entry("label", "l3", "l2", targetId="a"),
    )
    source = MemorySource(data)
    found = index(source)
    assert found.labels(source) == {"b": "two"}
    total = found.totals(source)
    assert total == Totals(116, 232, 12, 2, 0.1 + 0.25 + 0.30000000000000004 + 1e-7)
    assert total.tokens == 362
    row = found.row("b")
    assert row is not None
    assert found.totals(source, [row]) == Totals(1, 2, 3, 0.5, 0.1)
    assert found.totals(source, []) == Totals()


def test_a_name_far_back_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "NEAR", 500)
    info = entry("session_info", "i", None, name="far")
    data = file_bytes(header(), info, *(user(f"u{number}", "i") for number in range(50)))
    found = history.History(MemorySource(data), small=-1)
    assert found.name == "far"
    assert found.whole
    near = history.History(MemorySource(data + file_bytes({**info, "id": "j"})), small=-1)
    assert near.name == "far"
    assert not near.whole
