"""The pure twin of search.pyx: searches a tree for lines that match, with the same answers."""

from threading import Lock

from pi._speedups._scan import Line, Scan
from pi._speedups._walk import Walker
from pi._speedups.pattern.query import Query

__all__ = ["TreeSearch"]

_BATCH = 64


class TreeSearch:
    """One search of a tree. Threads share the work by calling `work`; then `results` is asked.

    most: matching lines asked for; the search ends early once they are found.
    """

    def __init__(
        self,
        query: Query,
        walker: Walker,
        *,
        most: int,
        before: int = 0,
        after: int = 0,
        keep: int = 1504,
    ) -> None:
        self._query = query
        self._walker = walker
        self._stopped = bytearray(1)
        # One more than asked, to know whether there is more.
        self._settings = (most + 1, before, after, keep, self._stopped)
        self._most = most
        self._after = after
        self._lock = Lock()
        self._found: list[tuple[bytes, list[Line]]] = []
        self._errors: list[tuple[bytes, int]] = []
        self._matched = 0
        self.files = 0

    def work(self) -> None:
        """Searches files until there are none left; a second caller finds nothing to do."""
        scan = Scan(self._query, *self._settings)
        with self._lock:
            while names := self._walker.next(_BATCH):
                for name, _ in names:
                    if self._stopped[0]:
                        return
                    self._search(scan, name)

    def _search(self, scan: Scan, name: bytes) -> None:
        scan.start()
        self.files += 1
        try:
            scan.read(self._walker.root + name, False)
        except OSError as error:
            self._errors.append((name, error.errno or 0))
        if scan.lines:
            self._found.append((name, scan.lines))
            self._matched += scan.matched
            if self._matched > self._most:
                self.stop()

    def stop(self) -> None:
        """Makes every `work` return soon; `results` then gives what was found so far."""
        self._stopped[0] = 1
        self._walker.stop()

    def results(self) -> tuple[list[tuple[bytes, list[Line]]], bool]:
        """(files, whether there are more matching lines than asked for), once all work is over.

        files: (path below the root, lines) in the order of the tree; lines: (number, matched,
        text, whether cut). The context after the last line asked for is complete.
        """
        out = []
        left = self._most
        for name, lines in self._found:
            count = sum(line[1] for line in lines)
            if count > left:
                lines = _trim(lines, left, self._after)
                if lines:
                    out.append((name, lines))
                return out, True
            left -= count
            out.append((name, lines))
        return out, False

    @property
    def errors(self) -> list[tuple[bytes, int]]:
        """(path below the root, errno) of what could not be read, files and folders."""
        return self._walker.errors + self._errors


def _trim(lines: list[Line], most: int, after: int) -> list[Line]:
    """The first `most` matching lines, with the context after the last of them."""
    out: list[Line] = []
    last = 0
    for line in lines if most else ():
        if most:
            out.append(line)
            if line[1]:
                most -= 1
                last = line[0]
        elif line[0] <= last + after:
            out.append((line[0], False, line[2], line[3]))
    return out
