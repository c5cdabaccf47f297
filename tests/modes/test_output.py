"""What leaves for stdout, and when."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

import pytest

from pi.modes.output import FULL, Output

Pipe = tuple[int, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    read, write = os.pipe()
    yield read, write
    for descriptor in (read, write):
        with suppress(OSError):  # the test closed it
            os.close(descriptor)


def in_loop(work: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await work()

    asyncio.run(main())


def test_records_leave_together_when_the_loop_gets_control(pipe: Pipe) -> None:
    read, write = pipe
    os.set_blocking(read, False)

    async def work() -> None:
        output = Output(write)
        output.write(b"one\n")
        output.write(b"two\n")
        with pytest.raises(BlockingIOError):
            os.read(read, 100)
        await asyncio.sleep(0)
        assert os.read(read, 100) == b"one\ntwo\n"
        output.write(b"three\n")
        output.flush()
        assert os.read(read, 100) == b"three\n"
        await asyncio.sleep(0)
        with pytest.raises(BlockingIOError):
            os.read(read, 100)

    in_loop(work)


def test_a_lot_does_not_wait(pipe: Pipe) -> None:
    read, write = pipe

    async def work() -> None:
        output = Output(write)
        output.write(b"x" * (FULL - 1))
        output.write(b"y")
        assert len(os.read(read, FULL)) == FULL

    in_loop(work)


@pytest.mark.parametrize("blocking", [True, False])
def test_a_slow_reader_gets_everything_in_order(pipe: Pipe, blocking: bool) -> None:
    read, write = pipe
    os.set_blocking(write, blocking)
    records = [b"%d:" % number + b"z" * 5000 + b"\n" for number in range(200)]
    got = bytearray()

    def drain() -> None:
        while data := os.read(read, 4096):
            got.extend(data)

    reader = threading.Thread(target=drain)
    reader.start()

    async def work() -> None:
        output = Output(write)
        for record in records:
            output.write(record)
        output.flush()

    in_loop(work)
    assert os.get_blocking(write) is blocking
    os.close(write)
    reader.join(10)
    assert bytes(got) == b"".join(records)


def test_a_reader_that_has_gone_is_told_once(pipe: Pipe) -> None:
    read, write = pipe
    os.close(read)
    told = []

    async def work() -> None:
        output = Output(write, on_closed=lambda: told.append(True))
        output.write(b"one\n")
        await asyncio.sleep(0)
        assert output.closed
        output.write(b"two\n")
        output.flush()

    in_loop(work)
    assert told == [True]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_an_error_of_the_next_call() -> None:
    full = os.open("/dev/full", os.O_WRONLY)

    async def work() -> None:
        output = Output(full)
        output.write(b"one\n")
        await asyncio.sleep(0)  # written from the loop, where nobody could catch it
        with pytest.raises(OSError, match="No space"):
            output.write(b"two\n")
        with pytest.raises(OSError, match="No space"):
            output.flush()
        assert not output.closed

    try:
        in_loop(work)
    finally:
        os.close(full)
