"""Reading from the end gives what reading everything gives."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.session.context import build_context
from pi.session.history import Damage, History
from pi.session.source import MemorySource
from tests.session.session_lines import (
    assistant,
    compaction,
    dump,
    edit,
    entry,
    file_bytes,
    header,
    system,
    user,
)

WHOLE = 1 << 30
BACKWARD = -1


def opened(data: bytes, small: int, block: int = 7) -> History:
    return History(MemorySource(data), small=small, first_block=block)


def ids(steps: list[Any]) -> list[str]:
    return [step["id"] for step in steps]


@st.composite
def trees(draw: st.DrawFn) -> list[Any]:
    """Lines behind a header: branches, orphans, repeated ids, parents that come later, garbage."""
    names = st.sampled_from("abcdefgh")
    lines: list[Any] = []
    for _ in range(draw(st.integers(0, 14))):
        name, parent = draw(names), draw(st.none() | names)
        other = draw(names)
        line = draw(
            st.sampled_from(
                [
                    user(name, parent),
                    assistant(name, parent, model=other, thinkingLevel="low"),
                    system(name, parent),
                    compaction(name, parent, other),
                    edit(name, parent, other, None),
                    edit(name, parent, other, {"content": "new"}),
                    entry("session_info", name, parent, name=other),
                    entry("thinking_level_change", name, parent, thinkingLevel="high"),
                    entry("model_change", name, parent, provider="p", modelId=other),
                    entry("custom", name, parent, customType="c", data={"parentId": "z"}),
                    b"{torn",
                    b"",
                    dump(user(name, parent))[:-5],
                    b"\0\0",
                    json.dumps(user(name, parent), indent=None).encode() + b"\r",
                    header(id="another"),
                ]
            )
        )
        lines.append(line)
    return lines


def plain_reading(lines: list[Any]) -> tuple[str | None, list[str]]:
    """Leaf and path, by decoding every line: the definition the fast ways are held to."""
    rows: list[tuple[str, str | None]] = []
    for line in lines:
        try:
            value = json.loads(dump(line))
        except ValueError:
            continue
        if value["type"] != "session":
            rows.append((value["id"], value["parentId"]))
    if not rows:
        return None, []
    path: list[int] = []
    at: int | None = len(rows) - 1
    while at is not None and at not in path:
        path.append(at)
        wanted = rows[at][1]
        before = [row for row in range(at) if rows[row][0] == wanted]
        anywhere = [row for row in range(len(rows)) if rows[row][0] == wanted]
        at = before[-1] if before else anywhere[-1] if anywhere else None
    return rows[-1][0], [rows[row][0] for row in reversed(path)]


@given(trees(), st.integers(1, 50), st.booleans())
def test_every_way_of_reading_agrees(lines: list[Any], block: int, closed: bool) -> None:
    data = file_bytes(header(), *lines)
    if not closed:
        data = data[:-1]
    leaf, path = plain_reading(lines)
    contexts = []
    for small in (WHOLE, BACKWARD):
        history = opened(data, small, block)
        assert history.leaf == leaf
        assert ids(history.path()) == path
        contexts.append((build_context(history), history.name))
    assert contexts[0] == contexts[1]


@given(trees())
def test_the_index_knows_every_entry(lines: list[Any]) -> None:
    history = opened(file_bytes(header(), *lines), BACKWARD)
    index = history.index()
    values = []
    for line in lines:
        try:
            values.append(json.loads(dump(line)))
        except ValueError:
            continue
    values = [value for value in values if value["type"] != "session"]
    assert index.ids == [value["id"] for value in values]
    assert [index.type(row) for row in range(len(index))] == [value["type"] for value in values]
    assert list(history.entries()) == values
    for row in range(len(index)):
        assert len(list(index.up(row))) <= len(index)
    assert sorted(row for rows in index.children().values() for row in rows) == list(
        range(len(index))
    )


@pytest.mark.parametrize("small", [WHOLE, BACKWARD])
def test_orphans_and_cycles_end(small: int) -> None:
    orphan = opened(file_bytes(header(), user("a", None), user("b", "gone"), user("c", "b")), small)
    assert ids(orphan.path()) == ["b", "c"]
    assert ids(opened(file_bytes(header(), user("a", "a")), small).path()) == ["a"]
    circle = opened(file_bytes(header(), user("a", "c"), user("b", "a"), user("c", "b")), small)
    assert ids(circle.path()) == ["a", "b", "c"]


@pytest.mark.parametrize("small", [WHOLE, BACKWARD])
def test_a_repeated_id_means_the_nearest_before(small: int) -> None:
    lines = [user("a", None, "old"), user("b", "a"), user("a", "b", "new"), user("c", "a")]
    assert ids(opened(file_bytes(header(), *lines), small).path()) == ["a", "b", "a", "c"]


@pytest.mark.parametrize("small", [WHOLE, BACKWARD])
def test_a_line_damaged_inside_does_not_cost_what_is_before_it(small: int) -> None:
    broken = dump(user("b", "a")).replace(b'"role":', b'"role"#')
    history = opened(file_bytes(header(), user("a", None), broken, user("c", "b")), small)
    if small == WHOLE:
        assert history.damage() == Damage(1, 3)
    assert ids(history.path()) == ["a", "c"]
    assert history.damage() == Damage(1, 3)


def test_damage_is_counted_with_its_first_line() -> None:
    data = file_bytes(header(), user("a", None), b"", b"{torn", user("b", "a"), b"42", b"\0")
    assert opened(data, WHOLE).damage() == Damage(3, 4)
    assert opened(data[: data.index(b"\n") + 1], WHOLE).damage() is None
    backward = opened(data, BACKWARD)
    backward.path()
    assert backward.damage() == Damage(3, 4)


@pytest.mark.parametrize("small", [WHOLE, BACKWARD])
@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], None),
        (["one"], "one"),
        (["one", " two "], "two"),
        (["one", ""], None),
        (["one", None], None),
    ],
)
def test_the_latest_name_of_any_branch(small: int, names: list[Any], expected: str | None) -> None:
    infos = [
        entry("session_info", f"i{number}", None, **({} if name is None else {"name": name}))
        for number, name in enumerate(names)
    ]
    history = opened(file_bytes(header(), *infos, user("z", None, "no session_info here")), small)
    assert history.name == expected


class Counting(MemorySource):
    count = 0

    def read(self, start: int, end: int) -> bytes:
        self.count += end - start
        return super().read(start, end)


def test_opening_a_large_session_reads_its_end_only() -> None:
    lines: list[Any] = [header(), entry("thinking_level_change", "t", None, thinkingLevel="low")]
    parent = "t"
    for number in range(3000):
        lines.append(user(f"u{number}", parent, "x" * 1000))
        parent = f"u{number}"
    lines += [compaction("k", parent, "u2998"), assistant("z", "k", thinkingLevel="high")]
    data = file_bytes(*lines)
    source = Counting(data)
    history = History(source, small=1000)
    context = build_context(history, look_back=10_000)
    assert [message["role"] for message in context.messages] == [
        "compactionSummary",
        "user",
        "user",
        "assistant",
    ]
    assert context.model == ("mock", "m1")
    assert context.thinking_level == "high"
    assert not history.whole
    assert source.count < len(data) / 5
    # With everything in reach the level is what was last chosen, whatever an answer says.
    assert build_context(History(MemorySource(data))).thinking_level == "low"


def test_what_lies_beyond_a_far_branch_is_not_searched_for() -> None:
    lines: list[Any] = [
        header(),
        entry("model_change", "m", None, provider="p", modelId="first"),
        user("a", "m"),
        *(user(f"u{number}", "a", "x" * 1000) for number in range(3000)),
        user("b", "a"),
        compaction("k", "b", "b"),
    ]
    source = Counting(file_bytes(*lines))
    context = build_context(History(source, small=1000), look_back=10_000)
    assert context.entry_ids == ["k", "b"]
    assert context.model == ("p", "first")
    assert source.count < source.size / 5


def test_a_level_nobody_near_names_is_taken_from_the_head() -> None:
    lines: list[Any] = [
        header(),
        entry("model_change", "m", None, provider="p", modelId="first"),
        entry("thinking_level_change", "t", "m", thinkingLevel="low"),
    ]
    parent = "t"
    for number in range(300):
        lines.append(user(f"u{number}", parent, "x" * 1000))
        parent = f"u{number}"
    lines.append(compaction("k", parent, "k"))
    history = opened(file_bytes(*lines), BACKWARD, 4096)
    context = build_context(history, look_back=1000)
    assert not history.whole
    assert context.model == ("p", "first")
    assert context.thinking_level == "low"
