"""Writing: in order, whole lines, nothing acknowledged ever lost."""

import re
import sys
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pi.errors import SessionError
from pi.session.history import History
from pi.session.source import FileSource
from pi.session.store import SessionStore
from tests.session.session_lines import (
    SESSION_ID,
    dump,
    entry,
    file_bytes,
    header,
    parsed,
    user,
    write,
)

USER: Any = {"role": "user", "content": "hi", "timestamp": 1}
ANSWER: Any = {
    "role": "assistant",
    "content": [{"type": "text", "text": "yes"}],
    "provider": "p",
    "model": "m",
    "stopReason": "stop",
    "timestamp": 2,
}


def test_the_file_appears_with_the_first_word_of_a_conversation(tmp_path: Path) -> None:
    folder = tmp_path / "agent" / "sessions" / "--work--"
    with SessionStore.create("/work", folder) as store:
        info = store.append_session_info("name")
        model = store.append_model_change("p", "m")
        level = store.append_thinking_level("low")
        prompt = store.append_message({"role": "system", "content": "s", "timestamp": 0})
        assert not folder.exists()
        assert not store.saved
        assert store.path is not None
        first = store.append_message(USER)
        assert store.saved
        lines = parsed(store.path)
        assert lines == [store.header, info, model, level, prompt, first]
        store.append_message(ANSWER)
        assert len(parsed(store.path)) == 7
        assert store.name == "name"
    chain = lines[1:]
    assert [line["parentId"] for line in chain] == [None, *(line["id"] for line in chain[:-1])]
    assert all(re.fullmatch(r"[0-9a-f]{8}", line["id"]) for line in chain)
    assert lines[0]["cwd"] == "/work"
    assert uuid.UUID(lines[0]["id"]).version == 7
    stamp = lines[0]["timestamp"].replace(":", "-").replace(".", "-")
    assert store.path.name == f"{stamp}_{lines[0]['id']}.jsonl"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z", stamp)


def test_a_session_without_conversation_leaves_no_file(tmp_path: Path) -> None:
    with SessionStore.create("/work", tmp_path) as store:
        store.append_model_change("p", "m")
        store.append_custom("c", {"a": 1})
    assert list(tmp_path.iterdir()) == []


def test_in_memory_is_never_saved(tmp_path: Path) -> None:
    with SessionStore.in_memory("/work", id="mine") as store:
        store.append_message(USER)
        store.append_message(ANSWER)
        assert store.path is None
        assert store.id == "mine"
        assert [m["role"] for m in store.build_context().messages] == ["user", "assistant"]
        assert len(list(store.entries())) == 2


@pytest.mark.parametrize("bad", ["", "-x", "x-", "a b", "a/b", ".", "é", "a\n"])
def test_session_ids_that_are_none(tmp_path: Path, bad: str) -> None:
    with pytest.raises(SessionError, match="invalid session id"):
        SessionStore.create("/work", tmp_path, id=bad)


def test_every_kind_of_entry_is_written_and_read(tmp_path: Path) -> None:
    usage: Any = {"input": 1}
    with SessionStore.create("/work", tmp_path) as store:
        first = store.append_message(USER)
        store.append_message(ANSWER)
        store.append_usage("cache_warm", "p", "m", usage, "note")
        store.append_custom("c", {"a": [1, None]})
        store.append_custom("c")
        store.append_custom_message("c", "x", display=True, details={"d": 1})
        store.append_label(first["id"], "mark")
        store.append_label(first["id"], None)
        store.append_context_edit(first["id"], "new")
        store.append_context_edit(first["id"], None)
        store.append_session_info(" a\r\nb\nc ")
        whole = store.append_compaction("s", None, 5, from_hook=False, usage=usage, details={})
        left = store.leaf_id
        summary = store.append_branch_summary(first["id"], "left")
        assert store.path is not None
        lines = parsed(store.path)[1:]
        assert lines == list(store.entries())
    by_type = {line["type"]: line for line in lines}
    assert by_type["usage"]["note"] == "note"
    assert by_type["label"].keys() == {"type", "id", "parentId", "timestamp", "targetId"}
    assert [line["replacement"] for line in lines if line["type"] == "context_edit"] == [
        {"content": "new"},
        None,
    ]
    assert "data" not in [line for line in lines if line["type"] == "custom"][1]
    assert by_type["session_info"]["name"] == "a b c"
    assert whole["firstKeptEntryId"] == whole["id"]
    assert whole["fromHook"] is False
    assert (summary["parentId"], summary["fromId"]) == (first["id"], left)


def test_branches(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", header(), user("a", None), user("b", "a"))
    with SessionStore.open(path) as store:
        assert store.leaf_id == "b"
        store.branch("a")
        added = store.append_message(USER)
        assert added["parentId"] == "a"
        assert [item["id"] for item in store.path_to()] == ["a", added["id"]]
        assert [item["id"] for item in store.path_to("b")] == ["a", "b"]
        store.branch(None)
        assert store.append_branch_summary(None, "left")["fromId"] == "root"
        store.branch(None)
        assert store.append_message(USER)["parentId"] is None
        assert store.get("b") == user("b", "a")
        assert store.get("nothing") is None
        for wrong in (
            lambda: store.branch("no"),
            lambda: store.path_to("no"),
            lambda: store.append_label("no", "x"),
            lambda: store.append_context_edit("no", None),
        ):
            with pytest.raises(SessionError, match="no entry 'no'"):
                wrong()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(
        st.dictionaries(
            st.text(st.characters(exclude_categories=()), max_size=8),
            st.recursive(
                st.none()
                | st.booleans()
                | st.integers(-(2**53), 2**64 - 1)
                | st.floats(allow_nan=False, allow_infinity=False)
                | st.text(st.characters(exclude_categories=())),
                lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
                max_leaves=8,
            ),
        ),
        max_size=6,
    )
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, values: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("s")
    with SessionStore.create("/work", folder) as store:
        store.append_message(USER)
        written = [store.append_custom("c", value) for value in values]
        assert list(store.entries())[1:] == written
    assert store.path is not None
    with closing(FileSource(store.path)) as source:
        history = History(source, small=-1, first_block=16)
        read: list[Any] = history.path()[1:]
    assert read == written
    assert [item["data"] for item in read] == values


def test_huge_integers_and_half_surrogates_are_left_as_they_are(tmp_path: Path) -> None:
    line = dump(user("a", None, "\ud83d")).replace(b'"timestamp":1', b'"timestamp":' + b"9" * 40)
    path = write(tmp_path / "s.jsonl", header(), line)
    before = path.read_bytes()
    with SessionStore.open(path) as store:
        assert store.build_context().messages[0]["content"] == [{"type": "text", "text": "\ud83d"}]
        store.append_message({"role": "user", "content": "\udc00", "timestamp": 2**70})
    assert path.read_bytes().startswith(before)
    assert parsed(path)[2]["message"] == {"role": "user", "content": "\udc00", "timestamp": 2**70}


def test_a_file_cut_at_any_byte_goes_on(tmp_path: Path) -> None:
    head = file_bytes(header())
    lines = [dump(user("a", None)), dump(user("b", "a", "naïve")), dump(user("c", "b"))]
    data = head + b"".join(line + b"\n" for line in lines)
    path = tmp_path / "s.jsonl"
    for cut in range(len(head) - 1, len(data) + 1):
        path.write_bytes(data[:cut])
        whole = [line for line in lines if data.index(line) + len(line) <= cut]
        with SessionStore.open(path) as store:
            assert [dump(item) for item in store.entries()] == whole
            added = store.append_message(USER)
            assert added["parentId"] == (None if not whole else "abc"[len(whole) - 1])
        after = path.read_bytes()
        assert after.startswith(data[:cut])
        assert after.endswith(b"\n" + dump(added) + b"\n")
        with SessionStore.open(path) as store:
            assert [item["id"] for item in store.path_to()] == [
                *"abc"[: len(whole)],
                added["id"],
            ]
            assert bool(store.notices) == (after.count(b"\n") != len(whole) + 2)


def test_a_cut_header_is_refused_and_left_alone(tmp_path: Path) -> None:
    head = dump(header())
    path = tmp_path / "s.jsonl"
    for cut in range(1, len(head)):
        path.write_bytes(head[:cut])
        with pytest.raises(SessionError, match="not a session file"):
            SessionStore.open(path)
        assert path.read_bytes() == head[:cut]


def test_garbage_is_skipped_kept_and_reported(tmp_path: Path) -> None:
    lines = [header(), user("a", None), b"{torn", b"", user("b", "a"), b"42"]
    path = write(tmp_path / "s.jsonl", *lines)
    before = path.read_bytes()
    with SessionStore.open(path) as store:
        (notice,) = store.notices
        assert "2 lines are damaged" in notice
        assert "line 3" in notice
        assert store.append_message(USER)["parentId"] == "b"
    assert path.read_bytes().startswith(before)


def test_a_missing_file_begins_a_session_there(tmp_path: Path) -> None:
    path = tmp_path / "new" / "mine.jsonl"
    with SessionStore.open(path, cwd="/work") as store:
        assert not path.exists()
        store.append_message(USER)
        assert [line["type"] for line in parsed(path)] == ["session", "message"]
        assert parsed(path)[0]["cwd"] == "/work"


def test_an_empty_file_begins_a_session_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.touch()
    with SessionStore.open(path, cwd="/work") as store:
        assert parsed(path) == [store.header]
        store.append_model_change("p", "m")
        assert len(parsed(path)) == 2


def test_a_session_with_only_a_header_is_written_to_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", header())
    with SessionStore.open(path) as store:
        assert store.leaf_id is None
        assert store.append_model_change("p", "m")["parentId"] is None
        assert len(parsed(path)) == 2


def test_crlf_stays(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    data = file_bytes(header(), user("a", None)).replace(b"\n", b"\r\n")
    path.write_bytes(data)
    with SessionStore.open(path) as store:
        assert store.notices == []
        assert store.append_message(USER)["parentId"] == "a"
    assert path.read_bytes().startswith(data)


def test_a_later_version_is_only_appended_to(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", header(version=4), user("a", None))
    before = path.read_bytes()
    with SessionStore.open(path) as store:
        store.append_message(USER)
    assert path.read_bytes().startswith(before)


def test_a_large_session_is_added_to_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(History.__init__, "__kwdefaults__", {"small": 100, "first_block": 64})
    name = entry("session_info", "n", None, name="far away")
    path = write(tmp_path / "s.jsonl", header(), name, user("a", "n", "x" * 500), user("b", "a"))
    with SessionStore.open(path) as store:
        added = store.append_message(USER)
        edited = store.append_context_edit(added["id"], "new")
        assert not store.history.whole
        # Nobody knows which short ids are taken.
        assert uuid.UUID(added["id"]).version == 4
        assert [item["id"] for item in store.path_to()] == [
            "n",
            "a",
            "b",
            added["id"],
            edited["id"],
        ]
        assert store.build_context().messages[-1]["content"] == "new"
        assert store.name == "far away"
        assert not store.history.whole
        store.branch("a")
        assert [item["id"] for item in store.path_to()] == ["n", "a"]
        assert len(store.append_message(USER)["id"]) == 36 - 28 * store.history.whole


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes"])
def test_what_is_no_json_is_refused(tmp_path: Path, value: Any) -> None:
    with SessionStore.create("/work", tmp_path) as store:
        store.append_message(USER)
        leaf = store.leaf_id
        with pytest.raises(SessionError, match="cannot be stored"):
            store.append_custom("c", value)
        assert store.leaf_id == leaf
        assert store.append_message(ANSWER)["parentId"] == leaf


def test_a_closed_session_takes_nothing(tmp_path: Path) -> None:
    for store in (SessionStore.create("/work", tmp_path), SessionStore.in_memory("/work")):
        store.append_message(USER)
        store.close()
        store.close()
        with pytest.raises(SessionError, match="closed"):
            store.append_message(USER)


@pytest.mark.parametrize("name", ["folder", "folder/x/y.jsonl", "file/y.jsonl", "nul\0.jsonl"])
def test_paths_that_cannot_be(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x").touch()
    (tmp_path / "file").touch()
    with pytest.raises(SessionError) as error, SessionStore.open(tmp_path / name) as store:
        store.append_message(USER)
    assert "\n" not in str(error.value)


def test_a_failed_creation_loses_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "sessions"
    folder.touch()
    with SessionStore.create("/work", folder) as store:
        model = store.append_model_change("p", "m")
        with pytest.raises(SessionError, match="session folder"):
            store.append_message(USER)
        assert store.leaf_id == model["id"]
        folder.unlink()
        first = store.append_message(USER)
        assert store.path is not None
        assert parsed(store.path) == [store.header, model, first]


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
def test_a_full_device_is_one_clear_line() -> None:
    with pytest.raises(SessionError, match="cannot write to session /dev/full"):
        SessionStore.open(Path("/dev/full"))


def test_the_header_of_a_fork_names_its_parent(tmp_path: Path) -> None:
    with SessionStore.create("/work", tmp_path, id=SESSION_ID, parent="/old.jsonl") as store:
        assert store.header["parentSession"] == "/old.jsonl"
        assert store.id == SESSION_ID
