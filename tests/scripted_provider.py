"""A model server that follows a script, on a loopback port, in a thread of the test's process.

    with ScriptedProvider([{"blocks": [{"text": "hello"}]}]) as server:
        ...  # base URL: server.base_url("anthropic-messages"); what came in: server.requests

The request's path chooses the wire format: `…/messages` Anthropic Messages, `…/chat/completions`
OpenAI Chat Completions, `…/responses` OpenAI Responses (over a WebSocket too: see
scripted_websocket.py), `…:streamGenerateContent` Google's, `…/converse-stream` Bedrock's (see
scripted_bedrock.py). One turn of the script answers one request; the last one is repeated.

A turn is a dict (or a function of the Request that returns one):
    {"blocks": [...], "stop": "stop" | "toolUse" | "length", "usage": {"input": 10, "output": 5}}
        blocks: {"text": …} | {"thinking": …, "signature": …} | {"redacted": data}
                  ("field": where Chat Completions has it; "content" for Mistral's form)
                | {"tool": name, "id": …, "args": {…}}, or "args_text": the arguments' text as given
        usage keys: input, output, cacheRead, cacheWrite, cacheWrite1h, reasoning; None sends none
        raw_stop: the wire's own stop reason instead of `stop`; None sends none
        id, model: as the stream reports them; piece: characters a delta
        done: False leaves out what ends the stream (message_stop, [DONE], response.completed)
    {"events": [{…}, …]}      the data of each event as given, nothing added
    {"raw": [b"…", …]}        the chunks of the body as given
    {"status": 529, "body": {…} | "text", "headers": {…}}
Any stream may also have
    cut: N        the socket is reset after N events
    delay: S      seconds before each event
    hang: "headers" | N   no answer at all, or silence after N events, until the client leaves
    ping: S       while hanging, a keep-alive each S seconds
    pings: True   a keep-alive before each event
    chunk: N      the body is sent in chunks of N bytes, wherever they fall
    headers: {…}  more response headers
"""

import asyncio
import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from tests.scripted_bedrock import bedrock_events, frame
from tests.scripted_websocket import serve_websocket

__all__ = ["Request", "ScriptedProvider", "Turn"]

Turn = dict[str, Any]
Event = tuple[str | None, Any]

_STOPS = {
    "messages": {"stop": "end_turn", "toolUse": "tool_use", "length": "max_tokens"},
    "completions": {"stop": "stop", "toolUse": "tool_calls", "length": "length"},
    "responses": {"stop": "completed", "toolUse": "completed", "length": "incomplete"},
    "google": {"stop": "STOP", "toolUse": "STOP", "length": "MAX_TOKENS"},
}
_BASES = {
    "anthropic-messages": "",
    "google-generative-ai": "/v1beta",
    "mistral-conversations": "",
    "azure-openai-responses": "/openai/v1",
    "openai-codex-responses": "",
    "bedrock-converse-stream": "",
    "google-vertex": "",
}


@dataclass
class Request:
    """What a client sent. headers: names in lower case. body: parsed JSON, or the bytes."""

    method: str
    target: str
    headers: dict[str, str]
    body: Any

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass
class ScriptedProvider:
    """A context manager; `requests` may be read at any time, it grows as they come."""

    turns: list[Turn | Callable[[Request], Turn]]
    tls: ssl.SSLContext | None = None
    tunnel_tls: ssl.SSLContext | None = None
    """What it speaks inside the tunnels of CONNECT, as the destination."""
    requests: list[Request] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    """Indexes of the requests whose client left before the answer was complete."""
    tunnels: list[str] = field(default_factory=list)
    """The HOST:PORT of each CONNECT: used as an HTTP proxy, it answers for every host itself."""
    websockets: bool = True
    handshakes: list[dict[str, str]] = field(default_factory=list)
    """The headers of each, refused or not."""
    closed: int = 0
    """How many WebSockets are gone."""
    port: int = 0

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(ready)), name="scripted-provider", daemon=True
        )
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError("the scripted provider did not start")
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    @property
    def url(self) -> str:
        scheme = "https" if self.tls else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    def base_url(self, api: str) -> str:
        """What a model's `baseUrl` must be for this API."""
        return self.url + _BASES.get(api, "/v1")

    @property
    def bodies(self) -> list[Any]:
        return [request.body for request in self.requests]

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._served = 0
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(
            self._accept, "127.0.0.1", self.port, ssl=self.tls, limit=1 << 26
        )
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while (request := await _read_request(reader)) is not None:
                if request.method == "CONNECT":  # a proxy whose every destination is this server
                    self.tunnels.append(request.target)
                    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    if self.tunnel_tls is not None:
                        await writer.start_tls(self.tunnel_tls)
                    continue
                if request.headers.get("upgrade", "").lower() == "websocket":
                    await self._upgrade(request, reader, writer)
                    return
                await self._answer(request, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _upgrade(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.handshakes.append(request.headers)
        if not self.websockets:
            _send_whole(writer, {"status": 426, "body": "no WebSockets here"})
            await writer.drain()
            return

        def play(message: Any) -> tuple[Turn, Iterator[Any]]:
            asked = Request("WEBSOCKET", request.target, request.headers, message)
            turn = self._turn(asked)
            if "events" in turn:
                return turn, iter(turn["events"])
            return turn, (data for _, data in _responses(turn, asked))

        try:
            await serve_websocket(request.target, request.headers, reader, writer, play)
        finally:
            self.closed += 1

    def _turn(self, request: Request) -> Turn:
        self.requests.append(request)
        turn = self.turns[min(self._served, len(self.turns) - 1)]
        self._served += 1
        return turn(request) if callable(turn) else turn

    async def _answer(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        number = len(self.requests)
        turn = self._turn(request)
        if "status" in turn:
            _send_whole(writer, turn)
            await writer.drain()
            return
        gone = asyncio.ensure_future(reader.read(1))  # b"" or a reset: the client left
        try:
            await self._stream(turn, request, writer, gone)
        except ConnectionError:
            self.dropped.append(number)
            raise
        finally:
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)  # takes a reset too, if it came

    async def _stream(
        self,
        turn: Turn,
        request: Request,
        writer: asyncio.StreamWriter,
        gone: "asyncio.Future[bytes]",
    ) -> None:
        hang = turn.get("hang")
        if hang == "headers":
            await self._until_gone(gone, None, writer)
        binary = request.path.endswith("/converse-stream")
        kind = "application/vnd.amazon.eventstream" if binary else "text/event-stream"
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in turn.get("headers", {}).items())
        writer.write(head.encode() + b"\r\n")
        parts: list[bytes] = list(_body(turn, request))
        if "cut" in turn or hang is not None:
            parts = parts[: turn.get("cut", hang)]
        if size := turn.get("chunk"):
            whole = b"".join(parts)
            parts = [whole[at : at + size] for at in range(0, len(whole), size)]
        for part in parts:
            if delay := turn.get("delay"):
                await asyncio.wait([gone], timeout=delay)
            if gone.done():
                raise ConnectionResetError
            writer.write(b"%x\r\n%b\r\n" % (len(part), part))
            await writer.drain()
        if hang is not None:
            sign = frame(b"{}", event_type="ping") if binary else b": ping\n\n"
            await self._until_gone(gone, turn.get("ping"), writer, sign)
        if "cut" in turn:
            await asyncio.sleep(0.02)  # what was written goes out before the reset
            writer.transport.abort()
            raise ConnectionAbortedError
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _until_gone(
        self,
        gone: "asyncio.Future[bytes]",
        ping: float | None,
        writer: asyncio.StreamWriter,
        sign: bytes = b"",
    ) -> None:
        while not gone.done():
            await asyncio.wait([gone], timeout=ping)
            if ping and not gone.done():
                writer.write(b"%x\r\n%b\r\n" % (len(sign), sign))
                await writer.drain()
        raise ConnectionResetError


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        raw = b""
        while size := int(await reader.readline(), 16):
            raw += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    else:
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
    try:
        body = json.loads(raw)
    except ValueError:
        body = raw
    return Request(method, target, headers, body)


def _send_whole(writer: asyncio.StreamWriter, turn: Turn) -> None:
    body = turn.get("body", {"error": {"message": f"scripted status {turn['status']}"}})
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    headers = {"content-type": "application/json", **turn.get("headers", {})}
    head = f"HTTP/1.1 {turn['status']} Scripted\r\ncontent-length: {len(raw)}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(head.encode() + b"\r\n" + raw)


def _body(turn: Turn, request: Request) -> Iterator[bytes]:
    """The chunks of a streamed answer, one an event."""
    if "raw" in turn:
        yield from turn["raw"]
        return
    if request.path.endswith("/converse-stream"):
        yield from bedrock_events(turn)
        return
    messages = request.path.endswith("/messages")
    responses = request.path.endswith("/responses")
    events: Iterator[Event]
    if "events" in turn:
        named = messages or responses
        events = ((_name(data) if named else None, data) for data in turn["events"])
    elif messages:
        events = _anthropic(turn, request)
    elif responses:
        events = _responses(turn, request)
    elif request.path.endswith(":streamGenerateContent"):
        events = _google(turn)
    else:
        events = _completions(turn, request)
    ping = b'event: ping\ndata: {"type":"ping"}\n\n' if messages else b": keep-alive\n\n"
    for name, data in events:
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
        head = f"event: {name}\n" if name else ""
        before = ping if turn.get("pings") else b""
        yield before + f"{head}data: {text}\n\n".encode("utf-8", "surrogatepass")


def _name(data: Any) -> str | None:
    return data.get("type") if isinstance(data, dict) else None


def _pieces(text: str, turn: Turn) -> Iterator[str]:
    size = turn.get("piece", 12)
    for at in range(0, len(text), size):
        yield text[at : at + size]


def _arguments(block: Turn) -> str:
    return block["args_text"] if "args_text" in block else json.dumps(block["args"])


def _stop(turn: Turn, api: str) -> str | None:
    return turn["raw_stop"] if "raw_stop" in turn else _STOPS[api][turn.get("stop", "stop")]


def _anthropic(turn: Turn, request: Request) -> Iterator[Event]:
    usage = turn.get("usage", {})
    counted = None
    if usage is not None:
        counted = {
            "input_tokens": usage.get("input", 10),
            "output_tokens": 1,
            "cache_read_input_tokens": usage.get("cacheRead", 0),
            "cache_creation_input_tokens": usage.get("cacheWrite", 0),
        }
        if "cacheWrite1h" in usage:
            counted["cache_creation"] = {"ephemeral_1h_input_tokens": usage["cacheWrite1h"]}
    message = {
        "id": turn.get("id", "msg_scripted"),
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": turn.get("model", (request.body or {}).get("model")),
        "usage": counted,
    }
    yield from _typed({"type": "message_start", "message": message})
    for index, block in enumerate(turn["blocks"]):
        start, deltas = _anthropic_block(block, turn)
        yield from _typed({"type": "content_block_start", "index": index, "content_block": start})
        for delta in deltas:
            yield from _typed({"type": "content_block_delta", "index": index, "delta": delta})
        yield from _typed({"type": "content_block_stop", "index": index})
    end: Turn = {"type": "message_delta", "delta": {"stop_reason": _stop(turn, "messages")}}
    if usage is not None:
        end["usage"] = {"output_tokens": usage.get("output", 5)}
    yield from _typed(end)
    if turn.get("done", True):
        yield from _typed({"type": "message_stop"})


def _anthropic_block(block: Turn, turn: Turn) -> tuple[Turn, list[Turn]]:
    if "text" in block:
        return {"type": "text", "text": ""}, [
            {"type": "text_delta", "text": piece} for piece in _pieces(block["text"], turn)
        ]
    if "redacted" in block:
        return {"type": "redacted_thinking", "data": block["redacted"]}, []
    if "thinking" in block:
        deltas: list[Turn] = [
            {"type": "thinking_delta", "thinking": piece}
            for piece in _pieces(block["thinking"], turn)
        ]
        if signature := block.get("signature", "sig"):
            deltas.append({"type": "signature_delta", "signature": signature})
        return {"type": "thinking", "thinking": "", "signature": ""}, deltas
    return {"type": "tool_use", "id": block["id"], "name": block["tool"], "input": {}}, [
        {"type": "input_json_delta", "partial_json": piece}
        for piece in _pieces(_arguments(block), turn)
    ]


def _typed(data: Turn) -> Iterator[Event]:
    yield data["type"], data


def _completions(turn: Turn, request: Request) -> Iterator[Event]:
    base = {
        "id": turn.get("id", "chatcmpl-scripted"),
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": turn.get("model", (request.body or {}).get("model")),
    }

    def chunk(delta: Turn, finish: str | None = None) -> Event:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return None, {**base, "choices": [choice]}

    yield chunk({"role": "assistant", "content": ""})
    calls = 0
    for block in turn["blocks"]:
        if "text" in block:
            yield from (chunk({"content": piece}) for piece in _pieces(block["text"], turn))
        elif "thinking" in block:
            key = block.get("field", "reasoning_content")
            for piece in _pieces(block["thinking"], turn):
                thought = {"type": "thinking", "thinking": [{"type": "text", "text": piece}]}
                yield chunk({"content": [thought]} if key == "content" else {key: piece})
        elif "tool" in block:
            function = {"name": block["tool"], "arguments": ""}
            call = {"index": calls, "id": block["id"], "type": "function", "function": function}
            yield chunk({"tool_calls": [call]})
            for piece in _pieces(_arguments(block), turn):
                part = {"index": calls, "function": {"arguments": piece}}
                yield chunk({"tool_calls": [part]})
            calls += 1
    yield chunk({}, _stop(turn, "completions"))
    usage = turn.get("usage", {})
    if usage is not None:
        prompt, output = usage.get("input", 10), usage.get("output", 5)
        counted = {
            "prompt_tokens": prompt,
            "completion_tokens": output,
            "total_tokens": prompt + output,
            "prompt_tokens_details": {"cached_tokens": usage.get("cacheRead", 0)},
        }
        if "cacheWrite" in usage:
            counted["prompt_tokens_details"]["cache_write_tokens"] = usage["cacheWrite"]
        if "reasoning" in usage:
            counted["completion_tokens_details"] = {"reasoning_tokens": usage["reasoning"]}
        yield None, {**base, "choices": [], "usage": counted}
    if turn.get("done", True):
        yield None, "[DONE]"


def _responses(turn: Turn, request: Request) -> Iterator[Event]:
    response: Turn = {
        "id": turn.get("id", "resp_scripted"),
        "model": turn.get("model", (request.body or {}).get("model")),
        "status": "in_progress",
    }
    yield from _typed({"type": "response.created", "response": response})
    for index, block in enumerate(turn["blocks"]):
        item, kind, pieces, done = _responses_item(index, block, turn)
        place = {"output_index": index, "item_id": item["id"]}
        yield from _typed({"type": "response.output_item.added", **place, "item": item})
        for piece in pieces:
            yield from _typed({"type": f"response.{kind}.delta", **place, "delta": piece})
        if item["type"] == "reasoning":
            yield from _typed({"type": "response.reasoning_summary_part.done", **place})
        yield from _typed({"type": "response.output_item.done", **place, "item": {**item, **done}})
    status = _stop(turn, "responses")
    if status is None or not turn.get("done", True):
        return
    final = {**response, "status": status, "output": []}
    if status == "incomplete":
        final["incomplete_details"] = {"reason": turn.get("reason", "max_output_tokens")}
    usage = turn.get("usage", {})
    if usage is not None:
        output, cached = usage.get("output", 5), usage.get("cacheRead", 0)
        written = usage.get("cacheWrite", 0)
        total = usage.get("input", 10) + cached + written
        final["usage"] = {
            "input_tokens": total,
            "output_tokens": output,
            "total_tokens": total + output,
            "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
            "output_tokens_details": {"reasoning_tokens": usage.get("reasoning", 0)},
        }
    end = "incomplete" if status == "incomplete" else "completed"
    yield from _typed({"type": f"response.{end}", "response": final})


def _responses_item(index: int, block: Turn, turn: Turn) -> tuple[Turn, str, Iterator[str], Turn]:
    """The item as added, what its deltas are called, the deltas, and what it has when done."""
    if "text" in block:
        item: Turn = {"id": f"msg_{index}", "type": "message", "role": "assistant", "content": []}
        content = [{"type": "output_text", "text": block["text"], "annotations": []}]
        return item, "output_text", _pieces(block["text"], turn), {"content": content}
    if "thinking" in block:
        item = {"id": f"rs_{index}", "type": "reasoning", "summary": []}
        summary = [{"type": "summary_text", "text": block["thinking"]}]
        done = {"summary": summary, "encrypted_content": block.get("signature", "enc")}
        return item, "reasoning_summary_text", _pieces(block["thinking"], turn), done
    arguments = _arguments(block)
    item = {
        "id": f"fc_{index}",
        "type": "function_call",
        "call_id": block["id"],
        "name": block["tool"],
        "arguments": "",
    }
    pieces = _pieces(arguments, turn)
    return item, "function_call_arguments", pieces, {"arguments": arguments}


def _google(turn: Turn) -> Iterator[Event]:
    base = {"responseId": turn.get("id", "google_scripted"), "modelVersion": "scripted"}

    def chunk(part: Turn | None, reason: str | None = None) -> Turn:
        candidate: Turn = {"index": 0}
        if part is not None:
            candidate["content"] = {"role": "model", "parts": [part]}
        if reason is not None:
            candidate["finishReason"] = reason
        return {**base, "candidates": [candidate]}

    for block in turn["blocks"]:
        if "text" in block:
            yield from ((None, chunk({"text": piece})) for piece in _pieces(block["text"], turn))
        elif "thinking" in block:
            pieces = list(_pieces(block["thinking"], turn))
            for piece in pieces[:-1]:
                yield None, chunk({"text": piece, "thought": True})
            mark = {"thoughtSignature": block.get("signature", "c2ln")}
            yield None, chunk({"text": pieces[-1], "thought": True, **mark})
        else:
            call = {"name": block["tool"], "id": block["id"], "args": block["args"]}
            yield None, chunk({"functionCall": call})
    end = chunk(None, _stop(turn, "google"))
    usage = turn.get("usage", {})
    if usage is not None:
        cached, thought = usage.get("cacheRead", 0), usage.get("reasoning", 0)
        end["usageMetadata"] = {
            "promptTokenCount": usage.get("input", 10) + cached,
            "cachedContentTokenCount": cached,
            "candidatesTokenCount": usage.get("output", 5) - thought,
            "thoughtsTokenCount": thought,
            "totalTokenCount": usage.get("input", 10) + cached + usage.get("output", 5),
        }
    yield None, end
