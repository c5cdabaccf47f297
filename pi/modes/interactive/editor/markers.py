"""What stands for more than it shows: a long paste, an attached image.

In the editor's text a marker is a single character of a private plane, so that moving, deleting
and undoing treat it as one; it is drawn as its label, and replaced by what it stands for when the
text leaves the editor.
"""

import re
from pathlib import Path
from typing import NamedTuple

__all__ = ["MARKER", "Marker", "Markers"]

_FIRST, _LAST = 0x100000, 0x10FFFD  # plane 16: no font or program gives these a meaning
MARKER = re.compile(f"[{chr(_FIRST)}-{chr(_LAST)}]")


class Marker(NamedTuple):
    """label: what is shown. text: what it stands for. image: a file that goes with the message."""

    label: str
    text: str
    image: Path | None = None


class Markers:
    """All that were made; they stay for undo and for what was cut."""

    def __init__(self) -> None:
        self._made: list[Marker] = []

    def paste(self, text: str, around: str) -> str:
        """The character for a long paste; `around` is the text it goes into."""
        lines = text.count("\n") + 1
        size = f"+{lines} lines" if lines > 1 else f"{len(text)} chars"
        return self._add(Marker(f"[paste #{self._number(around, False)} {size}]", text))

    def image(self, path: Path, around: str) -> str:
        """The character for an image."""
        label = f"[image #{self._number(around, True)} {path.name}]"
        return self._add(Marker(label, str(path), path))

    def of(self, character: str) -> Marker | None:
        index = ord(character) - _FIRST
        return self._made[index] if 0 <= index < len(self._made) else None

    def label(self, character: str) -> str:
        marker = self.of(character)
        return "" if marker is None else marker.label

    def expand(self, text: str) -> str:
        """The text with every marker replaced by what it stands for."""
        return MARKER.sub(lambda found: self._text(found[0]), text)

    def images(self, text: str) -> tuple[Path, ...]:
        """Of the markers in the text, in order, each once."""
        found = (self.of(character) for character in MARKER.findall(text))
        return tuple(dict.fromkeys(m.image for m in found if m is not None and m.image is not None))

    def _text(self, character: str) -> str:
        marker = self.of(character)
        return "" if marker is None else marker.text

    def _number(self, around: str, image: bool) -> int:
        """One more than the highest of its kind that is to be seen."""
        kind = "[image #" if image else "[paste #"
        numbers = [
            int(label[len(kind) :].split(" ")[0])
            for label in map(self.label, MARKER.findall(around))
            if label.startswith(kind)
        ]
        return max(numbers, default=0) + 1

    def _add(self, marker: Marker) -> str:
        self._made.append(marker)
        return chr(_FIRST + len(self._made) - 1)
