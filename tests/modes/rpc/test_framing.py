"""Lines in and records out: cut at LF alone, in order, and no faster than the other side goes."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.modes.rpc.framing import LineSplitter, RecordWriter, read_lines

Pipe = tuple[int, int]

RECORDS = [b'{"a":"\xe2\x80\xa8 \xe2\x80\xa9 \xc2\x85 \x0b\x0c"}', b"", b"{}\r", b"last \r\r"]
STREAM = b"\n".join(RECORDS) + b"\n"
LINES = [RECORDS[0], b"", b"{}", b"last \r"]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """Only the reading end is closed: a writer's thread that is still at it would otherwise go on
    in whatever gets the number next, such as the following test's pipe."""
    read, write = os.pipe()
    yield read, write
    with suppress(OSError):  # the test closed it
        os.close(read)


def in_loop(work: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(60):
            await work()

    asyncio.run(main())


def split(chunks: list[bytes]) -> tuple[list[bytes], bytes | None]:
    splitter = LineSplitter()
    return [line for chunk in chunks for line in splitter.feed(chunk)], splitter.close()


@pytest.mark.parametrize("at", range(len(STREAM) + 1))
def test_lines_are_the_same_wherever_the_stream_is_cut(at: int) -> None:
    assert split([STREAM[:at], STREAM[at:]]) == (LINES, None)


def test_lines_are_the_same_byte_by_byte() -> None:
    assert split([STREAM[i : i + 1] for i in range(len(STREAM))]) == (LINES, None)


def test_a_last_line_needs_no_newline() -> None:
    assert split([b"a\nb\r"]) == ([b"a"], b"b")


@given(st.lists(st.binary(max_size=6)))
def test_any_bytes(chunks: list[bytes]) -> None:
    whole = b"".join(chunks)
    lines, last = split(chunks)
    *expected, rest = whole.split(b"\n")
    assert lines == [line.removesuffix(b"\r") for line in expected]
    assert last == (rest.removesuffix(b"\r") or None)


def test_reading_ends_with_the_input(pipe: Pipe) -> None:
    async def work() -> None:
        read, write = pipe
        os.write(write, b"one\ntw")
        async with aclosing(read_lines(read)) as lines:
            assert await anext(lines) == b"one"
            os.write(write, b"o\nthree")
            os.close(write)
            assert [line async for line in lines] == [b"two", b"three"]

    in_loop(work)


def test_files_can_be_read_too(tmp_path: Path) -> None:
    path = tmp_path / "commands"
    path.write_bytes(STREAM)

    async def work() -> None:
        with path.open("rb") as file:
            assert [line async for line in read_lines(file.fileno())] == LINES

    in_loop(work)


def test_input_is_not_read_ahead_of_its_use(pipe: Pipe) -> None:
    """A writer that does not get its lines taken is made to wait, by a pipe that is full."""

    async def work() -> None:
        read, write = pipe
        os.set_blocking(write, False)
        lines = read_lines(read)
        os.write(write, b"x\n")
        assert await anext(lines) == b"x"
        written = 0
        for _ in range(1000):
            try:
                written += os.write(write, b"y" * 4095 + b"\n")
            except BlockingIOError:
                await asyncio.sleep(0.005)
        assert written < 1 << 20
        await lines.aclose()

    in_loop(work)


def test_records_arrive_in_order(pipe: Pipe) -> None:
    async def work() -> None:
        read, write = pipe
        writer = RecordWriter(write, lambda _: None)
        for number in range(100):
            writer.write(b"%d\n" % number)
            if number % 10 == 0:
                await asyncio.sleep(0)
        await writer.flush(None)
        assert os.read(read, 1 << 16) == b"".join(b"%d\n" % number for number in range(100))
        assert writer.waiting == 0

    in_loop(work)


def test_a_slow_reader_makes_room_wait_and_loses_nothing(pipe: Pipe) -> None:
    record = b"x" * 9999 + b"\n"

    async def work() -> None:
        read, write = pipe
        writer = RecordWriter(write, lambda _: None)
        written = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                while True:
                    await writer.room(1 << 18)
                    writer.write(record)
                    written += 1
        assert writer.waiting <= (1 << 18) + len(record)

        received: list[bytes] = []

        def drain() -> None:
            while block := os.read(read, 1 << 16):
                received.append(block)

        reader = threading.Thread(target=drain)
        reader.start()
        await writer.room(0)
        writer.write(record)
        await writer.flush(None)
        os.close(write)
        await asyncio.to_thread(reader.join)
        assert b"".join(received) == record * (written + 1)

    in_loop(work)


def test_a_reader_that_has_gone_is_told_once(pipe: Pipe) -> None:
    told: list[OSError] = []

    async def work() -> None:
        read, write = pipe
        writer = RecordWriter(write, told.append)
        os.close(read)
        writer.write(b"x\n")
        await writer.flush(None)
        writer.write(b"x\n")
        await writer.room(0)
        await writer.flush(None)
        assert writer.closed

    in_loop(work)
    assert [type(error) for error in told] == [BrokenPipeError]


def test_flush_gives_up_on_a_reader_that_does_not_read(pipe: Pipe) -> None:
    async def work() -> None:
        _, write = pipe
        writer = RecordWriter(write, lambda _: None)
        writer.write(b"x" * (1 << 20))
        await writer.flush(0.2)
        assert writer.waiting == 1 << 20

    in_loop(work)


def test_nothing_is_written_after_discard(pipe: Pipe) -> None:
    async def work() -> None:
        read, write = pipe
        writer = RecordWriter(write, lambda _: None)
        writer.write(b"before\n")
        writer.discard()
        writer.write(b"after\n")
        await writer.flush(None)
        assert os.read(read, 100) == b"before\n"

    in_loop(work)
