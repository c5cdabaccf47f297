"""What an agent session is at."""

import asyncio
from dataclasses import dataclass, field

from pi.agent.abort import Abort
from pi.errors import PiError

__all__ = ["Activity", "BusyError"]


class BusyError(PiError):
    """The session is at something else."""


@dataclass(slots=True)
class Activity:
    """One run or compaction at a time. `idle` is set when there is none; abort: ends the newest."""

    abort: Abort = field(default_factory=Abort)
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    compacting: bool = False

    def __post_init__(self) -> None:
        self.idle.set()

    @property
    def busy(self) -> bool:
        return not self.idle.is_set()

    def begin(self, *, compacting: bool = False) -> Abort:
        self.abort = Abort()
        self.compacting = compacting
        self.idle.clear()
        return self.abort

    def end(self) -> None:
        self.compacting = False
        self.idle.set()
