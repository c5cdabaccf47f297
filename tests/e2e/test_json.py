"""`pi --mode json`: the records, their order and their shapes."""

import pytest

from tests.e2e.conftest import ScriptedFactory

APIS = ["anthropic-messages", "openai-completions"]


@pytest.mark.parametrize("api", APIS)
def test_event_sequence(scripted: ScriptedFactory, api: str) -> None:
    call = {"tool": "read", "id": "c1", "args": {"path": "a.txt"}}
    script = scripted(
        [
            {"blocks": [{"text": "Look."}, call], "stop": "toolUse"},
            {"status": 529, "body": {"error": {"type": "overloaded_error", "message": "!"}}},
            {"blocks": [{"text": "done"}]},
        ],
        api=api,
    )
    (script.machine.project / "a.txt").write_text("hello\n")
    result = script.run("--mode", "json", "-p", "go")
    assert (result.code, result.stderr) == (0, "")
    assert result.kinds() == [
        "session",
        "agent_start",
        "turn_start",
        "message_start system",
        "message_end system",
        "message_start user",
        "message_end user",
        "message_start assistant",
        "message_end assistant",
        "tool_execution_start",
        "tool_execution_end",
        "message_start toolResult",
        "message_end toolResult",
        "turn_end",
        "turn_start",
        "message_start assistant",
        "message_end assistant",
        "turn_end",
        "agent_end",
        "auto_retry_start",
        "entry_appended",
        "agent_start",
        "turn_start",
        "message_start assistant",
        "message_end assistant",
        "auto_retry_end",
        "turn_end",
        "agent_end",
        "agent_settled",
    ]
    assert result.events[0] == script.machine.entries()[0]


def test_updates_are_deltas_that_add_up(scripted: ScriptedFactory) -> None:
    text = "word " * 40
    call = {"tool": "ls", "id": "c1", "args": {"path": "."}}
    thinking = {"thinking": "let me think about it", "signature": "s"}
    script = scripted(
        [{"blocks": [thinking, {"text": text}, call], "stop": "toolUse"}, {"blocks": []}]
    )
    events = script.run("--mode", "json", "-t", "ls", "-p", "go").events
    updates = [e for e in events if e["type"] == "message_update"]
    assert all(set(e) == {"type", "usage", "assistantMessageEvent"} for e in updates)
    inner = [e["assistantMessageEvent"] for e in updates]
    assert "".join(e["delta"] for e in inner if e["type"] == "text_delta") == text
    assert [e["content"] for e in inner if e["type"] == "text_end"] == [text]
    assert [e["content"] for e in inner if e["type"] == "thinking_end"] == ["let me think about it"]
    start = next(e for e in inner if e["type"] == "toolcall_start")
    assert start == {
        "type": "toolcall_start",
        "contentIndex": 2,
        "id": "c1",
        "toolName": "ls",
    }
    end = next(e for e in inner if e["type"] == "toolcall_end")
    assert end["toolCall"]["arguments"] == {"path": "."}
    assert not any("partial" in e for e in inner)


def test_a_failed_reply_exits_0(scripted: ScriptedFactory) -> None:
    result = scripted([{"status": 400, "body": {"error": {"message": "no"}}}]).run(
        "--mode", "json", "-p", "hi"
    )
    assert result.code == 0
    end = result.events[-2]
    assert end["type"] == "agent_end"
    assert end["messages"][-1]["stopReason"] == "error"


def test_separators_inside_strings_do_not_break_lines(scripted: ScriptedFactory) -> None:
    text = "a\u2028b\u0085c\rd😀"
    result = scripted([{"blocks": [{"text": text}]}]).run("--mode", "json", "-p", "hi")
    ends = [e for e in result.events if e["type"] == "message_end"]
    assert ends[-1]["message"]["content"] == [{"type": "text", "text": "a\u2028b\u0085c\rd😀"}]


def test_tool_updates_stream(scripted: ScriptedFactory) -> None:
    call = {"tool": "bash", "id": "c1", "args": {"command": "echo one; sleep 1.5; echo two"}}
    script = scripted([{"blocks": [call], "stop": "toolUse"}, {"blocks": [{"text": "ok"}]}])
    events = script.run("--mode", "json", "-p", "go").events
    partial = [
        e["partialResult"]["content"][0]["text"]
        for e in events
        if e["type"] == "tool_execution_update" and e["partialResult"]["content"]
    ]
    assert partial[0] == "one\n"
    assert partial[-1] == "one\ntwo\n"
