"""How long messages are, in UTF-16 units: what guesses at tokens are made from.

The formats that pi shares count in these units. Session files are written by many programs: a part
of the wrong shape has no length.
"""

from typing import Any

from pi.wire.jsonio import dumps

__all__ = ["IMAGE_UNITS", "content_units", "json_units", "text_units"]

IMAGE_UNITS = 4800
"""What one image counts for."""


def text_units(text: Any) -> int:
    if not isinstance(text, str):
        return 0
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def json_units(value: Any) -> int:
    """The length of a value written as JSON."""
    return text_units(dumps(value).decode("utf-8", "surrogatepass"))


def content_units(content: Any) -> int:
    """The length of a message's content: a text, or blocks of any kind."""
    if isinstance(content, str):
        return text_units(content)
    if not isinstance(content, list):
        return 0
    return sum(_block(block) for block in content if isinstance(block, dict))


def _block(block: dict[str, Any]) -> int:
    match block.get("type"):
        case "text":
            return text_units(block.get("text"))
        case "thinking":
            return text_units(block.get("thinking"))
        case "toolCall":
            return text_units(block.get("name")) + json_units(block.get("arguments"))
        case "image":
            return IMAGE_UNITS
    return 0
