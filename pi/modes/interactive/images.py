"""Images on the terminal: kitty's and iTerm2's protocols, or a line that says what is there.

An image takes rows of its own. It is drawn from the last of them, which goes up to the first and
back: what clears the rows above has then been written already.
"""

import base64
import binascii
import io
import itertools
import struct
from typing import Literal

from pi.tools.images import SNIFF_BYTES, sniff

__all__ = ["Protocol", "image_protocol", "image_rows", "image_size", "placeholder"]

Protocol = Literal["kitty", "iterm2"]

_CHUNK = 4096  # of base64, the most kitty takes at once
_MOST_ROWS = 30
_numbers = itertools.count(1)


def image_protocol(
    variables: dict[str, str], setting: Literal["kitty", "iterm2", "auto"] | Literal[False] = "auto"
) -> Protocol | None:
    """What the terminal takes. variables: the environment. setting: `terminal.images`."""
    if setting == "auto":
        forced = variables.get("PI_IMAGE_PROTOCOL", "auto")
        if forced in ("kitty", "iterm2"):
            return "kitty" if forced == "kitty" else "iterm2"
        if (
            forced == "none"
            or "TMUX" in variables
            or variables.get("TERM", "").startswith("screen")
        ):
            return None
        program, term = variables.get("TERM_PROGRAM", ""), variables.get("TERM", "")
        if "KITTY_WINDOW_ID" in variables or "kitty" in term or "ghostty" in (program + term):
            return "kitty"
        if program == "WezTerm" or "KONSOLE_VERSION" in variables:
            return "kitty"
        return "iterm2" if program == "iTerm.app" else None
    return setting or None


def image_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels, by the image's first bytes; None for what is no image."""
    match sniff(data[:SNIFF_BYTES]):
        case "image/png" | "image/apng" if len(data) >= 24:
            return struct.unpack(">II", data[16:24])
        case "image/gif" if len(data) >= 10:
            return struct.unpack("<HH", data[6:10])
        case "image/jpeg":
            return _jpeg_size(data)
        case "image/webp":
            return _webp_size(data)
        case "image/bmp" if len(data) >= 26:
            wide, high = struct.unpack("<ii", data[18:26])
            return abs(wide), abs(high)
    return None


def placeholder(data: str, mime_type: str) -> str:
    """What stands for an image that is not shown. data: base64."""
    size = image_size(_decoded(data[:200_000]))
    pixels = f" {size[0]}×{size[1]}" if size else ""
    return f"[{mime_type.removeprefix('image/')} image{pixels}]"


def image_rows(
    data: str,
    protocol: Protocol,
    columns: int,
    cell: tuple[int, int] = (9, 18),
) -> list[str] | None:
    """Rows that show an image, at most so many columns wide; None where it cannot be shown.

    data: base64. cell: the size of a cell in pixels.
    """
    raw = _decoded(data)
    size = image_size(raw)
    if size is None or min(size) < 1:
        return None
    wide = min(columns, max(1, -(-size[0] // cell[0])))
    high = max(1, round(wide * cell[0] * size[1] / size[0] / cell[1]))
    if high > _MOST_ROWS:
        high = _MOST_ROWS
        wide = min(columns, max(1, round(high * cell[1] * size[0] / size[1] / cell[0])))
    if protocol == "kitty":
        if sniff(raw[:SNIFF_BYTES]) != "image/png":
            converted = _as_png(raw)
            if converted is None:
                return None
            data = base64.b64encode(converted).decode()
        drawn = _kitty(data, wide, high)
    else:
        options = f"inline=1;width={wide};height={high};preserveAspectRatio=0"
        drawn = f"\x1b7\x1b]1337;File={options}:{data}\x07\x1b8"
    up, down = (f"\x1b[{high - 1}A", f"\x1b[{high - 1}B") if high > 1 else ("", "")
    return [""] * (high - 1) + [up + drawn + down]


def _kitty(data: str, wide: int, high: int) -> str:
    number = next(_numbers)
    chunks = [data[at : at + _CHUNK] for at in range(0, len(data), _CHUNK)]
    head = f"a=T,f=100,i={number},p=1,c={wide},r={high},C=1,q=2"
    parts = [
        f"\x1b_G{head + ',' if at == 0 else ''}m={int(at < len(chunks) - 1)};{chunk}\x1b\\"
        for at, chunk in enumerate(chunks)
    ]
    return "".join(parts)


def _decoded(data: str) -> bytes:
    try:
        return base64.b64decode(data[: len(data) // 4 * 4])
    except (binascii.Error, ValueError):
        return b""


def _as_png(raw: bytes) -> bytes | None:
    # Only kitty needs it, and only for what is no PNG.
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415

    out = io.BytesIO()
    try:
        with Image.open(io.BytesIO(raw)) as image:
            image.convert("RGBA").save(out, "PNG")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError):
        return None
    return out.getvalue()


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            return None
        kind = data[at + 1]
        if kind == 0xFF:
            at += 1
            continue
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            high, wide = struct.unpack(">HH", data[at + 5 : at + 9])
            return wide, high
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    if len(data) < 30:
        return None
    match data[12:16]:
        case b"VP8X":
            wide, high = data[24:27], data[27:30]
            return int.from_bytes(wide, "little") + 1, int.from_bytes(high, "little") + 1
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            wide, high = struct.unpack("<HH", data[26:30])
            return wide & 0x3FFF, high & 0x3FFF
    return None
