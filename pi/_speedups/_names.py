"""The pure twin of names.pyx: paths ranked for what a person types of them."""

import heapq

__all__ = ["Names"]

_GOOD = 5  # the last kind of match that is one of letters side by side, or of initials
_NAME_LOOSE, _PATH_LOOSE = 6, 7
_FEW = 8
_WIDEST = 0xFFF
_DEPTH_COST = 3
_LEADS = b"._-"


class Names:
    """text: paths in lower case, one a line, folders with a slash behind."""

    def __init__(self, text: bytes) -> None:
        self._lines = text.split(b"\n") if text else []

    def __len__(self) -> int:
        return len(self._lines)

    def best(self, query: bytes, most: int) -> list[int]:
        """Numbers of the lines that fit, the best first. query: in lower case.

        A query without a slash is looked for in names: as the whole of one or of what is before its
        dot, at its beginning, at the beginning of a word, anywhere; then in whole paths; then as
        initials; at last as scattered letters, if there is little else. One with a slash is looked
        for in paths: from their beginning, from a folder's, anywhere; then as letters of folders
        and the beginning of a name. Among equals a short name near the top wins; what is hidden
        comes last. The empty query lists what is near the top, and one that ends in a slash what is
        in that folder.
        """
        if most < 1:
            raise ValueError("at least one must be asked for")
        listing = not query or query.endswith(b"/")
        keys = []
        good = loose = 0
        for number, line in enumerate(self._lines):
            fit = _fit(line, query)
            if fit is None:
                continue
            kind, spread = fit
            good += kind <= _GOOD
            loose += kind == _NAME_LOOSE
            cost = _listing_cost(line) if listing else _cost(line)
            keys.append((kind, spread, cost, number))
        last = _GOOD if good >= _FEW else _NAME_LOOSE if good or loose else _PATH_LOOSE
        return [key[3] for key in heapq.nsmallest(most, keys) if key[0] <= last]


def _fit(line: bytes, query: bytes) -> tuple[int, int] | None:
    """The kind of match, the lower the better, and how far scattered letters are spread."""
    if not query:
        return 0, 0
    path = line.removesuffix(b"/")
    name_at = path.rfind(b"/") + 1
    name = path[name_at:]
    bare = name.lstrip(_LEADS)
    if b"/" in query:
        folder, _, start = query.rpartition(b"/")
        if line.startswith(query):
            return None if line == query and not start else (0, 0)
        if b"/" + query in line:
            return 1, 0
        if query in line:
            return 2, 0
        if start and bare.startswith(start) and _spread(folder, path[:name_at]):
            return 3, 0
    else:
        begin = name if query[0] in _LEADS else bare
        if begin.startswith(query):
            rest = begin[len(query) :]
            return (0 if not rest or rest[0] == 0x2E else 1), 0
        at = name.find(query)
        if at >= 0:
            while at > 0 and _is_letter(name[at - 1]):
                at = name.find(query, at + 1)
            return (2 if at >= 0 else 3), 0
        if query in path:
            return 4, 0
        if _initials(name).startswith(query):
            return 5, 0
        if spread := _spread(query, name):
            return _NAME_LOOSE, spread
    spread = _spread(query, line)
    return (_PATH_LOOSE, spread) if spread else None


def _spread(letters: bytes, text: bytes) -> int:
    """Bytes from the first to the last of the letters in their order; 0 if they are not there."""
    at = -1
    for letter in letters:
        at = text.find(letter, at + 1)
        if at < 0:
            return 0
    end = start = at + 1
    for letter in reversed(letters):
        start = text.rfind(letter, 0, start)
    return min(end - start, _WIDEST)


def _initials(name: bytes) -> bytes:
    return bytes(
        byte
        for at, byte in enumerate(name)
        if _is_letter(byte) and not (at and _is_letter(name[at - 1]))
    )


def _is_letter(byte: int) -> bool:
    """A letter, a digit, or a part of one that is not ASCII."""
    return byte >= 0x80 or 0x30 <= byte <= 0x39 or 0x61 <= byte <= 0x7A or 0x41 <= byte <= 0x5A


def _cost(line: bytes) -> int:
    path = line.removesuffix(b"/")
    length = len(path) - path.rfind(b"/") - 1
    return min(length + _DEPTH_COST * path.count(b"/"), 0x7FFF) + 0x8000 * _hidden(path)


def _listing_cost(line: bytes) -> int:
    """As a folder is listed: what is near, then what is not hidden, then folders."""
    path = line.removesuffix(b"/")
    return min(path.count(b"/"), 0x7F) * 4 + 2 * _hidden(path) + (path == line)


def _hidden(path: bytes) -> bool:
    return path.startswith(b".") or b"/." in path
