"""Other programs at work for us: npm, git, pip. What they say is kept for the error, or shown."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from pi.errors import PiError

__all__ = ["PackageError", "Programs", "find_program"]

_NOWHERE = Path(os.sep)
"""Where programs run that need no folder of ours. The working folder may be anybody's: npm would
take its .npmrc, uv its pyproject.toml, and Python would run a pip.py that lies in it."""

_REPOSITORY = frozenset(
    f"GIT_{name}"
    for name in (
        *("DIR", "WORK_TREE", "INDEX_FILE", "OBJECT_DIRECTORY", "ALTERNATE_OBJECT_DIRECTORIES"),
        *("COMMON_DIR", "PREFIX", "SHALLOW_FILE", "GRAFT_FILE", "IMPLICIT_WORK_TREE", "NAMESPACE"),
    )
)
"""Set where a hook of git starts pi: a clone would go over the index they name, and lose what is
staged in it. npm and pip may run git, too."""

_QUIET_LIMIT = 300.0
"""Seconds for one program while somebody waits for pi to start."""


class PackageError(PiError):
    """A package that cannot be had, removed or brought up to date.

    killed: the program at work did not end by itself.
    """

    def __init__(self, message: str, *, hint: str | None = None, killed: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.killed = killed


@dataclass(frozen=True, slots=True)
class Programs:
    """variables: their environment. shown: whether a person watches, and can be asked.

    npm: the command, its own arguments included (the setting `npmCommand`). limit: seconds that a
    program may take which nobody watches.
    """

    variables: Mapping[str, str]
    npm: Sequence[str] = ("npm",)
    shown: bool = False
    limit: float = _QUIET_LIMIT

    def run(self, command: Sequence[str], *, cwd: Path | None = None) -> None:
        """Raises PackageError with what it said last."""
        if not self.shown:
            self.read(command, cwd=cwd)
            return
        import subprocess  # noqa: PLC0415  (few runs start another program)

        try:
            # stdout is for our own results.
            with _ended_with_us():
                done = subprocess.run(
                    command, cwd=cwd or _NOWHERE, env=self._environment(), stdout=2, check=False
                )
        except OSError as error:
            raise _missing(command, error) from None
        if done.returncode:
            raise _failure(command, _status(done.returncode), done.returncode)

    def read(self, command: Sequence[str], *, cwd: Path | None = None, given: bytes = b"") -> str:
        """Its output, blanks at the ends taken off. Asks nobody anything. given: its stdin."""
        import subprocess  # noqa: PLC0415  (as in run)

        try:
            with _ended_with_us():
                done = subprocess.run(
                    command,
                    cwd=cwd or _NOWHERE,
                    env={
                        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
                        **self._environment(),
                        "GIT_TERMINAL_PROMPT": "0",
                    },
                    input=given,
                    capture_output=True,
                    timeout=self.limit,
                    check=False,
                )
        except subprocess.TimeoutExpired:
            raise PackageError(
                f"{_shown(command)} took longer than {self.limit:g} s", killed=True
            ) from None
        except OSError as error:
            raise _missing(command, error) from None
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()
            said = said or done.stdout.decode("utf-8", "replace").strip()
            reason = _reason(said) or _status(done.returncode)
            raise _failure(command, reason, done.returncode)
        return done.stdout.decode("utf-8", "replace").strip()

    def _environment(self) -> dict[str, str]:
        return {name: value for name, value in self.variables.items() if name not in _REPOSITORY}


def find_program(name: str, variables: Mapping[str, str]) -> str | None:
    import shutil  # noqa: PLC0415  (for pip's stand-in only)

    return shutil.which(name, path=variables.get("PATH", os.defpath))


@contextlib.contextmanager
def _ended_with_us() -> Iterator[None]:
    """What ends pi meanwhile ends the program as well, and what is locked is given back.

    By themselves SIGTERM and SIGHUP end pi alone, and the program works on in its folder; and
    asyncio's handler of SIGINT waits for its event loop, which may be what waits for the program.
    Handlers of pi's own stay.
    """
    import functools  # noqa: PLC0415  (as in Programs.run, all three)
    import signal  # noqa: PLC0415
    import threading  # noqa: PLC0415

    def end(number: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)

    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP", "SIGINT"):
            if not hasattr(signal, name):
                continue
            number = getattr(signal, name)
            handler = signal.getsignal(number)
            if handler is signal.SIG_DFL or isinstance(handler, functools.partial):
                before[number] = signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _failure(command: Sequence[str], reason: str, code: int) -> PackageError:
    return PackageError(f"{_shown(command)} failed: {reason}", killed=code < 0)


def _missing(command: Sequence[str], error: OSError) -> PackageError:
    if isinstance(error, FileNotFoundError):
        return PackageError(f"{command[0]} is not installed", hint=f"Install {command[0]} first.")
    return PackageError(f"{command[0]} cannot be run: {error.strerror or error}")


def _shown(command: Sequence[str]) -> str:
    """The program and what it was to do, as `git clone`. A module of Python is one, too."""
    module = [*command[:3]].index("-m") + 1 if "-m" in command[:3] else 0
    words = [word for word in command[module : module + 3] if not word.startswith("-")]
    return " ".join([Path(words[0]).name, *words[1:2]])


def _status(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _reason(said: str) -> str:
    """The lines that say why, in one."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [
        line
        for line in lines
        if line.lower().startswith(("error", "fatal", "npm error", "npm err"))
    ]
    return "; ".join((telling or lines)[-3:])[:400]
