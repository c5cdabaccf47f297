"""Interactive programs on a pseudo-terminal: how soon they take a key, what a stream costs them.

The terminal of a bench answers the questions that programs ask of one at their start, so that none
waits for an answer that would come from a real one.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["Ended", "TerminalProgram"]

_ANSWERS: tuple[tuple[bytes, bytes], ...] = (
    (b"\x1b[c", b"\x1b[?62;22c"),
    (b"\x1b[?u", b"\x1b[?0u"),
    (b"\x1b[6n", b"\x1b[1;1R"),
    (b"\x1b]11;?", b"\x1b]11;rgb:0000/0000/0000\x1b\\"),
    (b"\x1b]10;?", b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\"),
    (b"\x1b[?2026$p", b"\x1b[?2026;2$y"),
)
_STYLES = re.compile(rb"\x1b\[[0-9;:]*m")


@dataclass(frozen=True)
class Ended:
    """cpu: seconds of user and system time. peak: bytes of resident memory."""

    code: int
    cpu: float
    peak: int


class TerminalProgram:
    """A command on a terminal of its own. Use it in a `with`; it is killed at the end."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        rows: int = 40,
        columns: int = 120,
    ) -> None:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        # Only what the program itself shows is an echo.
        modes = termios.tcgetattr(slave)
        modes[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(slave, termios.TCSANOW, modes)
        self.began = time.monotonic()
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd,
            env={**env, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            start_new_session=True,
        )
        os.close(slave)
        self._master = master
        self.shown = bytearray()
        """Everything it wrote so far, without styles."""
        self._held = b""
        self.quiet_since = self.began
        """When it last wrote anything (monotonic)."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.returncode is None:
            self._process.kill()
            self._process.wait()
        os.close(self._master)

    def send(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def read(self, seconds: float) -> bool:
        """Take in what it shows within this time; False once it has ended."""
        ready, _, _ = select.select([self._master], [], [], max(0.0, seconds))
        if not ready:
            return True
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:
            return False
        for question, answer in _ANSWERS:
            if question in self._held[-12:] + data and question not in self._held[-12:]:
                self.send(answer)
        self._held = (self._held + data)[-64:]
        self.shown += _STYLES.sub(b"", data)
        self.quiet_since = time.monotonic()
        return bool(data)

    def wait_for(self, text: bytes, seconds: float, *, since: int = 0) -> float:
        """The moment (monotonic) at which the text is shown. Raises TimeoutError."""
        limit = time.monotonic() + seconds
        while text not in self.shown[since:]:
            if time.monotonic() > limit or not self.read(0.02):
                tail = bytes(self.shown[-2000:]).decode(errors="replace")
                raise TimeoutError(f"{text!r} was not shown; the end of what was: {tail}")
        return time.monotonic()

    def ready(self, seconds: float = 60.0) -> float:
        """Seconds from the start until a key that is typed is shown."""
        limit = time.monotonic() + seconds
        typed = 0.0
        while b"\xc2\xa7" not in self.shown:  # §
            now = time.monotonic()
            if now > limit:
                raise TimeoutError("it never took a key")
            if now - typed > 0.25:  # again, in case that its start threw typing away
                self.send("§".encode())
                typed = now
            if not self.read(0.005):
                raise TimeoutError(f"it ended: {bytes(self.shown[-500:])!r}")
        return time.monotonic() - self.began

    def memory(self) -> int:
        """Bytes resident now, of the process and its children together."""
        return sum(_resident(pid) for pid in _family(self._process.pid))

    def end(self) -> Ended:
        """Ask it to go as a terminal that closes does; its children's time is counted."""
        self._process.send_signal(signal.SIGTERM)
        limit = time.monotonic() + 20
        while True:
            pid, status, used = os.wait4(self._process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > limit:
                self._process.kill()
            self.read(0.01)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        cpu = used.ru_utime + used.ru_stime
        return Ended(self._process.returncode, cpu, used.ru_maxrss * 1024)


def _family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        try:
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        except OSError:
            continue
        found += map(int, children)
    return found


def _resident(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
