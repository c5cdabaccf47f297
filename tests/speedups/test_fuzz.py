"""Any bytes: no crash, and the compiled module answers as its twin does.

A few seconds with the other tests; PI_FUZZ_SECONDS=600 (`make fuzz`) for as long as wanted.
"""

import itertools
import os
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pi._speedups.pattern.query import make_query
from pi._speedups.pattern.syntax import PatternError
from tests.speedups.conftest import search_modules
from tests.speedups.session_bytes import LINES, measure, parse

SECONDS = float(os.environ.get("PI_FUZZ_SECONDS", "1.5"))
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r", b""])
SSE = [b"data:", b"event:", b"id", b"retry: 5", b": ", b"\xef\xbb\xbf"]
JSON = [b"{", b"}", b"[", b"]", b'"', b",", b'":', b"\\", b"\xff", b"\0", b"0", b"1e400"]
HEADS = [b'{"type":"message","id":"', b'","parentId":', b'null,"', b'"parentId"']
USAGE = [b'"message":{', b'"usage":{"input":', b'"cost":{"total":']
TOKENS = st.sampled_from([*SSE, *JSON, *HEADS, *USAGE])
PATTERN = [r"\w", r"\b", "[a-c", "]", "(", ")", "|", "*", "+?", "{2,3}", "^", "$", ".", "(?i)", "é"]
IGNORE = [b"*", b"**/", b"/", b"!", b"#", b"\\", b"[a-", b"]", b"?", b" ", b"a", b"b.c"]
SOUP = st.lists(TOKENS | ENDS | st.binary(max_size=6), max_size=40).map(b"".join)


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Soup, or a session with some of its bytes changed."""
    if draw(st.booleans()):
        return draw(SOUP)
    data = bytearray(b"\n".join(draw(LINES)))
    for at in draw(st.lists(st.integers(0, 4000), max_size=4)):
        if data:
            data[at % len(data) : at % len(data) + draw(st.integers(0, 2))] = draw(
                TOKENS | st.binary(max_size=2)
            )
    return bytes(data)


def chunks(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def hammer(
    check: Callable[..., None], *inputs: st.SearchStrategy[object], seconds: float = SECONDS
) -> None:
    """Until the time is over; a failure is shrunk as in any other test."""
    until = time.monotonic() + seconds
    drawn = inputs or (streams(), st.lists(st.integers(0, 4000), max_size=4))

    @settings(
        max_examples=200,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.tuples(*drawn))
    def some(values: tuple[object, ...]) -> None:
        check(*values)

    while time.monotonic() < until:
        some()


def modules(name: str):
    """The twins of one module, the pure one first."""
    return [pytest.importorskip(f"pi._speedups.{module}") for module in (f"_{name}", name)]


def totals(rows, data: bytes):
    """None where a row cannot be decoded: what the usage of a damaged line is, nobody can say."""

    def read(start: int, end: int) -> bytes:
        return data[start:end]

    if any(parse(read(*rows.span(row)), 0) is None for row in range(len(rows))):
        return None
    return rows.totals(read, measure)


@pytest.mark.timeout(SECONDS * 3 + 60)
def test_session_lines() -> None:
    twins = list(zip(modules("jsonl"), modules("rows"), strict=True))

    def answers(heads, trees, data: bytes, cuts: list[int]):
        asked: list[tuple[int, bytes]] = []

        def ask(line: bytes, offset: int):
            asked.append((offset, line))
            return parse(line, offset)

        rows = trees.TreeRows(ask)
        for chunk in chunks(data, cuts):
            rows.feed(chunk)
        rows.finish()
        every = range(len(rows))
        wanted = rows.id(0).encode(errors="surrogatepass") if len(rows) else b"a"
        return (
            asked,
            [(rows.id(row), rows.kind(row), rows.span(row), rows.parent(row)) for row in every],
            [(rows.path(row), rows.children(row)) for row in every],
            rows.leaves(),
            totals(rows, data),
            [heads.usual_head(line) for line in data.split(b"\n")],
            [heads.skip_others(data, upper, wanted) for upper in (*cuts, len(data))],
        )

    def same(data: bytes, cuts: list[int]) -> None:
        pure, compiled = (answers(*twin, data, cuts) for twin in twins)
        assert compiled == pure

    hammer(same)


@pytest.mark.timeout(SECONDS * 3 + 60)
def test_event_streams() -> None:
    twins = modules("sse")

    def answers(module, data: bytes, cuts: list[int]):
        decoder = module.SseDecoder()
        events = [decoder.feed(chunk) for chunk in chunks(data, cuts)]
        return events, decoder.last_event_id, decoder.retry, decoder.close()

    def same(data: bytes, cuts: list[int]) -> None:
        pure, compiled = (answers(module, data, cuts) for module in twins)
        assert compiled == pure

    hammer(same)


@pytest.mark.timeout(SECONDS * 3 + 60)
def test_search_patterns() -> None:
    """The automaton and the line search: whatever the pattern, whatever the bytes."""
    pure, compiled = (search_modules(kind) for kind in ("pure", "compiled"))
    texts = st.lists(st.sampled_from(PATTERN) | st.text(max_size=3), max_size=8).map("".join)
    lines = st.lists(
        st.sampled_from([b"a", b"b", b"\xc3\xa9", b"\n", b"\0"]) | st.binary(max_size=4)
    )

    def same(pattern: str, pieces: list[bytes], fold: bool, literal: bool) -> None:
        try:
            query = make_query(pattern, literal=literal, ignore_case=fold)
        except PatternError:
            return
        data = b"".join(pieces)
        found = [
            modules.scan.search_bytes(query, data, most=5, before=1, after=1)
            for modules in (pure, compiled)
        ]
        assert found[0] == found[1]

    hammer(same, texts, lines, st.booleans(), st.booleans())


@pytest.mark.timeout(SECONDS * 3 + 60)
def test_ignore_files() -> None:
    pure, compiled = (search_modules(kind) for kind in ("pure", "compiled"))
    pieces = st.sampled_from([*IGNORE, b"\n"]) | st.binary(max_size=3)
    texts = st.lists(pieces, max_size=24).map(b"".join)
    names = st.binary(min_size=1, max_size=4).filter(lambda name: not {0, 47} & set(name))
    paths = st.lists(st.sampled_from([b"a", b"b.c"]) | names, min_size=1, max_size=4)

    def same(text: bytes, parts: list[bytes], folder: bool) -> None:
        path = b"/".join(parts)
        checked = [modules.ignore.Rules(text).check(path, folder) for modules in (pure, compiled)]
        assert checked[0] == checked[1]

    hammer(same, texts, paths, st.booleans())
