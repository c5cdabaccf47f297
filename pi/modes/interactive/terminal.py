"""The terminal: its modes, its input as keys, questions to it, and giving it back on any exit.

Terminal owns prompt-toolkit's Input and Output. Whatever it switches on it switches off again when
it is closed, when the program is stopped (SIGTSTP), while another program has the terminal, and by
atexit after a crash. Sources: xterm's ctlseqs, sw.kovidgoyal.net/kitty/keyboard-protocol.
"""

import asyncio
import atexit
import codecs
import contextlib
import os
import re
import select
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager
from typing import Literal, NamedTuple

from pi.modes.interactive.keys import KeyDecoder, Reply
from pi.modes.interactive.toolkit import Input, Output, create_input, standard_output
from pi.modes.interactive.view import Key

__all__ = ["Colors", "Mode", "Notification", "Progress", "Terminal", "notification_of"]

Mode = Literal["alternate", "mouse", "hiddenCursor", "themeReports"]
"""What a screen may switch on: the alternate screen, mouse events (SGR, with motion while a button
is held), a hidden cursor, and reports of a change between dark and light (replies "?997;1n")."""

Progress = Literal["off", "running", "error", "paused"]

Notification = Literal["bell", "osc9", "osc99", "osc777"]
"""How a terminal takes messages for the desktop: iTerm2's way, kitty's, or urxvt's."""

Rgb = tuple[int, int, int]


class Colors(NamedTuple):
    """What a terminal answered. ansi: its 16 colours, as many as it gave."""

    foreground: Rgb | None = None
    background: Rgb | None = None
    ansi: dict[int, Rgb] = {}  # noqa: RUF012  (read only)


_MODES: dict[Mode, tuple[str, str]] = {
    "alternate": ("\x1b[?1049h", "\x1b[?1049l"),
    "mouse": ("\x1b[?1000h\x1b[?1002h\x1b[?1006h", "\x1b[?1006l\x1b[?1002l\x1b[?1000l"),
    "hiddenCursor": ("\x1b[?25l", "\x1b[?25h"),
    "themeReports": ("\x1b[?2031h", "\x1b[?2031l"),
}
_ATTRIBUTES = "\x1b[c"  # "what are you": every terminal answers, so it ends a round of questions
_KITTY_FLAGS = 5  # 1: tell escape sequences apart, 4: report what Shift and the US layout give
_KITTY_ON, _KITTY_OFF = f"\x1b[>{_KITTY_FLAGS}u", "\x1b[<u"
_MODIFY_OTHER_ON, _MODIFY_OTHER_OFF = "\x1b[>4;2m", "\x1b[>4;0m"
# A frame that was broken off, colours, autowrap and the cursor: as a shell expects them.
_SANE = "\x1b[?2026l\x1b[0m\x1b[?7h\x1b[?25h"
_PROGRESS: dict[Progress, int] = {"off": 0, "running": 3, "error": 2, "paused": 4}

_NOTIFICATIONS: dict[Notification, str] = {
    "bell": "\a",
    "osc9": "\x1b]9;{}\x07",
    "osc99": "\x1b]99;;{}\x1b\\",
    "osc777": "\x1b]777;notify;pi;{}\x1b\\",
}

_GIVE_UP = 1.0  # seconds after which the rest of an escape sequence is no longer waited for
_LAST_WORDS = 0.15  # seconds to wait at the end for answers that are under way

_ANSI_COLOR = re.compile(r"4;(\d+);(.+)")
_RGB = re.compile(r"rgba?:([0-9a-f]{1,4})/([0-9a-f]{1,4})/([0-9a-f]{1,4})", re.IGNORECASE)
_HASH = re.compile(r"#(?:[0-9a-f]{6}|[0-9a-f]{12})", re.IGNORECASE)


class Terminal:
    """Open it with `with terminal.opened():` inside a running event loop.

    on_key: each key, in order. on_resize: the size has changed. on_pause: the terminal is about to
    be given away, while it can still be written to. on_resume: it was away (stopped, or with
    another program) and shows something else now: draw all of it again. on_lost: it is gone (end of
    input, hang-up, an error while writing); called once, and nothing is written any more. on_reply:
    what it told without being asked. escape_timeout: seconds until a lone ESC is the Escape key.
    """

    def __init__(
        self,
        on_key: Callable[[Key], None],
        *,
        on_resize: Callable[[], None] = lambda: None,
        on_pause: Callable[[], None] = lambda: None,
        on_resume: Callable[[], None] = lambda: None,
        on_lost: Callable[[], None] = lambda: None,
        on_reply: Callable[[Reply], None] = lambda reply: None,
        input: Input | None = None,
        output: Output | None = None,
        escape_timeout: float = 0.05,
        control_h: str = "backspace",
        focus_events: bool = False,
    ) -> None:
        self.input = create_input() if input is None else input
        self.output = standard_output() if output is None else output
        self.on_key, self.on_resize, self.on_reply = on_key, on_resize, on_reply
        self.on_pause, self.on_resume, self.on_lost = on_pause, on_resume, on_lost
        self.lost = False
        self._escape_timeout = escape_timeout
        self._focus_events = focus_events
        self._keys = KeyDecoder(control_h=control_h)
        self._text = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._modes: list[Mode] = []
        self._title: str | None = None
        self._progress: Progress = "off"
        self._keyboard: str = ""  # what switches the extended keyboard off again
        self._unanswered = 0  # questions whose end was not seen yet
        self._asking = asyncio.Lock()
        self._answers: list[Reply] | None = None
        self._answered: asyncio.Event | None = None
        self._raw: AbstractContextManager[None] | None = None
        self._reading: ExitStack | None = None
        self._flush: asyncio.TimerHandle | None = None

    # The life of it

    @contextmanager
    def opened(self) -> Iterator["Terminal"]:
        """The terminal is ours inside; afterwards it is as it was."""
        loop = asyncio.get_running_loop()
        atexit.register(self.restore)
        with ExitStack() as stack:
            stack.callback(atexit.unregister, self.restore)
            stack.callback(self.close)
            stack.enter_context(self._signals(loop))
            self._enter()
            self._read_on()
            yield self

    def close(self) -> None:
        """Give it back before `opened` does. What is drawn from now on is not written."""
        self.restore()
        self._stop_reading()

    def restore(self) -> None:
        """Leave every mode. May be called at any time, more than once, without an event loop."""
        if self._raw is None:
            return
        self._catch_last_words()
        self._leave()

    def suspend(self) -> None:
        """Stop the process group, as Ctrl+Z does; returns when it goes on."""
        if sys.platform == "win32" or self._raw is None:
            return
        loop = asyncio.get_running_loop()
        self.on_pause()
        self.restore()
        self._leave_stopping_to_the_system(loop)
        os.kill(0, signal.SIGTSTP)  # returns at once where no shell would ever wake us
        self._take_over_stopping(loop)
        self._enter()
        self.on_resume()

    @asynccontextmanager
    async def outside(self) -> AsyncIterator[None]:
        """Another program, or an Application of prompt-toolkit on our `input` and `output`, has
        the terminal inside."""
        if self._raw is None:
            raise RuntimeError("the terminal is not ours to give")
        loop = asyncio.get_running_loop()
        self.on_pause()
        self._stop_reading()
        self.restore()
        # Ctrl+C and Ctrl+Z are the other's; a handler of ours, because "ignore" would be inherited.
        interrupt = signal.signal(signal.SIGINT, lambda number, frame: None)
        self._leave_stopping_to_the_system(loop)
        try:
            yield
        finally:
            self._take_over_stopping(loop)
            signal.signal(signal.SIGINT, interrupt)
            self._enter()
            self._read_on()
            self.on_resume()

    async def run_outside(self, *command: str, env: dict[str, str] | None = None) -> int:
        """Run a program that has the terminal; its exit code. OSError if it does not start."""
        async with self.outside():
            process = await asyncio.create_subprocess_exec(*command, env=env)
            return await process.wait()

    # Writing

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        try:
            size = self.output.get_size()
        except OSError:
            return (80, 24)
        if not size.columns or not size.rows:
            return (80, 24)  # a terminal that was not told its size
        return (size.columns, size.rows)

    def write(self, data: str) -> None:
        """Send it at once. Never raises: a terminal that is gone is reported to `on_lost`."""
        if self.lost or self._raw is None:
            return
        self._send(data)

    def set_mode(self, mode: Mode, on: bool) -> None:
        """Switch it; a mode that is on comes back after a stop and goes at the end."""
        if on == (mode in self._modes):
            return
        if on:
            self._modes.append(mode)
        else:
            self._modes.remove(mode)
        sequence = _MODES[mode][0 if on else 1]
        if mode == "alternate" and self._keyboard == _KITTY_OFF:
            sequence = f"{_KITTY_OFF}{sequence}{_KITTY_ON}"  # each screen has keys of its own
        self.write(sequence)

    def set_title(self, title: str) -> None:
        """Name the window or tab; the name before comes back at the end."""
        first = "" if self._title is not None else "\x1b[22;0t"
        self._title = "".join(c for c in title if c.isprintable())
        self.write(f"{first}\x1b]0;{self._title}\x07")

    def set_progress(self, state: Progress) -> None:
        """Show in the tab or task bar that work is under way (OSC 9;4), where that is known."""
        if state != self._progress:
            self._progress = state
            self.write(f"\x1b]9;4;{_PROGRESS[state]};0\x07")

    def bell(self) -> None:
        self.write("\a")

    def notify(self, text: str, how: Notification) -> None:
        """A message of the desktop, or just the bell."""
        text = "".join(c for c in text if c.isprintable()).replace(";", ",")
        self.write(_NOTIFICATIONS[how].format(text))

    # Asking

    async def ask(self, questions: str, within: float = 0.5) -> list[Reply]:
        """Send questions; what comes back until all are answered, or for so many seconds.

        Answers that come later are dropped, never typed.
        """
        async with self._asking:
            self._answers, self._answered = [], asyncio.Event()
            self._unanswered += 1
            self.write(questions + _ATTRIBUTES)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await self._answered.wait()
            answers, self._answers, self._answered = self._answers, None, None
            return answers

    async def colors(self, within: float = 0.5) -> Colors:
        """The terminal's own colours, as far as it tells."""
        palette = "".join(f";{number};?" for number in range(16))
        answers = await self.ask(f"\x1b]10;?\x07\x1b]11;?\x07\x1b]4{palette}\x07", within)
        return _colors(answers)

    # Inside

    def _enter(self) -> None:
        if self._raw is not None:
            return
        raw = self.input.raw_mode()
        raw.__enter__()
        self._raw = raw
        parts = ["\x1b[?2004h", *(_MODES[mode][0] for mode in self._modes)]
        if self._focus_events:
            parts.append("\x1b[?1004h")
        if self._title is not None:
            parts.append(f"\x1b[22;0t\x1b]0;{self._title}\x07")
        if self._progress != "off":
            parts.append(f"\x1b]9;4;{_PROGRESS[self._progress]};0\x07")
        # Which keyboard protocol it has: answered before the attributes, or not at all.
        self._keyboard = ""
        self._unanswered += 1
        self._send("".join(parts) + "\x1b[?u" + _ATTRIBUTES)

    def _leave(self) -> None:
        parts = [self._keyboard, "\x1b[?2004l"]
        self._keyboard = ""
        if self._focus_events:
            parts.append("\x1b[?1004l")
        parts += [_MODES[mode][1] for mode in reversed(self._modes)]
        if self._progress != "off":
            parts.append("\x1b]9;4;0;0\x07")
        if self._title is not None:
            parts.append("\x1b[23;0t")
        self._send("".join(parts) + _SANE)
        raw, self._raw = self._raw, None
        if raw is not None:
            with contextlib.suppress(OSError):
                raw.__exit__(None, None, None)

    def _send(self, data: str) -> None:
        if self.lost:
            return
        try:
            self.output.write_raw(data)
            self.output.flush()
        except (OSError, ValueError):  # hung up, or closed under us
            self._lose()

    def _lose(self) -> None:
        if self.lost:
            return
        self.lost = True
        self._stop_reading()
        if self._answered is not None:
            self._answered.set()
        self.on_lost()

    @contextmanager
    def _signals(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        if sys.platform == "win32":
            watch = asyncio.ensure_future(self._watch_size())
            try:
                yield
            finally:
                watch.cancel()
            return
        numbers = (signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT, signal.SIGHUP)
        before = {number: signal.getsignal(number) for number in numbers}
        loop.add_signal_handler(signal.SIGWINCH, lambda: self.on_resize())
        if before[signal.SIGHUP] is not signal.SIG_IGN:  # nohup
            # Whoever says so need not have closed it: if it is there, it is left as it was found.
            loop.add_signal_handler(signal.SIGHUP, lambda: self.on_lost())
        self._take_over_stopping(loop)
        try:
            yield
        finally:
            for number, old in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_DFL if old is None else old)

    def _take_over_stopping(self, loop: asyncio.AbstractEventLoop) -> None:
        if sys.platform != "win32":
            loop.add_signal_handler(signal.SIGTSTP, self.suspend)
            loop.add_signal_handler(signal.SIGCONT, self._continued)

    def _leave_stopping_to_the_system(self, loop: asyncio.AbstractEventLoop) -> None:
        if sys.platform != "win32":
            loop.remove_signal_handler(signal.SIGTSTP)
            loop.remove_signal_handler(signal.SIGCONT)

    def _continued(self) -> None:
        """Stopped from outside and woken again: the shell has had the terminal meanwhile."""
        if self._raw is None:
            return
        self._leave()
        self._enter()
        self.on_resume()

    async def _watch_size(self) -> None:
        """Where no signal tells of a resize."""
        size = self.size
        while True:
            await asyncio.sleep(0.25)
            if self.size != size:
                size = self.size
                self.on_resize()

    def _read_on(self) -> None:
        if self.lost:
            return
        self._reading = ExitStack()
        try:
            self._reading.enter_context(self.input.attach(self._ready))
        except EOFError:
            self._lose()

    def _stop_reading(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.close()

    def _ready(self) -> None:
        data = self._read()
        if data is None:
            self._lose()
            return
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        self._handle(self._keys.feed(data))
        if self._keys.pending and not self.lost:
            loop = asyncio.get_running_loop()
            self._flush = loop.call_later(self._escape_timeout, self._time_passed)

    def _time_passed(self) -> None:
        self._handle(self._keys.flush())
        self._flush = None
        if self._keys.pending and not self.lost:
            loop = asyncio.get_running_loop()
            self._flush = loop.call_later(_GIVE_UP, lambda: self._keys.flush(give_up=True))

    def _read(self) -> str | None:
        """What was sent, None at its end."""
        if sys.platform == "win32":
            from pi.modes.interactive.windows import sequences  # noqa: PLC0415  (only there)

            return None if self.input.closed else sequences(self.input.read_keys())
        descriptor = self.input.fileno()
        # Whoever is stopped between hearing of input and reading it finds that the shell has it: a
        # read would wait for the next key then, and nothing else would go on.
        if not select.select([descriptor], [], [], 0)[0]:
            return ""
        try:
            data = os.read(descriptor, 65536)
        except BlockingIOError:
            return ""
        except OSError:
            return None
        return self._text.decode(data) if data else None

    def _handle(self, events: list[Key | Reply]) -> None:
        for event in events:
            if isinstance(event, Key):
                self.on_key(event)
            else:
                self._reply(event)

    def _reply(self, reply: Reply) -> None:
        if reply.kind == "csi" and reply.body.startswith("?"):
            if reply.body.endswith("u"):
                self._use_keyboard(_KITTY_ON, _KITTY_OFF)
                return
            if reply.body.endswith("c"):
                self._unanswered = max(0, self._unanswered - 1)
                self._use_keyboard(_MODIFY_OTHER_ON, _MODIFY_OTHER_OFF)
                if self._answered is not None and self._unanswered == 0:
                    self._answered.set()
                return
        if self._answers is not None:
            self._answers.append(reply)
        else:
            self.on_reply(reply)

    def _use_keyboard(self, on: str, off: str) -> None:
        if not self._keyboard and self._raw is not None:
            self._keyboard = off
            self._send(on)

    def _catch_last_words(self) -> None:
        """Read answers that are under way, which the shell would take for typed."""
        if sys.platform == "win32" or self.lost:
            return
        until = time.monotonic() + _LAST_WORDS
        while self._unanswered and (left := until - time.monotonic()) > 0:
            try:
                ready, _, _ = select.select([self.input.fileno()], [], [], left)
                data = self._read() if ready else None
            except (OSError, ValueError):
                return
            if not data:
                return
            for event in self._keys.feed(data):
                if isinstance(event, Reply) and event.body[:1] + event.body[-1:] == "?c":
                    self._unanswered = max(0, self._unanswered - 1)


def notification_of(variables: Mapping[str, str]) -> Notification:
    """How the terminal that the environment speaks of takes messages."""
    program, term = variables.get("TERM_PROGRAM", ""), variables.get("TERM", "")
    if variables.get("TMUX"):
        return "bell"  # which keeps the rest to itself, and marks the window for a bell
    if variables.get("KITTY_WINDOW_ID") or term == "xterm-kitty":
        return "osc99"
    if program in ("iTerm.app", "WezTerm", "ghostty") or term == "xterm-ghostty":
        return "osc9"
    return "osc777" if term.startswith(("rxvt", "foot")) else "bell"


def _colors(answers: list[Reply]) -> Colors:
    named: dict[str, Rgb] = {}
    ansi: dict[int, Rgb] = {}
    for reply in answers:
        if reply.kind != "osc":
            continue
        if match := _ANSI_COLOR.fullmatch(reply.body):
            if (color := _rgb(match[2])) and int(match[1]) < 16:
                ansi[int(match[1])] = color
            continue
        number, _, text = reply.body.partition(";")
        if color := _rgb(text):
            named[number] = color
    return Colors(named.get("10"), named.get("11"), ansi)


def _rgb(text: str) -> Rgb | None:
    """A colour as X writes it: rgb:1e1e/1e1e/2e2e or #1e1e2e."""
    if match := _RGB.match(text):
        red, green, blue = (
            round(int(part, 16) * 255 / (16 ** len(part) - 1)) for part in match.groups()
        )
        return red, green, blue
    if match := _HASH.fullmatch(text):
        step = (len(text) - 1) // 3
        red, green, blue = (int(text[1 + n * step : 3 + n * step], 16) for n in range(3))
        return red, green, blue
    return None
