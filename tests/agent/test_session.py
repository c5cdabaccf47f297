"""Events, stored entries and what the model is shown, over whole conversations."""

import asyncio
from typing import Any

from pi.agent.retry import RetryPolicy
from pi.errors import AuthenticationError, OverloadedError, RateLimitError
from pi.session.store import SessionStore
from pi.wire.events import AgentEvent
from tests.agent.conftest import Conversation, Echo, fails, says, stalls


def call(name: str, call_id: str = "c1", **arguments: Any) -> dict[str, Any]:
    return {"id": call_id, "name": name, "arguments": arguments}


def kinds(events: list[AgentEvent]) -> list[str]:
    """Event types, with the role of messages."""
    return [
        f"{event['type']} {event['message']['role']}" if "message" in event else event["type"]
        for event in events
        if event["type"] != "message_update"
    ]


def roles(entries: list[Any]) -> list[str]:
    return [
        entry["message"]["role"] if entry["type"] == "message" else entry["type"]
        for entry in entries
    ]


def test_a_plain_answer(store: SessionStore) -> None:
    talk = Conversation([says("hello")], store)
    events = asyncio.run(talk.say("hi"))
    assert kinds(events) == [
        "agent_start",
        "turn_start",
        "message_start system",
        "message_end system",
        "message_start user",
        "message_end user",
        "message_start assistant",
        "message_end assistant",
        "turn_end assistant",
        "agent_end",
        "agent_settled",
    ]
    assert events[-1] == {"type": "agent_settled", "aborted": False}
    assert roles(list(store.entries())) == ["system", "user", "assistant"]
    reply = talk.session.last_reply
    assert reply is not None
    assert reply["thinkingLevel"] == "medium"
    assert reply["durationMs"] >= 0


def test_the_prompt_is_announced_once(store: SessionStore) -> None:
    talk = Conversation([says("one"), says("two")], store)
    asyncio.run(talk.say("first"))
    events = asyncio.run(talk.say("second"))
    assert "message_end system" not in kinds(events)
    assert [message["role"] for message in talk.contexts[1]] == [
        "system",
        "user",
        "assistant",
        "user",
    ]


def test_a_changed_prompt_is_announced_as_a_patch(store: SessionStore) -> None:
    asyncio.run(Conversation([says("one")], store).say("first"))
    talk = Conversation([says("two")], store, tools=[Echo()], sections={"preamble": "Be better."})
    events = asyncio.run(talk.say("second"))
    patch = next(event["message"] for event in events if event["type"] == "message_end")
    assert patch["role"] == "system"
    assert patch["sections"] == {"preamble": "Be better."}
    assert [tool["name"] for tool in patch["toolsAdded"]] == ["echo"]


def test_calls_run_together_and_answer_in_order(store: SessionStore) -> None:
    first = says("", call("echo", "a", text="A", wait=0.05), call("echo", "b", text="B"))
    talk = Conversation([first, says("done")], store, tools=[Echo()])
    events = asyncio.run(talk.say("go"))
    ends = [event["toolCallId"] for event in events if event["type"] == "tool_execution_end"]
    assert ends == ["b", "a"]
    turn = next(event for event in events if event["type"] == "turn_end")
    assert [result["toolCallId"] for result in turn["toolResults"]] == ["a", "b"]
    assert [result["content"][0]["text"] for result in turn["toolResults"]] == ["A", "B"]
    assert all(not result["isError"] and "details" not in result for result in turn["toolResults"])


def test_calls_that_cannot_run_are_answered(store: SessionStore) -> None:
    broken = {**call("echo", "d"), "argumentsError": "Unterminated string"}
    reply = says(
        "",
        call("Echo", "a", text="x"),
        call("echo", "b"),
        call("echo", "c", text="fault"),
        broken,
        call("echo", "e", text="fine"),
    )
    talk = Conversation([reply, says("done")], store, tools=[Echo()])
    events = asyncio.run(talk.say("go"))
    results = {
        event["toolCallId"]: event for event in events if event["type"] == "tool_execution_end"
    }
    assert {key: event["isError"] for key, event in results.items()} == {
        "a": True,
        "b": True,
        "c": True,
        "d": True,
        "e": False,
    }
    texts = {key: event["result"]["content"][0]["text"] for key, event in results.items()}
    assert "Echo" in texts["a"]
    assert "text" in texts["b"]
    assert "ZeroDivisionError: a fault in the tool" in texts["c"]
    assert "Unterminated string" in texts["d"]
    # What did not run has no duration; what failed while running has one.
    assert [key for key, event in results.items() if "durationMs" in event] == ["c", "e"]
    shown = [message for message in talk.contexts[1] if message["role"] == "toolResult"]
    assert [message["toolCallId"] for message in shown] == ["a", "b", "c", "d", "e"]


def test_two_calls_with_one_id_get_a_result_each(store: SessionStore) -> None:
    reply = says("", call("echo", "x", text="A"), call("echo", "x", text="B"))
    talk = Conversation([reply, says("done")], store, tools=[Echo()])
    events = asyncio.run(talk.say("go"))
    turn = next(event for event in events if event["type"] == "turn_end")
    assert [result["content"][0]["text"] for result in turn["toolResults"]] == ["A", "B"]


def test_a_cut_off_reply_runs_no_tool(store: SessionStore) -> None:
    tool = Echo()
    reply = says("part", call("echo", text="x"), stop="length")
    talk = Conversation([reply, says("done")], store, tools=[tool])
    events = asyncio.run(talk.say("go"))
    end = next(event for event in events if event["type"] == "tool_execution_end")
    assert end["isError"]
    assert "durationMs" not in end
    assert "output token limit" in end["result"]["content"][0]["text"]
    assert talk.session.last_reply is not None
    assert talk.session.last_reply["stopReason"] == "stop"


def test_a_failure_that_may_pass_is_tried_again(store: SessionStore) -> None:
    talk = Conversation(
        [fails(OverloadedError("529")), fails(RateLimitError("429")), says("ok")], store
    )
    events = asyncio.run(talk.say("hi"))
    assert kinds(events)[6:] == [
        "message_start assistant",
        "message_end assistant",
        "turn_end assistant",
        "agent_end",
        "auto_retry_start",
        "entry_appended",
        "agent_start",
        "turn_start",
        "message_start assistant",
        "message_end assistant",
        "turn_end assistant",
        "agent_end",
        "auto_retry_start",
        "entry_appended",
        "agent_start",
        "turn_start",
        "message_start assistant",
        "message_end assistant",
        "auto_retry_end",
        "turn_end assistant",
        "agent_end",
        "agent_settled",
    ]
    assert [e["willRetry"] for e in events if e["type"] == "agent_end"] == [True, True, False]
    assert [e["delayMs"] for e in events if e["type"] == "auto_retry_start"] == [1, 2]
    end = next(event for event in events if event["type"] == "auto_retry_end")
    assert end == {"type": "auto_retry_end", "success": True, "attempt": 2}
    assert roles(list(store.entries())) == [
        "system",
        "user",
        "assistant",
        "context_edit",
        "assistant",
        "context_edit",
        "assistant",
    ]
    assert [message["role"] for message in talk.contexts[-1]] == ["system", "user"]


def test_retries_end(store: SessionStore) -> None:
    talk = Conversation(
        [fails(OverloadedError("busy"))] * 3, store, retry=RetryPolicy(max_retries=2, base_delay=0)
    )
    events = asyncio.run(talk.say("hi"))
    assert kinds(events)[-3:] == ["agent_end", "auto_retry_end", "agent_settled"]
    assert events[-2] == {
        "type": "auto_retry_end",
        "success": False,
        "attempt": 2,
        "finalError": "busy",
    }
    assert roles(list(store.entries()))[-1] == "assistant"


def test_what_cannot_pass_is_not_tried_again(store: SessionStore) -> None:
    talk = Conversation([fails(AuthenticationError("401"))], store)
    events = asyncio.run(talk.say("hi"))
    assert "auto_retry_start" not in kinds(events)
    assert talk.session.last_reply is not None
    assert talk.session.last_reply["errorMessage"] == "401"


def test_retries_are_counted_anew_after_a_success(store: SessionStore) -> None:
    replies = [
        fails(OverloadedError("busy")),
        says("", call("echo", text="x")),
        fails(OverloadedError("busy")),
        says("ok"),
    ]
    talk = Conversation(
        replies, store, tools=[Echo()], retry=RetryPolicy(max_retries=1, base_delay=0)
    )
    events = asyncio.run(talk.say("hi"))
    assert [e["attempt"] for e in events if e["type"] == "auto_retry_start"] == [1, 1]
    assert [e["success"] for e in events if e["type"] == "auto_retry_end"] == [True, True]


def test_a_server_that_asks_for_time_gets_it_within_bounds() -> None:
    policy = RetryPolicy(base_delay=2, max_delay=60)
    assert policy.delay(OverloadedError("x"), 1) == 2
    assert policy.delay(OverloadedError("x"), 3) == 8
    assert policy.delay(OverloadedError("x"), 30) == 60
    assert policy.delay(RateLimitError("x", retry_after=20), 1) == 20
    assert policy.delay(RateLimitError("x", retry_after=3600), 1) == 60
    assert policy.delay(RateLimitError("x", retry_after=0.1), 1) == 2


async def _abort_at(talk: Conversation, kind: str) -> list[AgentEvent]:
    """Run a prompt; abort from outside once an event of this kind was seen."""
    events: list[AgentEvent] = []
    loop = asyncio.get_running_loop()
    async for event in talk.session.prompt([{"type": "text", "text": "go"}]):
        events.append(event)
        if event["type"] == kind:
            loop.call_later(0.01, talk.session.abort)
    return events


def test_aborting_a_stream_keeps_what_came(store: SessionStore) -> None:
    talk = Conversation([stalls("half an ans")], store)
    events = asyncio.run(_abort_at(talk, "message_update"))
    assert events[-1] == {"type": "agent_settled", "aborted": True}
    reply = talk.session.last_reply
    assert reply is not None
    assert reply["stopReason"] == "aborted"
    assert reply["content"] == [{"type": "text", "text": "half an ans"}]
    assert roles(list(store.entries()))[-1] == "assistant"


def test_aborting_a_tool_leaves_a_valid_history(store: SessionStore) -> None:
    tool = Echo()
    reply = says("", call("echo", "a", text="A", wait=60), call("echo", "b", text="B"))
    talk = Conversation([reply], store, tools=[tool])
    events = asyncio.run(_abort_at(talk, "tool_execution_end"))
    assert tool.cancelled == 1
    assert roles(list(store.entries())) == [
        "system",
        "user",
        "assistant",
        "toolResult",
        "toolResult",
        "assistant",
    ]
    results = [e["message"] for e in store.entries() if e["type"] == "message"][3:5]
    assert results[0]["isError"]
    assert results[0]["content"][0]["text"].startswith("so far")
    assert results[0]["details"] == {}
    assert results[1]["content"][0]["text"] == "B"
    assert events[-1] == {"type": "agent_settled", "aborted": True}
    assert len(talk.contexts) == 1, "an aborted run asks the model nothing more"


def test_aborting_the_wait_before_a_retry(store: SessionStore) -> None:
    talk = Conversation([fails(OverloadedError("busy"))], store, retry=RetryPolicy(base_delay=60))
    events = asyncio.run(_abort_at(talk, "auto_retry_start"))
    assert kinds(events)[-2:] == ["auto_retry_end", "agent_settled"]
    assert events[-1] == {"type": "agent_settled", "aborted": True}


def test_a_cancelled_consumer_leaves_no_tool_behind(store: SessionStore) -> None:
    tool = Echo()
    talk = Conversation([says("", call("echo", text="A", wait=60))], store, tools=[tool])

    async def consume() -> None:
        task = asyncio.create_task(talk.say("go"))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    asyncio.run(consume())
    assert tool.cancelled == 1
