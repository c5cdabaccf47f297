"""Session files read for the index: once, and later only from where they had grown.

Most lines are counted by their first bytes alone. Decoded are the header, names, user messages
until one has a text, and lines in an unusual order.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pi.session.history import clean_name
from pi.session.index.summary import Summary, milliseconds
from pi.session.index.texts import Said
from pi.session.reader import decode_json, is_blank, lines_forward, read_header
from pi.session.source import Source

__all__ = ["begin", "fingerprint", "follow", "said", "text_of"]

FIRST_MESSAGE = 500
"""Characters of the first message that are kept: more than any list shows."""

EDGE = 4096
"""Bytes at either end of the known part that must be as they were for a file to have grown."""

_TEXT = rb"[ !#-\[\]-~]*"
_MESSAGE = re.compile(
    rb'\{"type": ?"message", ?"id": ?"%b", ?"parentId": ?(?:"%b"|null), ?"timestamp": ?"%b", ?'
    rb'"message": ?\{"role": ?"(user|assistant|toolResult|system)"' % (_TEXT, _TEXT, _TEXT)
)
_OTHER = re.compile(rb'\{"type": ?"(?!message"|session_info"|session")%b", ?"id": ?"' % _TEXT)
_SPOKEN = re.compile(rb'"role": ?"(?:user|assistant)"')
_SENT = re.compile(rb'"timestamp": ?(\d{1,15})\}\}[ \t\r]*\Z')
_SILENT = (b"toolResult", b"system")
_ENDS = (b"}", b"\r", b" ")
TAIL = 64
FAR = 1e15
"""Milliseconds past which no time is meant."""


def begin(source: Source) -> Summary:
    """The summary of a whole session. Raises SessionError for what is no session."""
    header, body = read_header(source)

    def field(key: str) -> str:
        value = header.get(key)
        return printable(value) if isinstance(value, str) else ""

    start = Summary(
        id=printable(header["id"]),
        cwd=field("cwd"),
        created=field("timestamp"),
        parent=field("parentSession") or None,
        end=body,
    )
    return follow(source, start)


def follow(source: Source, known: Summary) -> Summary:
    """The summary of a session that has grown since `known`.

    A last line without newline counts when it is a whole record; else it is left for next time.
    """
    tally = _Tally(known)
    size = source.size
    end = known.end
    is_message, is_other, was_sent = _MESSAGE.match, _OTHER.match, _SENT.search
    for offset, line in lines_forward(source, known.end, size):
        if offset + len(line) >= size and not isinstance(decode_json(line), dict):
            end = offset
            break
        end = min(offset + len(line) + 1, size)
        # What begins like a record but does not end like one is left to the decoder.
        if line[-1:] in _ENDS:
            match = is_message(line)
            if match is not None:
                role = match[1]
                if role in _SILENT:
                    tally.messages += 1
                    continue
                sent = was_sent(line[-TAIL:])
                if sent is not None and (role == b"assistant" or tally.first is not None):
                    tally.say(role.decode(), int(sent[1]))
                    continue
            elif is_other(line) is not None:
                continue
        if not is_blank(line):
            tally.take(decode_json(line))
    return tally.summary(end)


class _Tally:
    """A summary while lines are added to it."""

    def __init__(self, known: Summary) -> None:
        self._known = known
        self.name = known.name
        self.first = known.first
        self.modified = known.modified
        self.messages = known.messages
        self.users = known.user_messages
        self.assistants = known.assistant_messages

    def say(self, role: str, at: int | None) -> None:
        """A message of the user or the assistant. at: Unix milliseconds."""
        self.messages += 1
        if role == "user":
            self.users += 1
        else:
            self.assistants += 1
        if at is not None and (self.modified is None or at > self.modified):
            self.modified = at

    def take(self, value: Any) -> None:
        """Any decoded line."""
        if not isinstance(value, dict):
            return
        if value.get("type") == "session_info":
            name = clean_name(value.get("name"))
            self.name = None if name is None else printable(name)
        message = value.get("message")
        if value.get("type") != "message" or not isinstance(message, dict):
            return
        role = message.get("role")
        if role not in ("user", "assistant"):
            self.messages += 1
            return
        at = message.get("timestamp")
        if not isinstance(at, int | float) or isinstance(at, bool) or not abs(at) < FAR:
            at = milliseconds(value.get("timestamp"))
        self.say(role, None if at is None else int(at))
        if self.first is None and role == "user":
            text = text_of(message)
            self.first = text[:FIRST_MESSAGE] if text.strip() else None

    def summary(self, end: int) -> Summary:
        return replace(
            self._known,
            name=self.name,
            first=self.first,
            messages=self.messages,
            user_messages=self.users,
            assistant_messages=self.assistants,
            modified=self.modified,
            end=end,
        )


def said(source: Source, start: int, end: int) -> Iterator[tuple[int, Said | None]]:
    """Every line between two offsets: the offset behind it, and what it says, if anything."""
    spoken = _SPOKEN.search
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


def fingerprint(source: Source, end: int) -> int:
    """A checksum of both edges of the first `end` bytes: a file that only grew keeps it."""
    head = zlib.crc32(source.read(0, min(EDGE, end)))
    return zlib.crc32(source.read(max(0, end - EDGE), end), head)


def text_of(message: dict[str, Any]) -> str:
    """The text blocks of a message, with a blank between them, as SQLite can keep it."""
    content = message.get("content")
    if isinstance(content, str):
        return printable(content)
    if not isinstance(content, list):
        return ""
    texts = [
        block["text"]
        for block in content
        if isinstance(block, dict)
        and block.get("type") == "text"
        and isinstance(block.get("text"), str)
    ]
    return printable(" ".join(texts))


def printable(text: str) -> str:
    """Without NUL and half surrogate pairs, which a database does not take."""
    if "\0" in text:
        text = text.replace("\0", " ")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text
