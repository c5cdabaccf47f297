"""Markdown that is drawn while it arrives: what is finished is parsed and drawn once.

The text is kept in two parts: blocks that can no longer change, as rows, and the tail that still
can, as text. An update parses the tail alone. The tail is kept short: a list gives up its items but
the last, a code block its lines but the last few dozen, a long paragraph its full rows.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

# CommonMark to the letter, and tokens that know their lines, which is what finding the tail needs.
from markdown_it import MarkdownIt
from markdown_it.token import Token

from pi.modes.interactive.cells import wrap_rows
from pi.modes.interactive.markdown_rows import (
    Drawing,
    block_end,
    code_rows,
    draw_blocks,
    draw_inline,
    last_line,
)
from pi.modes.interactive.sanitize import clean

__all__ = ["Drawing", "Markdown"]

_CODE_LINES = 60
_CODE_KEPT = 30
"""Lines of an open code block: at how many it gives some up, and how many it keeps."""
_PARAGRAPH = 2_000
_PARAGRAPH_KEPT = 400
"""The same in characters of a paragraph."""
_PARAGRAPH_MOST = 20_000
"""From where on a paragraph is cut though something in it seems open."""

_OPEN_BRACKETS = 200

# A last line that may still become anything: drawn when it is longer.
_UNCLEAR = re.compile(r"(?:^|\n) {0,3}(?:[-=*_+#>~|:]+|`+|\d{1,9}[.)]?) *$")
_PAIRED = ("`", "*", "_", "~")
_BRACKETS = (("[", "]"), ("<", ">"), ("(", ")"))
_OPEN_END = re.compile(r"[*_~`]+$")

_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@dataclass(frozen=True, slots=True)
class _Fence:
    """The tail is inside a code block, some lines of which are drawn."""

    language: str
    indent: int
    close: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class _Items:
    """The tail is the rest of a list. gap: a blank row comes before its next item."""

    kind: str
    markup: str
    number: int
    gap: bool


@dataclass(frozen=True, slots=True)
class _Carry:
    """The tail is the rest of a paragraph, which goes on in a row that was begun."""

    row: str


class Markdown:
    """A text as rows. settled: rows that no further text changes.

    style: theme token of plain text. indent: in front of every row. above: blank rows before the
    first. parsed: characters parsed so far, for tests and benchmarks.
    """

    def __init__(
        self,
        drawing: Drawing,
        style: str = "text",
        *,
        italic: bool = False,
        indent: str = "",
        above: int = 0,
    ) -> None:
        self.drawing = drawing
        self.indent = indent
        self.settled = 0
        self.parsed = 0
        self._style = style
        self._italic = italic
        self._above = above
        self._source: list[str] = []
        self._pending: list[str] = []
        self._finished = False
        self._columns = self._room = 0
        self._tail = ""
        self._done: list[str] = []
        self._state: _Fence | _Items | _Carry | None = None
        self._rows: list[str] | None = None

    @property
    def text(self) -> str:
        return "".join(self._source) + "".join(self._pending)

    def append(self, text: str) -> None:
        """More text, as the model wrote it."""
        self._pending.append(text)
        self._rows = None

    def finish(self, text: str | None = None) -> None:
        """The text is complete. text: all of it, where it may differ from what was appended."""
        if text is not None and text != self.text:
            self._source, self._pending = [], [text]
            self.invalidate()
        if not self._finished:
            self._finished, self._rows = True, None

    def invalidate(self) -> None:
        """Draw all of it anew the next time."""
        self._columns, self._rows = 0, None
        self._done, self._tail = [], ""

    def become(self, text: str) -> None:
        """All of the text so far is another one. Of what both begin with, little is drawn again."""
        text = _safe(text)
        before = self.text
        taken = len(before) - len(self._tail)  # its characters that are rows already
        anew = self._finished or self._pending or not self._columns
        if anew or before[:taken] != text[:taken]:
            self.invalidate()
        else:
            self._tail = text[taken:]
        self._source, self._pending, self._rows = [text], [], None

    def rows(self, columns: int) -> list[str]:
        """The rows, the same list as long as nothing changes."""
        if self._rows is not None and columns == self._columns:
            return self._rows
        if self._pending:
            self._source.append("".join(self._pending))
            self._pending.clear()
            if columns == self._columns:
                self._tail += _safe(self._source[-1])
        if columns != self._columns:
            self._source = ["".join(self._source)]
            self._columns, self._done, self._state = columns, [], None
            self._tail = _safe(self._source[0])
            self._room = max(1, columns - 2 * len(self.indent))
        last = self._advance()
        rows = [""] * self._above + self._done if self._done or last else []
        self.settled = len(rows) if self._done else 0
        if last:
            if self._done and self._gap():
                rows.append("")
            rows += self._styled(last)
        if self._finished:
            self.settled = len(rows)
            self._done, self._tail = [], ""
            self._columns = columns
        self._rows = rows
        return rows

    def _advance(self) -> list[str]:
        """Take over what is finished; the rows of the rest."""
        while True:
            if isinstance(self._state, _Fence):
                rest = self._code(self._state)
                if rest is not None:
                    return rest
                continue
            tail = self._tail
            if not self._finished:
                unclear = _UNCLEAR.search(tail)
                tail = tail[: unclear.start()] if unclear else tail
            if self.drawing.diagrams is not None:
                self.drawing.diagrams.complete = True
            tokens = _PARSER.parse(_tame(tail))
            self.parsed += len(tail)
            starts = _blocks(tokens)
            if not starts:
                return []
            for start, end in itertools.pairwise(starts):
                self._take(self._first(tokens[start:end]))
                self._state = None
            last = tokens[starts[-1] :]
            line = last[0].map[0] if last[0].map else 0
            self._tail = _from_line(self._tail, line)
            if self._finished:
                return self._first(last)
            if self.drawing.diagrams is not None:
                self.drawing.diagrams.complete = False
            if last[0].type in ("bullet_list_open", "ordered_list_open"):
                last = self._items(last, line)
            elif last[0].type == "fence" and self._open_code(last[0]):
                continue
            elif last[0].type == "paragraph_open" and len(last[1].content) > _PARAGRAPH:
                return self._long_paragraph(last)
            _close_open(last)
            return self._first(last)

    def _gap(self) -> bool:
        """Whether a blank row comes before what is drawn next."""
        if isinstance(self._state, _Items):
            return self._state.gap
        return self._state is None

    def _take(self, rows: list[str]) -> None:
        """Rows that are finished."""
        if rows:
            if self._done and self._gap():
                self._done.append("")
            self._done += self._styled(rows)

    def _styled(self, rows: list[str]) -> list[str]:
        theme, style = self.drawing.theme, self._style
        indent = self.indent
        if self._italic or theme.opening(style):
            return [
                indent + theme.style(row, fg=style, italic=self._italic) if row else row
                for row in rows
            ]
        return [indent + row if row else row for row in rows] if indent else rows

    def _first(self, tokens: Sequence[Token]) -> list[str]:
        """The rows of the tail's first block, which may go on with what is drawn already."""
        state = self._state
        kind = tokens[0].type
        if isinstance(state, _Items):
            if kind == state.kind and tokens[0].markup == state.markup:
                if kind == "ordered_list_open":
                    tokens[0].attrs["start"] = state.number
            else:
                self._state = None
        elif isinstance(state, _Carry):
            if kind == "paragraph_open":
                text = draw_inline(tokens[1], self.drawing)
                return self._paragraph(state.row + text)
            self._state = None
        return draw_blocks(tokens, self._room, self.drawing)

    def _paragraph(self, text: str) -> list[str]:
        return wrap_rows(text, self._room)

    def _items(self, tokens: list[Token], line: int) -> list[Token]:
        """Take a list's items but the last; the tokens of the list with that one alone."""
        starts: list[int] = []
        at = 1
        while at < len(tokens) - 1:
            starts.append(at)
            at = block_end(tokens, at)
        if len(starts) < 2:
            return tokens
        last = tokens[starts[-1]]
        number = self._number(tokens[0]) + len(starts) - 1
        before = last_line(tokens[starts[-2] : starts[-1]])
        rest = last.map[0] if last.map else line
        gap = before is not None and rest > before
        self._take(self._first([*tokens[: starts[-1]], tokens[-1]]))
        self._state = _Items(tokens[0].type, tokens[0].markup, number, gap)
        self._tail = _from_line(self._tail, rest - line)
        return [tokens[0], *tokens[starts[-1] :]]

    def _number(self, opening: Token) -> int:
        if isinstance(self._state, _Items):
            return self._state.number
        return int(opening.attrs.get("start", 1))

    def _open_code(self, fence: Token) -> bool:
        """Go into a code block that is long and not yet closed."""
        head, _, body = self._tail.partition("\n")
        if body.count("\n") < _CODE_LINES:
            return False
        sign = fence.markup[0]
        close = re.compile(rf"^ {{0,3}}{sign}{{{len(fence.markup)},}}[ \t]*(?:\n|\Z)", re.MULTILINE)
        if close.search(body):
            return False
        words = fence.info.split()
        indent = len(head) - len(head.lstrip(" "))
        if self._done:
            self._done.append("")
        self._state = _Fence(words[0] if words else "", indent, close)
        self._tail = body
        return True

    def _code(self, fence: _Fence) -> list[str] | None:
        """Take lines of an open code block; the rows of the rest, None when it is closed."""
        closed = fence.close.search(self._tail)
        if closed and (closed.end() < len(self._tail) or self._tail.endswith("\n")):
            self._take(self._code_rows(self._tail[: closed.start()].removesuffix("\n"), fence))
            self._tail = self._tail[closed.end() :]
            self._state = None
            return None
        tail = self._tail
        unclear = _UNCLEAR.search(tail)
        tail = tail[: unclear.start()] if unclear and "`~".count(tail.rstrip()[-1:]) else tail
        if self._finished:
            tail = tail[: closed.start()] if closed else tail
            return self._code_rows(tail.removesuffix("\n"), fence)
        lines = tail.split("\n")
        if len(lines) > _CODE_LINES:
            # Where a line begins at the margin after a blank one, highlighting can begin anew.
            cut = len(lines) - _CODE_KEPT
            for at in range(cut, max(1, cut - _CODE_KEPT), -1):
                if lines[at][:1].strip() and not lines[at - 1].strip():
                    cut = at
                    break
            self._take(self._code_rows("\n".join(lines[:cut]), fence))
            self._tail = _from_line(self._tail, cut)
            lines = lines[cut:]
        return self._code_rows("\n".join(lines).removesuffix("\n"), fence) if any(lines) else []

    def _code_rows(self, code: str, fence: _Fence) -> list[str]:
        if fence.indent:
            code = re.sub(rf"^ {{1,{fence.indent}}}", "", code, flags=re.MULTILINE)
        return code_rows(code, fence.language, self._room, self.drawing)

    def _long_paragraph(self, tokens: list[Token]) -> list[str]:
        """Take full rows of a paragraph; the rows of the rest."""
        cut = _place_to_cut(self._tail)
        carried = self._state.row if isinstance(self._state, _Carry) else ""
        if cut:
            piece = _PARSER.parseInline(_tame(self._tail[:cut]))[0]
            self.parsed += cut
            rows = self._paragraph(carried + draw_inline(piece, self.drawing))
            carried = rows.pop()
            if self._tail[cut] == "\n":
                rows.append(carried)
                carried = ""
            else:
                carried += " "
            self._take(rows)
            self._state = _Carry(carried)
            self._tail = self._tail[cut + 1 :]
        rest = _PARSER.parseInline(_tame(self._tail))
        self.parsed += len(self._tail)
        if not rest:
            return self._paragraph(carried) if carried else []
        _close_open(rest)
        return self._paragraph(carried + draw_inline(rest[0], self.drawing))


def _tame(text: str) -> str:
    """The text, without links where brackets open by the hundred: each is looked for to the end."""
    if text.count("[") - text.count("]") > _OPEN_BRACKETS:
        return text.replace("[", "\\[")
    return text


def _safe(text: str) -> str:
    # A tab is four columns wherever it stands: pieces of a stream begin in the middle of lines.
    return clean(text.replace("\t", "    "))


def _blocks(tokens: Sequence[Token]) -> list[int]:
    """Where the blocks of the outermost level begin."""
    starts: list[int] = []
    at = 0
    while at < len(tokens):
        starts.append(at)
        at = block_end(tokens, at)
    return starts


def _from_line(text: str, line: int) -> str:
    at = 0
    for _ in range(line):
        at = text.index("\n", at) + 1
    return text[at:]


def _place_to_cut(text: str) -> int:
    """A space or newline of a paragraph before which nothing seems open; 0 for none.

    What follows begins with a letter, so that it is a paragraph by itself as well.
    """
    at = len(text) - _PARAGRAPH_KEPT
    for _ in range(40):
        at = max(text.rfind(" ", 0, at), text.rfind("\n", 0, at))
        if at <= 0:
            return 0
        before = text[:at]
        if (
            text[at + 1].isalpha()
            and not before.endswith((" ", "\\"))
            and (len(text) > _PARAGRAPH_MOST or not _seems_open(before))
        ):
            return at
    return 0


def _seems_open(text: str) -> bool:
    return any(text.count(sign) % 2 for sign in _PAIRED) or any(
        text.count(opening) != text.count(closing) for opening, closing in _BRACKETS
    )


def _close_open(tokens: Sequence[Token]) -> None:
    """Close emphasis and code that the last line has begun, as its end is still to come."""
    inline = next((token for token in reversed(tokens) if token.type == "inline"), None)
    if inline is None or not any(sign in inline.content for sign in "*`"):
        return
    content = _OPEN_END.sub("", inline.content)
    if content.count("`") % 2:
        content += "`"
    elif content.count("**") % 2:
        content = content.rstrip() + "**"
    if content != inline.content:
        inline.children = _PARSER.parseInline(content)[0].children if content.strip() else []
