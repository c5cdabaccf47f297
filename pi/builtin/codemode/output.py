"""What a script put out, as the result that the model reads."""

import base64
from collections.abc import Sequence
from typing import Any, NamedTuple

from pi.agent.tokens import CHARS_PER_TOKEN
from pi.extensions import ToolResult
from pi.tools.files import set_aside, whole_characters
from pi.tools.images import sniff
from pi.wire.messages import Usage

__all__ = ["Ended", "result_of", "tidied"]

TYPES = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}


class Ended(NamedTuple):
    """How a script ended. error: None for success. items: records of texts, images, log lines.

    usage: of the models it asked. images: that those generated.
    """

    error: str | None
    seconds: float
    items: Sequence[dict[str, Any]]
    calls: Sequence[dict[str, Any]]
    usage: Usage | None = None
    images: int = 0


def result_of(ended: Ended, tokens: int) -> ToolResult:
    """tokens: that the texts may have; of longer ones the middle is left out and kept in a file."""
    head = "Script completed" if ended.error is None else "Script failed"
    blocks: list[Any] = [_text(f"{head}\nWall time {ended.seconds:.1f} seconds\nOutput:\n")]
    parts = _parts(ended)
    details: dict[str, Any] = {"calls": list(ended.calls)}
    size = sum(len(part) for part in parts if isinstance(part, str))
    if size > tokens * CHARS_PER_TOKEN:
        text = whole_characters("\n".join(part for part in parts if isinstance(part, str)))
        path = set_aside(text.encode(), "pi-codemode", ".txt")
        details["fullOutputPath"] = path
        half = tokens * CHARS_PER_TOKEN // 2
        cut = f"{text[:half]}\n[{len(text) - 2 * half} characters left out]\n{text[-half:]}"
        note = f"[All of the output is in {path}; read it with offset and limit]"
        blocks.append(_text(f"{cut}\n\n{note}"))
        blocks += [part for part in parts if not isinstance(part, str)]
    else:
        lines: list[str] = []
        for part in parts:
            if isinstance(part, str):
                lines.append(part)
                continue
            if lines:
                blocks.append(_text("\n".join(lines)))
                lines = []
            blocks.append(part)
        if lines:
            blocks.append(_text("\n".join(lines)))
    failed = ended.error is not None
    return ToolResult(blocks, details=details, is_error=failed, usage=ended.usage)


def _parts(ended: Ended) -> list[Any]:
    """Texts, and blocks of images, in their order."""
    count = sum(item["kind"] == "text" for item in ended.items)
    parts: list[Any] = []
    number = 0
    logged = []
    for item in ended.items:
        if item["kind"] == "log":
            logged.append(tidied(item["value"]))
        elif item["kind"] == "text":
            number += 1
            if count > 1:
                parts.append(f"==> text {number}/{count} <==")
            parts.append(item["value"])
        else:
            parts += _image(item)
    if logged:
        parts.append("\n".join(("<console_output>", *logged, "</console_output>")))
    if ended.error is not None:
        parts.append(f"Script error:\n{tidied(ended.error)}\n\n{_done(ended.calls)}")
    if ended.images and not any(item["kind"] == "image" for item in ended.items):
        parts.append(
            f"[Images generated, but not put out: {ended.images}; "
            "give each block of result.output that is one to image()]"
        )
    return parts


def _image(item: dict[str, Any]) -> list[Any]:
    try:
        data = base64.b64decode(item["data"], validate=True)
    except ValueError:
        return ["[an image is left out: its data is no base64]"]
    kind = str(sniff(data)).replace("apng", "png")
    if kind not in TYPES:
        # A model's service would refuse it, and the conversation with it.
        return ["[an image is left out: its data is no PNG, JPEG, GIF or WebP]"]
    path = set_aside(data, "pi-codemode", f".{TYPES[kind]}")
    block = {"type": "image", "data": item["data"], "mimeType": kind}
    return [f"[Image saved to {path} ({kind}, {len(data)} bytes)]", block]


def _done(calls: Sequence[dict[str, Any]]) -> str:
    if not calls:
        return "It had called no tools."
    listed = ", ".join(f"{call['name']} ({call['status']})" for call in calls[:50])
    more = f" and {len(calls) - 50} more" if len(calls) > 50 else ""
    return f"Its calls of tools are done and stay so: {listed}{more}"


def tidied(error: str) -> str:
    """A trace without the frames around the script, its lines counted from the script's first."""
    lines: list[str] = []
    for line in error.split("\n"):
        head, found, place = line.rpartition("<input>:")
        number, colon, rest = place.partition(":")
        if found and number.isdigit() and line.startswith("    at "):
            if number == "1":
                continue
            lines.append(f"{head}codemode.js:{max(1, int(number) - 2)}{colon}{rest}")
        elif line != "    at AsyncFunction (native)":
            lines.append(line)
    return "\n".join(lines)


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": whole_characters(text)}
