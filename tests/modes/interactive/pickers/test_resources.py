from dataclasses import replace

import pytest

from pi.config.settings_write import Scope
from pi.errors import PiError
from pi.modes.interactive.pickers.resources import ResourcePicker, ResourceRow
from pi.modes.interactive.pickers.stage import Stage

from .conftest import Done, golden, press, screen, type_in

MINE = [
    ResourceRow(
        "npm:@team/tools (yours)", "Extensions", "review.py", "/p/extensions/review.py", True
    ),
    ResourceRow("npm:@team/tools (yours)", "Skills", "draft", "/p/skills/draft/SKILL.md", False),
    ResourceRow("~/.pi/agent (yours)", "Skills", "mail", "~/.pi/agent/skills/mail/SKILL.md", True),
    ResourceRow("Built in", "Extensions", "mcp\x1b[2J", "builtin:mcp", True),
]
HERE = ResourceRow(".pi (this project's)", "Prompt templates", "fix.md", ".pi/prompts/fix.md", True)


class Machine:
    """Takes what is switched, and shows it."""

    def __init__(self) -> None:
        self.words: dict[Scope, dict[str, bool | None]] = {"user": {}, "project": {}}
        self.fails = False

    def rows(self, scope: Scope) -> list[ResourceRow]:
        mine = [replace(row, on=self.words["user"].get(row.name, row.on) or False) for row in MINE]
        if scope == "user":
            return mine
        mine = [replace(row, inherited=True, without=row.on) for row in mine]
        words = self.words["project"]
        return [
            row if (word := words.get(row.name)) is None else replace(row, on=word, word=word)
            for row in (*mine, HERE)
        ]

    def switch(self, scope: Scope, row: ResourceRow, enabled: bool | None) -> None:
        if self.fails:
            raise PiError("settings.json cannot be written")
        self.words[scope][row.name] = enabled


@pytest.fixture
def machine() -> Machine:
    return Machine()


def picker(stage: Stage, done: Done, machine: Machine, *scopes: Scope) -> ResourcePicker:
    files: dict[Scope, str] = {"user": "~/.pi/agent/settings.json", "project": ".pi/settings.json"}
    return ResourcePicker(
        stage,
        done,
        rows=machine.rows,
        switch=machine.switch,
        files={scope: files[scope] for scope in scopes or files},
    )


def test_look(stage: Stage, done: Done, machine: Machine) -> None:
    panel = picker(stage, done, machine)
    golden(panel, "resources")
    machine.words["project"] = {"mail": False, "draft": True}
    press(panel, "tab")
    golden(panel, "resources-project")


def test_switching_ones_own(stage: Stage, done: Done, machine: Machine) -> None:
    panel = picker(stage, done, machine)
    press(panel, "space")
    assert machine.words["user"] == {"review.py": False}
    assert "→     [ ] review.py" in screen(panel)
    press(panel, "down", "enter")
    assert machine.words["user"] == {"review.py": False, "draft": True}
    assert "→     [x] draft" in screen(panel)
    press(panel, "escape")
    assert done.value is None


def test_a_project_says_otherwise_then_so_then_nothing(
    stage: Stage, done: Done, machine: Machine
) -> None:
    panel = picker(stage, done, machine)
    press(panel, "tab", "down")
    said = []
    for _ in range(3):
        press(panel, "space")
        said.append(machine.words["project"]["draft"])
    assert said == [True, False, None]
    press(panel, "up", "space")
    assert machine.words == {"user": {}, "project": {"draft": None, "review.py": False}}
    assert "[-] review.py  off here" in screen(panel)
    press(panel, "tab")
    assert "[x] review.py" in screen(panel)


def test_without_a_project_there_is_one_scope(stage: Stage, done: Done, machine: Machine) -> None:
    panel = picker(stage, done, machine, "user")
    assert "scope" not in screen(panel)
    press(panel, "tab")
    assert "fix.md" not in screen(panel)


def test_search(stage: Stage, done: Done, machine: Machine) -> None:
    panel = picker(stage, done, machine)
    type_in(panel, "skills")
    shown = screen(panel)
    assert "draft" in shown and "mail" in shown and "review.py" not in shown
    assert "npm:@team/tools (yours)" in shown  # headings stay
    press(panel, "space")  # is never part of what is searched
    assert machine.words["user"] == {"draft": True}
    type_in(panel, "xyz")
    assert "Nothing matches." in screen(panel)
    press(panel, "space", "enter")
    assert machine.words["user"] == {"draft": True}


def test_what_cannot_be_written_is_said(stage: Stage, done: Done, machine: Machine) -> None:
    panel = picker(stage, done, machine)
    machine.fails = True
    press(panel, "space")
    shown = screen(panel)
    assert "settings.json cannot be written" in shown and "[x] review.py" in shown
