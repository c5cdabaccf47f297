"""Keeping a conversation within its model's context window.

When a context grows past a threshold, when a provider says that it is too large, or when the person
asks, its older part is replaced by a summary. Nothing is deleted: the summary is one more entry,
and the context from then on begins with it.
"""

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from pi.agent.abort import Abort, Aborted
from pi.agent.cut import Cut, find_cut
from pi.agent.retry import RetryPolicy
from pi.agent.serialize import Files, conversation_parts, with_files, without_files
from pi.agent.summary import Request, Summariser, SummaryError
from pi.agent.tokens import estimate
from pi.agent.transcript import Transcript
from pi.config.settings_types import Compaction
from pi.errors import PiError, SessionError
from pi.session.context import active_entries
from pi.wire.entries import CompactionEntry
from pi.wire.events import AgentEvent, CompactionEnd, CompactionReason
from pi.wire.messages import AgentMessage, ThinkingLevel
from pi.wire.model import Model

if TYPE_CHECKING:
    from pi.agent.hook_events import Cancel, CustomCompaction
    from pi.agent.hooks import Hooks

__all__ = ["Compactor", "CompactionError", "Limits"]

_FAILED: dict[CompactionReason, str] = {
    "manual": "Compaction failed",
    "threshold": "Automatic compaction failed",
    "overflow": "Recovery from a full context failed",
}
_NO_HISTORY = "(Nothing came before this request.)"
_JOINED = "{history}\n\n---\n\n**The request being worked on, up to this point:**\n\n{prefix}"


class CompactionError(PiError):
    """A compaction that was asked for could not be made, or was stopped."""


class Limits(NamedTuple):
    """Tokens, for one model.

    trigger: a larger context is compacted. keep: of the newest, about this much stays.
    window: what the model takes at all.
    """

    trigger: int
    keep: int
    window: int

    @classmethod
    def of(cls, model: Model, settings: Compaction, selected: str) -> "Limits":
        """As the settings say, unless they ask for what this model's window cannot hold.

        selected: the model that they are looked up for. Nothing is due in a window of unknown size.
        """
        window = model.context_window
        reserve, keep = settings.for_model(selected)
        if window <= 0:
            return cls(sys.maxsize, keep, 0)
        if reserve >= window:
            reserve = window // 4
        trigger = window - reserve
        return cls(trigger, keep if keep < trigger else trigger // 2, window)


@dataclass(slots=True)
class Compactor:
    """Compacts one transcript.

    outcome: of the last `run`: "nothing" where there was nothing to summarise.
    running: whether a summary is being made. selected: the session's model; where it is a virtual
    one, `route` says which model makes the summaries.
    """

    transcript: Transcript
    request: Request
    settings: Compaction
    retry: RetryPolicy
    selected: Model
    hooks: "Hooks | None" = None
    route: Callable[[Abort], Awaitable[tuple[Model, ThinkingLevel]]] | None = None
    enabled: bool = field(init=False)
    outcome: Literal["done", "nothing", "failed", "aborted"] = field(default="nothing", init=False)
    running: bool = field(default=False, init=False)
    _floor: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.enabled = self.settings.enabled

    def is_due(self, model: Model, coming: list[AgentMessage] | None = None) -> bool:
        """Whether the context, with what is about to be added, is past the threshold.

        Where the last compaction could not get below it, only after there is more to summarise.
        """
        if not self.enabled:
            return False
        limits = self._limits(model)
        tokens = self.transcript.tokens_with(coming or [])
        return tokens > max(limits.trigger, self._floor and self._floor + limits.keep)

    def _limits(self, model: Model) -> Limits:
        return Limits.of(model, self.settings, self.selected.reference)

    async def run(
        self,
        reason: CompactionReason,
        model: Model,
        thinking: ThinkingLevel,
        abort: Abort,
        *,
        instructions: str | None = None,
        will_retry: bool = False,
    ) -> AsyncGenerator[AgentEvent, None]:
        """Compact now; `outcome` says how it went. model: whose limits hold.

        An automatic one is silent where there is nothing to compact. Raises CompactionError after
        the last event for a manual one that did not come about.
        """
        self.outcome = "nothing"
        cut = self._cut(model)
        if cut is None and reason != "manual":
            return
        yield {"type": "compaction_start", "reason": reason}
        end: CompactionEnd = {
            "type": "compaction_end",
            "reason": reason,
            "aborted": False,
            "willRetry": False,
        }
        failure = self._nothing() if cut is None else None
        custom: CustomCompaction | None = None
        if cut is not None:
            self.running = True
            try:
                answer = await self._ask(cut, reason, abort, instructions, will_retry)
                if answer is not None:
                    custom = _chosen(answer)
                    end = self._stored_custom(cut, custom, model, reason, will_retry)
                else:
                    asked, level = model, thinking
                    if self.route is not None and self.selected.is_virtual:
                        asked, level = await self.route(abort)
                    reply_tokens, _ = self.settings.for_model(self.selected.reference)
                    summariser = Summariser(
                        self.request, asked, level, self.retry, abort, reply_tokens, reason
                    )
                    async with aclosing(self._summary(cut, summariser, instructions)) as events:
                        async for event in events:
                            yield event
                    end = self._compacted(cut, summariser, model, reason, will_retry)
                self.outcome = "done"
            except Aborted:
                self.outcome = "aborted"
                end["aborted"] = True
                failure = "The compaction was stopped"
            except (SummaryError, SessionError) as error:
                self.outcome = "failed"
                failure = str(error)
            finally:
                self.running = False
        if failure is not None and self.outcome != "aborted":
            end["errorMessage"] = f"{_FAILED[reason]}: {failure}"
        if self.hooks is not None:
            await self._tell(self.hooks, end, will_retry, from_extension=custom is not None)
        yield end
        if failure is not None and reason == "manual":
            raise CompactionError(failure)

    async def _ask(
        self,
        cut: Cut,
        reason: CompactionReason,
        abort: Abort,
        instructions: str | None,
        will_retry: bool,
    ) -> "Cancel | CustomCompaction | None":
        """What those who extend pi want of it."""
        hooks = self.hooks
        if hooks is None or not hooks.wants("session_before_compact"):
            return None
        # Loaded by the hooks by now.
        from pi.agent import hook_events as ev  # noqa: PLC0415

        files = self._files(cut)
        plan = ev.CompactionPlan(
            first_kept_entry_id=cut.first_kept,
            messages=cut.history,
            prefix=cut.prefix,
            tokens_before=self.transcript.tokens,
            previous_summary=_earlier_summary(self.transcript),
            read_files=sorted(files.read),
            modified_files=sorted(files.modified),
        )
        branch = self.transcript.store.path_to()
        event = ev.SessionBeforeCompact(plan, branch, reason, will_retry, instructions)
        return await abort.wait(hooks.before_compact(event))

    async def _tell(
        self, hooks: "Hooks", end: CompactionEnd, will_retry: bool, *, from_extension: bool
    ) -> None:
        """Tell those who extend pi what came of it."""
        from pi.agent import hook_events as ev  # noqa: PLC0415  (as above)

        if self.outcome == "done":
            entry = active_entries(self.transcript.store.history).compaction
            assert entry is not None and entry["type"] == "compaction", "it was just stored"
            await hooks.notify(ev.SessionCompact(entry, from_extension, end["reason"], will_retry))
            return
        await hooks.notify(
            ev.SessionCompactFailed(
                end["reason"], end.get("errorMessage"), end["aborted"], will_retry, from_extension
            )
        )

    def _stored_custom(
        self,
        cut: Cut,
        custom: "CustomCompaction",
        model: Model,
        reason: CompactionReason,
        will_retry: bool,
    ) -> CompactionEnd:
        """Write an extension's summary; the event that reports it. Raises SessionError."""
        from pi.agent.hook_events import UNCHANGED  # noqa: PLC0415  (as above)

        before = custom.tokens_before
        kept = custom.first_kept_entry_id
        kept = cut.first_kept if kept is UNCHANGED else kept
        if kept is not None and self.transcript.store.get(kept) is None:
            raise SessionError(f"an extension keeps entries from {kept!r} on, which is not there")
        entry = self.transcript.compact(
            custom.summary,
            kept,
            self.transcript.tokens if before is UNCHANGED else before,
            details=custom.details,
            usage=custom.usage,
            from_hook=True,
        )
        return self._end(entry, model, reason, will_retry)

    def _cut(self, model: Model) -> Cut | None:
        transcript = self.transcript
        if transcript.was_just_compacted:
            return None
        limits = self._limits(model)
        system = estimate([m for m in transcript.messages if m["role"] == "system"])
        room = limits.window - limits.window // 8 - system
        active = active_entries(transcript.store.history)
        return find_cut(active, limits.keep, room if room > 0 else None)

    def _nothing(self) -> str:
        if self.transcript.was_just_compacted:
            return "The conversation has just been compacted"
        return "There is nothing to compact yet: all of it counts as recent"

    async def _summary(
        self, cut: Cut, summariser: Summariser, instructions: str | None
    ) -> AsyncGenerator[AgentEvent, None]:
        """Leaves the whole summary in `summariser.text`, files not yet listed."""
        before = _earlier_summary(self.transcript)
        history = before
        if cut.history:
            parts = conversation_parts(cut.history)
            async with aclosing(
                summariser.summarise("history", parts, before, instructions)
            ) as events:
                async for event in events:
                    yield event
            history = summariser.text
        if cut.prefix:
            parts = conversation_parts(cut.prefix)
            async with aclosing(
                summariser.summarise("prefix", parts, None, instructions)
            ) as events:
                async for event in events:
                    yield event
            summariser.text = _JOINED.format(history=history or _NO_HISTORY, prefix=summariser.text)

    def _compacted(
        self,
        cut: Cut,
        summariser: Summariser,
        model: Model,
        reason: CompactionReason,
        will_retry: bool,
    ) -> CompactionEnd:
        """Write the entry; the event that reports it."""
        details = self._files(cut).details()
        entry = self.transcript.compact(
            with_files(summariser.text, details),
            cut.first_kept,
            self.transcript.tokens,
            details=details,
            usage=summariser.usage,
        )
        return self._end(entry, model, reason, will_retry)

    def _files(self, cut: Cut) -> Files:
        """What the part to be summarised, and what was before it, read and changed."""
        files = Files()
        active = active_entries(self.transcript.store.history)
        files.note_summary(cast("dict[str, Any] | None", active.compaction))
        files.note_calls(cut.history)
        files.note_calls(cut.prefix)
        return files

    def _end(
        self, entry: CompactionEntry, model: Model, reason: CompactionReason, will_retry: bool
    ) -> CompactionEnd:
        after = estimate(self.transcript.messages)
        self._floor = after if after > self._limits(model).trigger else 0
        end: CompactionEnd = {
            "type": "compaction_end",
            "reason": reason,
            "result": {
                "summary": entry["summary"],
                "firstKeptEntryId": entry["firstKeptEntryId"],
                "tokensBefore": entry["tokensBefore"],
                "estimatedTokensAfter": after,
            },
            "aborted": False,
            "willRetry": will_retry,
        }
        if "usage" in entry:
            end["result"]["usage"] = entry["usage"]
        if "details" in entry:
            end["result"]["details"] = entry["details"]
        return end


def _chosen(answer: "Cancel | CustomCompaction") -> "CustomCompaction":
    """An extension's summary. Raises Aborted where it wants none at all."""
    from pi.agent.hook_events import CustomCompaction  # noqa: PLC0415  (loaded by the hooks by now)

    if not isinstance(answer, CustomCompaction):
        raise Aborted
    return answer


def _earlier_summary(transcript: Transcript) -> str | None:
    for message in transcript.messages:
        if message["role"] == "compactionSummary":
            return without_files(message["summary"])
    return None
