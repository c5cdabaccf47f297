"""Signing in, step by step: an address, a code, a question; what the flows ask, and a thread.

The flows of pi.auth block, so each runs in a thread of its own and meets the person through
`PanelPerson`; whatever it says is put on the panel by the loop.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pi.auth.browser import open_browser
from pi.auth.oauth.base import Entry, SignInCancelled, Surroundings
from pi.errors import AuthError, PiError
from pi.modes.interactive.cells import wrap
from pi.modes.interactive.pickers.field import TextField
from pi.modes.interactive.pickers.scroll import Scroll
from pi.modes.interactive.pickers.stage import Picker, Stage, hint_rows, key_label, paragraph, rule
from pi.modes.interactive.sanitize import clean_line
from pi.modes.interactive.status import FRAME_SECONDS, SPINNER
from pi.modes.interactive.view import Key

__all__ = ["LoginPanel", "PanelPerson"]

_TICK = 0.1
"""Seconds between two looks at whether an answer came another way."""


@dataclass(slots=True)
class _Question:
    """One that waits for its answer. choices: to pick one of, by its index."""

    text: str
    reply: "queue.SimpleQueue[str | int | None]"
    field: TextField
    choices: Sequence[str] = ()


class PanelPerson:
    """The person in front of a LoginPanel, as flows see them. For the flow's threads."""

    def __init__(
        self,
        panel: "LoginPanel",
        post: Callable[[Callable[[], None]], None],
        browse: Callable[[str], None] | None,
    ) -> None:
        self._panel = panel
        self._post = post
        self._browse = browse
        self.gone = threading.Event()
        """Set when the panel was closed: nobody answers any more."""

    def around(self, around: Surroundings) -> Surroundings:
        """The same surroundings, in which waiting ends when the person leaves."""
        return replace(around, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        """Raises SignInCancelled when the panel is closed meanwhile."""
        if self.gone.wait(seconds):
            raise SignInCancelled

    def say(self, text: str) -> None:
        self._post(lambda: self._panel.say(text))

    def show_address(self, url: str, *, note: str) -> None:
        self._post(lambda: self._panel.show_address(url, note))
        if self._browse is not None:
            self._browse(url)

    def ask(self, question: str, *, secret: bool = False) -> str:
        answer = self._answer(_Question(question, queue.SimpleQueue(), TextField(secret=secret)))
        return answer.strip() if isinstance(answer, str) else ""

    def paste(self, question: str, stop: threading.Event) -> str | None:
        answer = self._answer(_Question(question, queue.SimpleQueue(), TextField()), stop)
        return answer.strip() if isinstance(answer, str) else None

    def choose(self, question: str, choices: Sequence[str]) -> int:
        asked = _Question(question, queue.SimpleQueue(), TextField(), tuple(choices))
        answer = self._answer(asked)
        return answer if isinstance(answer, int) else 0

    def _answer(self, question: _Question, stop: threading.Event | None = None) -> str | int | None:
        """Wait for it; None once `stop` is set. Raises SignInCancelled."""
        self._post(lambda: self._panel.ask(question))
        while True:
            if self.gone.is_set():
                raise SignInCancelled
            if stop is not None and stop.is_set():
                self._post(lambda: self._panel.withdraw(question))
                return None
            try:
                return question.reply.get(timeout=_TICK)
            except queue.Empty:
                continue


class LoginPanel(Picker[Entry | PiError]):
    """Gives the entry for auth.json, or the error that it ended with; None when cancelled.

    work: runs in a thread, `lambda person: flow.sign_in(person, person.around(around), method)` or
    `lambda person: ask_for_key(provider, person)`. copy: takes the address to the clipboard.
    browse: opens it; None to open nothing.
    """

    def __init__(
        self,
        stage: Stage,
        done: Callable[[Entry | PiError | None], None],
        title: str,
        work: Callable[[PanelPerson], Entry],
        *,
        copy: Callable[[str], None],
        browse: Callable[[str], None] | None = open_browser,
    ) -> None:
        super().__init__(stage, done)
        self._title = title
        self._copy = copy
        self._said: list[str] = []
        self._url = ""
        self._question: _Question | None = None
        self._scroll = Scroll()
        self._copied = False
        self._frame = 0
        self._person = PanelPerson(self, stage.post, browse)
        self._off: Callable[[], None] | None = stage.later(FRAME_SECONDS, self._turn)
        threading.Thread(target=self._run, args=(work,), name="pi-login", daemon=True).start()

    def _run(self, work: Callable[[PanelPerson], Entry]) -> None:
        result: Entry | PiError | None
        try:
            result = work(self._person)
        except SignInCancelled:
            result = None
        except PiError as error:
            result = error
        except Exception as error:  # noqa: BLE001  (whatever it is, the panel must not wait for ever)
            result = AuthError(f"the sign-in failed: {error}")
        self.stage.post(lambda: self.finish(result))

    def close(self) -> None:
        self._person.gone.set()
        if self._off is not None:
            self._off()
            self._off = None
        super().close()

    # What the flow says

    def say(self, text: str) -> None:
        self._said.append(text)
        self.changed()

    def show_address(self, url: str, note: str) -> None:
        self._url = url
        self._copied = False
        self.say(note)

    def ask(self, question: _Question) -> None:
        self._question = question
        self._scroll = Scroll(len(question.choices))
        self.changed()

    def withdraw(self, question: _Question) -> None:
        if self._question is question:
            self._question = None
            self.changed()

    # Keys

    def act(self, key: Key, actions: Sequence[str]) -> bool:
        if "tui.select.cancel" in actions:
            self.finish(None)
            return True
        if "app.message.copy" in actions and self._url:
            self._copy(self._url)
            self._copied = True
            return True
        question = self._question
        if question is None:
            return True
        if "tui.select.confirm" in actions or "tui.input.submit" in actions:
            answer = self._scroll.index if question.choices else question.field.text
            self._question = None
            question.reply.put(answer)
            return True
        if question.choices:
            if key.name.isdecimal() and 1 <= int(key.name) <= len(question.choices):
                self._scroll.go(int(key.name) - 1)
                return True
            return self._scroll.act(actions)
        return question.field.act(key, actions)

    # The look

    def draw(self, width_: int) -> list[str]:
        theme = self.theme
        rows = [rule(theme, width_, self._title)]
        if self._url:
            rows += paragraph(theme, "Open this address in a browser:", width_, "text")
            url = clean_line(self._url)
            rows += [" " + theme.fg("mdLink", _linked(part, url)) for part in wrap(url, width_ - 2)]
            if self._copied:
                rows += paragraph(theme, "Copied.", width_, "success")
        for text in self._said:
            rows += paragraph(theme, text, width_, "text")
        question = self._question
        keys = [(key_label(self.stage, "tui.select.cancel"), "cancel")]
        if question is not None:
            rows += paragraph(theme, question.text, width_, "muted")
            keys.insert(0, (key_label(self.stage, "tui.select.confirm"), "submit"))
        elif not self.ended:
            spinner = SPINNER[self._frame % len(SPINNER)]
            rows.append(" " + theme.fg("accent", spinner) + theme.fg("dim", " waiting"))
        if self._url:
            keys.append((key_label(self.stage, "app.message.copy"), "copy the address"))
        below = [*hint_rows(self.stage, width_, keys), rule(theme, width_)]
        answer, cursor = self._answer_rows(width_)
        # The end of what was said matters most where there is little room.
        room = max(1, self.height - len(below) - len(answer))
        if len(rows) > room:
            rows = rows[len(rows) - room :]
        if cursor is not None:
            self.cursor = (len(rows) + cursor[0], cursor[1])
        return [*rows, *answer, *below]

    def _answer_rows(self, width_: int) -> tuple[list[str], tuple[int, int] | None]:
        question, theme = self._question, self.theme
        if question is None:
            return [], None
        if not question.choices:
            text, at = question.field.draw(theme, width_ - 3)
            return [theme.fg("accent", "> ") + text], (0, 2 + at)
        rows = []
        for at, choice in enumerate(question.choices):
            first, *more = wrap(clean_line(choice), width_ - 3)
            here = at == self._scroll.index
            rows.append((theme.fg("accent", "→ ") if here else "  ") + first)
            rows += ["  " + part for part in more]
        return rows, None

    def _turn(self) -> None:
        if self.ended:
            return
        self._off = self.stage.later(FRAME_SECONDS, self._turn)
        if self._question is None:
            self._frame += 1
            self.changed()


def _linked(text: str, url: str) -> str:
    """A piece of an address that leads to all of it, where the terminal knows links."""
    return f"\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\"
