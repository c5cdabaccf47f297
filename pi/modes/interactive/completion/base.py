"""What completes: providers look at the text and the caret, and offer items to put there.

The editor asks its providers in order; the first whose turn it is answers alone.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, NamedTuple, Protocol

__all__ = ["Answer", "Found", "Item", "Provider"]


class Item(NamedTuple):
    """text: what is put in. label: what the list shows, with `about` beside it.

    then: once it is put in, Enter sends the text ("submit", for a command), Tab completes on
    ("more", for a folder). last: what Enter puts in for one of the latter.
    """

    text: str
    label: str
    about: str = ""
    then: Literal["", "submit", "more"] = ""
    last: str = ""


class Found(NamedTuple):
    """start, end: the part of the text that the chosen item replaces. items: at least one.

    put: another way to put an item in, `(text, caret, item)` → text and caret; None gives it up.
    """

    start: int
    end: int
    items: Sequence[Item]
    put: Callable[[str, int, Item], tuple[str, int] | None] | None = None


Answer = Found | None | Awaitable[Found | None]


class Provider(Protocol):
    """Completes one kind of thing.

    triggers: characters one of which must be in the line before the caret for the editor to ask
    while one types. It also asks when Tab is pressed, and on and on while the list is open.
    """

    triggers: str

    def complete(self, text: str, caret: int, *, asked: bool) -> Answer:
        """What could stand at the caret; None where it is not this provider's turn.

        asked: Tab was pressed. An awaitable where it takes time: what it finds is thrown away if
        the text is another by then, and it is cancelled.
        """
        ...
