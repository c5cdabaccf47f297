"""What the person or a program says, before it becomes a message."""

from dataclasses import dataclass

from pi.wire.messages import ImageContent, UserContent

__all__ = ["Prompt"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One user message to be."""

    text: str
    images: tuple[ImageContent, ...] = ()

    @property
    def content(self) -> list[UserContent]:
        """As the message stores it."""
        return [{"type": "text", "text": self.text}, *self.images]
