"""Who gets a key."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pi.modes.interactive import desk as module
from pi.modes.interactive.desk import Desk
from pi.modes.interactive.editor import Editor, Submission
from pi.modes.interactive.keymap import Keymap
from pi.modes.interactive.keys import keys_of
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.pickers.dialogs import ConfirmDialog
from pi.modes.interactive.screen import Screen
from pi.modes.interactive.view import Key

from .terminal import Terminal

THEME = Theme("t", {})


class Sitting:
    """A desk with the editor as its home. sent: what was submitted. answers: of dialogs."""

    def __init__(self, tmp_path: Path) -> None:
        self.sent: list[str] = []
        self.answers: list[bool] = []
        terminal: Any = Terminal(40, 12)
        terminal.lost = False
        self.desk = Desk(terminal, Screen(terminal, THEME), THEME, Keymap())
        self.editor = Editor(Keymap(), THEME, on_submit=self._sent, home=tmp_path)
        self.desk.home = self.editor

    def _sent(self, submission: Submission) -> None:
        self.sent.append(submission.text)

    def type(self, data: str) -> None:
        for key in keys_of(data):
            self.desk.key(key)

    def ask(self) -> None:
        """What `Desk.ask` does, without anybody who waits."""
        stage = self.desk.stage
        self.desk.panels.append(ConfirmDialog(stage, self.answers.append, "Sure?"))


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Sitting]:
    async def made() -> Sitting:
        return Sitting(tmp_path)

    loop = asyncio.new_event_loop()  # which draws nothing: it does not go on
    yield loop.run_until_complete(made())
    loop.close()


def test_a_question_is_not_answered_by_the_rest_of_a_sentence(
    one: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITING", 3600)
    one.type("is this m")
    one.ask()
    one.type("y foks\x7f\x7flder?\r")
    assert one.answers == []
    assert one.sent == ["is this my folder?"]
    one.type("y")  # the sentence is over
    assert one.answers == [True]
    assert one.editor.is_empty


def test_who_does_something_else_does_not_write_any_more(
    one: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITING", 3600)
    one.type("is this m")
    one.ask()
    one.desk.pause()
    one.type("y")
    assert one.answers == [True]


def test_after_a_pause_a_question_has_the_keyboard(
    one: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITING", 0)
    one.type("is this m")
    one.ask()
    one.type("n")
    assert one.answers == [False]
    assert one.editor.text == "is this m"


def test_a_sentence_without_a_place_answers_nothing(
    one: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITING", 3600)
    one.desk.home = None
    one.ask()
    one.type("is this my folder, or 2?\r")
    assert one.answers == []
    one.type("\r")
    assert one.answers == [True]


@pytest.mark.parametrize("key", ["\x1b", "\x03"])
def test_what_leaves_a_question_leaves_it_at_once(
    one: Sitting, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setattr(module, "WRITING", 3600)
    one.type("is this m")
    one.ask()
    one.type(key)
    assert one.answers == [False]
    assert one.editor.text == "is this m"


def test_a_picker_that_a_key_opened_has_the_keyboard(
    one: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITING", 3600)

    def opens(key: Key) -> bool:
        one.ask()
        return True

    one.desk.on_key.append(opens)
    one.type("draft\x0cy")
    assert one.answers == [True]
    assert one.editor.text == "draft"


def test_before_there_is_a_conversation_a_question_has_all_rows(
    one: Sitting,
) -> None:
    one.ask()
    one.desk.fit_panel()
    assert one.desk.panels[-1].height == 8
    one.desk.home = None
    one.desk.fit_panel()
    assert one.desk.panels[-1].height == 12
