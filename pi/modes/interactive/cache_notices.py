"""What the terminal says of prompt caches: misses, what kept one warm, what summaries cost."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pi.modes.interactive.footer import amount
from pi.modes.interactive.transcript import Beside, Notice
from pi.session.cache_misses import Miss, Misses, last_miss, missed_in
from pi.session.context import active_entries

if TYPE_CHECKING:
    from pi.agent.warming import Estimate, Status
    from pi.runtime.host import Host

__all__ = ["cache_section", "dropped_thoughts", "miss_of", "stored_notices", "summary_cost"]

MANY_TOKENS = 20_000
MUCH = 0.10
"""Tokens, and US dollars, from which a miss is worth a line."""

LIFETIME = 300.0
"""Seconds after which a cache is likely to be gone: the shortest that providers promise."""


def miss_of(host: "Host") -> str | None:
    """What is to be said about the newest answer, if it missed much of the cache."""
    lines = (step.line for step in host.store.history.up())
    return _told(last_miss(lines, _read_price(host)))


def _told(miss: Miss | None) -> str | None:
    if miss is None or (miss.tokens < MANY_TOKENS and miss.cost < MUCH):
        return None
    why = ""
    if miss.switched:
        why = " after another model's answer"
    elif miss.idle >= LIFETIME:
        why = f" after {round(miss.idle / 60)} min without a request"
    return f"Cache miss{why}: {_paid(miss.tokens, miss.cost)} paid again"


def summary_cost(what: str, usage: Any) -> str:
    """what: "Compaction" or "Branch summary"."""
    tokens = sum(int(usage[key]) for key in ("input", "output", "cacheRead", "cacheWrite"))
    return f"{what}: {_paid(tokens, usage['cost']['total'])} used"


def dropped_thoughts(host: "Host", message: Mapping[str, Any]) -> str | None:
    """What is to be said if the provider left out more thinking than the time before."""
    count = _dropped(message)
    if not count:
        return None
    answers = (m for m in reversed(host.session.transcript.messages) if m["role"] == "assistant")
    before = next((m for m in answers if m is not message), None)
    if before is not None and _dropped(before) >= count:
        return None
    blocks = "one thinking block" if count == 1 else f"{count} thinking blocks"
    return f"The provider left out {blocks} of earlier answers (details are in the session)"


def _dropped(message: Mapping[str, Any]) -> int:
    notes = [
        note.get("details") or {}
        for note in message.get("diagnostics") or ()
        if note.get("type") == "anthropic_input_transformations"
    ]
    changes = [change for note in notes for change in note.get("transformations") or ()]
    return sum(change.get("type") == "thinking_dropped" for change in changes)


def stored_notices(host: "Host", shown: Collection[str]) -> dict[str, list[Beside]]:
    """What is to be said of a stored session, by the entry that it follows.

    shown: the ids of the entries that are.
    """
    found: dict[str, list[Beside]] = {}
    active = active_entries(host.store.history)
    misses = Misses(_read_price(host))
    last: str | None = None
    for at, entry in enumerate([*active.entries, None]):
        if at == active.after and active.compaction is not None:
            misses.see(active.compaction)
            last = active.compaction["id"] if active.compaction["id"] in shown else None
            if last is not None and (usage := active.compaction.get("usage")):
                found.setdefault(last, []).append(Notice(summary_cost("Compaction", usage)))
        if entry is None:
            break
        miss = _told(misses.see(entry))
        kind = entry["type"]
        if entry["id"] in shown:
            last = entry["id"]
        if last is None:
            continue
        told = found.setdefault(last, [])
        if miss is not None and last == entry["id"]:
            told.append(Notice(miss))
        if kind == "branch_summary" and (usage := entry.get("usage")):
            told.append(Notice(summary_cost("Branch summary", usage)))
        elif kind == "usage" and entry.get("kind") == "cache_warm":
            told.append(entry)
    return found


def cache_section(host: "Host", now: float | None = None) -> tuple[str, Sequence[tuple[str, str]]]:
    """What `/session` tells of the cache. now: Unix seconds."""
    status = host.warmth.status()
    rows = [
        ("Kept warm", host.services.settings.cache_warming),
        ("Now", _described(status, time.time() if now is None else now)),
    ]
    decision = status.estimate
    if decision is not None and decision.known:
        rows.append(("A miss costs", f"${decision.miss_cost:.3f}"))
        rows.append(("A refresh costs", f"${decision.warm_cost:.3f}"))
    missed = missed_in(host.store.history, _read_price(host))
    if missed:
        tokens, cost = sum(miss.tokens for miss in missed), sum(miss.cost for miss in missed)
        times = "once" if len(missed) == 1 else f"{len(missed)} times"
        dollars = f"${cost:.3f}, " if cost >= 0.0001 else ""
        rows.append(("Missed", f"{dollars}{tokens:,} tokens, {times}"))
    return "Prompt cache", rows


def _described(status: "Status", now: float) -> str:
    decision = status.estimate
    if decision is None or (not decision.known and not status.overridden):
        return f"inactive: {status.reason}"
    why = _reasoned(decision)
    if status.overridden:
        why = f"an extension's wish; {why}"
    if status.state == "inactive":
        return f"stopped ({why})"
    if status.state == "refreshing":
        return f"being refreshed ({why})"
    left = status.due - now
    return f"next decision {f'in {_span(left)}' if left > 0 else 'now'} ({why})"


def _reasoned(decision: "Estimate") -> str:
    from pi.agent.warming import LEAST_SAVING  # noqa: PLC0415  (loaded with what is described)

    if not decision.known:
        return "what it would save is not known"
    what = "warm" if decision.action == "warm" else "let go"
    chance = f"{decision.chance:.0%} chance of a next request"
    saved = f"{'-' if decision.saving < 0 else ''}${abs(decision.saving):.3f}"
    sign = "≥" if decision.action == "warm" else "<"
    return f"{chance}, expected to save {saved} {sign} ${LEAST_SAVING:.3f}: {what}"


def _span(seconds: float) -> str:
    whole = -int(-seconds // 1)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    parts += [f"{rest} s"] * bool(rest or not parts)
    return " ".join(parts)


def _paid(tokens: int, cost: float) -> str:
    return f"{amount(tokens)} tokens{f' (~${cost:.2f})' if cost >= 0.01 else ''}"


def _read_price(host: "Host") -> Callable[[str, str], float]:
    def price(provider: str, model_id: str) -> float:
        model = host.services.registry.find(provider, model_id)
        return 0.0 if model is None else model.prices.cache_read

    return price
