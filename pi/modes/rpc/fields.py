"""What a command carries, checked: a client is told what is wrong with it."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pi.errors import PiError
from pi.wire.messages import ImageContent

__all__ = ["flag", "images", "one_of", "optional_text", "text"]

Choice = TypeVar("Choice", bound=str)


def text(command: Mapping[str, Any], name: str) -> str:
    value = command.get(name)
    if not isinstance(value, str):
        raise PiError(f"{command['type']} needs {name}, a string")
    return value


def optional_text(command: Mapping[str, Any], name: str) -> str | None:
    """None where it is absent or null."""
    return None if command.get(name) is None else text(command, name)


def flag(command: Mapping[str, Any], name: str) -> bool:
    value = command.get(name)
    if not isinstance(value, bool):
        raise PiError(f"{command['type']} needs {name}, true or false")
    return value


def one_of(command: Mapping[str, Any], name: str, choices: tuple[Choice, ...]) -> Choice:
    value = command.get(name)
    for choice in choices:
        if value == choice:
            return choice
    raise PiError(f"{command['type']} needs {name}, one of: {', '.join(choices)}")


def images(command: Mapping[str, Any]) -> list[ImageContent]:
    """The images of a message; none where there are none."""
    given = command.get("images")
    if given is None:
        return []
    if not isinstance(given, list):
        raise PiError("images must be a list")
    return [_image(image, number) for number, image in enumerate(given)]


def _image(value: Any, number: int) -> ImageContent:
    fields = value if isinstance(value, dict) else {}
    data, mime_type = fields.get("data"), fields.get("mimeType")
    if not isinstance(data, str) or not isinstance(mime_type, str):
        raise PiError(f"images[{number}] needs data (base64) and mimeType, both strings")
    return {"type": "image", "data": data, "mimeType": mime_type}
