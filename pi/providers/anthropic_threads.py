"""Message threads: a request that holds what is new, and names the reply that it goes on from.

The server keeps the conversation, its prompt and its tools for a few minutes. What it holds is
known here by a digest: as soon as anything before the new messages is different (an edit, another
model, another tool), a new thread is begun with the whole. A server that knows no threads is sent
none for the rest of the session.
Source: the API's public reference, and docs/models-configuration.md (`supportsMessageThreads`).
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pi.errors import ProviderError
from pi.providers.anthropic_request import assistant_blocks, wants_threads
from pi.providers.assembly import Assembly
from pi.providers.base import StreamOptions
from pi.providers.streaming import Call
from pi.wire.jsonio import dumps

__all__ = ["Thread"]

Instead = Callable[[ProviderError], Call | None]

_MEMORY = "anthropic thread"
_UNSUPPORTED = "thread_unsupported_request"
_EXPIRED = frozenset(
    {
        "thread_not_found",
        "thread_already_continued",
        "thread_continue_in_flight",
        "thread_fingerprint_mismatch",
    }
)
"""Refusals that a new thread gets around."""

# What must stay as it was within a thread, as sent.
_SETTINGS = (
    "model",
    "system",
    "tools",
    "thinking",
    "output_config",
    "tool_choice",
    "fallbacks",
)


class _Kept(NamedTuple):
    """What the server has: how many messages, their digest, and the id of the reply at the end."""

    length: int
    digest: bytes
    reply: str


class Thread:
    """The thread of one session, as far as one request goes."""

    def __init__(self, assembly: Assembly, options: StreamOptions) -> None:
        self._assembly = assembly
        self._memory = options.http.memory
        self._key = (_MEMORY, options.session_id or "")
        self._on = options.continues and wants_threads(assembly.model, options)
        self._whole: Mapping[str, Any] | None = None
        self._anew = False
        self._url = ""
        self._headers: Mapping[str, str] = {}

    def call(self, call: Call, instead: Instead | None = None) -> Call:
        """The request as the thread makes it. instead: what else to do about a refusal."""
        self._whole = None
        if not self._on or self._memory.get(self._key) == "off":
            return call._replace(instead=instead)

        def refused(failure: ProviderError) -> Call | None:
            if self._retold(failure):
                return threaded
            return None if instead is None else instead(failure)

        self._url, self._headers = call.url, call.headers
        threaded = call._replace(form=self._form, instead=refused)
        return threaded

    def answered(self) -> None:
        """Remember where the next request may go on: after a whole reply of the model asked."""
        reply = self._assembly.message
        if self._whole is None or "responseId" not in reply or "responseModel" in reply:
            return
        said = {"role": "assistant", "content": assistant_blocks(reply, self._assembly.model)}
        messages = [*self._whole["messages"], said]
        digest = self._digest(self._whole, messages)
        self._memory[self._key] = _Kept(len(messages), digest, reply["responseId"])

    def _form(self, whole: Mapping[str, Any]) -> Mapping[str, Any]:
        kept: _Kept | Literal["off"] | None = self._memory.get(self._key)
        if kept == "off":
            self._whole = None
            return whole
        self._whole = whole
        messages = whole["messages"]
        if (
            kept is not None
            and not self._anew
            and len(messages) > kept.length
            and self._digest(whole, messages[: kept.length]) == kept.digest
        ):
            # A reply is gone on from once; a request beside this one must not try it too.
            del self._memory[self._key]
            rest = {key: value for key, value in whole.items() if key not in ("system", "tools")}
            thread = {"type": "continue", "previous_message_id": kept.reply}
            return {**rest, "messages": messages[kept.length :], "thread": thread}
        return {**whole, "thread": {"type": "create"}}

    def _digest(self, body: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]) -> bytes:
        """Of everything that a request to go on builds upon."""
        fixed = [self._url, self._headers.get("anthropic-beta"), *map(body.get, _SETTINGS)]
        digest = hashlib.sha256(dumps(fixed))
        for message in messages:
            digest.update(dumps(_plain(message)))
        return digest.digest()

    def _retold(self, failure: ProviderError) -> bool:
        """Whether the refusal was the thread's: the next form is another then."""
        found = re.search(r'"error_code"\s*:\s*"(\w+)"', str(failure))
        code = found[1] if found else None
        unknown = code is None and failure.status == 400 and "thread" in str(failure)
        if self._memory.get(self._key) == "off":
            return False
        if code in _EXPIRED and not self._anew:
            self._anew = True
        elif code == _UNSUPPORTED or unknown:
            self._memory[self._key] = "off"
        else:
            return False
        reason = code or str(failure.status)
        self._assembly.note("anthropic_thread_fallback", str(failure), reason=reason)
        return True


def _plain(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message without what does not change its meaning: cache markers, and text as blocks."""
    content = message["content"]
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    blocks = [{k: v for k, v in block.items() if k != "cache_control"} for block in content]
    return {**message, "content": blocks}
