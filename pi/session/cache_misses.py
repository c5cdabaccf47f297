"""Cache misses: prompt tokens that are paid again, though an earlier request had cached them.

Nothing of this is stored: it is derived from the usage that answers report.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from pi.session.history import History
from pi.session.reader import decode

__all__ = ["Miss", "Misses", "ReadPrice", "last_miss", "missed_in"]

GRAIN = 1024
"""Tokens: caches begin and end at marks, so that as many may be missed at any time."""

ReadPrice = Callable[[str, str], float]
"""What a model, by provider and id, costs for what it reads from the cache: US dollars a million
tokens, 0 where nobody knows."""


class Miss(NamedTuple):
    """cost: US dollars more than with the cache. idle: seconds since the request before.

    switched: whether another model answered that one.
    """

    tokens: int
    cost: float
    idle: float
    switched: bool


class _Before(NamedTuple):
    """The request before. at: Unix milliseconds. cached: whether one so far told of a cache."""

    prompt: int
    model: str
    at: float
    cached: bool


@dataclass(slots=True)
class Misses:
    """Entries in order, oldest first. read_price: see ReadPrice."""

    read_price: ReadPrice
    _before: _Before | None = None

    def see(self, entry: Mapping[str, Any]) -> Miss | None:
        """One more entry: what its answer missed, if it did. Damaged ones tell nothing."""
        kind = entry.get("type")
        if kind in ("compaction", "branch_summary"):
            self._before = None  # what follows is another prompt, and was never cached
        elif kind == "usage" and entry.get("kind") == "cache_warm":
            at = _milliseconds(entry.get("timestamp"))
            self._answered(entry, entry.get("usage"), at, warmed=True)
        elif kind == "message":
            message = entry.get("message")
            if isinstance(message, dict) and message.get("role") == "assistant":
                return self._answered(message, message.get("usage"), message.get("timestamp"))
        return None

    def _answered(
        self, by: Mapping[str, Any], usage: Any, at: Any, *, warmed: bool = False
    ) -> Miss | None:
        before = self._before
        if not isinstance(usage, dict):
            return None
        sent, read, written = (_number(usage.get(k)) for k in ("input", "cacheRead", "cacheWrite"))
        prompt, when = int(sent + read + written), _number(at)
        if prompt <= 0:
            return None
        model = f"{by.get('provider')}/{by.get('model')}"
        cached = warmed or read + written > 0 or (before is not None and before.cached)
        self._before = _Before(prompt, model, when, cached)
        if before is None or warmed or not cached:
            return None
        missed = int(min(before.prompt, prompt) - read)
        if missed <= GRAIN:
            return None
        cost = usage.get("cost")
        paid, spent = sent + written, cost if isinstance(cost, dict) else {}
        rate = (
            (_number(spent.get("input")) + _number(spent.get("cacheWrite"))) / paid if paid else 0
        )
        reading = self.read_price(str(by.get("provider")), str(by.get("model"))) / 1_000_000
        if read > 0:
            reading = _number(spent.get("cacheRead")) / read
        idle = max(0.0, when - before.at) / 1000
        return Miss(missed, missed * max(0.0, rate - reading), idle, model != before.model)


def last_miss(newest_first: Iterable[bytes], read_price: ReadPrice) -> Miss | None:
    """What the newest answer missed. newest_first: the lines of a branch, read as far as needed."""
    found: list[Mapping[str, Any]] = []
    cached = False
    for line in newest_first:
        if not any(kind in line for kind in _TELLING):
            continue
        entry = decode(line)
        if entry is None:
            continue
        found.append(entry)
        if entry.get("type") in ("compaction", "branch_summary"):
            break
        usage: Any = entry.get("usage") or (entry.get("message") or {}).get("usage")
        if not isinstance(usage, dict):
            continue
        cached = cached or _number(usage.get("cacheRead")) + _number(usage.get("cacheWrite")) > 0
        if len(found) > 1 and cached and sum(_number(usage.get(key)) for key in _PROMPT) > 0:
            break
    misses = Misses(read_price)
    told = [misses.see(entry) for entry in reversed(found)]
    return told[-1] if told else None


def missed_in(history: History, read_price: ReadPrice) -> list[Miss]:
    """All misses of a session, on whatever branch. Reads all of it once."""
    misses, found, index = Misses(read_price), [], history.index()
    for row in range(len(index)):
        if index.type(row) not in _KINDS:
            continue
        line = history.source.read(*index.span(row))
        if any(role in line[:512] for role in _OTHER_ROLES):
            continue
        entry = decode(line)
        miss = None if entry is None else misses.see(entry)
        if miss is not None:
            found.append(miss)
    return found


_KINDS = frozenset({"message", "usage", "compaction", "branch_summary"})
_OTHER_ROLES = (b'"message":{"role":"toolResult"', b'"message":{"role":"user"')
_PROMPT = ("input", "cacheRead", "cacheWrite")
_TELLING = (b'"assistant"', b'"cache_warm"', b'"compaction"', b'"branch_summary"')


def _number(value: Any) -> float:
    """A damaged record may hold anything: what is no number counts nothing."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _milliseconds(timestamp: Any) -> float:
    try:
        return datetime.fromisoformat(timestamp).timestamp() * 1000
    except (TypeError, ValueError):
        return 0
