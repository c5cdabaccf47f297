"""Identifiers of sessions and entries."""

import os
import re
import time
import uuid
from collections.abc import Container

from pi.errors import SessionError

__all__ = ["check_session_id", "new_entry_id", "new_session_id"]

# Compiled by `re` at their first use: most runs get by without.
_SESSION_ID = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"


def check_session_id(session_id: str) -> str:
    """The id itself. Raises SessionError for one that cannot be part of a file name."""
    if not re.fullmatch(_SESSION_ID, session_id):
        raise SessionError(
            f"invalid session id {session_id!r}",
            hint="Use letters, digits, '.', '_' and '-', with a letter or digit at both ends.",
        )
    return session_id


def new_session_id() -> str:
    """A UUID of version 7: ids sort by the time they were made."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def new_entry_id(taken: Container[str] | None) -> str:
    """Eight hex digits that are not `taken`; a whole UUID where nobody knows what is taken.

    Among the 300,000 entries of a long history a random 32-bit id meets an old one every ten
    thousand appends or so, and an entry that is its own ancestor hangs other readers. To know what
    is taken costs reading the file, which opening a large session avoids, so there the id is made
    so long that it need not be known.
    """
    if taken is None:
        return str(uuid.uuid4())
    while True:
        candidate = os.urandom(4).hex()
        if candidate not in taken:
            return candidate
