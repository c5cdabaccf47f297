"""A program in a pseudo-terminal, with the tests in the place of the terminal emulator."""

import contextlib
import os
import re
import select
import struct
import subprocess
import time

with contextlib.suppress(ImportError):  # on Windows, where the tests are skipped
    import fcntl
    import pty
    import termios

LIMIT = 30.0  # seconds, for a busy machine


class Pty:
    """output: all that was written so far. answers: replies to questions, by a pattern."""

    def __init__(self, command, env=None, *, columns=80, rows=24, answers=(), cwd=None):
        self.master, self.slave = pty.openpty()
        self.resize(columns, rows)
        self.at_start = termios.tcgetattr(self.slave)
        self.output = ""
        self.seen = 0
        self.answers = [(re.compile(pattern), answer) for pattern, answer in answers]
        self.process = subprocess.Popen(
            command,
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env=env,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        for number in (self.master, self.slave):
            if number is not None:
                os.close(number)

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def send(self, text):
        os.write(self.master, text.encode())

    def read(self, seconds=0.05):
        """Take in what there is; whether anything was."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536).decode(errors="replace")
        except OSError:
            return False
        self.output += data
        for pattern, answer in self.answers:
            for _ in pattern.findall(data):
                self.send(answer)
        return bool(data)

    def until(self, condition, told=lambda: "it never happened"):
        """Wait for it while taking in what is written."""
        until = time.monotonic() + LIMIT
        while not condition():
            self.read()
            assert time.monotonic() < until, told()

    def expect(self, text):
        """Wait for a text after the last one expected."""
        self.until(
            lambda: text in self.output[self.seen :],
            lambda: f"no {text!r} in {self.output[self.seen :]!r}",
        )
        self.seen = self.output.index(text, self.seen) + len(text)

    def wait(self):
        """The exit code; what was written until then is taken in."""
        until = time.monotonic() + LIMIT
        while self.process.poll() is None:
            self.read()
            assert time.monotonic() < until, f"still running: {self.output[-2000:]!r}"
        while self.read(0):
            pass
        return self.process.returncode

    @property
    def raw(self):
        flags = termios.tcgetattr(self.slave)[3]
        return not flags & (termios.ICANON | termios.ECHO)

    @property
    def as_at_start(self):
        return termios.tcgetattr(self.slave) == self.at_start
