"""Messages and answers, over a transport that only remembers."""

import asyncio
import contextlib
import gc
from collections.abc import Callable
from typing import Any

import pytest

from pi.mcp.errors import TimedOut
from pi.mcp.rpc import Message, Peer


class Remembers:
    """sent: what was sent, in order. Nothing is answered but by `deliver`."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    async def start(self, deliver: Callable[[Any], None], lost: Callable[[str], None]) -> None:
        self.deliver = deliver

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def close(self) -> None:
        pass


def peer() -> tuple[Peer, Remembers]:
    transport = Remembers()
    return (
        Peer(
            transport,
            requests={"ping": lambda params: {}},
            notify=lambda method, params: None,
            on_lost=lambda reason: None,
        ),
        transport,
    )


def test_closing_before_something_was_sent_leaves_nothing_begun() -> None:
    """A coroutine that nobody awaits makes Python complain on stderr."""

    async def main() -> list[Message]:
        one, transport = peer()
        await one.start()
        with contextlib.suppress(TimedOut):
            await one.request("tools/list", patience=0)
        transport.deliver({"jsonrpc": "2.0", "id": 7, "method": "ping"})
        await one.close()
        return transport.sent

    sent = asyncio.run(main())
    gc.collect()
    assert [message["method"] for message in sent] == []


@pytest.mark.parametrize("unanswered", ["tools/list", "initialize"])
def test_what_was_given_up_is_told_but_for_the_handshake(unanswered: str) -> None:
    async def main() -> list[str]:
        one, transport = peer()
        await one.start()
        with pytest.raises(TimedOut):
            await one.request(unanswered, patience=0.01)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return [message["method"] for message in transport.sent]

    told = ["notifications/cancelled"] if unanswered != "initialize" else []
    assert asyncio.run(main()) == [unanswered, *told]
