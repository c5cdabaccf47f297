"""Event streams: the compiled decoder, its twin, and httpx-sse where it is installed.

python -m pytest benchmarks/bench_sse.py -o addopts=
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from benchmarks.data import sse_stream
from benchmarks.micro import Case
from pi._speedups import _sse

sse: Any = pytest.importorskip("pi._speedups.sse")

DELTAS = 5_000


def _with_httpx_sse(chunks: list[bytes]) -> object:
    import httpx
    from httpx_sse import EventSource

    class Body(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return iter(chunks)

    headers = {"content-type": "text/event-stream"}
    response = httpx.Response(200, headers=headers, stream=Body())
    return len(list(EventSource(response).iter_sse()))


@cache
def cases() -> list[Case]:
    chunks = sse_stream(DELTAS)
    single = [chunk[at : at + 100] for chunk in chunks for at in range(0, len(chunk), 100)]

    def decode(module: Any, pieces: list[bytes]) -> object:
        decoder = module.SseDecoder()
        return [event for piece in pieces for event in decoder.feed(piece)]

    others = {}
    try:
        import httpx_sse  # noqa: F401
    except ImportError:
        pass
    else:
        others["httpx-sse"] = lambda: _with_httpx_sse(chunks)
    size = sum(map(len, chunks))
    return [
        Case(
            "sse: a burst of events a chunk",
            lambda: decode(sse, chunks),
            lambda: decode(_sse, chunks),
            others,
            size=size,
        ),
        Case(
            "sse: chunks that cut events",
            lambda: decode(sse, single),
            lambda: decode(_sse, single),
            size=size,
        ),
    ]


@pytest.mark.parametrize("name", ["compiled", "twin", "httpx-sse"])
@pytest.mark.parametrize("number", range(len(cases())), ids=[case.what for case in cases()])
def test_sse(benchmark: Any, number: int, name: str) -> None:
    case = cases()[number]
    run = case.runs().get(name)
    if run is None:
        pytest.skip("not installed, or does not do this job")
    case.check()
    benchmark.group = case.what
    benchmark(run)
