"""What a list of sessions shows of one of them."""

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Summary", "milliseconds"]


@dataclass(frozen=True, slots=True)
class Summary:
    """One session as a list shows it.

    created: as the header says, ISO 8601; empty where it does not. modified: when the user or the
    assistant last said something, Unix milliseconds; None where nobody did. messages: of every
    role. first: the first text a user wrote, cut to FIRST_MESSAGE. end: offset up to which it was
    read. problem: why the file is no session; the other fields say nothing then.
    """

    id: str = ""
    cwd: str = ""
    created: str = ""
    parent: str | None = None
    name: str | None = None
    first: str | None = None
    messages: int = 0
    user_messages: int = 0
    assistant_messages: int = 0
    modified: int | None = None
    end: int = 0
    problem: str | None = None


def milliseconds(timestamp: object) -> int | None:
    """ISO 8601 as Unix milliseconds; None for anything else."""
    if not isinstance(timestamp, str):
        return None
    try:
        moment = datetime.fromisoformat(timestamp)
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None
