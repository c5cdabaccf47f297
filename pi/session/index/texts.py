"""What was said in a session, entry by entry, for the full-text index."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pi.session.index.summary import printable, text_of
from pi.session.reader import decode_json, lines_forward
from pi.session.source import Source

__all__ = ["GAP", "Said", "query_of", "said", "segmented"]

GAP = "\u200b"
"""Stands behind each character of a script without blanks, so that each is a word to SQLite."""

_UNSPACED = re.compile("[\u2e80-\u303f\u3040-\u30ff\u31f0-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
                       "\U00020000-\U0003ffff]")  # fmt: skip
_ROLE = re.compile(rb'"role": ?"(?:user|assistant)"')
_PARTS = re.compile(r'"([^"]*)"|(\S+)')
PREFIX = 3
"""Letters from which on a word also finds those that it begins."""


@dataclass(frozen=True, slots=True)
class Said:
    """One message. entry: its id, empty in version 1 files. time: of the entry, ISO 8601."""

    entry: str
    role: str
    time: str
    text: str


def said(source: Source, start: int, end: int) -> Iterator[tuple[int, Said | None]]:
    """Every line between two offsets: the offset behind it, and what it says, if anything."""
    spoken = _ROLE.search
    for offset, line in lines_forward(source, start, end):
        behind = min(offset + len(line) + 1, end)
        yield behind, _said(line) if spoken(line) is not None else None


def _said(line: bytes) -> Said | None:
    value = decode_json(line)
    if not isinstance(value, dict) or value.get("type") != "message":
        return None
    message = value.get("message")
    if not isinstance(message, dict) or message.get("role") not in ("user", "assistant"):
        return None
    text = text_of(message)
    if not text.strip():
        return None
    entry, time = value.get("id"), value.get("timestamp")
    return Said(
        printable(entry) if isinstance(entry, str) else "",
        message["role"],
        printable(time) if isinstance(time, str) else "",
        text,
    )


def segmented(text: str) -> str:
    """`text` as it is indexed: SQLite would take a run of Chinese or Japanese for one word."""
    return text if text.isascii() else _UNSPACED.sub(rf"\g<0>{GAP}", text)


def query_of(text: str) -> str:
    """What a person typed as a query: all the words, in any order; "quoted" ones together.

    A word also finds longer ones that begin with it. Empty when there is no word in it.
    """
    terms = []
    for phrase, word in _PARTS.findall(text):
        wanted = segmented((phrase or word).replace('"', " ").replace("\0", " "))
        if not any(map(str.isalnum, wanted)):
            continue
        open_ended = word and len(word) >= PREFIX and word[-1].isalnum() and wanted[-1] != GAP
        terms.append(f'"{wanted}"' + ("*" if open_ended else ""))
    return " ".join(terms)
