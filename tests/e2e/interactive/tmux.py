"""A terminal with a person at it: tmux, its keys and its screen."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["TMUX", "Screen"]

TMUX = shutil.which("tmux")

PATIENCE = 30.0
"""Seconds for something to show up; a machine that is busy needs some."""


class Screen:
    """A command in a tmux of its own. `with Screen(...) as screen:`

    When the command ends, its pane stays, so that what it left behind can be seen.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        columns: int = 80,
        rows: int = 24,
    ) -> None:
        folder = Path(tempfile.mkdtemp(prefix="pi-tmux-"))  # a socket's path must be short
        self._folder = folder
        self._socket = str(folder / "socket")
        variables = {**env, "TERM": "tmux-256color"}
        # A shell stays above it and keeps the exit code: tmux may not hear of it. Ctrl-C is for
        # the command; the shell, which has no job control, would end by it as well.
        self._code = folder / "code"
        keep = ["/bin/sh", "-c", 'trap : INT; "$@"; echo $? >"$0"', str(self._code)]
        pairs = [f"{name}={value}" for name, value in variables.items()]
        # Word by word: a line would go through the person's shell, which may stay above ours.
        words = ["env", "-i", *pairs, *keep, *command]
        config = folder / "tmux.conf"
        config.write_text(
            "set -g remain-on-exit on\nset -g extended-keys on\nset -s escape-time 0\n"
            "set -g history-limit 50000\nset -g status off\n"
        )
        self._tmux(
            *("-f", str(config), "new-session", "-d", "-s", "pi", "-c", str(cwd)),
            *("-x", str(columns), "-y", str(rows), *words),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tmux("kill-server", check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def type(self, text: str) -> None:
        """Keys that type themselves."""
        self._tmux("send-keys", "-t", "pi", "-l", text)

    def press(self, *keys: str) -> None:
        """Keys by tmux's names: Enter, Escape, C-c, M-Enter, Up."""
        self._tmux("send-keys", "-t", "pi", *keys)

    def paste(self, text: str) -> None:
        """As a terminal does it: in brackets where the program asked for them."""
        self._tmux("set-buffer", "-b", "pi", text)
        self._tmux("paste-buffer", "-t", "pi", "-b", "pi", "-p", "-r")

    def resize(self, columns: int, rows: int) -> None:
        self._tmux("resize-window", "-t", "pi", "-x", str(columns), "-y", str(rows))

    def text(self, *, scrollback: bool = False, styles: bool = False) -> str:
        """What is to be seen, without blanks at the ends of lines."""
        options = ["-S", "-"] * scrollback + ["-e"] * styles
        return self._tmux("capture-pane", "-p", "-t", "pi", *options).rstrip("\n")

    @property
    def cursor(self) -> tuple[int, int]:
        """Row and column."""
        row, column = self._ask("#{cursor_y} #{cursor_x}").split()
        return int(row), int(column)

    @property
    def title(self) -> str:
        """Of the terminal, as the program set it."""
        return self._ask("#{pane_title}")

    @property
    def code(self) -> int | None:
        """The exit code, as a shell has it; None while it runs."""
        told = self._code.read_text().strip() if self._code.exists() else ""
        return int(told) if told else None

    @property
    def pid(self) -> int:
        """The command's process."""
        shell = self._ask("#{pane_pid}")
        children = Path(f"/proc/{shell}/task/{shell}/children")
        if children.exists():
            return int(children.read_text().split()[0])
        found = subprocess.run(["pgrep", "-P", shell], capture_output=True, text=True, check=True)
        return int(found.stdout.split()[0])

    def wait(self, text: str, *, scrollback: bool = False) -> str:
        """Until `text` is there; the screen then."""
        return self.wait_until(lambda shown: text in shown, text, scrollback=scrollback)

    def wait_words(self, text: str) -> str:
        """The same wherever rows break: paths are as long as they are."""
        wanted = "".join(text.split())
        return self.wait_until(lambda shown: wanted in "".join(shown.split()), text)

    def wait_gone(self, text: str) -> str:
        return self.wait_until(lambda shown: text not in shown, f"no {text!r}")

    def wait_until(self, holds: object, what: str, *, scrollback: bool = False) -> str:
        limit = time.monotonic() + PATIENCE
        while True:
            shown = self.text(scrollback=scrollback)
            if holds(shown):  # type: ignore[operator]
                return shown
            assert time.monotonic() < limit, f"waited in vain for {what!r}; there is:\n{shown}"
            time.sleep(0.05)

    def wait_title(self, holds: Callable[[str], bool]) -> str:
        """Until the terminal's title is one of these."""
        limit = time.monotonic() + PATIENCE
        while not holds(title := self.title):
            assert time.monotonic() < limit, f"the title is still {title!r}"
            time.sleep(0.05)
        return title

    def wait_end(self) -> int:
        """Until the command has ended; its exit code."""
        limit = time.monotonic() + PATIENCE
        while (code := self.code) is None:
            assert time.monotonic() < limit, f"it goes on:\n{self.text()}"
            time.sleep(0.05)
        return code

    def _ask(self, form: str) -> str:
        return self._tmux("display-message", "-p", "-t", "pi", form).strip("\n")

    def _tmux(self, *arguments: str, check: bool = True) -> str:
        assert TMUX is not None
        done = subprocess.run(
            [TMUX, "-S", self._socket, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout
