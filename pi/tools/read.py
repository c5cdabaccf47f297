"""read: a file's text, or the image it is."""

import asyncio
import math
import stat
from collections.abc import Iterator
from typing import Any, BinaryIO

from pi.errors import ToolError
from pi.tools.arguments import number_text
from pi.tools.base import (
    STRICT_SAMPLING,
    ImageLimits,
    ToolContext,
    ToolResult,
    image_block,
    text_block,
    text_result,
)
from pi.tools.images import SNIFF_BYTES, Format, encode, sniff
from pi.tools.paths import existing, os_error
from pi.tools.truncate import MAX_BYTES, MAX_LINES, Truncation, head, size_text

__all__ = ["TOOL", "ReadTool"]

_BLOCK = 1 << 20
_NO_IMAGES = "[This model takes no images: it will not see this one.]"


class ReadTool:
    name = "read"
    description = (
        "Read a file. Text comes as it is, images (jpg, png, gif, webp, bmp) as attachments. "
        f"At most {MAX_LINES} lines or {MAX_BYTES // 1024} KB of text at a time, whichever is "
        "less; go on with offset where it stopped."
    )
    output_schema: dict[str, Any] = {  # noqa: RUF012  (read only)
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "required": ["type", "data", "mimeType", "note"],
                "properties": {
                    "type": {"const": "image"},
                    "data": {"type": "string", "description": "base64"},
                    "mimeType": {"type": "string"},
                    "note": {"type": "string"},
                },
            },
        ]
    }
    parameters: dict[str, Any] = {  # noqa: RUF012  (read only)
        "type": "object",
        "required": ["path"],
        "properties": {
            "path": {
                "type": "string",
                "description": "The file, relative to the working folder or absolute",
            },
            "offset": {"type": "number", "description": "The first line to read; 1 is the first"},
            "limit": {"type": "number", "description": "How many lines to read at most"},
        },
    }
    sampling = STRICT_SAMPLING
    snippet = "Read a file"
    rules = ("Look into files with read, not with cat or sed.",)

    async def run(self, args: dict[str, Any], context: ToolContext) -> ToolResult:
        return await asyncio.to_thread(_read, args, context)


def _read(args: dict[str, Any], context: ToolContext) -> ToolResult:
    shown = args["path"]
    path = existing(shown, context.cwd)
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode) and str(path) != "/dev/null":
            raise ToolError(f"Cannot read {shown}: it is a device, pipe or socket, not a file")
        with path.open("rb") as file:
            kind = sniff(file.read(SNIFF_BYTES))
            file.seek(0)
            if kind is not None:
                return _image(shown, file.read(), kind, context)
            return _text(shown, file, args.get("offset") or 1, args.get("limit"))
    except OSError as error:
        raise os_error("read", shown, error) from error


def _image(shown: str, data: bytes, kind: Format, context: ToolContext) -> ToolResult:
    try:
        image = encode(data, kind, context.images or ImageLimits(), resize=context.resize_images)
    except ToolError as error:
        # The file was read, there is just nothing to see: other tools may still make use of it.
        note = f"Image file [{kind}]\n[Not shown. {error}.]"
        return text_result(note, structured=note)
    unseen = _NO_IMAGES if context.images is None else ""
    notes = (f"Image file [{image.mime_type}]", image.conversion, image.scaling, unseen)
    note = "\n".join(filter(None, notes))
    block = image_block(image.data, image.mime_type)
    return ToolResult([text_block(note), block], structured={**block, "note": note})


def _text(shown: str, file: BinaryIO, offset: float, limit: float | None) -> ToolResult:
    """A final newline starts one more, empty, line here: it can be asked for."""
    total, size = 1, 0
    for block in _blocks(file):
        total += block.count(b"\n")
        size += len(block)
    start = max(0, offset - 1)
    if start >= total:
        raise ToolError(
            f"{shown} ends before line {number_text(offset)}: it has {total} "
            f"line{'s' if total > 1 else ''}"
        )
    asked = None if limit is None else min(start + limit, total)
    end = total if asked is None else _slice_end(asked, total)
    begin = _line_start(file, int(start))
    stop = size if end >= total else max(begin, _line_start(file, end) - 1)
    kept = _head(file, begin, stop, max(0, end - int(start)))
    first = math.floor(start) + 1
    details = {"truncation": kept.details()} if kept.truncated else None
    text = kept.content
    if kept.first_line_too_long:
        import shlex  # noqa: PLC0415  (rare)

        longest = size_text(
            (_line_start(file, int(start) + 1) - 1 if total > first else size) - begin
        )
        text = (
            f"[Line {first} is {longest}, over the limit of {size_text(MAX_BYTES)}. In bash: "
            f"sed -n '{first}p' {shlex.quote(shown)} | head -c {MAX_BYTES}]"
        )
    elif kept.truncated:
        last = first + kept.output_lines - 1
        limited = f" ({size_text(MAX_BYTES)} limit)" if kept.by == "bytes" else ""
        text += f"\n\n[Lines {first}-{last} of {total}{limited}. Go on with offset={last + 1}.]"
    elif asked is not None and asked < total:
        text += (
            f"\n\n[{number_text(total - asked)} more lines in the file. "
            f"Go on with offset={number_text(asked + 1)}.]"
        )
    return text_result(text, details=details, structured=text)


def _slice_end(end: float, total: int) -> int:
    """Below zero counts from the end, as models that know slices expect."""
    return max(0, total + math.ceil(end)) if end < 0 else int(end)


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while block := file.read(_BLOCK):
        yield block


def _head(file: BinaryIO, begin: int, stop: int, lines: int) -> Truncation:
    """The beginning of the bytes [begin, stop), which are `lines` lines without the last newline.

    No more is read than can be shown, however large the file is.
    """
    file.seek(begin)
    data = file.read(min(stop - begin, 2 * MAX_BYTES))
    text = data.decode("utf-8", "replace")
    if len(data) == stop - begin:
        return head(text)
    file.seek(stop - 1)
    if file.read(1) == b"\n":
        lines -= 1
    return head(text, total_lines=lines, total_bytes=stop - begin)


def _line_start(file: BinaryIO, number: int) -> int:
    """The byte where a line begins, 0 being the first line; the end if there are fewer lines."""
    passed = 0
    for block in _blocks(file) if number else ():
        here = block.count(b"\n")
        if here < number:
            number -= here
            passed += len(block)
            continue
        at = 0
        for _ in range(number):
            at = block.index(b"\n", at) + 1
        return passed + at
    return passed


TOOL = ReadTool()
