"""Sessions of versions 1 and 2, rewritten as version 3.

Version 1 is a list: entries have no ids and a compaction names its first kept entry by number.
Version 2 has the tree, but calls the role `custom` `hookMessage`.

The rewriting is done beside the file and takes its place in one step. The old file stays as
NAME.jsonl.v1 or .v2, and lines that are no entries are carried over as they are.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pi.session.ids import new_entry_id
from pi.session.journal import Journal
from pi.session.reader import decode_json, is_blank, lines_forward, read_header
from pi.session.replacement import replacement
from pi.session.source import Source
from pi.wire.entries import SESSION_VERSION
from pi.wire.jsonio import dump_line

__all__ = ["migrate", "migrated_lines", "version_of"]


def version_of(header: Any) -> int:
    """1, 2 or 3. A later version is read as 3: its entries are kept whatever they hold."""
    version = header.get("version")
    if isinstance(version, str):
        try:
            version = float(version)
        except ValueError:
            return SESSION_VERSION
    if version is None or isinstance(version, bool):
        return 1
    if not isinstance(version, int | float) or version >= SESSION_VERSION:
        return SESSION_VERSION
    return 2 if version >= 2 else 1


def migrate(journal: Journal) -> Journal:
    """Rewrite an open session of an old version; returns the journal of the new file.

    The old one is closed. Raises SessionError, with the old file in place, when that fails.
    """
    path = journal.path
    header, _ = read_header(journal)
    version = version_of(header)
    failure = f"cannot rewrite session {path}, which has version {version}"
    with replacement(path, failure) as fresh:
        rewritten = Journal.create(fresh, b"".join(migrated_lines(journal)))
        try:
            _keep(path, version)
            if sys.platform == "win32":  # where no open file can be replaced
                rewritten.close()
                journal.close()
            os.replace(fresh, path)
        except BaseException:
            rewritten.close()
            raise
    journal.close()
    if sys.platform == "win32":
        return Journal.open(path)
    rewritten.path = path
    return rewritten


def migrated_lines(source: Source) -> Iterator[bytes]:
    """Every line of a session as version 3, newline included. Bytes that need no change stay."""
    version = version_of(read_header(source)[0])
    seen_header = False
    ids: list[str | None] = []  # by number of the JSON record in the file, the header's is None
    taken: set[str] = set()
    for _, line in lines_forward(source, 0, source.size):
        value = None if is_blank(line) else _exact(line)
        if value is None:
            yield line + b"\n"
        elif not isinstance(value, dict):
            ids.append(None)
            yield line + b"\n"
        elif not seen_header:
            seen_header = True
            ids.append(None)
            value["version"] = SESSION_VERSION
            yield _line(value)
        else:
            changed = False
            if version == 1 and value.get("type") != "session":
                _link(value, ids, taken)
                changed = True
            else:
                ids.append(None)
            message = value.get("message")
            if isinstance(message, dict) and message.get("role") == "hookMessage":
                message["role"] = "custom"
                changed = True
            yield _line(value) if changed else line + b"\n"


def _link(entry: dict[str, Any], ids: list[str | None], taken: set[str]) -> None:
    """Give an entry of version 1 its id and parent, and a compaction the id it keeps from."""
    parent = next((known for known in reversed(ids) if known is not None), None)
    entry_id = new_entry_id(taken)
    taken.add(entry_id)
    ids.append(entry_id)
    entry["id"] = entry_id
    entry["parentId"] = parent
    if entry.get("type") == "compaction" and "firstKeptEntryIndex" in entry:
        number = entry.pop("firstKeptEntryIndex")
        if isinstance(number, int) and 0 <= number < len(ids) and ids[number] is not None:
            entry["firstKeptEntryId"] = ids[number]


def _exact(line: bytes) -> Any:
    """As the standard library reads it, which keeps integers of any size."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return decode_json(line)


def _line(value: dict[str, Any]) -> bytes:
    return dump_line(value)


def _keep(path: Path, version: int) -> None:
    """Leave the old file under another name; an earlier copy is not overwritten."""
    number = 0
    while True:
        copy = path.with_name(f"{path.name}.v{version}" + (f".{number}" if number else ""))
        try:
            os.link(path, copy)
        except FileExistsError:
            number += 1
            continue
        except OSError:
            # No hard links here: copy, and let the caller report what fails.
            import shutil  # noqa: PLC0415  (rare)

            if copy.exists():
                number += 1
                continue
            shutil.copy2(path, copy)
        return
