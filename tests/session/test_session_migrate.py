"""Versions 1 and 2 become 3, and nothing is lost on the way."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pi.errors import SessionError
from pi.session.migrate import version_of
from pi.session.store import SessionStore
from tests.session.session_lines import TIME, header, message, parsed, user, write

ONE = {"role": "user", "content": "one", "timestamp": 1}
HOOK = {"role": "hookMessage", "customType": "c", "content": "h", "display": True, "timestamp": 2}
USER: Any = {"role": "user", "content": "hi", "timestamp": 1}


def old(type: str, **fields: Any) -> dict[str, Any]:
    return {"type": type, "timestamp": TIME, **fields}


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (None, 1),
        (0, 1),
        (1, 1),
        (2, 2),
        (2.5, 2),
        (3, 3),
        (4, 3),
        ("2", 2),
        ("3", 3),
        ("x", 3),
        ([], 3),
    ],
)
def test_versions(version: Any, expected: int) -> None:
    assert version_of({"version": version}) == expected
    assert version_of({}) == 1


def test_version_1(tmp_path: Path) -> None:
    lines = [
        header(version=None, provider="p", modelId="m"),
        old("message", message=ONE),
        b"{garbage",
        old("model_change", provider="p", modelId="n"),
        old("message", message={**ONE, "content": "two", "big": 2**70}),
        old("compaction", summary="s", firstKeptEntryIndex=3, tokensBefore=5),
        old("compaction", summary="s", firstKeptEntryIndex=99, tokensBefore=5),
        old("message", message=HOOK),
        b"42",
    ]
    path = write(tmp_path / "s.jsonl", *lines)
    before = path.read_bytes()
    with SessionStore.open(path) as store:
        assert any("version 1" in notice for notice in store.notices)
        entries: list[Any] = list(store.entries())
        roles = [m["role"] for m in store.build_context().messages]
        added = store.append_message(USER)
    ids = [item["id"] for item in entries]
    assert [item["parentId"] for item in entries] == [None, *ids[:-1]]
    assert len(set(ids)) == 6
    assert entries[3]["firstKeptEntryId"] == entries[2]["id"]
    assert "firstKeptEntryIndex" not in entries[3]
    assert "firstKeptEntryId" not in entries[4]
    assert entries[5]["message"]["role"] == "custom"
    assert roles == ["compactionSummary", "custom"]
    assert added["parentId"] == ids[-1]
    after = path.read_bytes().splitlines()
    assert json.loads(after[0]) == header(provider="p", modelId="m")
    assert after[2] == b"{garbage"
    assert after[8] == b"42"
    assert json.loads(after[4])["message"]["big"] == 2**70
    assert (tmp_path / "s.jsonl.v1").read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["s.jsonl", "s.jsonl.v1"]


def test_version_2_changes_only_what_it_must(tmp_path: Path) -> None:
    kept = b'{ "type":"message","id":"a","parentId":null,"timestamp":"t","message":{"n":1.50} }'
    path = write(
        tmp_path / "s.jsonl",
        header(version=2),
        kept,
        {**message("b", "a", "x", "y"), "message": HOOK},
        b"",
        b"{torn",
    )
    before = path.read_bytes()
    with SessionStore.open(path) as store:
        assert [item["id"] for item in store.path_to()] == ["a", "b"]
        assert [m["role"] for m in store.build_context().messages] == ["custom"]
    lines = path.read_bytes().split(b"\n")
    assert json.loads(lines[0]) == header()
    assert lines[1] == kept
    assert lines[3:] == [b"{torn", b""]
    assert (tmp_path / "s.jsonl.v2").read_bytes() == before


def test_version_3_is_not_touched(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", header(), user("a", None))
    before = path.read_bytes()
    SessionStore.open(path).close()
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["s.jsonl"]


def test_an_earlier_copy_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "s.jsonl.v2").write_text("mine")
    path = write(tmp_path / "s.jsonl", header(version=2))
    SessionStore.open(path).close()
    assert (tmp_path / "s.jsonl.v2").read_text() == "mine"
    assert parsed(tmp_path / "s.jsonl.v2.1") == [header(version=2)]


@pytest.mark.parametrize("step", ["link", "replace"])
def test_a_migration_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = write(tmp_path / "s.jsonl", header(version=2), user("a", None))
    before = path.read_bytes()

    def refuse(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, step, refuse)
        if step == "link":
            patch.setattr("shutil.copy2", refuse)
        with pytest.raises(SessionError, match="cannot rewrite session"):
            SessionStore.open(path)
    assert path.read_bytes() == before
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]
    with SessionStore.open(path) as store:
        assert store.leaf_id == "a"
    assert parsed(path)[0] == header()


def test_without_hard_links_the_old_file_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "s.jsonl", header(version=2))

    def refuse(*args: Any) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    SessionStore.open(path).close()
    assert parsed(tmp_path / "s.jsonl.v2") == [header(version=2)]


def test_it_is_locked_throughout(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", header(version=1))
    with SessionStore.open(path), pytest.raises(SessionError, match="open in another pi"):
        SessionStore.open(path)
