"""Markdown as rows: what markdown-it has parsed, drawn in a width."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markdown_it.token import Token

from pi.modes.interactive.cells import width, wrap, wrap_rows
from pi.modes.interactive.highlight import highlight
from pi.modes.interactive.markdown_table import table_rows
from pi.modes.interactive.palette import Theme

if TYPE_CHECKING:
    from pi.modes.interactive.diagrams import Diagrams

__all__ = [
    "Drawing",
    "block_end",
    "code_rows",
    "draw_blocks",
    "draw_inline",
    "last_line",
]

_URL = re.compile(r"https?://[^\s<>\"'`]+[^\s<>\"'`.,;:!?()\[\]{}*_]")
_SAFE = re.compile(r"(?:https?|mailto|file|ftp):", re.IGNORECASE)
_TASK = re.compile(r"\[([ xX])\] ")
_LEAST = 8
"""Columns that nested lists and quotes leave to their text."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """How to draw. code_indent: before code. links: whether the terminal has hyperlinks (OSC 8).

    diagrams: those who draw Mermaid's; None leaves them code.
    """

    theme: Theme
    code_indent: str = "  "
    links: bool = True
    diagrams: "Diagrams | None" = None


def draw_blocks(tokens: Sequence[Token], columns: int, drawing: Drawing) -> list[str]:
    """All blocks, with a blank row between two of them."""
    rows: list[str] = []
    at = 0
    while at < len(tokens):
        end = block_end(tokens, at)
        block = _block(tokens[at:end], columns, drawing)
        if block:
            if rows:
                rows.append("")
            rows += block
        at = end
    return rows


def block_end(tokens: Sequence[Token], at: int) -> int:
    """Where the block that begins at a token ends."""
    depth = 0
    while True:
        depth += tokens[at].nesting
        at += 1
        if depth == 0:
            return at


def draw_item(tokens: Sequence[Token], marker: str, columns: int, drawing: Drawing) -> list[str]:
    """One item of a list: tokens from list_item_open to its close; marker: "•", or "3."."""
    inner = list(tokens[1:-1])
    bullet = drawing.theme.fg("mdListBullet", marker)
    if inner and inner[0].type == "paragraph_open":
        match = _TASK.match(inner[1].content)
        children = inner[1].children
        if match and children and children[0].type == "text":
            done = match[1] != " "
            marker = "☑" if done else "☐"
            bullet = drawing.theme.fg("success" if done else "mdListBullet", marker)
            children[0].content = children[0].content[match.end() :]
    indent = " " * (width(marker) + 1)
    if columns - len(indent) < _LEAST:
        indent = " "
    rows = _item_rows(inner, max(1, columns - len(indent)), drawing)
    first = rows[0] if rows else ""
    return [f"{bullet} {first}".rstrip(), *(indent + row if row else "" for row in rows[1:])]


def _item_rows(tokens: Sequence[Token], columns: int, drawing: Drawing) -> list[str]:
    """Blocks of an item: those of a tight list follow each other without a blank row."""
    rows: list[str] = []
    at = 0
    previous = None
    while at < len(tokens):
        end = block_end(tokens, at)
        span = tokens[at].map
        block = _block(tokens[at:end], columns, drawing)
        if rows and block and span and previous is not None and span[0] > previous:
            rows.append("")
        rows += block
        previous = span[1] if span else None
        at = end
    return rows


def _block(tokens: Sequence[Token], columns: int, drawing: Drawing) -> list[str]:
    theme, opening = drawing.theme, tokens[0]
    match opening.type:
        case "paragraph_open":
            return wrap_rows(draw_inline(tokens[1], drawing), columns)
        case "heading_open":
            text = draw_inline(tokens[1], drawing)
            first = opening.tag == "h1"
            return [
                theme.style(row, fg="mdHeading", bold=opening.tag < "h4", underline=first)
                for row in wrap_rows(text, columns)
            ]
        case "bullet_list_open" | "ordered_list_open":
            return _list(tokens, columns, drawing)
        case "blockquote_open":
            bar = theme.fg("mdQuoteBorder", "│") + " "
            inner = draw_blocks(tokens[1:-1], max(_LEAST, columns - 2), drawing)
            return [bar + theme.fg("mdQuote", row) if row else bar.rstrip() for row in inner]
        case "fence" | "code_block":
            language = opening.info.split()[0] if opening.info.strip() else ""
            if drawing.diagrams is not None and language.lower() == "mermaid":
                rows = drawing.diagrams.rows(opening.content, columns, theme)
                if rows is not None:
                    return rows
            return code_rows(opening.content.removesuffix("\n"), language, columns, drawing)
        case "hr":
            return [theme.fg("mdHr", "─" * columns)]
        case "table_open":
            return table_rows(tokens, columns, theme, lambda cell: draw_inline(cell, drawing))
        case "html_block":
            lines = opening.content.rstrip("\n").split("\n")
            return [row for line in lines for row in wrap(theme.fg("muted", line), columns)]
        case _:
            return wrap_rows(opening.content, columns) if opening.content else []


def _list(tokens: Sequence[Token], columns: int, drawing: Drawing) -> list[str]:
    ordered = tokens[0].type == "ordered_list_open"
    number = int(tokens[0].attrs.get("start", 1)) if ordered else 0
    rows: list[str] = []
    previous = None
    at = 1
    while at < len(tokens) - 1:
        end = block_end(tokens, at)
        span = tokens[at].map
        if rows and span and previous is not None and span[0] > previous:
            rows.append("")
        marker = f"{number}{tokens[at].markup}" if ordered else "•"
        rows += draw_item(tokens[at:end], marker, columns, drawing)
        previous = last_line(tokens[at:end])
        number += 1
        at = end
    return rows


def last_line(tokens: Sequence[Token]) -> int | None:
    """The line after the text of an item, which may be before the line after the item."""
    return max((token.map[1] for token in tokens[1:] if token.map), default=None)


def code_rows(code: str, language: str, columns: int, drawing: Drawing) -> list[str]:
    """Code, indented; long lines go on in the next row."""
    indent = drawing.code_indent if len(drawing.code_indent) < columns // 2 else ""
    room = columns - width(indent)
    rows: list[str] = []
    for line in highlight(code, language, drawing.theme):
        if not line:
            rows.append("")
        else:
            rows += [indent + row for row in wrap(line, room)]
    return rows


def draw_inline(token: Token, drawing: Drawing) -> str:
    """The text of a paragraph, heading or cell, styled; its line breaks are newlines."""
    theme = drawing.theme
    stack: list[tuple[str, str, list[str]]] = [("", "", [])]
    for child in token.children or ():
        out = stack[-1][2]
        match child.type:
            case "text":
                out.append(
                    _text(child.content, drawing)
                    if len(stack) == 1 or not _in_link(stack)
                    else child.content
                )
            case "code_inline":
                out.append(theme.fg("mdCode", child.content))
            case "softbreak" | "hardbreak":
                out.append("\n")
            case "link_open" | "strong_open" | "em_open" | "s_open":
                stack.append((child.type, str(child.attrs.get("href", "")), []))
            case "link_close" | "strong_close" | "em_close" | "s_close":
                kind, target, inner = stack.pop()
                text = "".join(inner)
                if kind == "link_open":
                    text = _link(text, target, drawing)
                elif kind == "strong_open":
                    text = _by_line(text, lambda part: theme.style(part, bold=True))
                elif kind == "em_open":
                    text = _by_line(text, lambda part: theme.style(part, italic=True))
                else:
                    text = _by_line(text, lambda part: theme.style(part, strike=True))
                stack[-1][2].append(text)
            case "image":
                alt = child.content or "image"
                out.append(_link(f"[{alt}]", str(child.attrs.get("src", "")), drawing))
            case _:
                out.append(child.content)
    while len(stack) > 1:
        _, _, inner = stack.pop()
        stack[-1][2].extend(inner)
    return "".join(stack[0][2])


def _in_link(stack: list[tuple[str, str, list[str]]]) -> bool:
    return any(kind == "link_open" for kind, _, _ in stack)


def _by_line(text: str, style: object) -> str:
    """A style put on each line by itself: rows must close what they open."""
    assert callable(style)
    return "\n".join(style(line) for line in text.split("\n"))


def _text(text: str, drawing: Drawing) -> str:
    """Plain text, with the addresses in it as links."""
    if "://" not in text:
        return text
    return _URL.sub(lambda match: _link(match.group(), match.group(), drawing), text)


def _link(text: str, target: str, drawing: Drawing) -> str:
    theme = drawing.theme
    shown = _by_line(text, lambda part: theme.style(part, fg="mdLink", underline=True))
    if drawing.links and _SAFE.match(target) and target.isprintable():
        address = target.replace("\x1b", "").replace("\x07", "")
        return _by_line(shown, lambda part: f"\x1b]8;;{address}\x1b\\{part}\x1b]8;;\x1b\\")
    if target and target not in (text, f"mailto:{text}"):
        shown += theme.fg("mdLinkUrl", f" ({target})")
    return shown
