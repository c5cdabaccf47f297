"""Images that come with a prompt, made to fit the model before they are said and stored."""

import base64
import binascii
from collections.abc import Sequence

from pi.errors import ToolError
from pi.runtime.prompts import Prompt
from pi.tools.base import ImageLimits, image_block
from pi.tools.images import SNIFF_BYTES, Encoded, encode, sniff
from pi.wire.messages import ImageContent

__all__ = ["fit_images"]


def fit_images(
    text: str, images: Sequence[ImageContent], limits: ImageLimits, resize: bool
) -> Prompt:
    """The prompt with its images as the model takes them.

    Notes on what was scaled, and on what had to be left out, follow the text. resize: False sends
    images as they are.
    """
    if not resize:
        return Prompt(text, tuple(images))
    fitted: list[ImageContent] = []
    notes: list[str] = []
    for image in images:
        try:
            encoded = _encoded(image, limits)
        except ToolError as error:
            notes.append(f"[An image is left out. {error}.]")
            continue
        fitted.append(image_block(encoded.data, encoded.mime_type))
        notes += (note for note in (encoded.conversion, encoded.scaling) if note)
    return Prompt("\n\n".join((text, "\n".join(notes))) if notes else text, tuple(fitted))


def _encoded(image: ImageContent, limits: ImageLimits) -> Encoded:
    try:
        data = base64.b64decode(image["data"], validate=True)
    except (binascii.Error, ValueError):
        raise ToolError("Its data is not base64") from None
    kind = sniff(data[:SNIFF_BYTES])
    if kind is None:
        raise ToolError("Its data is no image of a known format")
    return encode(data, kind, limits)
