"""The tree as JSON: nested as the entries are, labels on their nodes, of any depth."""

import json
from pathlib import Path
from typing import Any

from pi.modes.rpc.tree import entries_json, tree_json
from pi.session.store import SessionStore


def shape(nodes: list[Any]) -> list[Any]:
    return [[node["entry"]["name"], *shape(node["children"])] for node in nodes]


def test_branches_roots_and_labels() -> None:
    store = SessionStore.in_memory("/")
    assert tree_json(store) == b"[]"
    a = store.append_session_info("a")
    store.append_session_info("b")
    store.branch(a["id"])
    c = store.append_session_info("c")
    store.branch(None)
    store.append_session_info("d")
    assert shape(json.loads(tree_json(store))) == [["a", ["b"], ["c"]], ["d"]]
    label = store.append_label(c["id"], "old")
    label = store.append_label(c["id"], "here")
    store.append_label(a["id"], "gone")
    store.append_label(a["id"], None)
    first, _ = json.loads(tree_json(store))
    assert first["children"][1]["label"] == "here"
    assert first["children"][1]["labelTimestamp"] == label["timestamp"]
    assert list(first) == ["entry", "children"]


def test_a_damaged_entry_does_not_hide_what_follows_it(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    lines = [
        '{"type":"session","version":3,"id":"s","timestamp":"t","cwd":"/"}',
        '{"type":"session_info","id":"a","parentId":null,"timestamp":"t","name":"a"}',
        '{"type":"session_info","id":"b","parentId":"a","timestamp":"t","name":"b" "broken"}',
        '{"type":"session_info","id":"c","parentId":"b","timestamp":"t","name":"c"}',
        '{"type":"session_info","id":"d","parentId":"lost","timestamp":"t","name":"d"}',
    ]
    path.write_text("\n".join(lines) + "\n")
    with SessionStore.open(path) as store:
        assert shape(json.loads(tree_json(store))) == [["a", ["c"]], ["d"]]


def test_deeper_than_any_recursion() -> None:
    store = SessionStore.in_memory("/")
    for number in range(20_000):
        store.append_session_info(str(number))
    text = tree_json(store)
    assert text.count(b'"children":[{') == 19_999
    assert text.endswith(b"]}" * 20_000 + b"]")


def test_entries_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    lines = [
        b'{"type":"session","version":3,"id":"s","timestamp":"t","cwd":"/"}',
        b' {"type":"session_info", "id":"a","parentId":null,"timestamp":"t","name":"\\ud83d"} ',
        b"garbage",
        b'{"type":"session_info","id":"b","parentId":"a","timestamp":"t","name":"\xff"}',
        b'{"type":"session_info","id":"c","parentId":"b","timestamp":"t","name":"\xe2\x80\xa8"}\r',
    ]
    path.write_bytes(b"\n".join(lines) + b"\n")
    with SessionStore.open(path) as store:
        text = entries_json(store)
        assert [entry["name"] for entry in json.loads(text)] == ["\ud83d", "\ufffd", "\u2028"]
        assert b"\n" not in text and b"\r" not in text
        assert [entry["id"] for entry in json.loads(entries_json(store, 2))] == ["c"]
        assert entries_json(store, 3) == b"[]"
        assert shape(json.loads(tree_json(store))) == [["\ud83d", ["\ufffd", ["\u2028"]]]]
