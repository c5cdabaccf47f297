"""What handlers may answer, and what comes of it: order, chains, gates, failures."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pi.agent import dispatch
from pi.agent import hook_events as ev
from pi.agent.hooks import HookFailure, Hooks
from pi.agent.session import AgentSession
from pi.session.store import SessionStore
from pi.tools.base import Tool
from tests.agent.conftest import Conversation, Echo, Reply, says


@pytest.fixture
def failures() -> list[HookFailure]:
    return []


@pytest.fixture
def hooks(failures: list[HookFailure]) -> Hooks:
    return Hooks(failures.append)


def answering(*answers: Any) -> Callable[[Any], Any]:
    """A handler that gives these in turn."""
    left = list(answers)
    return lambda event: left.pop(0)


async def test_order_is_load_order_then_registration(hooks: Hooks) -> None:
    heard: list[str] = []
    hooks.on("agent_start", lambda e: heard.append("b1"), owner="b", rank=2)
    hooks.on("agent_start", lambda e: heard.append("a1"), owner="a", rank=1)
    hooks.on("agent_start", lambda e: heard.append("a2"), owner="a", rank=1)
    await hooks.notify(ev.AgentStart())
    assert heard == ["a1", "a2", "b1"]


async def test_unsubscribing_does_not_change_a_dispatch_under_way(hooks: Hooks) -> None:
    heard: list[str] = []

    def first(event: Any) -> None:
        heard.append("first")
        off()

    hooks.on("agent_start", first, owner="a")
    off = hooks.on("agent_start", lambda e: heard.append("second"), owner="a")
    await hooks.notify(ev.AgentStart())
    await hooks.notify(ev.AgentStart())
    assert heard == ["first", "second", "first"]
    off()  # again: nothing happens


async def test_dropping_an_owner_forgets_all_of_it(hooks: Hooks) -> None:
    hooks.on("agent_start", lambda e: None, owner="a")
    hooks.on("agent_end", lambda e: None, owner="b")
    hooks.drop("a")
    assert not hooks.wants("agent_start")
    assert hooks.wants("agent_end")


def test_an_event_that_does_not_exist(hooks: Hooks) -> None:
    with pytest.raises(ValueError, match="no event 'tool_cal'"):
        hooks.on("tool_cal", lambda e: None, owner="a")


async def test_input_is_chained_until_somebody_handles_it(hooks: Hooks) -> None:
    hooks.on("input", lambda e: ev.Transform(e.text + "1"), owner="a")
    hooks.on("input", lambda e: ev.Transform(e.text + "2", []), owner="b")
    event = await hooks.input(ev.InputEvent("x", [{"type": "image"}], "rpc"))  # type: ignore[list-item]
    assert event is not None
    assert (event.text, event.images) == ("x12", [])
    hooks.on("input", lambda e: ev.Handled(), owner="c")
    hooks.on("input", lambda e: pytest.fail("not asked any more"), owner="d")
    assert await hooks.input(ev.InputEvent("x", [], "rpc")) is None


@pytest.mark.parametrize("failing", [True, False], ids=["raises", "answers nonsense"])
async def test_a_gate_that_fails_is_closed(
    hooks: Hooks, failures: list[HookFailure], failing: bool
) -> None:
    def handler(event: Any) -> Any:
        if failing:
            raise KeyError("path")
        return {"block": False}

    hooks.on("tool_call", handler, owner="gate.py")
    block = await hooks.tool_call(ev.ToolCall("bash", "1", {}))
    assert block is not None
    assert "failed to decide" in block.reason
    assert [f.owner for f in failures] == ["gate.py"]
    hooks.on("user_bash", handler, owner="gate.py")
    with pytest.raises(PermissionError):
        await hooks.user_bash(ev.UserBash("ls", False, "/"))


async def test_a_notice_that_fails_is_reported_and_the_rest_goes_on(
    hooks: Hooks, failures: list[HookFailure]
) -> None:
    heard: list[str] = []

    async def broken(event: Any) -> None:
        raise SystemExit(3)

    hooks.on("agent_start", broken, owner="a")
    hooks.on("agent_start", lambda e: heard.append("b"), owner="b")
    await hooks.notify(ev.AgentStart())
    assert heard == ["b"]
    assert failures[0].text == "SystemExit: 3"
    assert failures[0].event == "agent_start"


async def test_a_slow_handler_is_named_unless_it_waits_for_the_person(
    hooks: Hooks, failures: list[HookFailure], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "SLOW", 0.05)

    async def slow(event: Any) -> None:
        await asyncio.sleep(0.2)

    hooks.on("agent_start", slow, owner="slow.py")
    await hooks.notify(ev.AgentStart())
    assert [(f.owner, f.error) for f in failures] == [("slow.py", None)]
    hooks.waiting = 1
    await hooks.notify(ev.AgentStart())
    assert len(failures) == 1


async def test_results_are_patched_like_middleware(hooks: Hooks) -> None:
    hooks.on("tool_result", lambda e: ev.ResultPatch(content=[]), owner="a")
    hooks.on("tool_result", lambda e: ev.ResultPatch(details=e.structured_content), owner="b")
    hooks.on("tool_result", lambda e: ev.ResultPatch(is_error=True), owner="c")
    event = ev.ToolResultEvent(
        "t", "1", {}, [{"type": "text", "text": "x"}], 1, {"a": 1}, False, None
    )
    assert await hooks.tool_result(event)
    assert (event.content, event.details, event.is_error) == ([], None, True)
    assert event.structured_content is None, "it may not fit the new content"


async def test_a_compaction_is_cancelled_by_the_first_and_replaced_by_the_last(
    hooks: Hooks,
) -> None:
    plan = ev.CompactionPlan("e1", [], [], 10, None, [], [])
    event = ev.SessionBeforeCompact(plan, [], "manual", False)
    hooks.on("session_before_compact", lambda e: ev.CustomCompaction("one"), owner="a")
    hooks.on("session_before_compact", lambda e: ev.CustomCompaction("two"), owner="b")
    answer = await hooks.before_compact(event)
    assert isinstance(answer, ev.CustomCompaction)
    assert answer.summary == "two"
    hooks.on("session_before_compact", lambda e: ev.Cancel(), owner="c")
    hooks.on("session_before_compact", lambda e: pytest.fail("cancelled before"), owner="d")
    assert isinstance(await hooks.before_compact(event), ev.Cancel)


async def test_a_payload_is_copied_for_those_who_ask_for_it(hooks: Hooks) -> None:
    payload: dict[str, Any] = {"messages": [{"role": "user"}]}
    hooks.on("after_provider_response", lambda event: None, owner="a")
    assert await hooks.payload(payload) is payload
    hooks.on("before_provider_request", lambda event: event.payload["messages"].clear(), owner="b")
    assert await hooks.payload(payload) == {"messages": []}
    assert payload == {"messages": [{"role": "user"}]}


async def test_the_first_decision_on_trust_wins(hooks: Hooks) -> None:
    assert await hooks.trust("/x") is None
    hooks.on("project_trust", lambda e: ev.Trust("undecided"), owner="a")
    hooks.on("project_trust", lambda e: ev.Trust("no", remember=True), owner="b")
    hooks.on("project_trust", lambda e: pytest.fail("decided"), owner="c")
    assert await hooks.trust("/x") == ev.Trust("no", True)


async def test_posts_arrive_in_order(hooks: Hooks) -> None:
    heard: list[str] = []

    async def handler(event: ev.SessionInfoChanged) -> None:
        await asyncio.sleep(0.02 if event.session_name == "a" else 0)
        heard.append(event.session_name or "")

    hooks.on("session_info_changed", handler, owner="a")
    hooks.post(ev.SessionInfoChanged("a"))
    hooks.post(ev.SessionInfoChanged("b"))
    await hooks.posted()
    assert heard == ["a", "b"]


def test_records_say_what_is_wrong_with_them() -> None:
    with pytest.raises(TypeError, match="Trust: trusted is missing"):
        ev.Trust()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Block has no why"):
        ev.Block(why="x")  # type: ignore[call-arg]
    assert ev.Block("a") == ev.Block(reason="a") != ev.Block("b")
    assert repr(ev.Cancel("no")) == "Cancel(reason='no')"


# In a session


def talking(store: SessionStore, *replies: Reply, tools: Sequence[Tool] = ()) -> Conversation:
    return Conversation(replies, store, tools)


def extended(talk: Conversation, hooks: Hooks) -> AgentSession:
    talk.session.use_hooks(hooks)
    return talk.session


async def test_a_message_is_replaced_before_it_is_stored(
    store: SessionStore, hooks: Hooks, failures: list[HookFailure]
) -> None:
    def shout(event: ev.MessageEnd) -> Any:
        if event.message["role"] != "assistant":
            return None
        return {**event.message, "content": [{"type": "text", "text": "HI"}]}

    hooks.on("message_end", shout, owner="a")
    hooks.on(
        "message_end",
        lambda e: {"role": "user"} if e.message["role"] == "assistant" else None,
        owner="b",
    )
    talk = talking(store, says("hi"))
    extended(talk, hooks)
    await talk.say("x")
    assert talk.session.transcript.messages[-1]["content"] == [{"type": "text", "text": "HI"}]
    assert "keep the role" in failures[0].text


async def test_a_turn_may_add_entries_and_go_on(
    store: SessionStore, hooks: Hooks, failures: list[HookFailure]
) -> None:
    asked: list[int] = []

    def once(event: ev.TurnEnd) -> ev.Boundary | None:
        asked.append(event.turn_index)
        if event.turn_index > 0:
            return None
        note = {"type": "custom_message", "customType": "n", "content": "again", "display": False}
        drop = {"type": "context_edit", "targetId": event.message_entry_id, "replacement": None}
        return ev.Boundary(entries=[*event.entries, drop, note], go_on=True)

    hooks.on("turn_end", lambda e: ev.Boundary(entries=[{"type": "nonsense"}]), owner="bad")
    hooks.on("turn_end", once, owner="a")
    talk = talking(store, says("one"), says("two"))
    extended(talk, hooks)
    await talk.say("x")
    roles = [m["role"] for m in talk.session.transcript.messages]
    assert roles[-3:] == ["user", "custom", "assistant"]
    assert asked == [0, 1]
    assert "type must be one of" in failures[0].text


async def test_the_end_may_be_put_off_once(store: SessionStore, hooks: Hooks) -> None:
    settled: list[bool] = []
    left = [True]

    def more(event: ev.AgentBeforeSettle) -> ev.Boundary | None:
        return ev.Boundary(go_on=left.pop()) if left else None

    hooks.on("agent_before_settle", more, owner="a")
    talk = talking(store, says("one"), says("two"))
    session = extended(talk, hooks)
    hooks.on("agent_settled", lambda e: settled.append(session.is_busy), owner="a")
    await talk.say("x")
    assert [m["role"] for m in session.transcript.messages][-2:] == ["assistant", "assistant"]
    assert settled == [False], "its handlers find the session idle"


async def test_a_blocked_call_is_not_run_and_ends_the_batch(
    store: SessionStore, hooks: Hooks
) -> None:
    hooks.on("tool_call", lambda e: ev.Block("not today", terminate=True), owner="a")
    hooks.on("tool_result", lambda e: pytest.fail("it did not run"), owner="a")
    talk = talking(
        store, says("", {"name": "echo", "arguments": {"text": "a"}, "id": "1"}), tools=[Echo()]
    )
    session = extended(talk, hooks)
    await talk.say("x")
    last = session.transcript.messages[-1]
    assert last["role"] == "toolResult"
    assert last["isError"]
    assert last["content"] == [{"type": "text", "text": "not today"}]


async def test_arguments_may_be_changed_and_results_replaced(
    store: SessionStore, hooks: Hooks
) -> None:
    def other(event: ev.ToolCall) -> None:
        event.input["text"] = "b"

    def longer(event: ev.ToolResultEvent) -> ev.ResultPatch:
        text = event.content[0]["text"] + "!"  # type: ignore[typeddict-item]
        return ev.ResultPatch(content=[{"type": "text", "text": text}], details={"by": "a"})

    hooks.on("tool_call", other, owner="a")
    hooks.on("tool_result", longer, owner="a")
    talk = talking(
        store,
        says("", {"name": "echo", "arguments": {"text": "a"}, "id": "1"}),
        says("done"),
        tools=[Echo()],
    )
    session = extended(talk, hooks)
    await talk.say("x")
    result = session.transcript.messages[-2]
    assert result["role"] == "toolResult"
    assert result["content"] == [{"type": "text", "text": "b!"}]
    assert result["details"] == {"by": "a"}


async def test_the_context_is_changed_for_the_request_alone(
    store: SessionStore, hooks: Hooks
) -> None:
    def only_last(event: ev.ContextEvent) -> list[Any]:
        assert all(m["role"] != "system" for m in event.messages)
        return event.messages[-1:]

    talk = talking(store, says("one"), says("two"))
    session = extended(talk, hooks)
    await talk.say("first")
    hooks.on("context", only_last, owner="a")
    await talk.say("second")
    sent = talk.contexts[-1]
    assert [m["role"] for m in sent] == ["system", "user"]
    assert len(session.transcript.messages) > 3
