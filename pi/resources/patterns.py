"""Patterns for the names of files: `*`, `?`, `[]`, `{}`, `**` and groups such as `+(a|b)`.

wcmatch knows what they mean, and has Python's `re` match them, which tries one way after the other.
Anybody may have written them, in a package: one that could be tried in too many ways is refused.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["TooMuchError", "compile_pattern", "find_names", "leads_out"]

_LONGEST = 4096
"""Characters: no path is longer."""
_EXPANSIONS = 1000
"""Patterns that one with braces may stand for."""
_GLOBSTARS = 4
"""`**` in a pattern."""
_STARS = 5
"""`*` and groups between two slashes."""
_NEGATIONS = 5
"""Groups `!()` in a pattern: in what is written for one, all that follows stands twice."""
_MAGIC = r"[*?\[(\\]"


class TooMuchError(ValueError):
    """The pattern is too long, stands for too many names, or could match in too many ways."""


def compile_pattern(pattern: str) -> Any:
    """What has `match(name)`, for whole names. Raises TooMuchError."""
    from wcmatch import glob  # noqa: PLC0415  (few lists hold patterns)

    try:
        return glob.compile(_checked(pattern), flags=_flags(), limit=0)
    except RecursionError:
        raise TooMuchError(pattern) from None


def find_names(pattern: str, root: Path) -> Sequence[str]:
    """Of the files and folders in `root` that are meant, relative to it. Raises TooMuchError."""
    from wcmatch import glob  # noqa: PLC0415  (as above)

    try:
        return glob.glob(_checked(pattern), flags=_flags(), root_dir=root, limit=0)
    except RecursionError:
        raise TooMuchError(pattern) from None


def leads_out(pattern: str, root: Path, within: Path) -> bool:
    """Whether it looks outside of a folder: at all of a disk, for one. Raises TooMuchError."""
    top = f"{os.path.normpath(within)}{os.sep}"
    for plain in _checked(pattern):
        parts = plain.split("/")
        start = next((i for i, part in enumerate(parts) if re.search(_MAGIC, part)), len(parts))
        place = os.path.normpath(os.path.join(root, "/".join((*parts[:start], ""))))
        if not f"{place}{os.sep}".startswith(top):
            return True
        if any(part.replace("\\", "") == ".." for part in parts[start:]):
            return True
    return False


def _flags() -> int:
    from wcmatch import glob  # noqa: PLC0415  (as above)

    return glob.GLOBSTAR | glob.EXTGLOB | glob.CASE


def _checked(pattern: str) -> Sequence[str]:
    """The patterns without braces that it stands for."""
    import bracex  # noqa: PLC0415  (what wcmatch uses; as above)

    if len(pattern) > _LONGEST:
        raise TooMuchError(pattern)
    try:
        plain = list(bracex.iexpand(pattern, keep_escapes=True, limit=_EXPANSIONS)) or [pattern]
    except (bracex.ExpansionLimitException, RecursionError):
        raise TooMuchError(pattern) from None
    if sum(map(len, plain)) > 16 * _LONGEST or any(map(_has_many_ways, plain)):
        raise TooMuchError(pattern)
    return plain


def _has_many_ways(pattern: str) -> bool:
    segments = pattern.split("/")
    stars = max(len(re.findall(r"\*+|[?+@!]\(", segment)) for segment in segments)
    return (
        segments.count("**") > _GLOBSTARS
        or stars > _STARS
        or pattern.count("!(") > _NEGATIONS
        or any(_is_ambiguous(group) for group in re.split(r"[+*]\(", pattern)[1:])
    )


def _is_ambiguous(group: str) -> bool:
    """Whether what a repeated group takes can be divided in two ways. group: what follows its `(`.

    It cannot where no alternative begins another; that is told of plain ones only.
    """
    inner, end, _ = group.partition(")")
    words = sorted(inner.split("|"))
    plain = re.search(r"[\\*?\[({]", inner) is None and all(words)
    return not (end and plain and not any(map(str.startswith, words[1:], words)))
