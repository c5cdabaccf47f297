"""What servers return, as a model is shown it: text and images; other things are named or saved.

Programs get the server's result whole. A model gets both ends of a long text, and the name of the
file that holds all of it.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from pi.errors import ToolError
from pi.tools.base import ImageLimits, ToolContext, ToolResult, image_block, text_block
from pi.tools.files import set_aside
from pi.tools.images import SNIFF_BYTES, encode, sniff
from pi.wire import jsonio
from pi.wire.messages import UserContent

__all__ = ["READ_RESOURCE", "app_resource", "resource_blocks", "shortened", "to_result"]

READ_RESOURCE = "read_mcp_resource"

MAX_TEXT = 20 * 1024
"""Characters of a result's text that a model gets: as many of both ends, and a note between."""


def to_result(
    server: str, tool: str, result: Mapping[str, Any], context: ToolContext, *, readable: bool
) -> ToolResult:
    """A CallToolResult as the result of a tool. readable: whether resources of it can be read."""
    content = result.get("content")
    content = content if isinstance(content, list) else []
    blocks = [each for each in content if isinstance(each, dict)]
    shown: list[UserContent] = []
    for block in blocks:
        shown += _block(server, block, context, readable=readable)
    data = {key: result[key] for key in _KEPT if key in result}
    data.setdefault("content", [])
    if not shown and "structuredContent" in data:
        shown.append(text_block(jsonio.dumps(data["structuredContent"]).decode()))
    details: dict[str, Any] = {"server": server, "tool": tool}
    shown, saved = shortened(shown)
    if saved is not None:
        details["fullOutputPath"] = saved
    failed = result.get("isError") is True
    return ToolResult(shown, details, is_error=failed, structured=data)


_KEPT = ("content", "structuredContent", "isError")


def shortened(content: Sequence[UserContent]) -> tuple[list[UserContent], str | None]:
    """The content with at most MAX_TEXT of text, and the file that has all of it."""
    texts = [block["text"] for block in content if block["type"] == "text"]
    if sum(map(len, texts)) <= MAX_TEXT:
        return list(content), None
    whole = "\n".join(texts)
    half = MAX_TEXT // 2
    tokens, lines = -(-len(whole) // 4), whole.count("\n") + (not whole.endswith("\n"))
    parts = [
        f"This result is shortened: it has {lines} lines, about {tokens} tokens.",
        f"{whole[:half]}…{len(whole) - 2 * half} chars truncated…{whole[-half:]}",
    ]
    path: str | None
    try:
        path = set_aside(whole.encode("utf-8", "replace"), "pi-mcp", ".txt")
        parts.append(f"[All of it: {path} (read it with offset and limit)]")
    except OSError as error:
        path = None
        parts.append(f"[All of it could not be saved: {error.strerror or error}]")
    kept: list[UserContent] = [text_block("\n\n".join(parts))]
    kept += [block for block in content if block["type"] != "text"]
    return kept, path


def resource_blocks(
    server: str, contents: Sequence[Any], context: ToolContext
) -> list[UserContent]:
    """What was read of a resource. Several parts are told apart by their URIs."""
    parts = [each for each in contents if isinstance(each, dict)]
    shown: list[UserContent] = []
    for part in parts:
        if len(parts) > 1:
            shown.append(text_block(f"{part.get('uri', '')}:"))
        shown += _resource(part, context)
    return shown


def app_resource(resource: Mapping[str, Any]) -> bool:
    """Whether it is a user interface for programs that show such."""
    kind = str(resource.get("mimeType", "")).replace(" ", "").lower()
    uri = str(resource.get("uri", resource.get("uriTemplate", "")))
    return uri.startswith("ui://") or "profile=mcp-app" in kind


def _block(
    server: str, block: Mapping[str, Any], context: ToolContext, *, readable: bool
) -> list[UserContent]:
    kind = block.get("type")
    if kind == "text" and isinstance(block.get("text"), str):
        return [text_block(block["text"])]
    if kind == "image" and isinstance(block.get("data"), str):
        return [_image(block["data"], str(block.get("mimeType", "")), context.images)]
    if kind == "audio":
        return [text_block(f"[audio {block.get('mimeType', '')} omitted]")]
    if kind == "resource_link":
        return [text_block(_link(server, block, readable=readable))]
    if kind == "resource" and isinstance(block.get("resource"), dict):
        return _resource(block["resource"], context)
    return [text_block(f"[unsupported MCP content {kind}]")]


def _link(server: str, link: Mapping[str, Any], *, readable: bool) -> str:
    text = f"Resource {link.get('uri', '')}"
    if link.get("name"):
        text += f' "{link["name"]}"'
    if link.get("mimeType"):
        text += f" ({link['mimeType']})"
    if link.get("description"):
        text += f": {link['description']}"
    if readable:
        text += f'. Read it with {READ_RESOURCE} (server "{server}")'
    return f"[{text}]"


def _resource(resource: Mapping[str, Any], context: ToolContext) -> list[UserContent]:
    if isinstance(resource.get("text"), str):
        return [text_block(resource["text"])]
    blob = resource.get("blob")
    uri, kind = str(resource.get("uri", "")), str(resource.get("mimeType", ""))
    if not isinstance(blob, str):
        return [text_block(f"[Resource {uri} has no content]")]
    if kind.startswith("image/"):
        return [_image(blob, kind, context.images)]
    try:
        data = base64.b64decode(blob)
        path = set_aside(data, "pi-mcp", _suffix(uri))
    except (binascii.Error, ValueError):
        return [text_block(f"[Binary resource {uri} is not base64]")]
    except OSError as error:
        return [text_block(f"[Binary resource {uri} could not be saved: {error.strerror}]")]
    about = f"{kind or 'unknown type'}, {len(data)}B"
    return [text_block(f"[Binary resource {uri} ({about}) saved to {path}]")]


def _image(data: str, kind: str, limits: ImageLimits | None) -> UserContent:
    """As a model takes it: one that is damaged or too large would spoil the conversation."""
    try:
        raw = base64.b64decode(data, validate=True)
        found = sniff(raw[:SNIFF_BYTES])
        if found is None:
            raise ToolError("it is of no known format")
        encoded = encode(raw, found, limits or ImageLimits())
    except (binascii.Error, ValueError):
        return text_block(f"[image {kind} omitted: it is not base64]")
    except ToolError as error:
        return text_block(f"[image {kind} omitted: {error}]")
    return image_block(encoded.data, encoded.mime_type)


def _suffix(uri: str) -> str:
    """The suffix of the URI's path, if it is a harmless one."""
    suffix = PurePosixPath(unquote(urlsplit(uri).path)).suffix
    return suffix if suffix[1:].isalnum() and len(suffix) <= 10 else ".bin"
