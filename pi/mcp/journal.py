"""mcp.log: what servers say with notifications/message, a line each, several processes at once.

    2026-11-26T00:26:52.757Z [server] warning logger: message

Further lines of a message are indented. Past 5 MB the file becomes mcp.log.1.
"""

import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pi.wire import jsonio

__all__ = ["Journal"]

log = logging.getLogger(__name__)

MAX_BYTES = 5 * 1024 * 1024


class Journal:
    """Appends; what cannot be written is nobody's trouble but the log's."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, server: str, params: Mapping[str, Any]) -> None:
        line = _line(server, params).encode("utf-8", "backslashreplace")
        try:
            if self._size() > MAX_BYTES:
                self.path.replace(self.path.with_name(f"{self.path.name}.1"))
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(handle, line)  # one write, so that lines of processes do not mix
            finally:
                os.close(handle)
        except OSError as error:
            log.debug("cannot write %s: %s", self.path, error)

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except OSError:
            return 0


def _line(server: str, params: Mapping[str, Any]) -> str:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    level = params.get("level")
    logger = params.get("logger")
    data = params.get("data")
    text = data if isinstance(data, str) else jsonio.dumps(data).decode()
    head = str(level) if isinstance(level, str) else "info"
    if isinstance(logger, str) and logger:
        head += f" {logger}"
    shown = text.rstrip("\n").replace("\r\n", "\n").replace("\n", "\n    ")
    colon = ":" if isinstance(logger, str) and logger else ""
    return f"{now} [{server}] {head}{colon} {shown}\n"
