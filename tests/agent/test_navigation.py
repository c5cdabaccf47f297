"""Moving in the tree: where one lands, what is taken along, what a failure leaves."""

import asyncio
from typing import Any

import pytest

from pi.agent.retry import RetryPolicy
from pi.agent.session import BusyError
from pi.agent.summary import SummaryError
from pi.errors import AuthenticationError, OverloadedError, SessionError
from pi.session.store import SessionStore
from tests.agent.conftest import Conversation, Echo, fails, says, stalls


async def talked(store: SessionStore, *later: Any) -> tuple[Conversation, list[Any]]:
    """Two prompts, the second with a tool call; the session and its messages' entries."""
    call = {"id": "1", "name": "echo", "arguments": {"text": "result"}}
    read = {"id": "2", "name": "read", "arguments": {"path": "a.py"}}
    replies = [says("one"), says("", call, read), says("two"), *later]
    talk = Conversation(replies, store, tools=[Echo()])
    await talk.say("first")
    await talk.say("second")
    return talk, [e for e in talk.entries("message") if e["message"]["role"] != "system"]


def roles(talk: Conversation) -> list[str]:
    return [message["role"] for message in talk.session.transcript.messages]


async def test_to_a_message_of_the_user_is_to_before_it(store: SessionStore) -> None:
    talk, entries = await talked(store, says("three"))
    moved = await talk.session.navigate(entries[2]["id"])
    assert moved.text == "second"
    assert store.leaf_id == entries[1]["id"]
    assert roles(talk) == ["system", "user", "assistant"]
    await talk.say("another way")
    assert [m["role"] for m in talk.contexts[-1]] == ["system", "user", "assistant", "user"]


async def test_to_the_first_message_is_to_before_everything_said(store: SessionStore) -> None:
    talk, entries = await talked(store)
    await talk.session.navigate(entries[0]["id"])
    assert roles(talk) == ["system"]


async def test_to_any_other_entry_is_to_behind_it(store: SessionStore) -> None:
    talk, entries = await talked(store)
    moved = await talk.session.navigate(entries[1]["id"], label="here")
    assert moved.text is None
    (label,) = talk.entries("label")
    assert (label["targetId"], label["label"]) == (entries[1]["id"], "here")
    assert roles(talk) == ["system", "user", "assistant"]
    here = store.leaf_id
    await talk.session.navigate(str(here))
    assert store.leaf_id == here


async def test_a_summary_of_what_is_left_is_taken_along(store: SessionStore) -> None:
    talk, entries = await talked(store, says("left that", tokens=5), says("three"))
    old = store.leaf_id
    moved = await talk.session.navigate(
        entries[1]["id"], summarise=True, instructions="mind X", label="L"
    )
    (summary,) = talk.entries("branch_summary")
    assert moved.summary == summary
    assert (summary["parentId"], summary["fromId"]) == (entries[1]["id"], old)
    assert summary["details"] == {"readFiles": ["a.py"], "modifiedFiles": []}
    assert summary["summary"] == "left that\n\n<read-files>\na.py\n</read-files>"
    assert summary["usage"]["totalTokens"] == 5
    assert summary["fromHook"] is False
    assert talk.entries("label")[0]["targetId"] == summary["id"]
    (prompt,) = talk.summary_prompts
    assert "[User]: second" in prompt
    assert "first" not in prompt
    assert "[Tool result]" not in prompt
    assert "mind X" in prompt
    assert "## Next Steps" in prompt
    assert "## Critical Context" not in prompt
    await talk.say("go on")
    assert "left that" in str(talk.contexts[-1])


async def test_files_of_a_summary_in_the_branch_are_carried_on(store: SessionStore) -> None:
    talk, entries = await talked(store, says("S1"), says("x"), says("S2"))
    await talk.session.navigate(entries[1]["id"], summarise=True)
    await talk.say("more")
    await talk.session.navigate(entries[0]["id"], summarise=True)
    assert talk.entries("branch_summary")[1]["details"]["readFiles"] == ["a.py"]


async def test_back_on_the_same_branch_there_may_be_nothing_to_tell(store: SessionStore) -> None:
    talk, entries = await talked(store)
    await talk.session.navigate(entries[1]["id"])
    moved = await talk.session.navigate(entries[-1]["id"], summarise=True)
    assert moved.summary is None
    assert store.leaf_id == entries[-1]["id"]


async def test_a_failure_leaves_everything_where_it_was(store: SessionStore) -> None:
    talk, entries = await talked(store, fails(AuthenticationError("401 no")))
    old, before = store.leaf_id, roles(talk)
    with pytest.raises(SummaryError, match="401 no"):
        await talk.session.navigate(entries[1]["id"], summarise=True)
    with pytest.raises(SessionError, match="nope"):
        await talk.session.navigate("nope", summarise=True)
    assert (store.leaf_id, roles(talk)) == (old, before)
    assert not talk.session.is_busy


async def test_a_busy_server_is_asked_again(store: SessionStore) -> None:
    talk, entries = await talked(store, fails(OverloadedError("529")), says("S"))
    talk.session.retry = RetryPolicy(base_delay=0.001)
    await talk.session.navigate(entries[1]["id"], summarise=True)
    assert [e["type"] for e in talk.outside] == [
        "summarization_retry_scheduled",
        "summarization_retry_attempt_start",
        "summarization_retry_finished",
    ]
    assert talk.outside[1] == {
        "type": "summarization_retry_attempt_start",
        "source": "branchSummary",
    }


async def test_it_can_be_stopped_and_is_alone(store: SessionStore) -> None:
    talk, entries = await talked(store, stalls("S"))
    old = store.leaf_id
    going = asyncio.create_task(talk.session.navigate(entries[1]["id"], summarise=True))
    while not talk.summary_prompts:
        await asyncio.sleep(0)
    with pytest.raises(BusyError):
        await talk.session.navigate(entries[0]["id"])
    with pytest.raises(BusyError):
        await talk.say("meanwhile")
    talk.session.abort()
    assert (await asyncio.wait_for(going, 10)).cancelled
    assert store.leaf_id == old
