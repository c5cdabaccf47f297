"""One path of a session as a session of its own: forked before a message, or cloned whole."""

from pathlib import Path
from typing import Any

import pytest

from pi.errors import SessionError
from pi.session.fork import clone_session, fork_before, fork_points
from pi.session.store import SessionStore
from tests.session.session_lines import assistant, compaction, entry, header, parsed, user, write


def label(id: str, parent: str, target: str, text: str | None) -> dict[str, Any]:
    fields = {"targetId": target, **({"label": text} if text else {})}
    return {**entry("label", id, parent, **fields), "timestamp": f"2026-01-01T00:00:0{id[-1]}.000Z"}


LABELLED = (
    header(),
    user("u1", None, "first"),
    assistant("a1", "u1"),
    label("l1", "a1", "u1", "start"),
    user("u2", "l1", "second"),
    assistant("a2", "u2"),
    label("l2", "a2", "a1", "gone"),
    label("l3", "l2", "a1", None),
    user("side", "a1", "aside"),
    label("l4", "side", "a1", "set elsewhere"),
    label("l5", "l4", "side", "not copied"),
    user("u3", "l3", "third"),
    assistant("a3", "u3"),
)


def shape(store: SessionStore) -> list[tuple[str, str | None, str]]:
    return [(e["id"], e["parentId"], e["type"]) for e in store.entries()]


def test_a_clone_is_the_path_with_the_labels_that_hold_behind_it(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", *LABELLED)
    before = path.read_bytes()
    with SessionStore.open(path) as store, clone_session(store, tmp_path / "new") as clone:
        entries: list[Any] = list(clone.entries())
        assert [e["id"] for e in entries[:6]] == ["u1", "a1", "u2", "a2", "u3", "a3"]
        parents = [e["parentId"] for e in entries]
        assert parents == [None, *(e["id"] for e in entries[:-1])]
        assert [(e["targetId"], e["label"]) for e in entries[6:]] == [
            ("u1", "start"),
            ("a1", "set elsewhere"),
        ]
        assert entries[6]["timestamp"] == "2026-01-01T00:00:01.000Z"
        assert not {e["id"] for e in entries[6:]} & {"l1", "l4"}
        assert clone.header["parentSession"] == str(path)
        assert clone.cwd == "/work"
        assert clone.path is not None
        assert len(parsed(clone.path)) == 9
    assert path.read_bytes() == before


def test_a_fork_ends_before_the_message_and_gives_its_text(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", *LABELLED)
    with SessionStore.open(path) as store:
        assert fork_points(store) == [
            ("u1", "first"),
            ("u2", "second"),
            ("side", "aside"),
            ("u3", "third"),
        ]
        fork, text = fork_before(store, "u3", tmp_path)
        with fork:
            assert text == "third"
            assert [e[0] for e in shape(fork)][:4] == ["u1", "a1", "u2", "a2"]
        for wrong in ("a1", "l1", "nope"):
            with pytest.raises(SessionError, match=wrong):
                fork_before(store, wrong, tmp_path)


def test_before_the_first_message_there_is_no_file_yet(tmp_path: Path) -> None:
    path = write(
        tmp_path / "s.jsonl",
        header(),
        entry("model_change", "m", None, provider="p", modelId="x"),
        user("u1", "m"),
        assistant("a1", "u1"),
    )
    with SessionStore.open(path) as store:
        fork, _ = fork_before(store, "u1", tmp_path / "new")
    with fork:
        assert shape(fork) == [("m", None, "model_change")]
        assert not (tmp_path / "new").exists()
        with pytest.raises(SessionError, match="nothing to copy"):
            clone_session(fork, tmp_path)
        fork.append_message({"role": "user", "content": "hi", "timestamp": 1})
        assert fork.path is not None
        assert [line["type"] for line in parsed(fork.path)] == [
            "session",
            "model_change",
            "message",
        ]


def test_a_session_in_memory_is_cloned_in_memory(tmp_path: Path) -> None:
    store = SessionStore.in_memory("/work")
    store.append_message({"role": "user", "content": "hi", "timestamp": 1})
    clone = clone_session(store, tmp_path)
    assert clone.path is None
    assert shape(clone) == shape(store)
    assert "parentSession" not in clone.header


def test_what_a_compaction_keeps_may_begin_with_a_label(tmp_path: Path) -> None:
    path = write(
        tmp_path / "s.jsonl",
        header(),
        user("u1", None),
        label("l1", "u1", "u1", "x"),
        user("u2", "l1"),
        compaction("c", "u2", "l1"),
        user("u3", "c"),
    )
    with SessionStore.open(path) as store, clone_session(store, tmp_path / "new") as clone:
        texts = [str(m) for m in clone.build_context().messages]
        assert len(texts) == len(store.build_context().messages) == 3
        assert "u2" in texts[1]
