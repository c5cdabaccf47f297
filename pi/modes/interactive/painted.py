"""The screen's way to the terminal, which knows when it is gone."""

from typing import NamedTuple

from pi.modes.interactive.terminal import Terminal

__all__ = ["Painted"]


class _Size(NamedTuple):
    columns: int
    rows: int


class Painted:
    """What a Screen writes to. A terminal that is gone is the terminal's to report."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def write_raw(self, data: str) -> None:
        self._terminal.write(data)

    def flush(self) -> None:
        """Each write is whole and sent at once."""

    def get_size(self) -> _Size:
        return _Size(*self._terminal.size)
