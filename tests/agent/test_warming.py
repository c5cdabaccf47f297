"""Prompt caches kept warm: when, by which request, what it costs, and what ends it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from pi.agent import hook_events as ev
from pi.agent import warming
from pi.agent.hooks import HookFailure, Hooks
from pi.agent.session import AgentSession
from pi.agent.toolset import ToolSet
from pi.agent.warming import Warmer, estimate, pause_for, repeatable
from pi.errors import AuthError, ProviderError
from pi.providers.assembly import Assembly
from pi.providers.base import Context
from pi.session.store import SessionStore
from pi.wire.events import AssistantEvent
from pi.wire.messages import ThinkingLevel
from pi.wire.model import Model, Prices
from tests.agent.conftest import MODEL, Conversation, Echo, Reply, says

PRICED = replace(MODEL, prices=Prices(3, 15, 0.3, 3.75), prompt_cache={"short": 10.05, "long": 20})
BIG = 3_000_000
"""Tokens of a prompt that pays even when nobody may ever come back."""


class Refreshing:
    """The requests of a warmer, each answered as the next of `turns` says; the last is repeated.

    A turn: tokens read from the cache, an exception that the request ends in, or None for silence.
    """

    def __init__(self, *turns: int | Exception | None) -> None:
        self.asked: list[tuple[Model, Context, ThinkingLevel]] = []
        self.closed = 0
        self.sent = asyncio.Event()
        self._turns = list(turns) or [BIG]

    async def __call__(
        self, model: Model, context: Context, thinking: ThinkingLevel
    ) -> AsyncIterator[AssistantEvent]:
        self.asked.append((model, context, thinking))
        self.sent.set()
        turn = self._turns.pop(0) if len(self._turns) > 1 else self._turns[0]
        try:
            if isinstance(turn, AuthError):
                raise turn
            assembly = Assembly(model)
            yield assembly.start()
            if turn is None:
                await asyncio.Event().wait()
            elif isinstance(turn, Exception):
                yield assembly.fail(turn)  # type: ignore[arg-type]
            else:
                assembly.count(input=BIG - turn, output=1, cache_read=turn)
                yield assembly.done("length")
        finally:
            self.closed += 1


class Kept:
    """A conversation after its first answer, whose cache is kept warm."""

    def __init__(
        self,
        store: SessionStore,
        *turns: int | Exception | None,
        model: Model = PRICED,
        **more: Any,
    ) -> None:
        self.mode: Any = "idle"
        self.retention: Any = "short"
        replies: list[Reply] = more.pop("replies", [says("Hello.", tokens=BIG), says("Bye.")])
        self.conversation = Conversation(replies, store, model=model, **more)
        self.request = Refreshing(*turns)
        self.warmer = Warmer(
            self.session,
            self.request,  # type: ignore[arg-type]
            lambda: self.mode,
            lambda: self.retention,
        )

    @property
    def session(self) -> AgentSession:
        return self.conversation.session

    @property
    def entries(self) -> list[Any]:
        return self.conversation.entries("usage")

    async def begin(self) -> None:
        await self.conversation.say("Hi")
        self.start()

    def start(self, began: float | None = None) -> None:
        messages = self.session.transcript.messages
        context = Context(messages[:-1])
        when = warming.time.time() if began is None else began
        self.warmer.start(self.session.model, context, "medium", when, messages[:-1])

    async def until(self, what: Callable[[], Any]) -> None:
        async with asyncio.timeout(30):
            while not what():
                await asyncio.sleep(0.01)

    async def ended(self, reason: str) -> None:
        await self.until(lambda: self.warmer._kept is None)
        status = self.warmer.status
        assert (status.state, status.reason) == ("inactive", reason)
        assert self.warmer._timer is None
        await self.until(lambda: len(asyncio.all_tasks()) == 1)


async def test_the_same_request_is_sent_and_recorded(store: SessionStore) -> None:
    kept = Kept(store)
    assert kept.warmer.status.reason == "waiting for first request"
    await kept.begin()
    status = kept.warmer.status
    assert (status.state, status.estimate and status.estimate.action) == ("scheduled", "warm")
    await kept.until(lambda: len(kept.entries) == 2)
    model, context, thinking = kept.request.asked[0]
    assert (model, thinking) == (PRICED, "medium")
    assert context.messages == kept.session.transcript.messages[:-1]
    entry = kept.entries[0]
    assert (entry["kind"], entry["provider"], entry["model"]) == ("cache_warm", "script", "m1")
    assert entry["usage"]["cacheRead"] == BIG
    assert entry["usage"]["cost"]["total"] == pytest.approx(0.900015)
    assert "note" not in entry
    told = [event for event in kept.conversation.outside if event["type"] == "entry_appended"]
    assert [event["entry"] for event in told] == kept.entries
    assert kept.session.statistics()["tokens"]["cacheRead"] == 2 * BIG
    assert len(kept.session.transcript.messages) == 3  # the model sees nothing of it
    kept.warmer.stop()
    await kept.ended("inactive")


@pytest.mark.parametrize(
    ("tokens", "running", "expected"),
    [  # as the npm package reports them
        (100_010, True, (0.030018, 0.3450345, 1.0, "warm")),
        (100_020, False, (0.030021, 0.345069, 0.15, "stop")),
        (3_000_000, False, (0.900015, 10.35, 0.15, "warm")),
        (0, True, (0.000015, 0.0, 1.0, "stop")),
    ],
)
def test_estimates(tokens: int, running: bool, expected: tuple[Any, ...]) -> None:
    made = estimate(PRICED, tokens, running=running)
    assert (*map(pytest.approx, made[1:4]), made.action) == expected
    assert made.known == (tokens > 0)


def test_estimates_without_a_price_for_writing() -> None:
    """What is missed is then paid as input; without any price nothing is known."""
    model = replace(PRICED, prices=Prices(3, 15, 0.3))
    assert estimate(model, 100_000, running=True).miss_cost == pytest.approx(0.27)
    assert not estimate(replace(PRICED, prices=Prices()), 100_000, running=True).known


@pytest.mark.parametrize(
    ("lifetime", "expected"), [(300, 270), (3600, 3240), (50, 40), (11, 1), (10, None), (0, None)]
)
def test_when_a_refresh_is_due(lifetime: float, expected: float | None) -> None:
    assert pause_for(lifetime) == expected


@pytest.mark.parametrize(
    ("api", "compat", "thinking", "expected"),
    [
        ("anthropic-messages", {}, "off", True),
        ("anthropic-messages", {}, "low", False),
        ("anthropic-messages", {"forceAdaptiveThinking": True}, "low", True),
        ("bedrock-converse-stream", {}, "low", False),
        ("openai-responses", {}, "high", True),
        ("openai-completions", {}, "high", True),
        ("openai-completions", {"supportsThinkingTokenBudget": True}, "high", False),
        ("openai-codex-responses", {}, "off", False),
    ],
)
def test_what_can_be_sent_again(
    api: str, compat: dict[str, Any], thinking: Any, expected: bool
) -> None:
    assert repeatable(replace(PRICED, api=api, compat=compat), thinking) is expected


@pytest.mark.parametrize(
    ("model", "retention", "reason"),
    [
        ({"prompt_cache": {}}, "short", "cache lifetime unavailable"),
        ({"prompt_cache": {"short": 10}}, "short", "cache lifetime unavailable"),
        ({"prompt_cache": {"short": 300}}, "long", "cache lifetime unavailable"),
        ({}, "none", "request disabled prompt caching"),
        ({"api": "openai-codex-responses"}, "short", "request cannot be replayed safely"),
    ],
)
async def test_not_begun(
    store: SessionStore, model: dict[str, Any], retention: str, reason: str
) -> None:
    kept = Kept(store, model=replace(PRICED, **model))
    kept.retention = retention
    await kept.begin()
    await kept.ended(reason)
    assert kept.request.asked == []


async def test_a_small_prompt_is_let_go(store: SessionStore) -> None:
    kept = Kept(store, replies=[says("Hello.", tokens=1000)])
    await kept.begin()
    await kept.ended("expected savings below threshold")
    assert kept.warmer.status.estimate is not None
    assert kept.request.asked == []


async def test_without_prices_there_is_nothing_to_gain(store: SessionStore) -> None:
    kept = Kept(store, model=replace(PRICED, prices=Prices()))
    await kept.begin()
    await kept.ended("cache economics unavailable")
    assert kept.request.asked == []


def _model(kept: Kept) -> None:
    kept.session.set_model(replace(PRICED, id="m2"))


def _thinking(kept: Kept) -> None:
    kept.session.set_thinking("high")


def _tools(kept: Kept) -> None:
    kept.session.set_tools(ToolSet([Echo()], kept.session.sections))


def _prompt(kept: Kept) -> None:
    kept.session.set_tools(ToolSet((), {"preamble": "Be better."}))


def _compaction(kept: Kept) -> None:
    kept.session.transcript.compact("All of it.", None, 1, details=None, usage=None)


@pytest.mark.parametrize("change", [_model, _thinking, _tools, _prompt, _compaction])
async def test_what_changes_the_next_prompt_ends_it(
    store: SessionStore, change: Callable[[Kept], None]
) -> None:
    kept = Kept(store)
    await kept.begin()
    change(kept)
    await kept.ended("conversation context changed")
    assert kept.request.asked == []


async def test_leaving_for_another_branch_ends_it(store: SessionStore) -> None:
    kept = Kept(store)
    await kept.begin()
    first = next(entry["id"] for entry in kept.conversation.entries("message"))
    await kept.session.navigate(first)
    await kept.ended("conversation context changed")
    assert kept.request.asked == []


async def test_changes_that_are_told_later_do_not_end_it(store: SessionStore) -> None:
    kept = Kept(store, model=replace(PRICED, compat={"supportsMidConvoSystemMessages": True}))
    await kept.begin()
    _tools(kept)
    await kept.until(lambda: kept.entries)
    kept.warmer.stop()


async def test_what_is_undone_in_time_does_not_end_it(store: SessionStore) -> None:
    kept = Kept(store)
    await kept.begin()
    _thinking(kept)
    assert kept.warmer.status.reason == "conversation context changed"
    kept.session.set_thinking("medium")
    assert kept.warmer.status.state == "scheduled"
    await kept.until(lambda: kept.entries)
    kept.warmer.stop()


@pytest.mark.parametrize(
    ("mode", "reason"), [("off", "cache warming disabled"), ("streaming", "agent run settled")]
)
async def test_the_setting(store: SessionStore, mode: str, reason: str) -> None:
    kept = Kept(store)
    kept.mode = mode
    await kept.begin()
    await kept.ended(reason)
    assert kept.request.asked == []


async def test_streaming_keeps_it_while_a_tool_runs(store: SessionStore) -> None:
    call = {"name": "echo", "id": "c", "arguments": {"text": "x", "wait": 60}}
    kept = Kept(store, replies=[says("", call, tokens=100_000)], tools=[Echo()])
    kept.mode = "streaming"
    async with asyncio.timeout(30):
        run = kept.session.prompt([{"type": "text", "text": "Hi"}])
        async for event in run:
            if event["type"] == "tool_execution_update":
                break
        kept.start()
        kept.request._turns = [100_000]
        await kept.until(lambda: kept.request.asked)
        await run.aclose()
    kept.warmer.stop()
    await kept.until(lambda: len(asyncio.all_tasks()) == 1)


async def test_a_failure_is_logged_and_tried_again(
    store: SessionStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "pi.agent.warming")
    kept = Kept(store, ProviderError("overloaded"), BIG)
    await kept.begin()
    await kept.until(lambda: kept.entries)
    assert len(kept.request.asked) == 2
    assert "overloaded" in caplog.text
    kept.warmer.stop()


async def test_without_a_key_it_ends(store: SessionStore, caplog: pytest.LogCaptureFixture) -> None:
    kept = Kept(store, AuthError("no key for script"))
    await kept.begin()
    await kept.ended("no key for script")
    assert "no key for script" in caplog.text


async def test_a_provider_that_keeps_nothing_is_paid_once(store: SessionStore) -> None:
    kept = Kept(store, 1000)
    await kept.begin()
    await kept.ended("the provider had not kept the cache")
    assert len(kept.entries) == len(kept.request.asked) == 1


class Clock:
    """Unix seconds as the test says."""

    def __init__(self, now: float) -> None:
        self.now = now

    def time(self) -> float:
        return self.now


async def test_a_process_that_slept_sends_nothing(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warming, "time", clock := Clock(1_000_000))
    kept = Kept(store)
    await kept.begin()
    clock.now += 5.06  # half of what is left of the lifetime after the pause
    await kept.ended("cache refresh deadline missed")
    assert kept.request.asked == []


@pytest.mark.parametrize(("age", "again"), [(899.99, True), (900.01, False)])
async def test_half_an_hour_is_the_end(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch, age: float, again: bool
) -> None:
    """age: of the request when its cache is refreshed; the next time would be 900 s later."""
    monkeypatch.setattr(warming, "time", clock := Clock(1_000_000))
    kept = Kept(store, model=replace(PRICED, prompt_cache={"short": 1000}))
    await kept.conversation.say("Hi")
    kept.start(began=clock.now - age)
    await kept.until(lambda: kept.entries)
    if again:
        await kept.until(lambda: kept.warmer.status.state == "scheduled")
        kept.warmer.stop()
    else:
        await kept.ended("30-minute idle safety limit reached")


async def test_long_retention_is_too_long_for_an_idle_session(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warming, "time", Clock(1_000_000))
    kept = Kept(store, model=replace(PRICED, prompt_cache={"long": 3600}))
    kept.retention = "long"
    await kept.begin()
    await kept.ended("30-minute idle safety limit reached")


async def test_another_request_takes_its_place(store: SessionStore) -> None:
    kept = Kept(store, None)
    await kept.begin()
    async with asyncio.timeout(30):
        await kept.request.sent.wait()
    assert kept.warmer.status.state == "refreshing"
    kept.warmer.stop()  # as soon as there is a request
    await kept.until(lambda: kept.request.closed == 1)
    await kept.ended("inactive")
    assert kept.entries == []


# Those who extend pi


def hooked(kept: Kept, *handlers: Callable[[Any], Any]) -> list[HookFailure]:
    failures: list[HookFailure] = []
    hooks = Hooks(failures.append)
    for handler in handlers:
        hooks.on("cache_warming_decision", handler, owner="x.py")
    kept.session.use_hooks(hooks)
    return failures


async def test_extensions_are_told_and_may_stop_it(store: SessionStore) -> None:
    kept = Kept(store)
    told: list[ev.CacheWarmingDecision] = []
    hooked(kept, told.append, lambda event: ev.WarmCache("stop"))
    await kept.begin()
    await kept.ended("stopped by extension")
    assert kept.warmer.status.overridden
    assert kept.request.asked == []
    (event,) = told
    assert event.warm_cost == pytest.approx(0.900015)
    assert event.miss_cost == pytest.approx(10.35)
    assert (event.continuation_probability, event.action) == (0.15, "warm")


async def test_extensions_may_want_it_all_the_same(store: SessionStore) -> None:
    kept = Kept(store, replies=[says("Hello.", tokens=1000)])
    hooked(kept, lambda event: ev.WarmCache("stop"), lambda event: ev.WarmCache("warm"))
    await kept.begin()
    await kept.until(lambda: kept.entries)
    assert kept.entries[0]["note"] == "extension override"
    kept.warmer.stop()


async def test_a_handler_that_fails_decides_nothing(store: SessionStore) -> None:
    kept = Kept(store)

    def breaks(event: Any) -> None:
        raise ZeroDivisionError

    failures = hooked(kept, breaks, lambda event: "stop", lambda event: ev.WarmCache("maybe"))  # type: ignore[arg-type]
    await kept.begin()
    await kept.until(lambda: kept.entries)
    assert len(failures) == 3
    assert "note" not in kept.entries[0]
    kept.warmer.stop()


async def test_a_slow_handler_is_waited_for_but_not_too_long(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warming, "time", clock := Clock(1_000_000))
    kept = Kept(store)

    async def waits(event: Any) -> ev.WarmCache:
        clock.now += 60
        return ev.WarmCache("warm")

    hooked(kept, waits)
    await kept.begin()
    await kept.ended("cache refresh deadline missed")
    assert kept.request.asked == []
