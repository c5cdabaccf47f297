"""The page as a file: written from front to back, one entry at a time in memory.

The parts of the page, in order:

- the frame (page/page.html), with a content security policy that allows exactly one style and one
  script, by their hashes, and nothing from anywhere
- `<script type="application/json" class="entries">` blocks of about a megabyte: one view a line
- `<script type="application/json" id="index">`: what the page knows of all rows, see `_index`
- the script

The entries and the index are ASCII; in their JSON `<` is \\u003c, so nothing in a session can end
a block early.
"""

import json
import os
from array import array
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from pi.errors import SessionError
from pi.session.export.shell import closing, opening
from pi.session.export.views import OTHER, Draw, kind_of, spent_by, view
from pi.session.history import History
from pi.session.migrate import migrated_lines, version_of
from pi.session.reader import decode, read_header
from pi.session.source import FileSource, MemorySource, Source
from pi.session.tree import TreeIndex
from pi.wire.entries import SESSION_VERSION, SessionHeader
from pi.wire.jsonio import dumps

__all__ = ["Exported", "default_name", "export_file", "export_page"]

CHUNK = 1 << 20
"""Bytes of entries after which a block is closed. A browser holds each block as one string."""

TITLE = 80
"""Characters of the first prompt that stand for a name."""

TITLE_ROWS = 50
"""Entries among which the first prompt is looked for."""

BATCH = 4096


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. damaged: lines of the session that are no entries, and not in the page."""

    path: Path
    entries: int
    size: int
    damaged: int


@dataclass(slots=True)
class _Rows:
    """Grows with the entries: a few bytes for each.

    sizes: bytes of each line in its block. firsts: the first row of each block. spent: row, then
    the five numbers of views.Spent.
    """

    sizes: "array[int]" = field(default_factory=lambda: array("Q"))
    firsts: list[int] = field(default_factory=list)
    kinds: bytearray = field(default_factory=bytearray)
    spent: "array[float]" = field(default_factory=lambda: array("d"))
    labels: dict[int, str] = field(default_factory=dict)
    omitted: set[int] = field(default_factory=set)
    damaged: int = 0


def default_name(path: Path) -> str:
    """The file an export goes to when nobody names one: pi-session-NAME.html."""
    return f"pi-session-{path.name.removesuffix('.jsonl')}.html"


def export_file(
    path: Path, target: Path, draw: Draw | None = None, *, leaf: str | None = None
) -> Exported:
    """Write the page of a session file. The session is only read, and may be open elsewhere.

    draw: what extensions draw of it. leaf: as for `export_page`.

    Raises SessionError for what is no session, or cannot be read or written; `target` is then as
    it was.
    """
    source = FileSource(path)
    try:
        if _same(path, target):
            raise SessionError(
                f"cannot export to {target}: it is the session itself", hint="Name another file."
            )
        if source.size == 0:
            return _write(target, MemorySource(), None, None, None)
        return export_page(source, target, leaf=leaf, draw=draw)
    finally:
        source.close()


def export_page(
    source: Source, target: Path, *, leaf: str | None = None, draw: Draw | None = None
) -> Exported:
    """Write the page of an open session.

    leaf: the end of the branch that is shown first; the last entry unless given.
    """
    header, _ = read_header(source)
    if version_of(header) < SESSION_VERSION:
        source = MemorySource(b"".join(migrated_lines(source)))
    history = History(source)
    if leaf is not None:
        history.move(leaf)
    return _write(target, source, history, history.header, draw)


def _write(
    target: Path,
    source: Source,
    history: History | None,
    header: SessionHeader | None,
    draw: Draw | None,
) -> Exported:
    """Beside the target, then in its place; straight into what is no regular file (a pipe)."""
    direct = target.exists() and not target.is_file()
    final = Path(os.path.realpath(target))  # a link stays a link
    written = target if direct else final.with_name(f".{final.name}.{os.getpid()}.new")
    try:
        if target.is_dir():
            raise SessionError(f"cannot write {target}: it is a folder")
        with written.open("wb", buffering=1 << 18) as file:
            rows, size = _write_page(file, source, history, header, draw)
        if not direct:
            os.replace(written, final)
    except BaseException as error:
        if not direct:
            with suppress(OSError):
                written.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise SessionError(f"cannot write {target}: {error.strerror or error}") from error
        raise
    return Exported(target, len(rows.sizes), size, rows.damaged)


def _write_page(
    file: BinaryIO,
    source: Source,
    history: History | None,
    header: SessionHeader | None,
    draw: Draw | None,
) -> tuple[_Rows, int]:
    tree = TreeIndex() if history is None else history.index()
    name = None if history is None else history.name
    size = file.write(opening(name or _first_prompt(source, tree) or "Session"))
    rows = _Rows()
    for piece in _entry_blocks(source, tree, rows, draw):
        size += file.write(piece)
    damage = None if history is None else history.damage()
    rows.damaged = 0 if damage is None else damage.count
    leaf = None if history is None or history.leaf is None else tree.row(history.leaf)
    for piece in _index(tree, rows, header, name, leaf):
        size += file.write(piece)
    size += file.write(closing())
    return rows, size


def _entry_blocks(
    source: Source, tree: TreeIndex, rows: _Rows, draw: Draw | None
) -> Iterator[bytes]:
    """The entries as blocks; fills `rows` on the way."""
    held = 0
    for row in range(len(tree)):
        line = _line(source, tree, row, rows, draw)
        if held == 0:
            yield b'<script type="application/json" class="entries">'
            rows.firsts.append(row)
        yield line
        rows.sizes.append(len(line))
        held += len(line)
        if held >= CHUNK:
            yield b"</script>\n"
            held = 0
    if held:
        yield b"</script>\n"


def _line(source: Source, tree: TreeIndex, row: int, rows: _Rows, draw: Draw | None) -> bytes:
    """One view as a line of ASCII."""
    entry = decode(source.read(*tree.span(row)))
    shown: dict[str, Any] = {"type": tree.type(row), "damaged": True}
    kind = OTHER
    if entry is not None:
        shown = view(entry)
        if draw is not None:
            draw(entry, shown)
        kind = kind_of(shown)
        _note(entry, kind, row, tree, rows)
        if (spent := spent_by(entry)) is not None:
            rows.spent.append(row)
            rows.spent.extend(spent)
    rows.kinds += kind.encode()
    return _ascii(shown) + b"\n"


def _note(entry: dict[str, Any], kind: str, row: int, tree: TreeIndex, rows: _Rows) -> None:
    """What an entry says of another one."""
    target = entry.get("targetId")
    at = tree.row(target) if isinstance(target, str) else None
    if at is None:
        return
    if kind == "g":
        label = entry.get("label")
        rows.labels.pop(at, None)
        if isinstance(label, str) and label.strip():
            rows.labels[at] = label
    elif kind == "d":
        (rows.omitted.add if entry.get("replacement") is None else rows.omitted.discard)(at)


def _index(
    tree: TreeIndex,
    rows: _Rows,
    header: SessionHeader | None,
    name: str | None,
    leaf: int | None,
) -> Iterator[bytes]:
    """What is known of all rows, as one JSON object.

    parents: for each row how many rows its parent lies back; 0 for a root. spent: flat, six
    numbers a time.
    """
    yield b'<script type="application/json" id="index">{"session":'
    fields = cast("dict[str, Any]", header or {})
    about = {key: fields.get(key) for key in ("id", "timestamp", "cwd")}
    yield _ascii(
        {
            **{key: value for key, value in about.items() if isinstance(value, str)},
            **(
                {"parent": parent} if isinstance(parent := fields.get("parentSession"), str) else {}
            ),
            **({"name": name} if name else {}),
        }
    )
    yield b',"damaged":%d,"leaf":%s' % (rows.damaged, b"null" if leaf is None else b"%d" % leaf)
    yield b',"kinds":"%b"' % bytes(rows.kinds)
    yield b',"firsts":' + _ascii(rows.firsts)
    yield b',"labels":' + _ascii([[row, label] for row, label in sorted(rows.labels.items())])
    yield b',"omitted":' + _ascii(sorted(rows.omitted))
    yield b',"sizes":['
    yield from _numbers(rows.sizes)
    yield b'],"parents":['
    yield from _numbers(_back(tree, row) for row in range(len(tree)))
    yield b'],"spent":['
    yield from _numbers(rows.spent)
    yield b"]}</script>\n"


def _back(tree: TreeIndex, row: int) -> int:
    parent = tree.parent(row)
    return 0 if parent is None else row - parent


def _numbers(values: Iterable[float]) -> Iterator[bytes]:
    """Comma-separated; whole numbers without a fraction."""
    batch: list[str] = []
    comma = ""
    for value in values:
        batch.append(str(int(value)) if value == int(value) else repr(value))
        if len(batch) == BATCH:
            yield (comma + ",".join(batch)).encode()
            batch.clear()
            comma = ","
    if batch:
        yield (comma + ",".join(batch)).encode()


def _ascii(value: Any) -> bytes:
    """JSON that is safe inside a script element, whatever strings are in it."""
    data = dumps(value)
    if not data.isascii():
        data = json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
    return data.replace(b"<", b"\\u003c") if b"<" in data else data


def _first_prompt(source: Source, tree: TreeIndex) -> str | None:
    for row in range(min(len(tree), TITLE_ROWS)):
        entry = decode(source.read(*tree.span(row))) if tree.type(row) == "message" else None
        if entry is None or kind_of(entry) != "u":
            continue
        content = entry["message"].get("content")
        for block in content if isinstance(content, list) else [{"text": content}]:
            text = block.get("text") if isinstance(block, dict) else None
            if isinstance(text, str) and (
                words := " ".join(text[: TITLE * 8].replace("`", "").split())
            ):
                return words if len(words) <= TITLE else f"{words[: TITLE - 1]}…"
    return None


def _same(path: Path, target: Path) -> bool:
    try:
        return os.path.samefile(path, target)
    except OSError:
        return False
