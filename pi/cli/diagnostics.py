"""What the program says about itself: warnings on stderr, and more where PI_LOG asks for it.

Every module logs to the logger of its own name; this one decides what is written where. PI_LOG is
a comma-separated list, each entry one of
    debug | info | warning | error     how much of everything
    MODULE=LEVEL                       how much of one module, such as providers.http=debug
    anything else                      the file to append to, instead of stderr
A file alone means debug. Without PI_LOG, warnings go to stderr, with --verbose info too.
"""

import logging
import time
from dataclasses import dataclass, field
from pathlib import Path

from pi.config.paths import expand_home
from pi.modes.stderr import one_line, tell

__all__ = ["LogSpec", "parse_log_spec", "set_up"]

ROOT = "pi"
LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


@dataclass(frozen=True, slots=True)
class LogSpec:
    """PI_LOG, read. modules: levels by module name without `pi.`; file: None for stderr."""

    level: int
    modules: dict[str, int] = field(default_factory=dict)
    file: str | None = None
    complaints: tuple[str, ...] = ()

    @property
    def lowest(self) -> int:
        return min((self.level, *self.modules.values()))

    def wants(self, name: str, level: int) -> bool:
        """Whether a record of the logger `name` is to be written: the longest match decides."""
        module = name.removeprefix(f"{ROOT}.")
        while module:
            if module in self.modules:
                return level >= self.modules[module]
            module = module.rpartition(".")[0]
        return level >= self.level


def parse_log_spec(text: str) -> LogSpec:
    """The value of PI_LOG; what makes no sense in it is a complaint, never an error."""
    level: int | None = None
    modules: dict[str, int] = {}
    file: str | None = None
    complaints: list[str] = []
    for entry in filter(None, map(str.strip, text.split(","))):
        module, equals, named = entry.partition("=")
        if entry.lower() in LEVELS:
            level = LEVELS[entry.lower()]
        elif equals and "/" not in module:
            if named.lower() in LEVELS:
                modules[module.removeprefix(f"{ROOT}.")] = LEVELS[named.lower()]
            else:
                complaints.append(f"PI_LOG: {named!r} is no level; there are {', '.join(LEVELS)}")
        else:
            file = entry
    if level is None:
        level = logging.WARNING if modules else logging.DEBUG
    return LogSpec(level, modules, file, tuple(complaints))


def set_up(log: str | None, *, verbose: bool, home: Path) -> None:
    """Send the records of this process where they belong; call it once.

    log: the value of PI_LOG. A file that cannot be written is a warning, not the end of the run.
    """
    root = logging.getLogger(ROOT)
    root.propagate = False
    root.handlers.clear()
    level = logging.INFO if verbose else logging.WARNING
    spec = parse_log_spec(log) if log is not None else None
    told = _Stderr(level, spec if spec is not None and spec.file is None else None)
    root.addHandler(told)
    root.setLevel(level if spec is None else min(level, spec.lowest))
    if spec is None:
        return
    for complaint in spec.complaints:
        root.warning("%s", complaint)
    if spec.file is not None:
        path = expand_home(spec.file, home)
        try:
            root.addHandler(_File(path, spec))
        except OSError as error:
            root.warning("PI_LOG: cannot write %s: %s", path, error.strerror or error)


class _Stderr(logging.Handler):
    """`Warning: …` lines, and log lines for what a PI_LOG without a file asks for besides."""

    def __init__(self, level: int, spec: LogSpec | None) -> None:
        super().__init__()
        self._level, self._spec = level, spec

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= self._level:
            tell(f"{record.levelname.capitalize()}: {record.getMessage()}")
        elif self._spec is not None and self._spec.wants(record.name, record.levelno):
            tell(_log_line(record))


class _File(logging.Handler):
    """Log lines appended to a file, in one write each: several processes may share it."""

    def __init__(self, path: Path, spec: LogSpec) -> None:
        self._file = path.open("ab", buffering=0)
        super().__init__()
        self._path, self._spec = path, spec

    def emit(self, record: logging.LogRecord) -> None:
        if not self._spec.wants(record.name, record.levelno):
            return
        try:
            line = f"{one_line(_log_line(record))}\n"
            self._file.write(line.encode(errors="backslashreplace"))
        except OSError as error:
            logging.getLogger(ROOT).removeHandler(self)
            self.close()
            tell(f"Warning: PI_LOG: cannot write {self._path}: {error.strerror or error}")

    def close(self) -> None:
        self._file.close()
        super().close()


def _log_line(record: logging.LogRecord) -> str:
    """`2026-01-31T12:00:00.123Z DEBUG providers.http: the message`."""
    seconds, fraction = divmod(record.created, 1)
    when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    name = record.name.removeprefix(f"{ROOT}.")
    milliseconds = int(fraction * 1000)
    return f"{when}.{milliseconds:03}Z {record.levelname} {name}: {record.getMessage()}"
