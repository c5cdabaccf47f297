"""Compaction as a conversation meets it: when it happens, what stays, what a failure leaves."""

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pi.agent.compaction import CompactionError
from pi.agent.retry import RetryPolicy
from pi.agent.session import BusyError
from pi.agent.tokens import estimate
from pi.config.settings_types import Compaction, CompactionOverride
from pi.errors import AuthenticationError, ContextOverflowError, OverloadedError
from pi.session.store import SessionStore
from pi.tools.base import ToolContext, ToolResult, text_block
from pi.wire.events import AgentEvent, AssistantEvent
from pi.wire.messages import AssistantMessage
from tests.agent.conftest import MODEL, Conversation, Echo, Reply, fails, says, stalls

SMALL = replace(MODEL, context_window=8000, max_tokens=1000)
SETTINGS = Compaction(reserve_tokens=5000, keep_recent_tokens=60)
LONG = "word " * 60
"""75 tokens, more than is to be kept."""

FULL = ContextOverflowError("400 prompt is too long")


def talk(
    store: SessionStore,
    *replies: Reply,
    settings: Compaction = SETTINGS,
    tools: tuple[Any, ...] = (),
    retry: RetryPolicy | None = None,
) -> Conversation:
    return Conversation(replies, store, tools=tools, retry=retry, compaction=settings, model=SMALL)


def types(events: list[AgentEvent]) -> list[str]:
    """Without what every message goes through."""
    return [e["type"] for e in events if not e["type"].startswith(("message_", "tool_"))]


async def compact(talk: Conversation, instructions: str | None = None) -> list[AgentEvent]:
    return [event async for event in talk.session.compact(instructions)]


async def collect(talk: Conversation, events: list[Any]) -> None:
    """The same, keeping what comes before a failure."""
    async for event in talk.session.compact():
        events.append(event)


async def test_a_context_past_the_threshold_is_compacted_after_the_run(
    store: SessionStore,
) -> None:
    chat = talk(store, says(LONG, tokens=3500), says("the gist", tokens=7, out=3), says("hi"))
    events = await chat.say("question " * 20)
    assert types(events)[-4:] == [
        "agent_end",
        "compaction_start",
        "compaction_end",
        "agent_settled",
    ]
    end: Any = events[-2]
    (entry,) = chat.entries("compaction")
    assert end["reason"] == "threshold"
    assert not end["aborted"]
    assert not end["willRetry"]
    result = end["result"]
    assert "the gist" in result["summary"]
    assert result["tokensBefore"] == 3500
    assert result["usage"]["totalTokens"] == 10
    assert result["details"] == {"readFiles": [], "modifiedFiles": []}
    assert entry["firstKeptEntryId"] == result["firstKeptEntryId"]
    assert entry["fromHook"] is False
    assert entry["usage"] == result["usage"]
    assert entry["systemMessage"]["sections"] == {"preamble": "Be good."}
    assert result["estimatedTokensAfter"] == estimate(chat.session.transcript.messages)

    await chat.say("next")
    shown = chat.contexts[-1]
    assert [message["role"] for message in shown] == ["system", "user", "assistant", "user"]
    assert "the gist" in shown[1]["content"][0]["text"]


async def test_at_the_threshold_nothing_happens(store: SessionStore) -> None:
    chat = talk(store, says(LONG, tokens=3000))
    assert "compaction_start" not in types(await chat.say("question " * 20))


async def test_it_is_checked_between_turns_with_what_the_tools_returned(
    store: SessionStore,
) -> None:
    call = {"id": "1", "name": "echo", "arguments": {"text": "y" * 480}}
    chat = talk(
        store,
        says(LONG, tokens=100),
        says("", call, tokens=2900),
        says("SUM"),
        says("PREFIX"),
        says("done"),
        tools=(Echo(),),
    )
    await chat.say("one " * 60)
    events = await chat.say("two " * 60)
    kinds = types(events)
    at = kinds.index("compaction_start")
    assert kinds[at - 1 : at + 3] == [
        "turn_end",
        "compaction_start",
        "compaction_end",
        "turn_start",
    ]
    end: Any = next(e for e in events if e["type"] == "compaction_end")
    assert end["result"]["tokensBefore"] == 2900 + 120
    # The call stays with its result.
    assert [m["role"] for m in chat.contexts[-1]] == ["system", "user", "assistant", "toolResult"]


async def test_a_prompt_that_would_not_fit_makes_room_first(store: SessionStore) -> None:
    chat = talk(store, says(LONG, tokens=2900), says("SUM"), says("ok"))
    await chat.say("one " * 60)
    events = await chat.say("x" * 1000)
    assert types(events)[:3] == ["compaction_start", "compaction_end", "agent_start"]


async def test_switched_off_it_leaves_all_alone_but_can_be_asked_for(store: SessionStore) -> None:
    off = Compaction(enabled=False, reserve_tokens=5000, keep_recent_tokens=60)
    chat = talk(store, says(LONG, tokens=7000), fails(FULL), says("SUM"), settings=off)
    assert "compaction_start" not in types(await chat.say("one " * 60))
    events = await chat.say("two")
    assert not {"compaction_start", "entry_appended"} & set(types(events))
    assert chat.session.last_reply is not None
    assert chat.session.last_reply["stopReason"] == "error"
    assert types(await compact(chat)) == ["compaction_start", "compaction_end"]


async def test_a_refused_context_is_compacted_and_asked_again_once(store: SessionStore) -> None:
    chat = talk(
        store,
        says(LONG, tokens=100),
        fails(FULL),
        says("HISTORY", tokens=5),
        says("PREFIX", tokens=6),
        fails(FULL),
    )
    await chat.say("one " * 60)
    events = await chat.say("two " * 60)
    assert [k for k in types(events) if k not in ("turn_start", "turn_end")] == [
        "agent_start",
        "agent_end",
        "entry_appended",
        "compaction_start",
        "compaction_end",
        "agent_start",
        "agent_end",
        "compaction_end",
        "agent_settled",
    ]
    ends: list[Any] = [e for e in events if e["type"] == "compaction_end"]
    assert ends[0]["willRetry"]
    assert ends[0]["reason"] == "overflow"
    assert ends[0]["result"]["usage"]["totalTokens"] == 11
    assert "errorMessage" in ends[1]
    assert "result" not in ends[1]
    # The request that was too long is in the summary, not in what stays.
    assert "two two" in chat.summary_prompts[1]
    assert [m["role"] for m in chat.contexts[-1]] == ["system", "user"]
    (edit,) = chat.entries("context_edit")
    (entry,) = chat.entries("compaction")
    assert entry["firstKeptEntryId"] == edit["targetId"]


async def test_an_answer_cut_off_early_is_asked_for_again(store: SessionStore) -> None:
    chat = talk(
        store,
        says(LONG, tokens=100),
        says("unfinish", stop="length", tokens=10, out=5),
        says("SUM"),
        says("whole"),
    )
    await chat.say("one " * 60)
    await chat.say("two")
    assert chat.session.last_reply is not None
    assert chat.session.last_reply["content"] == [{"type": "text", "text": "whole"}]
    assert not any("unfinish" in str(m["content"]) for m in chat.contexts[-1])


async def test_an_answer_of_the_models_own_limit_is_an_answer(store: SessionStore) -> None:
    chat = talk(store, says(LONG, tokens=100), says("par", stop="length", tokens=10, out=1000))
    await chat.say("one " * 60)
    assert "compaction_start" not in types(await chat.say("two"))


async def test_a_context_the_server_cut_silently_is_compacted(store: SessionStore) -> None:
    chat = talk(store, says(LONG, tokens=9000), says("SUM"))
    end: Any = (await chat.say("one " * 60))[-2]
    assert (end["type"], end["reason"], end["willRetry"]) == ("compaction_end", "overflow", False)


async def test_recovery_that_fails_leaves_the_repaired_context(store: SessionStore) -> None:
    chat = talk(
        store,
        says(LONG, tokens=100),
        fails(FULL),
        fails(AuthenticationError("401 bad key")),
        says("fine"),
    )
    await chat.say("one " * 60)
    events = await chat.say("two " * 60)
    end: Any = events[-2]
    assert end["type"] == "compaction_end"
    assert "401 bad key" in end["errorMessage"]
    assert not end["willRetry"]
    assert len(chat.entries("context_edit")) == 1
    assert not chat.entries("compaction")
    await chat.say("three")
    assert chat.session.last_reply is not None
    assert chat.session.last_reply["stopReason"] == "stop"


async def test_a_session_left_too_large_is_repaired_before_the_next_prompt(
    tmp_path: Path,
) -> None:
    with SessionStore.create(str(tmp_path), tmp_path) as first:
        chat = talk(
            first,
            says(LONG, tokens=100),
            fails(FULL),
            settings=Compaction(enabled=False, reserve_tokens=5000, keep_recent_tokens=60),
        )
        await chat.say("one " * 60)
        await chat.say("two " * 60)
        path = first.path
    assert path is not None
    with SessionStore.open(path) as again:
        chat = talk(again, says("SUM"), says("PREFIX"), says("ok"))
        events = await chat.say("three")
        assert types(events)[:4] == [
            "entry_appended",
            "compaction_start",
            "compaction_end",
            "agent_start",
        ]


async def test_by_hand_with_instructions_and_again_with_the_summary_before(
    store: SessionStore,
) -> None:
    chat = talk(
        store,
        says(LONG, tokens=10),
        says(LONG, tokens=10),
        says("FIRST"),
        says("PREFIX"),
        says(LONG, tokens=10),
        says("SECOND"),
        says("PREFIX"),
    )
    await chat.say("one " * 60)
    await chat.say("two " * 60)
    await compact(chat, "mind the tests")
    assert all("mind the tests" in prompt for prompt in chat.summary_prompts)
    await chat.say("three " * 60)
    await compact(chat)
    third = chat.summary_prompts[2]
    assert "<previous-summary>" in third
    assert "FIRST" in third
    assert "mind the tests" not in third
    # What the first compaction kept is summarised by the second; what it summarised is not again.
    assert "[Assistant]: word" in third
    assert "[User]: one" not in third
    assert len(chat.entries("compaction")) == 2


async def test_the_sections_of_a_summary_are_asked_for(store: SessionStore) -> None:
    chat = talk(store, says("a", tokens=5), says(LONG, tokens=10), says("S"), says("P"))
    await chat.say("one " * 60)
    await chat.say("two " * 60)
    await compact(chat)
    for heading in (
        "Goal",
        "Constraints & Preferences",
        "Progress",
        "Key Decisions",
        "Next Steps",
        "Critical Context",
    ):
        assert f"## {heading}\n" in chat.summary_prompts[0]


@pytest.mark.parametrize("said", [0, 1])
async def test_nothing_to_compact_is_said(store: SessionStore, said: int) -> None:
    chat = talk(store, says("short", tokens=5))
    for _ in range(said):
        await chat.say("hi")
    events: list[Any] = []
    with pytest.raises(CompactionError, match="nothing to compact"):
        await collect(chat, events)
    assert [e["type"] for e in events] == ["compaction_start", "compaction_end"]
    assert "errorMessage" in events[1]
    assert not chat.contexts[said:]


async def test_twice_in_a_row_is_once(store: SessionStore) -> None:
    chat = talk(store, says(LONG, tokens=10), says("SUM"))
    await chat.say("one " * 60)
    await compact(chat)
    with pytest.raises(CompactionError, match="just been compacted"):
        await compact(chat)


async def test_a_busy_server_is_asked_again(store: SessionStore) -> None:
    busy = OverloadedError("529 busy")
    chat = talk(store, says(LONG, tokens=10), fails(busy), fails(busy), says("SUM"))
    await chat.say("one " * 60)
    events: list[Any] = await compact(chat)
    assert [e["type"] for e in events] == [
        "compaction_start",
        "summarization_retry_scheduled",
        "summarization_retry_attempt_start",
        "summarization_retry_scheduled",
        "summarization_retry_attempt_start",
        "summarization_retry_finished",
        "compaction_end",
    ]
    assert events[1]["errorMessage"] == "529 busy"
    assert (events[3]["attempt"], events[3]["maxAttempts"]) == (2, 3)
    assert events[2]["source"] == "compaction"
    assert events[2]["reason"] == "manual"


BAD_SUMMARIES = {
    "cut off": says("half", stop="length"),
    "called a tool": says("", {"id": "1", "name": "read", "arguments": {}}),
    "empty": says(" \n"),
    "401": fails(AuthenticationError("401 no")),
}


@pytest.mark.parametrize("why", BAD_SUMMARIES)
async def test_without_a_whole_summary_nothing_is_replaced(store: SessionStore, why: str) -> None:
    chat = talk(store, says(LONG, tokens=10), BAD_SUMMARIES[why])
    await chat.say("one " * 60)
    before = list(chat.session.transcript.messages)
    with pytest.raises(CompactionError, match=why):
        await compact(chat)
    assert chat.session.transcript.messages == before
    assert not chat.entries("compaction")
    assert not chat.session.is_busy


async def test_files_are_tracked_through_compactions(store: SessionStore) -> None:
    def call(name: str, path: str) -> dict[str, Any]:
        return {"id": f"{name} {path}", "name": name, "arguments": {"path": path}}

    chat = talk(
        store,
        says("", call("read", "b"), call("read", "a"), call("edit", "a"), tokens=5),
        says(LONG, tokens=10),
        says("SUM"),
        says("", call("read", "c"), call("write", "b"), tokens=5),
        says(LONG, tokens=10),
        says("SUM"),
        says("SUM"),
    )
    await chat.say("one " * 60)
    await compact(chat)
    await chat.say("two " * 60)
    await compact(chat)
    first, second = chat.entries("compaction")
    assert first["details"] == {"readFiles": ["b"], "modifiedFiles": ["a"]}
    assert second["details"] == {"readFiles": ["c"], "modifiedFiles": ["a", "b"]}
    assert second["summary"].endswith(
        "\n\n<read-files>\nc\n</read-files>\n\n<modified-files>\na\nb\n</modified-files>"
    )
    assert "<modified-files>" not in "".join(chat.summary_prompts)


async def test_a_model_can_have_limits_of_its_own(store: SessionStore) -> None:
    settings = Compaction(
        reserve_tokens=5000,
        keep_recent_tokens=60,
        model_overrides={SMALL.reference: CompactionOverride(reserve_tokens=100)},
    )
    chat = talk(store, says(LONG, tokens=3500), settings=settings)
    assert "compaction_start" not in types(await chat.say("one " * 60))


async def test_limits_beyond_the_window_still_compact(store: SessionStore) -> None:
    """The usual settings on a model with a small window: nothing would ever count as old."""
    chat = talk(store, *[says(LONG * 40, tokens=6500), says("SUM")], settings=Compaction())
    assert "compaction_end" in types(await chat.say("one " * 2000))


async def test_one_huge_result_is_not_kept_beyond_the_window(store: SessionStore) -> None:
    class Flood(Echo):
        async def run(self, args: dict[str, Any], context: ToolContext) -> ToolResult:
            return ToolResult([text_block(args["text"] * 40_000)])

    call = {"id": "1", "name": "echo", "arguments": {"text": "z"}}
    chat = talk(store, says("", call, tokens=100), says("SUM"), says("ok"), tools=(Flood(),))
    await chat.say("one")
    (entry,) = chat.entries("compaction")
    assert entry["firstKeptEntryId"] == entry["id"]
    assert estimate(chat.contexts[-1]) < SMALL.context_window
    assert chat.contexts[-1][-1]["role"] == "user"


async def test_four_hundred_turns_stay_within_the_window(store: SessionStore) -> None:
    """Whatever is sent, summaries included; the server refuses what is too large."""
    window = 8000
    sent: list[int] = []

    def answer(context: list[Any]) -> Reply:
        async def stream(message: AssistantMessage) -> AsyncIterator[AssistantEvent]:
            size = estimate(context)
            sent.append(size)
            summary = "<conversation>" in str(context[-1]["content"])
            text = "the story so far " * 20 if summary else f"answer {len(sent)} " * 30
            async for event in says(text, tokens=size, out=len(text) // 4)(message):
                yield event

        return stream

    chat = talk(store, settings=Compaction(reserve_tokens=2000, keep_recent_tokens=1500))

    class Endless(list[Reply]):
        def pop(self, index: Any = -1) -> Reply:
            return answer(chat.contexts[-1])

    chat._replies = Endless()
    for turn in range(400):
        await chat.say(f"question {turn} " * 40)
    assert max(sent) <= window
    compactions = chat.entries("compaction")
    assert len(compactions) > 10
    assert len(chat.entries("message")) == 801


async def test_a_summary_request_that_is_refused_is_made_in_pieces(store: SessionStore) -> None:
    chat = talk(store, says("a" * 3000, tokens=9), says(LONG, tokens=9), fails(FULL), says("1"),
                says("2"), says("3"), says("P"))  # fmt: skip
    await chat.say("b" * 3000)
    await chat.say("two " * 60)
    await compact(chat)
    history = [p for p in chat.summary_prompts if "two two" not in p]
    assert len(history) > 2
    assert max(map(len, history[1:])) < len(history[0])
    assert "<previous-summary>\n1\n" in history[2]


async def test_stopping_a_compaction_leaves_everything(store: SessionStore) -> None:
    chat = talk(store, says(LONG, tokens=10), stalls("SU"), says("ok"))
    await chat.say("one " * 60)
    events: list[Any] = []
    task = asyncio.create_task(collect(chat, events))
    while len(chat.contexts) < 2:
        await asyncio.sleep(0.001)
    assert chat.session.is_compacting
    with pytest.raises(BusyError):
        await chat.say("meanwhile")
    chat.session.abort()
    with pytest.raises(CompactionError):
        await task
    assert events[-1]["aborted"]
    assert "errorMessage" not in events[-1]
    await chat.say("two")
    assert not chat.entries("compaction")


async def test_a_second_compaction_takes_the_place_of_the_first(store: SessionStore) -> None:
    chat = talk(store, says(LONG, tokens=10), stalls("SU"), says("SUM"))
    await chat.say("one " * 60)
    first = asyncio.create_task(compact(chat))
    while len(chat.contexts) < 2:
        await asyncio.sleep(0.001)
    second = await asyncio.wait_for(compact(chat), 10)
    assert types(second) == ["compaction_start", "compaction_end"]
    with pytest.raises(CompactionError):
        await first
    assert len(chat.entries("compaction")) == 1


async def test_compacting_ends_the_run_under_way(store: SessionStore) -> None:
    chat = talk(store, says(LONG, tokens=10), stalls("par"), says("SUM"), says("P"))
    await chat.say("one " * 60)
    run = asyncio.create_task(chat.say("two"))
    while len(chat.contexts) < 2:
        await asyncio.sleep(0.001)
    await asyncio.wait_for(compact(chat), 10)
    assert (await run)[-1] == {"type": "agent_settled", "aborted": True}
    assert len(chat.entries("compaction")) == 1


async def test_what_was_summarised_is_let_go(tmp_path: Path) -> None:
    """A process that runs for long holds what the model sees, not all that ever was said."""

    def long_answer(message: AssistantMessage) -> AsyncIterator[AssistantEvent]:
        return says(f"{message['timestamp']} " + "x" * 200_000, tokens=100)(message)

    turns = 30
    store = SessionStore.create(str(tmp_path), tmp_path)
    talk = Conversation([long_answer] * turns + [says("A summary.")] * 200, store)

    def held() -> int:
        talk.contexts.clear()
        talk.summary_prompts.clear()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        for number in range(turns):
            await talk.say(f"go on {number}")
        assert held() > turns * 200_000
        async for _ in talk.session.compact():
            pass
        assert held() < 4 * 200_000
    finally:
        tracemalloc.stop()
        store.close()
