"""Images from OpenRouter: a chat completion that answers with them."""

import re
from typing import Any

from pi.providers.assembly import usage_of
from pi.providers.base import StreamOptions
from pi.providers.completions_request import content_part
from pi.providers.operations import Drawn, ToDraw, odd, post
from pi.wire import jsonio
from pi.wire.messages import ImageContent, TextContent, Usage
from pi.wire.model import Model

__all__ = ["run"]

_DATA = r"data:([^;]+);base64,(.+)"


async def run(model: Model, asked: ToDraw, options: StreamOptions) -> Drawn:
    """Raises ProviderError."""
    body = {
        "model": model.id,
        "messages": [{"role": "user", "content": [content_part(block) for block in asked.input]}],
        "stream": False,
        "modalities": ["image", "text"] if "text" in model.output else ["image"],
    }
    answer = await post(model, "chat/completions", body, options)
    choices = answer.get("choices")
    if not isinstance(choices, list):
        odd("no choices", jsonio.dumps(answer))
    first = choices[0] if choices else {}
    message = first.get("message") if isinstance(first, dict) else None
    response_id = answer.get("id")
    return Drawn(
        model,
        _output(message if isinstance(message, dict) else {}),
        _usage(model, answer.get("usage")),
        response_id if isinstance(response_id, str) else None,
    )


def _output(message: dict[str, Any]) -> list[TextContent | ImageContent]:
    """Images that are only linked to are left out."""
    output: list[TextContent | ImageContent] = []
    text = message.get("content")
    if isinstance(text, str) and text:
        output.append({"type": "text", "text": text})
    for image in message.get("images") or ():
        link = image.get("image_url") if isinstance(image, dict) else None
        link = link.get("url") if isinstance(link, dict) else link
        found = re.fullmatch(_DATA, link, re.DOTALL) if isinstance(link, str) else None
        if found is not None:
            output.append({"type": "image", "data": found[2], "mimeType": found[1]})
    return output


def _usage(model: Model, told: Any) -> Usage | None:
    if not isinstance(told, dict):
        return None
    details = told.get("prompt_tokens_details") or {}
    prompt, received = told.get("prompt_tokens") or 0, told.get("completion_tokens") or 0
    written, cached = details.get("cache_write_tokens") or 0, details.get("cached_tokens") or 0
    read = max(0, cached - written) if written else cached
    return usage_of(model.prices, max(0, prompt - read - written), received, read, written)
