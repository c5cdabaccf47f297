"""Texts and queries as SQLite's full-text search takes them."""

import re
from dataclasses import dataclass

__all__ = ["GAP", "Said", "query_of", "segmented"]

GAP = "\u200b"
"""Stands behind each character of a script without blanks, so that each is a word to SQLite."""

_UNSPACED = (
    "[\u2e80-\u303f\u3040-\u30ff\u31f0-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
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


def segmented(text: str) -> str:
    """`text` as it is indexed: SQLite would take a run of Chinese or Japanese for one word."""
    return text if text.isascii() else re.sub(_UNSPACED, rf"\g<0>{GAP}", text)


def query_of(text: str) -> str:
    """What a person typed as a query: all the words, in any order; "quoted" ones together.

    A word also finds longer ones that begin with it. Empty when there is no word in it.
    """
    text = text.encode(errors="replace").decode()  # no half surrogate pairs
    terms = []
    for phrase, word in _PARTS.findall(text):
        wanted = segmented((phrase or word).replace('"', " ").replace("\0", " "))
        if not any(map(str.isalnum, wanted)):
            continue
        open_ended = word and len(word) >= PREFIX and word[-1].isalnum() and wanted[-1] != GAP
        terms.append(f'"{wanted}"' + ("*" if open_ended else ""))
    return " ".join(terms)
