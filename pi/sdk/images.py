"""Images for a prompt."""

import base64
from pathlib import Path

from pi.errors import PiError
from pi.tools.images import SNIFF_BYTES, sniff
from pi.wire.messages import ImageContent

__all__ = ["image"]


def image(source: str | Path | bytes) -> ImageContent:
    """An image from a file, or from its bytes. The prompt makes it fit the model.

    Raises PiError for what is no PNG, JPEG, GIF, WebP or BMP, OSError for what cannot be read.
    """
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    kind = sniff(data[:SNIFF_BYTES])
    if kind is None:
        what = "the data" if isinstance(source, bytes) else str(source)
        raise PiError(f"{what} is no image that a model takes")
    return {"type": "image", "data": base64.b64encode(data).decode(), "mimeType": kind}
