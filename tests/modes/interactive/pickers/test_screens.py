from typing import Any

import pytest

from pi.modes.interactive.cells import plain, width
from pi.modes.interactive.keymap import Keymap
from pi.modes.interactive.pickers.screens import (
    ChangelogScreen,
    HotkeysScreen,
    SessionInfoScreen,
)
from pi.modes.interactive.pickers.stage import Stage
from pi.modes.interactive.transcript import Look

STATISTICS: Any = {
    "sessionFile": "/home/me/.pi/agent/sessions/--home-me--/2026-01-01_abc.jsonl",
    "sessionId": "01a2148c-54a3-7653-a2d3-9530b8236f12",
    "userMessages": 12,
    "assistantMessages": 1340,
    "toolCalls": 20,
    "toolResults": 19,
    "totalMessages": 1391,
    "tokens": {"input": 1234567, "output": 50, "cacheRead": 0, "cacheWrite": 7, "total": 1234624},
    "cost": 1.23456,
    "contextUsage": {"tokens": 50_000, "contextWindow": 200_000, "percent": 25.0},
}


def shown(screen: Any, columns: int = 80) -> str:
    for size in (1, 2, 7, 20, 40, 80, 120):
        rows = screen.render(size)
        assert screen.render(size) is rows
        assert all(width(row) <= size for row in rows)
    return "\n".join(plain(row) for row in screen.render(columns))


def test_session(stage: Stage) -> None:
    text = shown(SessionInfoScreen(stage.theme, STATISTICS, name="my \x1b[2Jname"))
    for piece in ("my name", "1,340", "20 calls, 19 results", "1,234,567", "$1.2346",
                  "50,000 of 200,000 tokens (25.0 %)"):  # fmt: skip
        assert piece in text
    assert "Cache read" not in text and "Cache written" in text


def test_session_in_memory_after_a_compaction(stage: Stage) -> None:
    counted = {**STATISTICS, "cost": 0, "contextUsage": {"tokens": None, "contextWindow": 9,
                                                         "percent": None}}  # fmt: skip
    del counted["sessionFile"]
    screen = SessionInfoScreen(
        stage.theme, counted, name=None, model="mock/m1", more=[("Cache", [("Mode", "idle")])]
    )
    text = shown(screen)
    for piece in ("gone when pi ends", "/name", "not known until", "mock/m1", "idle"):
        assert piece in text
    assert "Cost" not in text


def test_hotkeys_are_those_that_are_set(stage: Stage) -> None:
    keymap = Keymap(chosen={"app.session.new": ("ctrl+shift+n",), "app.exit": ()})
    text = shown(HotkeysScreen(stage.theme, keymap))
    assert "ctrl+shift+n" in text and "New session" in text
    assert "Quit, if the editor is empty" not in text
    assert "!!" in text


@pytest.mark.parametrize("text", ["# 1.0\n\n- one\n- `two`\n", ""])
def test_changelog(stage: Stage, text: str) -> None:
    look = Look(stage.theme)
    seen = shown(ChangelogScreen(look, text))
    assert "What's New" in seen
    assert ("two" in seen) == bool(text)
    screen = ChangelogScreen(look, text)
    first = screen.render(40)
    screen.invalidate()
    assert screen.render(40) is not first
