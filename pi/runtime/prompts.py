"""What the person or a program says, before it becomes a message."""

from typing import NamedTuple

from pi.wire.messages import ImageContent, UserContent

__all__ = ["Prompt"]


class Prompt(NamedTuple):
    """One user message to be."""

    text: str
    images: tuple[ImageContent, ...] = ()

    @property
    def content(self) -> list[UserContent]:
        """As the message stores it."""
        return [{"type": "text", "text": self.text}, *self.images]
