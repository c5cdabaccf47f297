import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.tools import output as output_module
from pi.tools.output import Output
from pi.tools.truncate import tail


def feed(data: bytes, cuts: list[int], **options) -> Output:
    output = Output(**options)
    at = 0
    for cut in sorted(cuts):
        cut = min(cut, len(data))
        output.feed(data[at:cut])
        at = max(at, cut)
    output.feed(data[at:])
    output.finish()
    return output


PIECES = st.lists(st.sampled_from([b"a", b"\n", "é".encode(), b"\xff", "😀".encode(), b"xyz\n"]))


@given(PIECES.map(b"".join), st.lists(st.integers(0, 60), max_size=6))
def test_how_it_arrives_does_not_matter(data: bytes, cuts: list[int]) -> None:
    output = feed(data, cuts)
    text = data.decode("utf-8", "replace")
    assert output.snapshot().kept == tail(text)
    assert output.structured() == (text, False)
    last = text.removesuffix("\n").rpartition("\n")[2]
    assert output.snapshot().last_line == len(last.encode())


def test_the_file_has_every_byte(tmp_path) -> None:
    data = os.urandom(300_000)
    output = feed(data, [10, 60_000, 130_000], folder=str(tmp_path))
    output.close()
    (path,) = tmp_path.iterdir()
    assert path.read_bytes() == data


def test_the_file_has_a_limit_and_says_so(tmp_path) -> None:
    output = feed(b"0123456789\n" * 10_000, [60_000], folder=str(tmp_path), max_spill=70_000)
    (path,) = tmp_path.iterdir()
    assert path.stat().st_size == 70_000
    snapshot = output.snapshot()
    assert snapshot.path == str(path)
    assert "first 68.4KB" in snapshot.trouble
    assert snapshot.kept.total_bytes == 110_000


def test_a_disk_that_fills_up_is_said(tmp_path, monkeypatch) -> None:
    written = []

    def full(handle: int, piece) -> int:
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(len(piece))
        return len(piece)

    monkeypatch.setattr(output_module.os, "write", full)
    output = feed(b"x\n" * 60_000, [55_000, 90_000], folder=str(tmp_path))
    assert "No space left on device" in output.snapshot().trouble
    assert output.snapshot().kept.total_lines == 60_000


@pytest.mark.parametrize("size", [2**20, 2**20 + 1, 5_000_000])
def test_programs_get_both_ends_of_much(size: int, tmp_path) -> None:
    data = (b"%09d\n" % 7) * (size // 10) + b"z" * (size % 10)
    output = feed(data, list(range(0, size, 65536)), folder=str(tmp_path))
    output.close()
    text, cut = output.structured()
    assert cut is (size > 2**20)
    assert text.encode()[:1000] == data[:1000]
    assert text.encode()[-1000:] == data[-1000:]
    assert len(text) <= 2**20 + 100
