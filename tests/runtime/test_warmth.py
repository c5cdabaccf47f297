"""Which requests are worth a thought about their cache."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from pi.providers.base import Context
from pi.runtime.requests import Warmth
from pi.wire.model import Model

MODEL = Model(id="m1", provider="p", api="script", base_url="", prompt_cache={"short": 300})


def warmth(model: Model = MODEL, mode: str = "idle", offline: bool = False) -> Warmth:
    session: Any = SimpleNamespace(
        model=model, transcript=SimpleNamespace(messages=[]), store=SimpleNamespace(id="s")
    )
    services: Any = SimpleNamespace(settings=SimpleNamespace(cache_warming=mode), offline=offline)
    http: Any = None
    return Warmth(lambda: session, lambda: (services, http), lambda model: None)


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({}, "waiting for first request"),
        ({"mode": "off"}, "cache warming disabled"),
        ({"offline": True}, "pi is offline"),
        ({"model": replace(MODEL, prompt_cache={})}, "cache lifetime unavailable"),
    ],
)
def test_how_it_stands_before_anything_was_asked(made: dict[str, Any], reason: str) -> None:
    assert warmth(**made).status().reason == reason


def test_what_another_model_than_the_selected_answers_is_not_kept() -> None:
    """A virtual model may choose yet another one the next time."""
    kept = warmth(replace(MODEL, id="auto"))
    kept.asked(MODEL)
    kept.accepted(MODEL, Context([]), "off")
    assert kept.status().reason == "waiting for first request"


def test_an_answer_nobody_asked_for_is_not_kept() -> None:
    kept = warmth()
    kept.accepted(MODEL, Context([]), "off")
    assert kept.status().reason == "waiting for first request"
