"""What is said while the agent works: when it is heard, in what order, and what an abort leaves."""

import asyncio
from typing import Any

import pytest

from pi.agent.queues import MessageQueues, QueueMode
from pi.agent.session import BusyError
from pi.errors import PiError
from pi.session.store import SessionStore
from pi.wire.events import AgentEvent
from tests.agent.conftest import Conversation, Echo, says, stalls


def text(said: str) -> list[Any]:
    return [{"type": "text", "text": said}]


def outline(events: list[AgentEvent]) -> list[str]:
    """What people would see, with the texts of users and the queues."""
    lines = []
    for event in events:
        if event["type"] == "message_end":
            message = event["message"]
            said = message["content"][0]["text"] if message["role"] == "user" else ""  # type: ignore[index,typeddict-item]
            lines.append(f"{message['role']} {said}".strip())
        elif event["type"] == "queue_update":
            lines.append(f"queue {event['steering']} {event['followUp']}")
        elif event["type"] in ("turn_start", "agent_start", "agent_end"):
            lines.append(event["type"])
    return lines


async def working(
    store: SessionStore, *later: Any, queues: tuple[QueueMode, QueueMode]
) -> list[str]:
    """A run with a tool call, during which two of each kind are said."""
    call = {"id": "1", "name": "echo", "arguments": {"text": "x", "wait": 0.02}}
    talk = Conversation([says("", call), *later], store, tools=[Echo()])
    talk.session.queues = MessageQueues(*queues)
    events = []
    async for event in talk.session.prompt(text("go")):
        events.append(event)
        if event["type"] == "tool_execution_start":
            for said in ("s1", "s2"):
                talk.session.steer(text(said))
            for said in ("f1", "f2"):
                talk.session.follow_up(text(said))
            with pytest.raises(BusyError):
                await talk.say("no")
    assert talk.outside[-1] == {
        "type": "queue_update",
        "steering": ["s1", "s2"],
        "followUp": ["f1", "f2"],
    }
    return outline(events)


async def test_one_at_a_time(store: SessionStore) -> None:
    later = [says("a"), says("b"), says("c"), says("d")]
    seen = await working(store, *later, queues=("one-at-a-time", "one-at-a-time"))
    assert seen[seen.index("toolResult") + 1 :] == [
        "turn_start",
        "queue ['s2'] ['f1', 'f2']",
        "user s1",
        "assistant",
        "turn_start",
        "queue [] ['f1', 'f2']",
        "user s2",
        "assistant",
        "turn_start",
        "queue [] ['f2']",
        "user f1",
        "assistant",
        "turn_start",
        "queue [] []",
        "user f2",
        "assistant",
        "agent_end",
    ]


async def test_all_at_once(store: SessionStore) -> None:
    seen = await working(store, says("a"), says("b"), queues=("all", "all"))
    assert seen[seen.index("toolResult") + 1 :] == [
        "turn_start",
        "queue ['s2'] ['f1', 'f2']",
        "user s1",
        "queue [] ['f1', 'f2']",
        "user s2",
        "assistant",
        "turn_start",
        "queue [] ['f2']",
        "user f1",
        "queue [] []",
        "user f2",
        "assistant",
        "agent_end",
    ]


async def test_said_before_the_run_it_is_heard_in_its_first_turn(store: SessionStore) -> None:
    talk = Conversation([says("a"), says("b")], store)
    talk.session.steer(text("s"))
    talk.session.follow_up(text("f"))
    seen = outline(await talk.say("go"))
    assert seen[2:8] == [
        "system",
        "user go",
        "queue [] ['f']",
        "user s",
        "assistant",
        "turn_start",
    ]
    assert seen[-4:] == ["queue [] []", "user f", "assistant", "agent_end"]


async def test_an_abort_leaves_the_queue_for_the_next_prompt(store: SessionStore) -> None:
    talk = Conversation([stalls("par"), says("a"), says("b")], store)
    events: list[AgentEvent] = []
    async for event in talk.session.prompt(text("go")):
        events.append(event)
        if event["type"] == "message_update":
            talk.session.follow_up(text("f"))
            talk.session.abort()
    assert events[-1] == {"type": "agent_settled", "aborted": True}
    assert len(talk.session.queues) == 1
    assert outline(await talk.say("next"))[-4:] == [
        "queue [] []",
        "user f",
        "assistant",
        "agent_end",
    ]


async def test_a_queue_can_be_taken_back(store: SessionStore) -> None:
    talk = Conversation([], store)
    talk.session.steer([*text("s"), {"type": "image", "data": "", "mimeType": "image/png"}])
    talk.session.follow_up(text("f"))
    assert talk.session.queues.clear() == {
        "type": "queue_update",
        "steering": ["s"],
        "followUp": ["f"],
    }
    assert not talk.session.queues


async def test_going_on_without_a_prompt(store: SessionStore) -> None:
    talk = Conversation([says("a"), says("b")], store)
    await talk.say("go")
    with pytest.raises(PiError, match="nothing to go on with"):
        async for _ in talk.session.resume():
            pass
    talk.session.follow_up(text("more"))
    seen = [event async for event in talk.session.resume()]
    assert "user more" in outline(seen)
    assert talk.contexts[-1][-1]["content"] == text("more")


async def test_a_run_in_one_task_is_waited_for_in_another(store: SessionStore) -> None:
    talk = Conversation([stalls("par")], store)
    run = asyncio.create_task(talk.say("go"))
    while not talk.contexts:
        await asyncio.sleep(0)
    assert talk.session.is_busy
    talk.session.abort()
    await asyncio.wait_for(talk.session.idle(), 10)
    assert not talk.session.is_busy
    await run
