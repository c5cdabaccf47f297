"""A session's lines copied out as they are, damaged ones included."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from pi.errors import SessionError
from pi.session.reader import read_header
from pi.session.replacement import replacement
from pi.session.source import FileSource, Source

__all__ = ["copy_lines", "write_copy", "write_lines"]

BLOCK = 1 << 20


def copy_lines(path: Path) -> Iterator[bytes]:
    """The bytes of a session, as many as there are now, ending in a newline.

    Raises SessionError for what is no session, before the first block.
    """
    source = FileSource(path)
    try:
        yield from _lines_of(source)
    finally:
        source.close()


def write_copy(path: Path, target: Path, *, replace: bool = False) -> int:
    """Copy a session into a file, whole or not at all; the bytes written.

    Raises SessionError; an existing target is one unless it may be replaced.
    """
    if target.is_dir():
        raise SessionError(f"cannot write {target}: it is a folder")
    if target.exists():
        if not replace:
            raise SessionError(f"{target} exists already", hint="Replace it with --force.")
        if target.samefile(path):
            raise SessionError(f"{target} is the session itself")
    return _write(copy_lines(path), target)


def write_lines(source: Source, target: Path) -> int:
    """The same for a session that has no file; what is at the target is replaced."""
    if target.is_dir():
        raise SessionError(f"cannot write {target}: it is a folder")
    return _write(_lines_of(source), target)


def _lines_of(source: Source) -> Iterator[bytes]:
    read_header(source)
    last = b""
    at = 0
    while at < source.size and (block := source.read(at, min(source.size, at + BLOCK))):
        at += len(block)
        last = block
        yield block
    if not last.endswith(b"\n"):
        yield b"\n"


def _write(blocks: Iterable[bytes], target: Path) -> int:
    size = 0
    with replacement(target, f"cannot write {target}") as half:
        # What was said to a model is nobody else's to read.
        with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            for block in blocks:
                size += out.write(block)
        os.replace(half, target)
    return size
