"""What the model sees of a path."""

from typing import Any

import pytest

from pi.session.context import (
    SessionContext,
    build_context,
    to_model_messages,
    written_entries,
)
from pi.session.history import History
from pi.session.source import MemorySource
from tests.session.session_lines import (
    MILLISECONDS,
    assistant,
    compaction,
    edit,
    entry,
    file_bytes,
    header,
    message,
    system,
    user,
)


@pytest.fixture(params=[1 << 30, -1], ids=["whole", "backward"])
def context(request: pytest.FixtureRequest) -> Any:
    def build(*lines: Any) -> SessionContext:
        source = MemorySource(file_bytes(header(), *lines))
        return build_context(History(source, small=request.param, first_block=64))

    return build


def shown(context: SessionContext) -> list[str]:
    """entry id, role and text of each message."""
    lines = []
    for entry_id, item in zip(context.entry_ids, context.messages, strict=True):
        fields: dict[str, Any] = dict(item)
        content = fields.get("content", fields.get("summary"))
        text = content if isinstance(content, str) else content[0]["text"] if content else ""
        lines.append(f"{entry_id} {fields['role']} {text}")
    return lines


def test_nothing_yet(context: Any) -> None:
    assert context() == SessionContext([], [], None, None)


def test_messages_of_the_active_branch_only(context: Any) -> None:
    found = context(user("a", None), user("b", "a"), user("c", "a"), assistant("d", "c"))
    assert shown(found) == ["a user a", "c user c", "d assistant d"]


def test_the_latest_compaction_stands_for_what_is_before(context: Any) -> None:
    checkpoint = {"role": "system", "content": "checkpoint", "timestamp": 9}
    found = context(
        system("s", None),
        user("a", "s"),
        system("s2", "a"),
        user("b", "s2"),
        compaction("k", "b", "s2", systemMessage=checkpoint),
        system("s3", "k"),
        user("c", "s3"),
    )
    assert shown(found) == [
        "k system checkpoint",
        "k compactionSummary summary k",
        "b user b",
        "s3 system s3",
        "c user c",
    ]
    assert found.messages[1] == {
        "role": "compactionSummary",
        "summary": "summary k",
        "tokensBefore": 9,
        "timestamp": MILLISECONDS,
    }


@pytest.mark.parametrize("first_kept", ["k", "gone", "c"])
def test_a_compaction_that_keeps_nothing(context: Any, first_kept: str) -> None:
    found = context(
        assistant("a", None, model="old"),
        entry("thinking_level_change", "t", "a", thinkingLevel="low"),
        compaction("k", "t", first_kept),
        user("c", "k"),
    )
    assert shown(found) == ["k compactionSummary summary k", "c user c"]
    assert found.model == ("mock", "old")
    assert found.thinking_level == "low"


def test_an_earlier_compaction_in_the_kept_range_is_silent(context: Any) -> None:
    found = context(
        user("a", None), compaction("k", "a", "a"), user("b", "k"), compaction("k2", "b", "a")
    )
    assert shown(found) == ["k2 compactionSummary summary k2", "a user a", "b user b"]


def test_an_empty_summary_still_speaks(context: Any) -> None:
    found = context(user("a", None), compaction("k", "a", "a", summary=""))
    assert shown(found) == ["k compactionSummary ", "a user a"]


def test_a_compaction_on_another_branch_is_nothing(context: Any) -> None:
    found = context(user("a", None), compaction("k", "a", "k"), user("b", "a"))
    assert shown(found) == ["a user a", "b user b"]


def test_the_latest_edit_wins_and_null_omits(context: Any) -> None:
    found = context(
        user("a", None),
        assistant("b", "a"),
        message("t", "b", "toolResult", [{"type": "text", "text": "t"}], toolCallId="c"),
        entry("custom_message", "x", "t", customType="e", content="x", display=True),
        user("z", "x"),
        edit("e1", "z", "a", None),
        edit("e2", "e1", "a", {"content": "A"}),
        edit("e3", "e2", "b", {"content": "B"}),
        edit("e4", "e3", "t", {"content": "T"}),
        edit("e5", "e4", "x", {"content": "X"}),
        edit("e6", "e5", "z", None),
        edit("e7", "e6", "gone", None),
    )
    assert shown(found) == ["a user A", "b assistant B", "t toolResult T", "x custom X"]
    assert found.messages[0] == {"role": "user", "content": "A", "timestamp": 1}
    assert found.messages[1]["content"] == [{"type": "text", "text": "B"}]
    assert found.messages[2]["content"] == [{"type": "text", "text": "T"}]
    assert found.messages[2]["toolCallId"] == "c"
    assert found.messages[3]["content"] == "X"


def test_an_omitted_answer_still_names_its_model(context: Any) -> None:
    found = context(user("a", None), assistant("b", "a", model="failed"), edit("e", "b", "b", None))
    assert shown(found) == ["a user a"]
    assert found.model == ("mock", "failed")


def test_only_conversation_can_be_replaced_but_all_can_be_omitted(context: Any) -> None:
    lines = [
        system("s", None),
        message("x", "s", "bashExecution", "", command="ls", output="o"),
        entry("branch_summary", "y", "x", fromId="q", summary="left"),
        compaction("k", "y", "s"),
    ]
    replaced = [edit(f"e{id}", "k" if id == "x" else "ex", id, {"content": "new"}) for id in "xy"]
    assert shown(context(*lines, *replaced, edit("e", "ey", "k", {"content": "new"}))) == [
        "k compactionSummary summary k",
        "x bashExecution ",
        "y branchSummary left",
    ]
    assert shown(context(*lines, edit("e1", "k", "x", None), edit("e2", "e1", "k", None))) == [
        "y branchSummary left"
    ]


def test_an_edit_of_another_branch_or_before_the_kept_range_is_none(context: Any) -> None:
    assert shown(context(user("a", None), edit("e", "a", "a", None), user("b", "a"))) == [
        "a user a",
        "b user b",
    ]
    found = context(
        user("a", None), edit("e", "a", "b", None), user("b", "e"), compaction("k", "b", "b")
    )
    assert shown(found) == ["k compactionSummary summary k", "b user b"]


@pytest.mark.parametrize("replacement", [{}, {"content": None}, 5, {"content": 5}, True])
def test_a_replacement_that_is_none_is_ignored(context: Any, replacement: Any) -> None:
    assert shown(context(user("a", None), edit("e", "a", "a", replacement))) == ["a user a"]


@pytest.mark.parametrize("small", [1 << 30, -1], ids=["whole", "backward"])
def test_what_was_said_whatever_edits_make_of_it(small: int) -> None:
    lines = [
        user("a", None),
        compaction("k1", "a", "a"),
        user("b", "k1"),
        assistant("c", "b"),
        edit("e1", "c", "c", None),
        compaction("k2", "e1", "k1"),
        assistant("d", "k2"),
        edit("e2", "d", "d", {"content": "another"}),
        entry("custom", "f", "e2", customType="x"),
        user("g", "f"),
    ]
    history = History(MemorySource(file_bytes(header(), *lines)), small=small, first_block=64)

    def found(most: int | None = None) -> list[tuple[str, int]]:
        return [(e["id"], len(messages)) for e, messages in written_entries(history, most)]

    everything = [
        *[("k2", 1), ("k1", 1), ("b", 1), ("c", 1), ("e1", 0)],
        *[("d", 1), ("e2", 0), ("f", 0), ("g", 1)],
    ]
    assert found() == found(6) == everything
    assert found(5) == everything[1:]
    assert found(3) == everything[3:]
    assert found(2) == everything[5:]
    assert found(1) == everything[8:]
    (answer,) = [messages[0] for e, messages in written_entries(history) if e["id"] == "d"]
    assert answer["content"] == [{"type": "text", "text": "d"}]


def test_entries_that_become_messages(context: Any) -> None:
    found = context(
        entry("branch_summary", "a", None, fromId="q", summary="left"),
        entry("branch_summary", "b", "a", fromId="q", summary=""),
        entry("custom_message", "c", "b", customType="e", content="x", display=False, details={}),
        entry("custom", "d", "c", customType="e"),
        entry("usage", "e", "d", kind="cache_warm"),
        entry("label", "f", "e", targetId="a", label="l"),
        entry("nobody knows", "g", "f"),
    )
    assert found.entry_ids == ["a", "c"]
    assert found.messages == [
        {"role": "branchSummary", "summary": "left", "fromId": "q", "timestamp": MILLISECONDS},
        {
            "role": "custom",
            "customType": "e",
            "content": "x",
            "display": False,
            "details": {},
            "timestamp": MILLISECONDS,
        },
    ]


@pytest.mark.parametrize("body", [None, 5, [], {}, {"role": 5}])
def test_an_entry_without_a_message_is_passed_over(context: Any, body: Any) -> None:
    assert shown(context(user("a", None), entry("message", "b", "a", message=body))) == ["a user a"]


@pytest.mark.parametrize(
    ("timestamp", "milliseconds"),
    [("garbage", 0), (5, 5), (None, 0), ("2026-11-23", 1795392000000), ({}, 0)],
)
def test_odd_timestamps(context: Any, timestamp: Any, milliseconds: int) -> None:
    line = entry("branch_summary", "a", None, fromId="q", summary="s")
    found = context({**line, "timestamp": timestamp})
    assert found.messages[0]["timestamp"] == milliseconds


def test_model_and_level_are_the_last_ones_on_the_branch(context: Any) -> None:
    found = context(
        entry("model_change", "a", None, provider="p", modelId="one"),
        entry("thinking_level_change", "b", "a", thinkingLevel="low"),
        assistant("c", "b", model="two", thinkingLevel="max"),
        entry("model_change", "d", "b", provider="p", modelId="elsewhere"),
        user("e", "c"),
    )
    assert found.model == ("mock", "two")
    assert found.thinking_level == "low"
    assert context(user("a", None)).thinking_level is None
    assert context(assistant("a", None, thinkingLevel="high")).thinking_level is None


def shell(**fields: Any) -> Any:
    body = {"role": "bashExecution", "command": "make", "output": "done", "timestamp": 4}
    return {**body, "exitCode": 0, "cancelled": False, "truncated": False, **fields}


def test_a_model_is_given_four_roles_only() -> None:
    kept = [
        {"role": role, "content": "x", "timestamp": 1}
        for role in ("system", "user", "assistant", "toolResult")
    ]
    other = [
        shell(),
        shell(excludeFromContext=True),
        {"role": "custom", "customType": "e", "content": "x", "display": True, "timestamp": 5},
        {"role": "branchSummary", "summary": "left", "fromId": "q", "timestamp": 6},
        {"role": "compactionSummary", "summary": "so far", "tokensBefore": 1, "timestamp": 7},
        {"role": "of an extension", "content": "x", "timestamp": 8},
    ]
    converted: Any = to_model_messages([*kept, *other])
    assert converted[:4] == kept
    assert [item["role"] for item in converted[4:]] == ["user"] * 4
    assert [item["timestamp"] for item in converted[4:]] == [4, 5, 6, 7]
    assert converted[5]["content"] == [{"type": "text", "text": "x"}]
    assert "left" in converted[6]["content"][0]["text"]
    assert "so far" in converted[7]["content"][0]["text"]


@pytest.mark.parametrize(
    ("fields", "facts", "absent"),
    [
        ({}, ["make", "done"], ["exit code", "Only part"]),
        ({"exitCode": 3}, ["exit code 3"], []),
        ({"cancelled": True, "exitCode": None}, ["stopped"], ["exit code"]),
        ({"truncated": True, "fullOutputPath": "/tmp/all"}, ["/tmp/all"], []),
        ({"truncated": True}, [], ["Only part"]),
        ({"output": ""}, ["nothing"], ["```"]),
        ({"output": "a ``` b"}, ["````\na ``` b\n````"], []),
    ],
)
def test_a_shell_command_as_text(fields: Any, facts: list[str], absent: list[str]) -> None:
    (converted,) = to_model_messages([shell(**fields)])
    text = converted["content"][0]["text"]
    assert all(fact in text for fact in facts)
    assert not any(fact in text for fact in absent)
