"""Image files that go with a prompt, made ready for the model that is to see them."""

from collections.abc import Callable
from typing import NamedTuple

from pi.config.settings_types import Settings
from pi.errors import ToolError
from pi.runtime.services import image_limits
from pi.tools.base import image_block
from pi.wire.messages import ImageContent
from pi.wire.model import Model

__all__ = ["AttachedImage", "LoadImage", "image_loader"]


class AttachedImage(NamedTuple):
    """An image file made ready for a model.

    image: None when it could not be used. conversion: a note for the file's tag, such as that the
    format was changed. note: a line for the end of the prompt: a change of size, or why the image
    was left out.
    """

    image: ImageContent | None
    conversion: str = ""
    note: str = ""


LoadImage = Callable[[bytes], AttachedImage | None]
"""Called with each file's bytes; None when they are not an image, whatever the file's name."""


def image_loader(settings: Settings, model: Model | None) -> LoadImage:
    """How the bytes of a file become an image block, if they are an image."""

    def load_image(data: bytes) -> AttachedImage | None:
        # Most runs have no image.
        from pi.tools.images import SNIFF_BYTES, encode, sniff  # noqa: PLC0415

        kind = sniff(data[:SNIFF_BYTES])
        if kind is None:
            return None
        limits = image_limits(model)
        try:
            encoded = encode(data, kind, limits, resize=settings.images.auto_resize)
        except ToolError as error:
            return AttachedImage(None, note=f"[An image is left out. {error}.]")
        block = image_block(encoded.data, encoded.mime_type)
        return AttachedImage(block, encoded.conversion, encoded.scaling)

    return load_image
