"""Fullscreen mode: the conversation scrolls in a view of its own."""

import re

from tests.e2e.interactive.conftest import Sitting
from tests.e2e.interactive.tmux import Screen

LONG = {"blocks": [{"text": "\n\n".join(f"line {n} of the answer" for n in range(100))}]}


def opened(sit: Sitting) -> Screen:
    screen = sit("--tui-mode", "fullscreen", turns=[LONG], rows=24)
    screen.type("go")
    screen.press("Enter")
    screen.wait("line 99 of the answer")
    return screen


def test_it_scrolls_and_leaves_the_transcript_behind(sit: Sitting) -> None:
    screen = opened(sit)
    assert "line 80 " not in screen.text()
    screen.press("PPage", "PPage", "PPage")
    screen.wait_gone("line 99 ")
    screen.press("C-Home")
    screen.wait("❯ go")
    screen.press("C-End")
    screen.wait("line 99 ")
    assert "line 50 " not in screen.text(scrollback=True)
    screen.press("C-d")
    assert screen.wait_end() == 0
    left = screen.text(scrollback=True)
    assert "line 0 of" in left and "line 99 of" in left and "pi --session" in left


def test_it_is_searched(sit: Sitting) -> None:
    screen = opened(sit)
    screen.press("C-Home")
    screen.wait("❯ go")
    screen.type("\x1b[70;6u")  # ctrl+shift+f, as the kitty protocol has it
    screen.wait(" / ")
    screen.type("line 42 ")
    screen.wait("1 of 1")
    assert "line 42 of" in screen.text()
    screen.press("Escape")
    screen.wait_gone("1 of 1")


def test_the_wheel_and_the_mouse(sit: Sitting) -> None:
    screen = opened(sit)
    for _ in range(20):
        screen.type("\x1b[<64;10;5M")
    screen.wait_gone("line 99 ")
    for _ in range(40):
        screen.type("\x1b[<65;10;5M")
    screen.wait("line 99 ")


def test_the_mode_is_changed_while_it_runs(sit: Sitting) -> None:
    screen = sit(turns=[LONG], rows=24)
    screen.type("go")
    screen.press("Enter")
    screen.wait("line 99 of the answer")
    screen.type("/settings")
    screen.wait("/settings")
    screen.press("Enter")
    screen.wait("Settings")
    screen.type("own scrollback")
    screen.wait("→ Screen")
    screen.press("Enter")
    # The switch clears the screen: the panel is gone meanwhile.
    screen.wait_until(
        lambda shown: bool(re.search(r"→ Screen +fullscreen", shown)), "fullscreen, chosen"
    )
    screen.press("Escape")
    screen.wait_gone("── Settings")
    screen.press("C-Home")
    screen.wait("❯ go")
