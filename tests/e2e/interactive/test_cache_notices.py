"""What the terminal tells of prompt caches."""

from typing import Any

import pytest

from tests.e2e.interactive.conftest import Sitting
from tests.e2e.interactive.tmux import Screen
from tests.scripted_provider import Turn

PRICED: dict[str, Any] = {
    "reasoning": False,
    "contextWindow": 1_000_000,
    "cost": {"input": 3, "output": 15, "cacheRead": 0.3, "cacheWrite": 3.75},
}
FIRST: Turn = {"blocks": [{"text": "First answer."}], "usage": {"input": 10, "cacheWrite": 300_000}}
WARM: Turn = {
    "blocks": [{"text": "x"}],
    "stop": "length",
    "usage": {"input": 0, "output": 1, "cacheRead": 300_010},
}
MISSED: Turn = {
    "blocks": [{"text": "Second answer."}],
    "usage": {"input": 10, "cacheWrite": 300_100},
}


def say(screen: Screen, line: str) -> None:
    screen.type(line)
    screen.press("Enter")


def test_a_miss_is_told_and_told_again_on_resume(sit: Sitting) -> None:
    sit.serve([FIRST, MISSED], model=PRICED)
    sit.settings(showCacheMissNotices=True)
    screen = sit()
    say(screen, "one")
    screen.wait("First answer.")
    say(screen, "two")
    screen.wait("Cache miss: 300k tokens (~$1.04) paid again")
    say(screen, "/session")
    screen.wait("300,010 tokens, once")
    say(screen, "/quit")
    assert screen.wait_end() == 0
    shown = sit("-c", ready="Cache miss: 300k tokens").text()
    assert shown.index("Second answer.") < shown.index("Cache miss")


def test_nothing_is_told_unasked(sit: Sitting) -> None:
    sit.serve([FIRST, MISSED], model=PRICED)
    screen = sit()
    say(screen, "one")
    screen.wait("First answer.")
    say(screen, "two")
    screen.wait("Second answer.")
    screen.wait("$2.251")
    assert "miss" not in screen.text()


@pytest.mark.parametrize("shown", [True, False])
def test_what_keeps_it_warm_is_counted_and_told(sit: Sitting, shown: bool) -> None:
    del sit.machine.environment["PI_OFFLINE"]
    stays: Turn = {**WARM, "hang": "headers"}
    sit.serve([FIRST, WARM, WARM, stays], model={**PRICED, "promptCache": {"short": 12.5}})
    sit.settings(showCacheMissNotices=shown)
    screen = sit()
    say(screen, "one")
    screen.wait("First answer.")
    screen.wait("$1.305")  # in the footer: the answer and two refreshes
    assert ("Cache kept warm: $0.180036" in screen.text()) is shown
    say(screen, "/session")
    screen.wait("A refresh costs")
    assert "15% chance of a next request" in screen.text().replace("\n", " ")


def test_how_a_session_stands(sit: Sitting) -> None:
    sit.serve()
    sit.settings(cacheWarming="off")
    screen = sit(rows=40)
    say(screen, "/session")
    screen.wait("inactive: cache warming disabled")
