"""Earlier prompts, one after the other, and the draft that waits behind the newest."""

from collections.abc import Iterable

__all__ = ["History"]

MOST = 100


class History:
    """entries: the oldest first."""

    def __init__(self, entries: Iterable[str] = ()) -> None:
        self._entries: list[str] = []
        self._at: int | None = None
        self._draft = ("", 0)
        for entry in entries:
            self.add(entry)

    @property
    def browsing(self) -> bool:
        return self._at is not None

    def add(self, text: str) -> None:
        """A prompt that was sent; the same one again counts once."""
        self._at = None
        if text.strip() and self._entries[-1:] != [text]:
            self._entries.append(text)
            del self._entries[:-MOST]

    def leave(self) -> None:
        """What is in the editor is a draft again."""
        self._at = None

    def previous(self, text: str, caret: int) -> str | None:
        """The prompt before, None at the oldest. text, caret: what is in the editor now."""
        at = len(self._entries) if self._at is None else self._at
        if at == 0:
            return None
        if self._at is None:
            self._draft = (text, caret)
        self._at = at - 1
        return self._entries[self._at]

    def next(self) -> tuple[str, int] | None:
        """The prompt after it and where the caret goes, at last the draft; None behind that."""
        if self._at is None:
            return None
        self._at += 1
        if self._at == len(self._entries):
            self._at = None
            return self._draft
        return self._entries[self._at], len(self._entries[self._at])
