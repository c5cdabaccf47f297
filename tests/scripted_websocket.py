"""A script played over a WebSocket: one turn for each message that comes in.

Of a turn's members (scripted_provider.py) `blocks`, `events`, `hang` and `cut` mean the same here;
`close` is a code to close with after the events.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.server import ServerProtocol

__all__ = ["serve_websocket"]


async def serve_websocket(
    target: str,
    headers: dict[str, str],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    play: Callable[[Any], tuple[dict[str, Any], Iterator[Any]]],
) -> None:
    """Until the client leaves. play: from a message to a turn and its events."""
    protocol = ServerProtocol(max_size=None)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    protocol.receive_data(f"GET {target} HTTP/1.1\r\n{lines}\r\n".encode())
    (handshake,) = protocol.events_received()
    assert isinstance(handshake, Handshake)
    protocol.send_response(protocol.accept(handshake))
    await _flush(protocol, writer)
    text = b""
    while data := await reader.read(1 << 16):
        protocol.receive_data(data)
        for frame in protocol.events_received():
            assert isinstance(frame, Frame)
            if frame.opcode not in (Opcode.TEXT, Opcode.CONT):
                continue
            text += frame.data
            if frame.fin:
                message, text = json.loads(text), b""
                await _answer(*play(message), protocol, writer)
        await _flush(protocol, writer)


async def _answer(
    turn: dict[str, Any],
    events: Iterator[Any],
    protocol: ServerProtocol,
    writer: asyncio.StreamWriter,
) -> None:
    limit = turn.get("cut", turn.get("hang"))
    for number, event in enumerate(events):
        if number == limit:
            break
        data = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)
        protocol.send_text(data.encode())
        await _flush(protocol, writer)
    if "cut" in turn:
        await asyncio.sleep(0.02)  # what was written goes out before the reset
        writer.transport.abort()
        raise ConnectionAbortedError
    if "close" in turn:
        protocol.send_close(turn["close"])
        await _flush(protocol, writer)


async def _flush(protocol: ServerProtocol, writer: asyncio.StreamWriter) -> None:
    for data in protocol.data_to_send():
        if data:
            writer.write(data)
        else:
            writer.write_eof()
    await writer.drain()
