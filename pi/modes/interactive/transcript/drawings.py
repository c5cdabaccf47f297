"""How each built-in tool is drawn: a title a person can read, as much of its result as helps."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pi.modes.interactive.cells import wrap
from pi.modes.interactive.highlight import highlight, language_of
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.sanitize import clean, clean_line, clean_lines
from pi.modes.interactive.transcript.arguments import peek, peek_tail
from pi.modes.interactive.transcript.diffs import diff_counts, diff_rows, edit_lines
from pi.modes.interactive.transcript.look import Look, ToolView, home_path
from pi.wire.messages import text_of

__all__ = ["DRAWINGS", "ToolDrawing", "drawing_of", "known_args", "more"]

_OUTPUT_ROWS = 5
_CODE_ROWS = 10
_DIFF_ROWS = 24
_ENDING = re.compile(r"(?:\A|\n\n)Exit code: (\d+)\Z")
_TAIL = 16_000
"""Characters at the end of an output that are looked at for its last rows."""


class ToolDrawing(NamedTuple):
    """title: what is done to what, in one line, styled. body: rows below it.

    known: arguments that can be told while they arrive.
    """

    title: Callable[[ToolView, Look], str]
    body: Callable[[ToolView, int, Look], list[str]]
    known: tuple[str, ...] = ()


def drawing_of(name: str) -> ToolDrawing:
    """How to draw a tool; one that is not built in shows its arguments as they are."""
    return DRAWINGS.get(name, _ANY)


def known_args(view: ToolView, names: tuple[str, ...]) -> Mapping[str, Any]:
    """The arguments, as far as they are known."""
    return view.args if view.args or not view.written else peek(view.written, names)


def more(count: int, look: Look, what: str = "line") -> str:
    """The row that stands for those that are folded."""
    plural = "" if count == 1 else "s"
    return look.theme.fg("dim", f"… {count} more {what}{plural} ({look.expand_key})")


# Titles


def _text(args: Mapping[str, Any], name: str) -> str:
    value = args.get(name)
    return clean_line(value) if isinstance(value, str) else ""


def _path(args: Mapping[str, Any], look: Look, default: str = "") -> str:
    return home_path(_text(args, "path"), look) or default


def _strong(name: str, look: Look) -> str:
    return look.theme.style(name, fg="toolTitle", bold=True)


def _read_title(view: ToolView, look: Look) -> str:
    args = known_args(view, ("path", "offset", "limit"))
    offset, limit = args.get("offset"), args.get("limit")
    span = ""
    if isinstance(offset, int | float) or isinstance(limit, int | float):
        first = int(offset) if isinstance(offset, int | float) else 1
        last = str(first + int(limit) - 1) if isinstance(limit, int | float) else ""
        span = look.theme.fg("muted", f":{first}-{last}")
    shown = f"{_strong('read', look)} {look.theme.fg('accent', _path(args, look))}{span}"
    if view.state == "done" and not look.expanded and not _has_image(view):
        output = _output(view)
        count = output.count("\n") + 1 if output else 0
        plural = "" if count == 1 else "s"
        shown += look.theme.fg("dim", f"  {count} line{plural} ({look.expand_key})")
    return shown


def _has_image(view: ToolView) -> bool:
    return any(block.get("type") == "image" for block in view.content or ())


def _bash_title(view: ToolView, look: Look) -> str:
    args = known_args(view, ("command", "timeout"))
    command = args.get("command")
    lines = clean(command).strip().split("\n") if isinstance(command, str) else [""]
    title = f"{look.theme.fg('muted', '$')} {look.theme.style(lines[0], fg='toolTitle', bold=True)}"
    limit = args.get("timeout")
    if isinstance(limit, int | float) and limit > 0:
        title += look.theme.fg("dim", f"  time-out {limit:g} s")
    ending = _ENDING.search(_output(view)) if view.state == "failed" else None
    if ending:
        title += look.theme.fg("error", f"  exit {ending[1]}")
    return title


def _path_title(name: str) -> Callable[[ToolView, Look], str]:
    def title(view: ToolView, look: Look) -> str:
        path = _path(known_args(view, ("path",)), look, "." if name == "ls" else "")
        shown = f"{_strong(name, look)} {look.theme.fg('accent', path)}"
        if name == "edit" and view.state not in ("failed", "stopped"):
            added, removed = diff_counts(_edit_listing(view))
            if added or removed:
                shown += (
                    f" {look.theme.fg('toolDiffAdded', f'+{added}')}"
                    f" {look.theme.fg('toolDiffRemoved', f'-{removed}')}"
                )
        return shown

    return title


def _search_title(name: str) -> Callable[[ToolView, Look], str]:
    def title(view: ToolView, look: Look) -> str:
        args = known_args(view, ("pattern", "path", "glob"))
        theme = look.theme
        pattern = _text(args, "pattern")
        shown = f"/{pattern}/" if name == "grep" and not args.get("literal") else pattern
        parts = [_strong(name, look), theme.fg("accent", shown)]
        if (where := _path(args, look)) not in ("", "."):
            parts.append(theme.fg("muted", f"in {where}"))
        if only := _text(args, "glob"):
            parts.append(theme.fg("muted", f"({only})"))
        return " ".join(parts)

    return title


def _any_title(view: ToolView, look: Look) -> str:
    shown = clean_line(view.written[-200:]) if not view.args else ""
    if view.args:
        shown = " ".join(f"{clean_line(str(k))}={_short(v)}" for k, v in view.args.items())
    return f"{_strong(_shown_name(view.name), look)} {look.theme.fg('muted', shown)}".rstrip()


def _shown_name(name: str) -> str:
    """`server/tool` for one of an MCP server, whether or not that is connected."""
    prefix, server, tool = [*name.split("__", 2), "", ""][:3]
    return clean_line(f"{server}/{tool}" if prefix == "mcp" and server and tool else name)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = clean_line(text)
    return text if len(text) <= 60 else text[:59] + "…"


# Bodies


def _output(view: ToolView) -> str:
    return text_of(view.content).rstrip("\n") if view.content else ""


def head_rows(
    text: str, columns: int, look: Look, limit: int, *, colors: bool = False
) -> list[str]:
    """The first lines of an output, all of them where it is expanded."""
    if not text:
        return []
    count = text.count("\n") + 1
    if not look.expanded and count > limit:
        text = "\n".join(text.split("\n", limit)[:limit])
    rows = _output_rows(clean_lines(text, colors=colors), columns, look.theme)
    if look.expanded:
        return rows
    hidden = max(0, count - limit)
    if len(rows) > 2 * limit:  # few lines, but long ones
        rows, hidden = rows[: 2 * limit], hidden + 1
    return [*rows, more(hidden, look)] if hidden else rows


def tail_rows(text: str, columns: int, look: Look, limit: int) -> list[str]:
    """The last rows of an output, in its own colours; all of them where it is expanded."""
    if not text:
        return []
    colors = look.theme.depth != "none"
    if look.expanded:
        return _output_rows(clean_lines(text, colors=colors), columns, look.theme)
    count = text.count("\n") + 1
    last = text[-_TAIL:].split("\n")[-limit:]
    rows = _output_rows(clean_lines("\n".join(last), colors=colors), columns, look.theme)
    hidden = max(0, count - limit)
    if len(rows) > limit:
        rows, hidden = rows[-limit:], max(1, hidden)
    if not hidden:
        return rows
    plural = "" if hidden == 1 else "s"
    return [look.theme.fg("dim", f"… {hidden} earlier line{plural} ({look.expand_key})"), *rows]


def _output_rows(lines: list[str], columns: int, theme: Theme) -> list[str]:
    return [theme.fg("toolOutput", row) for line in lines for row in wrap(line, columns)]


def _bash_body(view: ToolView, columns: int, look: Look) -> list[str]:
    args = known_args(view, ("command",))
    command = args.get("command")
    rest = clean(command).strip().split("\n")[1:] if isinstance(command, str) else []
    if len(rest) > _CODE_ROWS and not look.expanded:
        rest = [*rest[: _CODE_ROWS - 1], f"… {len(rest) - _CODE_ROWS + 1} more lines"]
    rows = [look.theme.fg("toolTitle", row) for line in rest for row in wrap(f"  {line}", columns)]
    output = _output(view)
    if view.state == "failed":
        output = _ENDING.sub("", output).rstrip("\n")
    if output == "(no output)":
        return rows
    return rows + tail_rows(output, columns, look, _OUTPUT_ROWS)


def _read_body(view: ToolView, columns: int, look: Look) -> list[str]:
    output = _output(view)
    if not output:
        return []
    if view.state == "failed":
        return _failure(output, columns, look)
    if not look.expanded:
        return []
    return _code(output, _text(view.args, "path"), columns, look)


def _code(text: str, path: str, columns: int, look: Look) -> list[str]:
    language = language_of(path) if path else ""
    if not language:
        return _output_rows(clean_lines(text), columns, look.theme)
    return [
        row for line in highlight(clean(text), language, look.theme) for row in wrap(line, columns)
    ]


def _write_body(view: ToolView, columns: int, look: Look) -> list[str]:
    if view.state == "failed":
        return _failure(_output(view), columns, look)
    content = view.args.get("content")
    if not isinstance(content, str):
        written = peek_tail(view.written, "content", _OUTPUT_ROWS)
        if written is None:
            return []
        last, count = written
        rows = _output_rows(clean_lines("\n".join(last)), columns, look.theme)[-_OUTPUT_ROWS:]
        return [look.theme.fg("dim", f"… {count} lines so far"), *rows] if count > 5 else rows
    lines = content.removesuffix("\n").split("\n")
    shown = lines if look.expanded else lines[:_CODE_ROWS]
    rows = _code("\n".join(shown), _text(view.args, "path"), columns, look)
    hidden = len(lines) - len(shown)
    return [*rows, more(hidden, look)] if hidden else rows


def _edit_listing(view: ToolView) -> list[str]:
    details = view.details
    if isinstance(details, dict) and isinstance(details.get("diff"), str):
        return str(details["diff"]).split("\n")
    return edit_lines(view.args)


def _edit_body(view: ToolView, columns: int, look: Look) -> list[str]:
    if view.state == "failed":
        return _failure(_output(view), columns, look)
    listing = _edit_listing(view)
    shown = listing if look.expanded else listing[:_DIFF_ROWS]
    rows = diff_rows(shown, columns, look.theme)
    hidden = len(listing) - len(shown)
    return [*rows, more(hidden, look)] if hidden else rows


def _list_body(view: ToolView, columns: int, look: Look) -> list[str]:
    if view.state == "failed":
        return _failure(_output(view), columns, look)
    return head_rows(_output(view), columns, look, _OUTPUT_ROWS)


def _any_body(view: ToolView, columns: int, look: Look) -> list[str]:
    rows: list[str] = []
    if look.expanded and view.args:
        text = json.dumps(dict(view.args), indent=2, ensure_ascii=False, default=str)
        rows = _output_rows(clean_lines(text), columns, look.theme)
    if view.state == "failed":
        return rows + _failure(_output(view), columns, look)
    return rows + head_rows(_output(view), columns, look, _OUTPUT_ROWS, colors=True)


def _failure(text: str, columns: int, look: Look) -> list[str]:
    lines = clean_lines(text) if text else []
    shown = lines if look.expanded else lines[:_CODE_ROWS]
    rows = [look.theme.fg("error", row) for line in shown for row in wrap(line, columns)]
    hidden = len(lines) - len(shown)
    return [*rows, more(hidden, look)] if hidden else rows


_ANY = ToolDrawing(_any_title, _any_body)

DRAWINGS: Mapping[str, ToolDrawing] = {
    "read": ToolDrawing(_read_title, _read_body, ("path",)),
    "bash": ToolDrawing(_bash_title, _bash_body, ("command",)),
    "edit": ToolDrawing(_path_title("edit"), _edit_body, ("path",)),
    "write": ToolDrawing(_path_title("write"), _write_body, ("path",)),
    "grep": ToolDrawing(_search_title("grep"), _list_body, ("pattern", "path", "glob")),
    "find": ToolDrawing(_search_title("find"), _list_body, ("pattern", "path")),
    "ls": ToolDrawing(_path_title("ls"), _list_body, ("path",)),
}
