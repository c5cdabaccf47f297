"""Images for a model: told by their first bytes, checked, and made to fit the model's limits.

The pixel work needs Pillow, which is imported when an image is read and not before.
"""

import base64
import io
from typing import TYPE_CHECKING, Literal, NamedTuple

from pi.errors import ToolError
from pi.tools.base import ImageLimits

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["SNIFF_BYTES", "Encoded", "encode", "sniff"]

SNIFF_BYTES = 4096
"""How much of a file `sniff` wants to see."""

_QUALITIES = (70, 55, 40)
_SMALLEST = 1
# Beyond this a picture is refused unread: decoding takes four bytes a pixel.
_MAX_PIXELS = 178_956_970

Format = Literal["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/apng"]


class Encoded(NamedTuple):
    """An image as it goes to the model. data: base64.

    conversion, scaling: what was done to its format and to its size, a line each; "" for nothing.
    """

    data: str
    mime_type: str
    conversion: str = ""
    scaling: str = ""


def sniff(start: bytes) -> Format | None:
    """The format of an image that begins with these bytes, None for anything else."""
    if start.startswith(b"\x89PNG\r\n\x1a\n") and start[12:16] == b"IHDR":
        animated = b"acTL" in start[: start.find(b"IDAT")]
        return "image/apng" if animated else "image/png"
    if start.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if start.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "image/webp"
    # "BM" alone begins many a text: the header's own size must be one that exists.
    if start.startswith(b"BM") and start[14:18] in _BITMAP_HEADERS:
        return "image/bmp"
    return None


_BITMAP_HEADERS = {size.to_bytes(4, "little") for size in (12, 16, 40, 52, 56, 64, 108, 124)}


def encode(data: bytes, kind: Format, limits: ImageLimits, *, resize: bool = True) -> Encoded:
    """`data` as the model takes it: as it is if it fits, else smaller and as PNG or JPEG.

    resize: False sends any size. Raises ToolError for a damaged image and for one that cannot
    be made to fit.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415  (a seam: images)

    convert = kind in ("image/bmp", "image/apng")
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > _MAX_PIXELS:
                raise ToolError(
                    f"The image is too large to open: {image.width}x{image.height} pixels"
                )
            image.load()
            fits = (
                image.width <= limits.max_width
                and image.height <= limits.max_height
                and _base64_size(len(data)) <= limits.max_bytes
            )
            if not convert and (fits or not resize):
                return Encoded(base64.b64encode(data).decode(), kind)
            # Rotated as a viewer shows it: the re-encoded image carries no orientation.
            upright = ImageOps.exif_transpose(image)
            return _converted(upright, kind, limits, convert=convert, resize=resize)
    except UnidentifiedImageError as error:
        raise ToolError(f"The image is damaged: it begins as {kind} but cannot be read") from error
    except (Image.DecompressionBombError, *_DAMAGE) as error:
        raise ToolError(f"The image is damaged: it begins as {kind}, but: {error}") from error


_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, MemoryError)
"""What Pillow's decoders raise on damaged files."""


def _converted(
    image: "Image", kind: Format, limits: ImageLimits, *, convert: bool, resize: bool
) -> Encoded:
    conversion = f"[Sent as image/png; the file is {kind}.]" if convert else ""
    if not resize:
        return Encoded(base64.b64encode(_png(image)).decode(), "image/png", conversion)
    width, height = _fit(image.width, image.height, limits)
    while True:
        scaled = image
        if (width, height) != image.size:
            scaled = _colours(image).resize((width, height), resample=1)  # Lanczos
        encoded = _smallest_that_fits(scaled, limits)
        if encoded is not None:
            break
        if width <= _SMALLEST and height <= _SMALLEST:
            raise ToolError(f"The image cannot be made smaller than {limits.max_bytes} bytes")
        width, height = max(1, width * 3 // 4), max(1, height * 3 // 4)
    scaling = ""
    if (width, height) != image.size or not convert:
        scaling = (
            f"[The image is {image.width}x{image.height} and is shown at {width}x{height}: "
            f"coordinates times {image.width / width:.2f} are those of the original.]"
        )
    data, mime_type = encoded
    return Encoded(base64.b64encode(data).decode(), mime_type, conversion, scaling)


def _fit(width: int, height: int, limits: ImageLimits) -> tuple[int, int]:
    """The largest size of the same shape within the limits."""
    if width > limits.max_width:
        width, height = limits.max_width, round(height * limits.max_width / width)
    if height > limits.max_height:
        width, height = round(width * limits.max_height / height), limits.max_height
    return max(1, width), max(1, height)


def _smallest_that_fits(image: "Image", limits: ImageLimits) -> tuple[bytes, str] | None:
    png = _png(image)
    jpeg = _jpeg(image, limits.jpeg_quality)
    for data, mime_type in sorted(
        ((png, "image/png"), (jpeg, "image/jpeg")), key=lambda item: len(item[0])
    ):
        if _base64_size(len(data)) <= limits.max_bytes:
            return data, mime_type
    for quality in _QUALITIES:
        if quality < limits.jpeg_quality:
            jpeg = _jpeg(image, quality)
            if _base64_size(len(jpeg)) <= limits.max_bytes:
                return jpeg, "image/jpeg"
    return None


def _png(image: "Image") -> bytes:
    out = io.BytesIO()
    _colours(image).save(out, "PNG")
    return out.getvalue()


def _jpeg(image: "Image", quality: int) -> bytes:
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=quality)
    return out.getvalue()


def _colours(image: "Image") -> "Image":
    """In a mode that scales well and that PNG knows."""
    if image.mode in ("RGB", "RGBA", "L"):
        return image
    transparent = "A" in image.mode or "transparency" in image.info
    return image.convert("RGBA" if transparent else "RGB")


def _base64_size(size: int) -> int:
    return (size + 2) // 3 * 4
