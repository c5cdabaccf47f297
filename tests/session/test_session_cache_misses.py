"""Cache misses, as they follow from what answers report. The figures are the npm package's."""

from typing import Any

import pytest

from pi.session.cache_misses import Miss, last_miss, missed_in
from pi.session.history import History
from pi.session.source import MemorySource
from tests.session.session_lines import assistant, compaction, entry, file_bytes, header, user


def usage(sent: int = 0, read: int = 0, written: int = 0) -> dict[str, Any]:
    cost = {"input": sent * 3e-6, "cacheRead": read * 0.3e-6, "cacheWrite": written * 3.75e-6}
    return {
        "input": sent,
        "output": 1,
        "cacheRead": read,
        "cacheWrite": written,
        "cost": {**cost, "total": sum(cost.values())},
    }


def asked(id: str, parent: str, at: int, model: str = "m1", **spent: int) -> Any:
    return assistant(id, parent, model, usage=usage(**spent), timestamp=at)


def history(*lines: Any) -> History:
    return History(MemorySource(file_bytes(header(), user("u", None), *lines)))


def misses(*lines: Any) -> list[Miss]:
    """Of all lines; what the last one missed is found from its end, too."""
    past = history(*lines)
    found = missed_in(past, lambda provider, model: 0.3)
    last = last_miss((step.line for step in past.up()), lambda provider, model: 0.3)
    assert last is None or last == found[-1]
    return found


def test_what_was_cached_is_paid_again() -> None:
    (miss,) = misses(
        asked("a", "u", 1_000_000, written=50_000),
        asked("b", "a", 1_400_000, sent=100, written=50_100),
    )
    assert (miss.tokens, miss.idle, miss.switched) == (50_000, 400, False)
    assert miss.cost == pytest.approx(50_000 * (3.7485 - 0.3) * 1e-6, rel=1e-3)


def test_a_part_of_it_at_the_price_that_was_paid_for_the_rest() -> None:
    (miss,) = misses(
        asked("a", "u", 0, written=50_000), asked("b", "a", 1, read=20_000, sent=40_000)
    )
    assert miss.tokens == 30_000
    assert miss.cost == pytest.approx(30_000 * 2.7e-6)


def test_another_model() -> None:
    (miss,) = misses(
        asked("a", "u", 0, written=50_000), asked("b", "a", 1, model="m2", written=50_000)
    )
    assert miss.switched


@pytest.mark.parametrize(
    "lines",
    [
        [asked("a", "u", 0, written=50_000)],
        [asked("a", "u", 0, written=50_000), asked("b", "a", 1, read=48_976, sent=9)],
        [asked("a", "u", 0, sent=50_000), asked("b", "a", 1, sent=60_000)],
        [
            asked("a", "u", 0, written=50_000),
            compaction("k", "a", "a"),
            asked("b", "k", 1, written=40_000),
        ],
        [asked("a", "u", 0, written=50_000), asked("b", "a", 1)],
        [assistant("a", "u", usage="much"), assistant("b", "a", usage={"input": []})],
    ],
    ids=["first", "grain", "no-cache", "compacted", "failed", "damaged"],
)
def test_no_miss(lines: list[Any]) -> None:
    assert misses(*lines) == []


def test_a_refresh_counts_as_the_request_before() -> None:
    warm = entry(
        "usage",
        "w",
        "a",
        kind="cache_warm",
        provider="mock",
        model="m1",
        usage=usage(read=50_000),
        timestamp="1970-01-01T00:05:00.000Z",
    )
    (miss,) = misses(asked("a", "u", 0, sent=50_000), warm, asked("b", "w", 310_000, sent=60_000))
    assert (miss.tokens, miss.idle) == (50_000, 10)


def test_that_a_cache_was_told_of_once_is_remembered() -> None:
    found = misses(
        asked("a", "u", 0, sent=10, written=50_000),
        asked("b", "a", 1, sent=60_000),
        asked("c", "b", 2, sent=70_000),
    )
    assert [miss.tokens for miss in found] == [50_010, 60_000]
