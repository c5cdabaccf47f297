"""How many tokens a request asks for near the end of the window."""

import pytest

from pi.providers.budget import output_limit
from pi.wire.model import Model
from tests.providers.exchange import ANTHROPIC, TOOL, assistant, image, system, text, user


def limit(messages, *, window=100_000, maximum=90_000, asked=None):
    model = Model(
        id="m1",
        provider="mock",
        api=ANTHROPIC,
        base_url="",
        context_window=window,
        max_tokens=maximum,
    )
    return output_limit(model, messages, asked)


def replied(total, *, at=1, stop="stop", **usage):
    counts = {"input": total, "output": 0, "cacheRead": 0, "cacheWrite": 0, **usage}
    message = assistant(text("r"), api=ANTHROPIC, usage=counts, stopReason=stop)
    return {**message, "timestamp": at}


LONG = user("x" * 35_000)  # 10,000 tokens by the guess


@pytest.mark.parametrize(
    ("messages", "window", "expected"),
    [
        ([user("go")], 100_000, 90_000),
        ([LONG], 100_000, 100_000 - 10_000 - 4096),
        # the share of what is there, once it is more than the fixed part
        ([user("x" * 140_000)], 100_000, 100_000 - 40_000 - 6000),
        # too little would be left by the share: the fixed part, and not more than enough
        ([user("x" * 210_000)], 100_000, 32_768),
        ([user("x" * 280_000)], 100_000, 100_000 - 80_000 - 4096),
        ([user("x" * 350_000)], 100_000, 1),
        ([user([text("x" * 3500), image()])], 12_000, 12_000 - 2372 - 4096),
        ([LONG], 0, 90_000),
    ],
)
def test_guessed(messages, window, expected):
    maximum = 90_000
    assert limit(messages, window=window, maximum=maximum) == min(maximum, expected)


def test_reported_usage_counts_over_the_guess():
    messages = [LONG, replied(60_000), user("x" * 3500)]
    assert limit(messages) == 32_768
    assert limit([LONG, replied(20_000), user("x" * 3500)]) == 100_000 - 21_000 - 4096
    assert limit([LONG, replied(0, totalTokens=20_000)]) == 100_000 - 20_000 - 4096


@pytest.mark.parametrize("stop", ["error", "aborted"])
def test_a_failed_reply_measures_nothing(stop):
    assert limit([LONG, replied(60_000, stop=stop)]) == 100_000 - 10_001 - 4096


def test_what_was_put_before_a_reply_later_voids_its_measure():
    summary = {**LONG, "timestamp": 9}
    assert limit([summary, replied(60_000, at=5)]) == 100_000 - 10_001 - 4096
    assert limit([summary, replied(60_000, at=5), replied(20_000, at=9)]) == 75_904


@pytest.mark.parametrize("usage", [None, [], {"totalTokens": "60000"}, {"input": None}])
def test_a_usage_of_another_shape_measures_nothing(usage):
    message = {**assistant(text("r"), api=ANTHROPIC), "usage": usage}
    assert limit([LONG, message]) == 100_000 - 10_001 - 4096


def test_system_messages_count():
    prompt = system(sections={"a": "x" * 3500, "b": None}, toolsAdded=[TOOL])
    tools = 100_000 - 4096 - 1000 - limit([prompt], maximum=200_000)
    assert 50 < tools < 80


def test_what_was_asked_for():
    assert limit([LONG], asked=500) == 500
    assert limit([LONG], asked=99_000) == 100_000 - 10_000 - 4096
