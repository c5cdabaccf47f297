"""Prompt caches kept warm: the last request again, before the provider forgets its prompt.

The answer is capped at one token and thrown away; what is paid for is the reading of the cache,
which starts its lifetime anew. That is done only where it is expected to save more than it costs,
and never once the next request could not begin with the same prompt.
Source: docs/settings.md (`cacheWarming`), docs/models.md ("Prompt Cache Lifetimes").
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from pi.agent.summary import Request
from pi.errors import PiError
from pi.providers.assembly import cost_of
from pi.providers.base import CacheRetention, Context
from pi.wire.messages import AgentMessage, AssistantMessage, ThinkingLevel
from pi.wire.model import Model

if TYPE_CHECKING:
    from pi.agent.session import AgentSession

__all__ = ["CacheWarming", "Estimate", "Status", "Warmer", "estimate", "pause_for", "repeatable"]

log = logging.getLogger(__name__)

CacheWarming = Literal["off", "streaming", "idle"]
Action = Literal["warm", "stop"]

LIFETIME_USED = 0.9
LEAST_MARGIN = 10.0
"""A refresh is due after this share of the lifetime, but so many seconds before its end."""

LONGEST_RUN = 3600.0
LONGEST_IDLE = 1800.0
"""Seconds after the request for how long its cache is kept, in a run and after it."""

LEAST_SAVING = 0.05
"""US dollars."""

IDLE_CHANCE = 0.15
"""That the person asks again before the cache is gone. In a run, the next request is certain."""

READ_SHARE = 0.5
"""Of the prompt that a refresh must find in the cache; with less, there is nothing to keep warm."""

DISABLED = "cache warming disabled"
SETTLED = "agent run settled"
CHANGED = "conversation context changed"
NO_LIFETIME = "cache lifetime unavailable"
NO_PRICES = "cache economics unavailable"
NOT_CACHED = "the provider had not kept the cache"
TOO_LATE = "cache refresh deadline missed"

_UNCAPPED = frozenset({"openai-codex-responses"})
"""APIs that take no limit of output tokens: a refresh would be a whole answer."""

_BUDGETED = frozenset({"anthropic-messages", "bedrock-converse-stream"})
"""APIs that think by a budget, which is part of the cached prompt, and cut from that limit."""

_BUDGET_FIELDS = (
    "thinkingTokenBudgetField",
    "supportsThinkingTokenBudget",
    "chatTemplateKwargs",
    "chatTemplateArgs",
)


class Estimate(NamedTuple):
    """What a refresh costs, and what a lost cache would, in US dollars.

    chance: that a request comes before the cache is gone. known: whether there are prices and a
    prompt that was measured.
    """

    running: bool
    warm_cost: float
    miss_cost: float
    chance: float
    known: bool

    @property
    def saving(self) -> float:
        return self.chance * self.miss_cost - self.warm_cost

    @property
    def action(self) -> Action:
        return "warm" if self.saving >= LEAST_SAVING else "stop"


class Status(NamedTuple):
    """What is being done. due: Unix seconds of the next decision. overridden: by an extension."""

    state: Literal["inactive", "scheduled", "refreshing"]
    reason: str = ""
    due: float = 0.0
    estimate: Estimate | None = None
    overridden: bool = False


def estimate(model: Model, prompt: int, *, running: bool) -> Estimate:
    """prompt: tokens of the last request's."""
    hit = cost_of(model.prices, 0, 0, cache_read=prompt)["total"]
    writes = model.prices.cache_write > 0
    miss = cost_of(model.prices, 0 if writes else prompt, 0, 0, prompt if writes else 0)["total"]
    warm = cost_of(model.prices, 0, 1, cache_read=prompt)["total"]
    known = prompt > 0 and (hit > 0 or miss > 0)
    return Estimate(running, warm, max(0.0, miss - hit), 1.0 if running else IDLE_CHANCE, known)


def pause_for(lifetime: float) -> float | None:
    """Seconds from a request to its refresh; None where that cannot be in time."""
    if lifetime <= LEAST_MARGIN:
        return None
    return min(lifetime * LIFETIME_USED, lifetime - LEAST_MARGIN)


def repeatable(model: Model, thinking: ThinkingLevel) -> bool:
    """Whether the request with another limit of output has the same prompt, and is cheap."""
    if model.api in _UNCAPPED:
        return False
    if thinking == "off" or not model.reasoning:
        return True
    if model.api in _BUDGETED:
        return model.compat.get("forceAdaptiveThinking") is True
    return not any(map(model.compat.get, _BUDGET_FIELDS))


@dataclass(slots=True)
class _Kept:
    """A request whose cache is kept warm. began, due, latest: Unix seconds.

    prefix: the transcript when it was sent. overridden: an extension wanted the last refresh.
    """

    model: Model
    context: Context
    thinking: ThinkingLevel
    prefix: list[AgentMessage]
    lifetime: float
    pause: float
    began: float
    due: float = 0.0
    latest: float = 0.0
    overridden: bool = False


class Warmer:
    """Keeps the cache of one request of a session at a time; `start` lets go of the one before.

    request: sends what is to be the same again. mode: the setting, asked whenever it matters.
    retention: how long the provider was asked to keep what it caches.
    """

    def __init__(
        self,
        session: "AgentSession",
        request: Request,
        mode: Callable[[], CacheWarming],
        retention: Callable[[], CacheRetention],
    ) -> None:
        self._session = session
        self._request = request
        self._mode = mode
        self._retention = retention
        self._kept: _Kept | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._ended = Status("inactive", "waiting for first request")

    def start(
        self,
        model: Model,
        context: Context,
        thinking: ThinkingLevel,
        began: float,
        prefix: list[AgentMessage],
    ) -> None:
        """A request has been accepted: keep what the provider caches of it.

        began, prefix: when it was sent, and the transcript then; see _Kept.
        """
        if not repeatable(model, thinking):
            return self.stop("request cannot be replayed safely")
        retention = self._retention()
        if retention == "none":
            return self.stop("request disabled prompt caching")
        lifetime = float(model.prompt_cache.get(retention) or 0)
        pause = pause_for(lifetime)
        if pause is None:
            return self.stop(NO_LIFETIME)
        self.stop()
        kept = _Kept(model, context, thinking, prefix, lifetime, pause, began)
        self._kept = kept
        self._schedule(kept, began)
        return None

    def stop(
        self, reason: str = "inactive", decision: Estimate | None = None, overridden: bool = False
    ) -> None:
        """Let go of what is kept; a refresh under way is cut off."""
        self._kept = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
        self._ended = Status("inactive", reason, estimate=decision, overridden=overridden)
        log.debug("no cache is kept warm: %s", reason)

    @property
    def status(self) -> Status:
        kept = self._kept
        if self._mode() == "off":
            return Status("inactive", DISABLED)
        if kept is None:
            return self._ended
        reason = self._reason_against(kept) or self._limit_of(kept, kept.due)
        if reason is not None:
            return Status("inactive", reason)
        decision = self._estimate(kept)
        if self._timer is None:
            return Status("refreshing", "", kept.due, decision, kept.overridden)
        if not decision.known:
            return Status("inactive", NO_PRICES)
        return Status("scheduled", "", kept.due, decision, kept.overridden)

    def _schedule(self, kept: _Kept, cached: float) -> None:
        """cached: when its lifetime began anew, at the latest."""
        kept.overridden = False
        kept.due = cached + kept.pause
        # A process that slept may wake up late: what then is sent would be a new cache, not a
        # refresh. Half of the margin is left for the request itself.
        kept.latest = kept.due + (kept.lifetime - kept.pause) / 2
        limit = self._limit_of(kept, kept.due)
        if limit is not None:
            return self.stop(limit)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(0.0, kept.due - time.time()), self._begin, kept)
        return None

    def _begin(self, kept: _Kept) -> None:
        self._timer = None
        self._task = asyncio.get_running_loop().create_task(self._refresh(kept))

    async def _refresh(self, kept: _Kept) -> None:
        try:
            if await self._decided(kept) and await self._warmed(kept) and self._kept is kept:
                self._task = None
                self._schedule(kept, time.time())
        except PiError as error:  # no key any more, a full disk: nothing of it is the run's affair
            log.warning("a prompt cache was not kept warm: %s", error)
            self.stop(str(error))
        except Exception:
            log.exception("a prompt cache was not kept warm")
            self.stop("cache refresh failed")

    async def _decided(self, kept: _Kept) -> bool:
        """Whether to refresh now; otherwise it has been let go."""
        if not self._stands(kept):
            return False
        decision = self._estimate(kept)
        action, hooks = decision.action, self._session.hooks
        if hooks is not None and hooks.wants("cache_warming_decision"):
            from pi.agent.hook_events import CacheWarmingDecision  # noqa: PLC0415  (with the hooks)

            action = await hooks.cache_warming(
                CacheWarmingDecision(
                    decision.warm_cost, decision.miss_cost, decision.chance, decision.action
                )
            )
            if not self._stands(kept):  # that may have taken a while
                return False
        kept.overridden = action != decision.action
        if action == "stop":
            reason = "expected savings below threshold" if decision.known else NO_PRICES
            if kept.overridden:
                reason = "stopped by extension"
            self.stop(reason, decision, kept.overridden)
        return action == "warm"

    async def _warmed(self, kept: _Kept) -> bool:
        """Send it; whether there is something to go on keeping."""
        answer: AssistantMessage | None = None
        async with aclosing(self._request(kept.model, kept.context, kept.thinking)) as events:
            async for event in events:
                if event["type"] == "done":
                    answer = event["message"]
                elif event["type"] == "error":
                    log.info("a prompt cache was not refreshed: %s", event.get("failure"))
        if self._kept is not kept or not self._stands(kept, timely=False):
            return False
        if answer is None:  # it may work the next time, if that is not too late
            return True
        self._record(kept, answer)
        usage = answer["usage"]
        prompt = usage["input"] + usage["cacheRead"] + usage["cacheWrite"]
        if usage["cacheRead"] < prompt * READ_SHARE and not kept.overridden:
            self.stop(NOT_CACHED)
            return False
        return True

    def _record(self, kept: _Kept, answer: AssistantMessage) -> None:
        usage = answer["usage"]
        entry = self._session.store.append_usage(
            "cache_warm",
            answer["provider"],
            answer.get("responseModel") or answer["model"],
            usage,
            "extension override" if kept.overridden else None,
        )
        log.info("prompt cache kept warm for $%.6f", usage["cost"]["total"])
        self._session.on_event({"type": "entry_appended", "entry": entry})

    def _stands(self, kept: _Kept, *, timely: bool = True) -> bool:
        """Whether it may be refreshed now; otherwise it is let go. timely: whether time counts."""
        if self._kept is not kept:
            return False
        now = time.time()
        reason = self._reason_against(kept)
        if timely and reason is None:
            reason = TOO_LATE if now > kept.latest else self._limit_of(kept, now)
        if reason is not None:
            self.stop(reason)
        return reason is None

    def _reason_against(self, kept: _Kept) -> str | None:
        """Why the cache is not worth keeping whatever it costs."""
        session, mode = self._session, self._mode()
        if mode == "off":
            return DISABLED
        if mode == "streaming" and not session.is_busy:
            return SETTLED
        model = session.model
        same = model.reference == kept.model.reference and session.thinking == kept.thinking
        if not same or session.is_compacting or not self._told_alike(kept):
            return CHANGED
        return None

    def _told_alike(self, kept: _Kept) -> bool:
        """Whether the next request begins with the same messages, prompt and tools."""
        session = self._session
        if session.transcript.messages[: len(kept.prefix)] != kept.prefix:
            return False
        if kept.model.compat.get("supportsMidConvoSystemMessages"):
            return True  # what changes is told behind them
        hooks = session.hooks
        if hooks is not None and hooks.wants("before_agent_start"):
            return True  # who knows what it will be
        return not session.pending_patch()

    def _limit_of(self, kept: _Kept, when: float) -> str | None:
        """Why it is not kept until then."""
        running = self._session.is_busy
        if when <= kept.began + (LONGEST_RUN if running else LONGEST_IDLE):
            return None
        return f"{'one-hour' if running else '30-minute idle'} safety limit reached"

    def _estimate(self, kept: _Kept) -> Estimate:
        return estimate(kept.model, self._prompt_tokens(), running=self._session.is_busy)

    def _prompt_tokens(self) -> int:
        """Of the newest request that was answered, as the provider counted."""
        for message in reversed(self._session.transcript.messages):
            if message["role"] == "assistant":
                usage = message["usage"]
                return int(usage["input"] + usage["cacheRead"] + usage["cacheWrite"])
        return 0
