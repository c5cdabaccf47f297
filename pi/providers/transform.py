"""A stored conversation made fit to be sent again, perhaps to another model than wrote it.

Sessions hold what happened: failed replies, calls whose results were lost, images, another
provider's signatures and ids. No API takes all of it. What is left after `replayable` keeps its
order and its shapes; turning it into a wire format is the API's module.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from pi.wire.jsonio import dumps
from pi.wire.messages import (
    AgentMessage,
    AssistantContent,
    AssistantMessage,
    ImageContent,
    SystemMessage,
    TextContent,
    ToolCall,
    ToolResultMessage,
    UserContent,
    UserMessage,
)
from pi.wire.model import Model

__all__ = [
    "Replayed",
    "apart_from_failures",
    "data_url",
    "encode_body",
    "is_base64",
    "replayable",
    "safe_id",
    "short_hash",
    "transcript",
    "without_images",
]

NO_RESULT = "The result of this call was not recorded."
NO_IMAGES = "(an image was left out: this model takes text only)"
NO_TOOL_IMAGES = "(an image in this result was left out: this model takes text only)"

IMAGES_FOLLOW = "(the image is after the results)"
IMAGES_OFF = "(an image was left out: the setting images.blockImages is on)"

Replayed = UserMessage | AssistantMessage | ToolResultMessage


def replayable(
    messages: Sequence[AgentMessage], model: Model, safe_id: Callable[[str], str]
) -> list[Replayed]:
    """User, assistant and toolResult messages that `model` can be shown.

    Failed, aborted and empty replies are gone. In another model's replies thinking and signatures
    are gone, and call ids are what `safe_id` makes of them, still unlike each other. Calls without
    a result have one that says so; results without a call stay.
    """
    return [
        message
        for message in transcript(messages, model, safe_id)
        if message["role"] != "system"  # folded elsewhere
    ]


def transcript(
    messages: Sequence[AgentMessage], model: Model, safe_id: Callable[[str], str]
) -> list[Replayed | SystemMessage]:
    """`replayable`, with the system messages: for APIs that take them inside a conversation.

    One that stands between a call and its result comes after the result.
    """
    kept: list[Replayed | SystemMessage] = []
    ids: dict[str, str] = {}
    waiting: dict[str, ToolCall] = {}
    held: list[SystemMessage] = []
    for message in messages:
        if message["role"] == "toolResult":
            result = _result(message, model, ids)
            waiting.pop(result["toolCallId"], None)
            kept.append(result)
            continue
        if message["role"] == "system":
            held.append(message)
            continue
        kept += _unanswered(waiting)
        kept += held
        held.clear()
        if message["role"] == "user":
            if user := _user(message, model):
                kept.append(user)
        elif message["role"] == "assistant":
            reply = _reply(message, model, ids, safe_id)
            if reply is not None:
                kept.append(reply)
                waiting = {b["id"]: b for b in reply["content"] if b["type"] == "toolCall"}
    kept += _unanswered(waiting)
    kept += held
    return kept


def without_images(messages: Sequence[AgentMessage]) -> list[AgentMessage]:
    """The same conversation with a note for each run of images, for `images.blockImages`."""
    kept: list[AgentMessage] = []
    for message in messages:
        content = message.get("content")
        if message["role"] in ("user", "toolResult") and isinstance(content, list):
            message = cast("AgentMessage", {**message, "content": _noted(content, IMAGES_OFF)})
        kept.append(message)
    return kept


def apart_from_failures(
    message: ToolResultMessage,
) -> tuple[Sequence[UserContent], TextContent, Sequence[ImageContent]]:
    """A result's content, and for a failed one its images apart, with a line that says whose.

    For models that take no image in a failed result.
    """
    content = message["content"]
    images: list[ImageContent] = [block for block in content if block["type"] == "image"]
    whose = f"{message['toolName']}, call {message['toolCallId']}"
    caption: TextContent = {"type": "text", "text": f"Images of the failed result of {whose}:"}
    if not message["isError"] or not images:
        return content, caption, ()
    return _noted(content, IMAGES_FOLLOW), caption, images


def safe_id(call_id: str) -> str:
    """A call id as most APIs take it: 64 of the characters that all of them know."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", call_id)[:64] or "_"


def is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def short_hash(text: str) -> str:
    """Eight characters that stand for a longer id."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def data_url(image: ImageContent) -> str:
    return f"data:{image['mimeType']};base64,{image['data']}"


def encode_body(body: Mapping[str, Any]) -> bytes:
    """A request's JSON. Lone surrogates are dropped: no server takes them."""
    data = dumps(body)
    # dumps writes plain UTF-8 unless something in the body cannot be: then it escapes.
    return dumps(_without_surrogates(body)) if b"\\ud" in data else data


def _unanswered(waiting: dict[str, ToolCall]) -> Iterable[ToolResultMessage]:
    results: list[ToolResultMessage] = [
        {
            "role": "toolResult",
            "toolCallId": call["id"],
            "toolName": call["name"],
            "content": [{"type": "text", "text": NO_RESULT}],
            "isError": True,
            "timestamp": 0,
        }
        for call in waiting.values()
    ]
    waiting.clear()
    return results


def _user(message: UserMessage, model: Model) -> UserMessage | None:
    content = message["content"]
    if isinstance(content, str):
        return message
    blocks = [
        block
        for block in _visible(content, model, NO_IMAGES)
        if block["type"] != "text" or block["text"]
    ]
    return {**message, "content": blocks} if blocks else None


def _result(message: ToolResultMessage, model: Model, ids: Mapping[str, str]) -> ToolResultMessage:
    call_id = message["toolCallId"]
    return {
        **message,
        "toolCallId": ids.get(call_id, call_id),
        "content": _visible(message["content"], model, NO_TOOL_IMAGES),
    }


def _visible(content: Sequence[UserContent], model: Model, note: str) -> list[UserContent]:
    return list(content) if model.takes_images else _noted(content, note)


def _noted(content: Sequence[UserContent], note: str) -> list[UserContent]:
    """The blocks, with one note for each run of images."""
    blocks: list[UserContent] = []
    for block in content:
        if block["type"] != "image":
            blocks.append(block)
        elif not (blocks and blocks[-1]["type"] == "text" and blocks[-1]["text"] == note):
            blocks.append({"type": "text", "text": note})
    return blocks


def _reply(
    message: AssistantMessage, model: Model, ids: dict[str, str], safe_id: Callable[[str], str]
) -> AssistantMessage | None:
    if message["stopReason"] in ("error", "aborted"):
        return None
    own = (message["provider"], message["api"], message["model"]) == (
        model.provider,
        model.api,
        model.id,
    )
    blocks = [
        kept
        for block in message["content"]
        if (kept := _block(block, own=own, ids=ids, safe_id=safe_id)) is not None
    ]
    return {**message, "content": blocks} if blocks else None


def _block(
    block: AssistantContent, *, own: bool, ids: dict[str, str], safe_id: Callable[[str], str]
) -> AssistantContent | None:
    if block["type"] == "text":
        if not block["text"].strip():
            return None
        return block if own else {"type": "text", "text": block["text"]}
    if block["type"] == "thinking":
        # A signature may carry what the text does not show.
        said = block["thinking"].strip() or block.get("thinkingSignature")
        return block if own and said else None
    call: ToolCall = {**block}
    if "argumentsError" in call:
        call["arguments"] = {}
    if not own:
        call.pop("thoughtSignature", None)
        call["id"] = _new_id(call["id"], ids, safe_id)
    return call


def _new_id(call_id: str, ids: dict[str, str], safe_id: Callable[[str], str]) -> str:
    known = ids.get(call_id)
    if known is None:
        known = safe_id(call_id)
        if known in ids.values():
            known = safe_id(f"{short_hash(call_id)}_{call_id}")
        ids[call_id] = known
    return known


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        # By way of UTF-16, so that the halves of a pair that were stored apart come together.
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    if isinstance(value, Mapping):
        return {_without_surrogates(key): _without_surrogates(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(item) for item in value]
    return value
