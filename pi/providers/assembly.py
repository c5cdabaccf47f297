"""The reply under construction: blocks from deltas, usage and its cost, how it ended.

Each API's reader drives one Assembly and yields the events it returns. Text is collected in
pieces and joined once, at a block's end or in `flush`, so a reply costs its length and no more.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pi.errors import PiError, ProviderError
from pi.providers.arguments import parse_arguments, salvage_arguments
from pi.wire.events import (
    AssistantEvent,
    BlockEnd,
    BlockStart,
    Delta,
    StreamDone,
    StreamError,
    StreamStart,
    ToolCallEnd,
    ToolCallStart,
)
from pi.wire.messages import (
    AssistantMessage,
    Cost,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    Usage,
    empty_usage,
    now_ms,
)
from pi.wire.model import Model, Prices, PriceTier

__all__ = ["Assembly", "OpenBlock", "cost_of", "usage_of"]

MILLION = 1_000_000


class OpenBlock:
    """A block that is being streamed. `content` is already in the message, its text is not.

    tail: what its text lacks, should the server never end it.
    """

    __slots__ = ("content", "delta_type", "index", "pieces", "tail")

    def __init__(
        self, index: int, content: TextContent | ThinkingContent | ToolCall, delta_type: Any
    ) -> None:
        self.index = index
        self.content = content
        self.delta_type = delta_type
        self.pieces: list[str] = []
        self.tail = ""

    def delta(self, piece: str) -> Delta:
        self.pieces.append(piece)
        return {"type": self.delta_type, "contentIndex": self.index, "delta": piece}


class Assembly:
    """One reply. `message` is what the `start` event gave out: it changes until the end.

    prices: of the model that answers, where that is not the one asked.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.message: AssistantMessage = {
            "role": "assistant",
            "content": [],
            "api": model.api,
            "provider": model.provider,
            "model": model.id,
            "usage": empty_usage(),
            "stopReason": "pending",
            "timestamp": now_ms(),
        }
        self.prices = model.prices
        self._open: dict[int, OpenBlock] = {}

    def start(self) -> StreamStart:
        return {"type": "start", "partial": self.message}

    def open_text(self) -> tuple[OpenBlock, BlockStart]:
        block = self._add({"type": "text", "text": ""}, "text_delta")
        return block, {"type": "text_start", "contentIndex": block.index}

    def open_thinking(
        self, signature: str | None = None, text: str = "", *, redacted: bool = False
    ) -> tuple[OpenBlock, BlockStart]:
        """text: what stands for a redacted block; its payload is the signature."""
        content: ThinkingContent = {"type": "thinking", "thinking": text}
        if signature is not None:
            content["thinkingSignature"] = signature
        if redacted:
            content["redacted"] = True
        block = self._add(content, "thinking_delta")
        if text:
            block.pieces.append(text)
        return block, {"type": "thinking_start", "contentIndex": block.index}

    def open_call(self, call_id: str, name: str) -> tuple[OpenBlock, ToolCallStart]:
        block = self._add(
            {"type": "toolCall", "id": call_id, "name": name, "arguments": {}}, "toolcall_delta"
        )
        return block, {
            "type": "toolcall_start",
            "contentIndex": block.index,
            "id": call_id,
            "toolName": name,
        }

    def end(self, block: OpenBlock) -> BlockEnd | ToolCallEnd:
        """Close one block: its content is complete from here on."""
        self._open.pop(block.index, None)
        content = block.content
        text = "".join(block.pieces)
        if content["type"] == "toolCall":
            content["arguments"], problem = parse_arguments(text)
            if problem is not None:
                content["argumentsError"] = problem
            return {
                "type": "toolcall_end",
                "contentIndex": block.index,
                "toolCall": content,
            }
        kind: Literal["text_end", "thinking_end"]
        if content["type"] == "text":
            kind, content["text"] = "text_end", text
        else:
            kind, content["thinking"] = "thinking_end", text
        return {"type": kind, "contentIndex": block.index, "content": text}

    def end_all(self) -> Iterator[AssistantEvent]:
        """Close whatever is still open, in the order it was opened."""
        for block in list(self._open.values()):
            if block.tail:
                yield block.delta(block.tail)
            yield self.end(block)

    def flush(self) -> None:
        """Bring the message up to date without events: for a stream that goes no further.

        An unfinished call keeps the arguments that had arrived whole.
        """
        for block in self._open.values():
            content = block.content
            text = "".join(block.pieces)
            if content["type"] == "toolCall":
                content["arguments"] = salvage_arguments(text)
            elif content["type"] == "text":
                content["text"] = text
            else:
                content["thinking"] = text
        self._open.clear()

    def count(
        self,
        *,
        input: int,
        output: int,
        cache_read: int = 0,
        cache_write: int = 0,
        cache_write_1h: int | None = None,
        reasoning: int | None = None,
        total: int | None = None,
        rate: float = 1,
    ) -> None:
        """Tokens so far, as the provider counts them; the cost follows from the model's prices.

        total: where the provider says it; it may count what has no field.
        rate: what the prices are multiplied with, for a faster or slower service.
        """
        long = cache_write_1h or 0
        usage = usage_of(self.prices, input, output, cache_read, cache_write, long, rate=rate)
        if total:
            usage["totalTokens"] = total
        if cache_write_1h is not None:
            usage["cacheWrite1h"] = cache_write_1h
        if reasoning is not None:
            usage["reasoning"] = reasoning
        self.message["usage"] = usage

    def bill(self, usage: Mapping[str, Any]) -> None:
        """Take the cost that OpenRouter reports over the one counted. usage: as it sent it.

        With a key of the person's own at a provider, what that provider charges comes on top.
        """
        cost, own = _dollars(usage.get("cost")), usage.get("is_byok")
        if cost is None or own not in (True, False) or not _of_openrouter(self.model):
            return
        if own:
            details = usage.get("cost_details") or {}
            upstream = _dollars(details.get("upstream_inference_cost"))
            if upstream is None and details.get("upstream_inference_cost", 0) is None:
                parts = [
                    _dollars(details.get(f"upstream_inference_{part}_cost"))
                    for part in ("prompt", "completions")
                ]
                upstream = None if None in parts else sum(part or 0 for part in parts)
            if upstream is None:
                return
            cost += upstream
        self.message["usage"]["cost"] |= {"total": cost, "totalFromProvider": True}

    def note(self, kind: str, problem: str | None = None, **details: Any) -> None:
        """Keep with the reply that something went another way than usual. details: wire keys."""
        noted: dict[str, Any] = {"type": kind, "timestamp": now_ms()}
        if problem is not None:
            noted["error"] = {"message": problem}
        noted["details"] = details
        self.message.setdefault("diagnostics", []).append(noted)

    def done(self, reason: StopReason) -> StreamDone:
        self.flush()
        self.message["stopReason"] = reason
        return {"type": "done", "reason": reason, "message": self.message}

    def fail(self, failure: PiError) -> StreamError:
        """The end of a reply that failed; what had arrived stays in it."""
        self.flush()
        self.message["stopReason"] = "error"
        # What a provider says is kept as it said it; what is ours to say includes what to do.
        told = str(failure) if isinstance(failure, ProviderError) else failure.told
        self.message["errorMessage"] = told
        return {"type": "error", "reason": "error", "error": self.message, "failure": failure}

    def _add(self, content: TextContent | ThinkingContent | ToolCall, delta: str) -> OpenBlock:
        block = OpenBlock(len(self.message["content"]), content, delta)
        self.message["content"].append(content)
        self._open[block.index] = block
        return block


def _of_openrouter(model: Model) -> bool:
    return model.provider == "openrouter" or "openrouter.ai" in model.base_url


def _dollars(value: Any) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return value if known and 0 <= value < math.inf else None


def usage_of(
    prices: Prices,
    input: int,
    output: int,
    cache_read: int = 0,
    cache_write: int = 0,
    cache_write_1h: int = 0,
    *,
    rate: float = 1,
) -> Usage:
    """Tokens, what they add up to, and what they cost; as for `cost_of`."""
    counted = (input, output, cache_read, cache_write)
    return {
        "input": input,
        "output": output,
        "cacheRead": cache_read,
        "cacheWrite": cache_write,
        "totalTokens": sum(counted),
        "cost": cost_of(prices, *counted, cache_write_1h, rate=rate),
    }


def cost_of(
    prices: Prices,
    input: int,
    output: int,
    cache_read: int = 0,
    cache_write: int = 0,
    cache_write_1h: int = 0,
    *,
    rate: float = 1,
) -> Cost:
    """US dollars. One-hour cache writes (part of `cache_write`) cost twice the input price."""
    price: Prices | PriceTier = prices
    total_input = input + cache_read + cache_write
    for tier in sorted(prices.tiers, key=lambda tier: tier.input_tokens_above):
        if total_input > tier.input_tokens_above:
            price = tier
    long = min(cache_write_1h, cache_write)
    short = cache_write - long
    parts = [
        price.input / MILLION * input * rate,
        price.output / MILLION * output * rate,
        price.cache_read / MILLION * cache_read * rate,
        (price.cache_write * short + price.input * 2 * long) / MILLION * rate,
    ]
    # Whole numbers are written without a fraction, as JavaScript writes them.
    priced = [int(part) if part == int(part) else part for part in (*parts, sum(parts))]
    return {
        "input": priced[0],
        "output": priced[1],
        "cacheRead": priced[2],
        "cacheWrite": priced[3],
        "total": priced[4],
        "totalFromProvider": False,
    }
