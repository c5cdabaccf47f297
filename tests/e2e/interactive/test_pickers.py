"""What pickers do besides giving a choice, in a terminal: save, rename, delete, label, fold."""

import json
from typing import Any

from tests.e2e.interactive.conftest import HI, Sitting
from tests.e2e.interactive.tmux import Screen

MODELS = [{"id": "m1", "name": "One", "reasoning": True}, {"id": "m2"}, {"id": "tiny"}]


def sit_down(sit: Sitting, *arguments: str, **options: Any) -> Screen:
    sit.serve(options.pop("turns", (HI,)), provider={"models": MODELS})
    return sit(*arguments, **options)


def command(screen: Screen, text: str, wanted: str) -> str:
    """Type a command, and wait for what its panel shows."""
    screen.type(text)
    screen.wait(text)
    screen.press("Enter")
    return screen.wait(wanted)


def settings(sit: Sitting) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((sit.machine.agent / "settings.json").read_text())
    return found


def leave(screen: Screen, title: str) -> None:
    screen.press("Escape")
    screen.wait_gone(f"── {title} ─")


def talk(screen: Screen, text: str, count: int, *, before: int = 0) -> None:
    """Say something and wait for the answer. count: answers on the screen; before: elsewhere."""
    screen.type(text)
    screen.wait(text)
    screen.press("Enter")
    screen.wait_until(lambda shown: shown.count("Hello from the model.") >= count, f"{count}.")
    screen.wait(f"↑{10 * (count + before)}")


def test_model(sit: Sitting) -> None:
    screen = sit_down(sit)
    shown = command(screen, "/model", "── Model ─")
    assert "✓ m1 (One)" in shown and "ctrl+s select, make default" in shown
    screen.type("tin")
    screen.wait("→   tiny")
    screen.press("C-s")
    screen.wait_gone("── Model ─")
    screen.wait("tiny")
    assert settings(sit)["defaultModel"] == "tiny"
    command(screen, "/model", "── Model ─")
    leave(screen, "Model")


def test_scoped_models(sit: Sitting) -> None:
    screen = sit_down(sit)
    command(screen, "/scoped-models", "all of them")
    screen.press("Enter")
    screen.wait("2 of 3 · not saved")
    screen.press("Down", "M-Up", "C-s")
    screen.wait_until(lambda shown: "2 of 3" in shown and "not saved" not in shown, "saved")
    leave(screen, "Models to cycle through")
    assert settings(sit)["enabledModels"] == ["mock/tiny", "mock/m2"]
    command(screen, "/model", "[scoped]")
    screen.press("Tab")
    screen.wait("[all]")


def test_settings(sit: Sitting) -> None:
    screen = sit_down(sit)
    command(screen, "/settings", "Automatic compaction")
    screen.press("Space")
    screen.wait_until(lambda shown: "Automatic compaction" in shown and "off" in shown, "off")
    screen.type("output margin")
    screen.press("C-u")
    screen.type("theme")
    screen.wait("→ Theme")
    screen.press("Enter")
    screen.wait("── Theme ─")
    screen.press("Down", "Down", "Enter")
    screen.wait_gone("── Theme ─")
    leave(screen, "Settings")
    kept = settings(sit)
    assert kept["compaction"] == {"enabled": False}
    assert kept["theme"] == "dark"


def test_resume_rename_delete(sit: Sitting) -> None:
    screen = sit_down(sit, turns=[HI] * 4)
    talk(screen, "about zebras", 1)
    command(screen, "/new", "A new session")
    talk(screen, "about foxes", 1)
    command(screen, "/resume", "→ ✓ about foxes")
    screen.press("C-d")
    screen.wait("cannot be deleted")
    screen.type("zebras")
    screen.wait("1/1")
    screen.press("C-r")
    screen.wait("── Rename session")
    screen.type("striped")
    screen.press("Enter")
    screen.wait("→ striped")
    screen.press("Enter")
    screen.wait_gone("── Resume session")
    assert sum(b'"name":"striped"' in path.read_bytes() for path in sit.machine.sessions()) == 1
    command(screen, "/resume", "── Resume session")
    screen.type("foxes")
    screen.wait("1/1")
    screen.press("C-d")
    screen.wait("Delete this session?")
    screen.press("Enter")
    screen.wait("0/0")
    leave(screen, "Resume session")
    assert len(sit.machine.sessions()) == 1


def test_tree(sit: Sitting) -> None:
    screen = sit_down(sit, turns=[HI] * 4)
    talk(screen, "first words", 1)
    talk(screen, "second words", 2)
    shown = command(screen, "/tree", "← now")
    assert "• user: first words" in shown
    screen.press("Up")
    screen.type("L")
    screen.wait("── Label ─")
    screen.type("turn here")
    screen.press("Enter")
    screen.wait("[turn here] user: second words")
    screen.press("Enter")
    screen.wait("No summary")
    screen.press("Enter")
    screen.wait_gone("── Summarize")
    screen.wait("second words")  # in the editor again
    screen.press("C-u")
    talk(screen, "other words", 2, before=1)
    shown = command(screen, "/tree", "← now")
    assert "├▾ • user: other words" in shown and "└▾ [turn here] user: second words" in shown
    screen.press("M-Left", "M-Left")
    screen.wait("├▸")
    screen.press("C-u")
    screen.wait("user-only")
    leave(screen, "Session tree")
