import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pi.modes.interactive.pickers.stage import Stage
from pi.modes.interactive.pickers.tree import TreeChoice, TreePicker
from pi.modes.interactive.pickers.tree_shape import make_shape
from pi.session.store import SessionStore

from ....session.session_lines import assistant, dump, entry, header, message, system, user
from .conftest import Done, Loop, golden, press, screen, type_in


def call(id: str, parent: str, tool: str, **arguments: Any) -> dict[str, Any]:
    content = [{"type": "toolCall", "id": f"call-{id}", "name": tool, "arguments": arguments}]
    return message(id, parent, "assistant", content, stopReason="toolUse")


def result(id: str, parent: str, of: str, **fields: Any) -> dict[str, Any]:
    return message(id, parent, "toolResult", [{"type": "text", "text": "out"}],
                   toolCallId=f"call-{of}", toolName="read", **fields)  # fmt: skip


LINES = [
    header(),
    entry("model_change", "m", None, provider="p", modelId="m1"),
    entry("thinking_level_change", "t", "m", thinkingLevel="high"),
    system("s", "t"),
    user("u1", "s", "what is in a.txt?"),
    call("c1", "u1", "read", path="a.txt"),
    result("r1", "c1", "c1", isError=False),
    assistant("a1", "r1"),
    user("u2", "a1", "again\nplease \x1b[31m李子"),
    assistant("a2", "u2"),
    user("u3", "a2", "third question about foxes"),
    assistant("a3", "u3"),
    entry("label", "l1", "a3", targetId="a2", label="my label"),
    user("u4", "a1", "more"),
    assistant("a4", "u4"),
    user("u5", "a4", "deep one"),
    assistant("a5", "u5"),
    user("u6", "a4", "deep two"),
    entry("compaction", "k", "u6", summary="all of it", firstKeptEntryId="u6", tokensBefore=9),
    message("b", "k", "bashExecution", "", command="git status", output=""),
    message("e", "b", "assistant", [], stopReason="error", errorMessage="overloaded"),
    assistant("a6", "e"),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SessionStore]:
    path = tmp_path / "s.jsonl"
    path.write_bytes(b"".join(dump(line) + b"\n" for line in LINES))
    with SessionStore.open(path) as store:
        yield store


def picker(stage: Stage, done: Done, store: SessionStore, **more: Any) -> TreePicker:
    more.setdefault("set_label", store.append_label)
    more.setdefault("copy", lambda text: None)
    return TreePicker(stage, done, store, **more)


def ids(panel: TreePicker) -> list[str]:
    return [panel._entries.index.id(row) for row in panel.shape.rows]


def test_looks(stage: Stage, done: Done, store: SessionStore) -> None:
    golden(picker(stage, done, store), "tree")
    golden(picker(stage, done, store, view="all"), "tree-all", height=34)


def test_the_active_branch_comes_first_and_the_leaf_is_current(
    stage: Stage, done: Done, store: SessionStore
) -> None:
    panel = picker(stage, done, store)
    assert ids(panel) == ["s", "u1", "r1", "a1", "u4", "a4", "u6", "k", "b", "e", "a6",
                          "u5", "a5", "u2", "a2", "u3", "a3"]  # fmt: skip
    assert panel.current == "a6"
    assert "a6 ← now" in screen(panel)


@pytest.mark.parametrize(
    ("key", "name", "expected"),
    [
        ("ctrl+t", "no-tools", ["s", "u1", "a1", "u4", "a4", "u6", "k", "b", "e", "a6", "u5",
                                "a5", "u2", "a2", "u3", "a3"]),
        ("ctrl+u", "user-only", ["u1", "u4", "u6", "u5", "u2", "u3"]),
        ("ctrl+l", "labeled-only", ["a2"]),
        ("ctrl+a", "all", ["m", "t", "s", "u1", "c1", "r1", "a1", "u4", "a4", "u6", "k", "b", "e",
                           "a6", "u5", "a5", "u2", "a2", "u3", "a3", "l1"]),
    ],
)  # fmt: skip
def test_filters(
    stage: Stage, done: Done, store: SessionStore, key: str, name: str, expected: list[str]
) -> None:
    panel = picker(stage, done, store)
    press(panel, key)
    assert ids(panel) == expected
    assert name in screen(panel)
    press(panel, key)
    assert "default" in screen(panel)
    press(panel, key, "ctrl+d")
    assert "default" in screen(panel)


def test_filters_in_a_circle(stage: Stage, done: Done, store: SessionStore) -> None:
    panel = picker(stage, done, store)
    names = []
    for key in ["ctrl+o"] * 5 + ["ctrl+shift+o"] * 5:
        press(panel, key)
        names.append(next(line for line in screen(panel).split("\n") if re.match(r" \d+/\d+ ·", line)).split(" · ")[1])  # noqa: E501  # fmt: skip
    assert names == ["no-tools", "user-only", "labeled-only", "all", "default",
                     "all", "labeled-only", "user-only", "no-tools", "default"]  # fmt: skip


def test_answers_without_words_tell_what_they_call(
    stage: Stage, done: Done, store: SessionStore
) -> None:
    assert "assistant: (read: a.txt)" in screen(picker(stage, done, store, view="all"), 80, 40)


def test_a_filter_keeps_the_place_or_goes_to_the_nearest_above(
    stage: Stage, done: Done, store: SessionStore
) -> None:
    panel = picker(stage, done, store)
    press(panel, "ctrl+u")
    assert panel.current == "u6"
    press(panel, "ctrl+l")
    assert panel.current == "a2"  # none above: what there is


def test_moving(stage: Stage, done: Done, store: SessionStore) -> None:
    panel = picker(stage, done, store)
    screen(panel, 80, 12)
    press(panel, "home")
    assert panel.current == "s"
    press(panel, "up")
    assert panel.current == "a3"
    press(panel, "down")
    assert panel.current == "s"
    press(panel, "right")
    first = panel.current
    press(panel, "left", "pageDown")
    assert panel.current == first != "s"
    press(panel, "pageUp", "end")
    assert panel.current == "a3"


def test_jumping_and_folding(stage: Stage, done: Done, store: SessionStore) -> None:
    panel = picker(stage, done, store)
    press(panel, "alt+left")
    assert panel.current == "u6"
    press(panel, "ctrl+left")
    assert panel.current == "u6" and "a6" not in ids(panel)
    assert "├▸" in screen(panel)
    press(panel, "ctrl+left")
    assert panel.current == "u4" and "u6" in ids(panel)
    press(panel, "ctrl+left")
    assert ids(panel) == ["s", "u1", "r1", "a1", "u4", "u2", "a2", "u3", "a3"]
    press(panel, "ctrl+left")
    assert panel.current == "s"
    press(panel, "ctrl+left")
    assert panel.current == "s"
    press(panel, "ctrl+right")
    assert panel.current == "u4"
    press(panel, "ctrl+right")
    assert "u6" in ids(panel) and "a6" not in ids(panel)
    press(panel, "alt+right")
    assert panel.current == "u6"
    press(panel, "alt+right")
    assert "a6" in ids(panel)
    press(panel, "alt+right")
    assert panel.current == "a6"
    press(panel, "alt+right")
    assert panel.current == "a6"


def test_search(stage: Stage, done: Done, store: SessionStore, loop: Loop) -> None:
    panel = picker(stage, done, store)
    press(panel, "alt+left", "alt+left")
    type_in(panel, "foxes")
    loop.run(1)
    assert ids(panel) == ["u3"] and panel.current == "u3"
    press(panel, "escape")
    assert len(ids(panel)) == 17 and panel.current == "u3"
    for text, found in (("deep", ["u6", "u5"]), ("my label", ["a2"]), ("a.txt read", ["r1"]),
                        ("GIT", ["b"]), ("zzz", [])):  # fmt: skip
        type_in(panel, text)
        loop.run(1)
        assert ids(panel) == found, text
        screen(panel)
        press(panel, "ctrl+w", "ctrl+w", "ctrl+w", "escape")
        if panel.ended:
            panel = picker(stage, done, store)
    press(panel, "backspace")
    press(panel, "escape")
    assert done.values[-1] is None


def test_labels(stage: Stage, done: Done, store: SessionStore) -> None:
    panel = picker(stage, done, store)
    press(panel, "L")
    type_in(panel, "here")
    press(panel, "enter")
    assert "[here] assistant: a6" in screen(panel)
    assert panel.current == "a6"
    press(panel, "T")
    assert re.search(r"\[here\] \d\d:\d\d assistant", screen(panel))
    assert "label times" in screen(panel, 120)
    press(panel, "T", "L", "ctrl+u", "enter")
    assert "[here]" not in screen(panel)
    count = len(list(store.entries()))
    press(panel, "L", "enter")
    press(panel, "L", "x", "escape")
    assert len(list(store.entries())) == count


def test_copy(stage: Stage, done: Done, store: SessionStore) -> None:
    copied: list[str] = []
    panel = picker(stage, done, store, copy=copied.append)
    press(panel, "ctrl+x")
    assert copied == ["a6"] and "Copied" in screen(panel)
    press(panel, "up", "ctrl+x")
    assert copied == ["a6"] and "no text" in screen(panel)


def test_choosing_the_leaf_asks_nothing(stage: Stage, done: Done, store: SessionStore) -> None:
    press(picker(stage, done, store), "enter")
    assert done.value == TreeChoice("a6")


def test_a_leaf_that_is_not_shown_is_told_at_what_is_above(
    stage: Stage, done: Done, store: SessionStore
) -> None:
    store.append_label("u1", "x")
    panel = picker(stage, done, store)
    assert "a6 ← now" in screen(panel) and panel.current == "a6"
    press(panel, "enter")
    assert done.value == TreeChoice("a6")


@pytest.mark.parametrize(
    ("keys", "choice"),
    [
        (["enter"], TreeChoice("u6")),
        (["down", "enter"], TreeChoice("u6", True)),
        (["3", "enter"], TreeChoice("u6", True)),
        (["3", "x", "enter"], TreeChoice("u6", True, "x")),
        (["3", "escape", "enter", "y", "enter"], TreeChoice("u6", True, "y")),
    ],
)
def test_choosing_another_place(
    stage: Stage, done: Done, store: SessionStore, keys: list[str], choice: TreeChoice
) -> None:
    panel = picker(stage, done, store)
    press(panel, "alt+left", "enter")
    golden(panel, "tree-summary")
    press(panel, *keys)
    assert done.value == choice


def test_thinking_again(stage: Stage, done: Done, store: SessionStore) -> None:
    panel = picker(stage, done, store)
    press(panel, "alt+left", "enter", "escape")
    assert done.values == [] and "Session tree" in screen(panel)
    press(panel, "escape")
    assert done.value is None


def test_not_asking(stage: Stage, done: Done, store: SessionStore) -> None:
    press(picker(stage, done, store, ask=False), "home", "enter")
    assert done.value == TreeChoice("s")


def test_an_empty_session(stage: Stage, done: Done) -> None:
    panel = picker(stage, done, SessionStore.in_memory("/x"))
    assert "No entry" in screen(panel)
    press(panel, "enter", "up", "down", "home", "L", "T", "ctrl+x", "ctrl+left", "ctrl+right")
    assert done.values == []


def test_damage_roots_and_circles(stage: Stage, done: Done, tmp_path: Path) -> None:
    lines = [
        header(),
        user("a", "b"),
        user("b", "a"),
        user("c", "gone"),
        b'{"type":"message","id":"d","parentId":"c","message":5}',
        {"type": "new_kind", "id": "e", "parentId": "c", "timestamp": "x"},
        user("later", "end"),
        message("weird", "c", "user", {"no": "list"}),
        {"parentId": "weird", "message": {"content": "x", "role": "user"}, "id": "odd",
         "type": "message", "timestamp": "t"},
        user("end", None),
    ]  # fmt: skip
    path = tmp_path / "s.jsonl"
    path.write_bytes(b"".join(dump(line) + b"\n" for line in lines))
    with SessionStore.open(path) as store:
        panel = picker(stage, done, store, view="all")
        assert sorted(ids(panel)) == sorted(["a", "b", "c", "d", "e", "later", "weird", "odd",
                                             "end"])  # fmt: skip
        golden(panel, "tree-damaged")
        for key in ["ctrl+left"] * 6 + ["ctrl+right"] * 8 + ["down"] * 12:
            press(panel, key)
            screen(panel)


def test_a_deep_tree_stays_in_its_width(stage: Stage, done: Done, tmp_path: Path) -> None:
    lines: list[Any] = [header(), user("u0", None)]
    for depth in range(1, 60):
        lines += [user(f"x{depth}", f"u{depth - 1}"), user(f"u{depth}", f"u{depth - 1}")]
    path = tmp_path / "s.jsonl"
    path.write_bytes(b"".join(dump(line) + b"\n" for line in lines))
    with SessionStore.open(path) as store:
        panel = picker(stage, done, store)
        for columns in (30, 40, 80):
            assert "u59" in screen(panel, columns)


def test_only_what_is_seen_is_decoded(stage: Stage, done: Done, store: SessionStore) -> None:
    panel = picker(stage, done, store)
    screen(panel, 80, 9)
    assert len(panel._entries._entries) <= 9


def test_shape_of_nothing(store: SessionStore) -> None:
    index = store.history.index()
    assert len(make_shape(index, bytearray(len(index)), (), ())) == 0
