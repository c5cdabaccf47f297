"""Session lines: the compiled scan, its twin, and decoding with orjson and json.

python -m pytest benchmarks/bench_jsonl.py -o addopts=
"""

import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmarks.data import write_session
from benchmarks.micro import Case
from pi._speedups import _jsonl, _rows
from pi.session.tree import _usage_in

jsonl: Any = pytest.importorskip("pi._speedups.jsonl")
compiled_rows: Any = pytest.importorskip("pi._speedups.rows")

ENTRIES = 3_000
BLOCK = 1 << 18


@cache
def cases() -> list[Case]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "session.jsonl"
        write_session(path, ENTRIES, Path("/work"))
        data = path.read_bytes()
    lines = data.split(b"\n")[1:-1]
    blocks = [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]
    tail = data[-(1 << 20) :]

    def tree(module: Any) -> Any:
        found = module.TreeRows(lambda line, offset: None)
        for block in blocks:
            found.feed(block)
        found.finish()
        return found

    def last(module: Any) -> object:
        found = tree(module)
        return len(found), found.span(len(found) - 1)

    compiled, pure = tree(compiled_rows), tree(_rows)
    end = len(compiled) - 1

    def decoded(loads: Callable[[bytes], Any]) -> object:
        return len([loads(line)["id"] for line in lines])

    def usage(rows: Any) -> object:
        return rows.totals(lambda start, stop: data[start:stop], _usage_in)

    return [
        Case(
            "jsonl: tree index",
            lambda: last(compiled_rows),
            lambda: last(_rows),
            {"orjson": lambda: decoded(orjson.loads), "json": lambda: decoded(json.loads)},
            size=len(data),
        ),
        Case(
            "jsonl: heads of lines",
            lambda: [jsonl.usual_head(line) for line in lines],
            lambda: [_jsonl.usual_head(line) for line in lines],
            {"orjson": lambda: decoded(orjson.loads)},
            size=len(data),
        ),
        Case(
            "jsonl: backwards over other branches",
            lambda: jsonl.skip_others(tail, len(tail), b"z"),
            lambda: _jsonl.skip_others(tail, len(tail), b"z"),
            size=len(tail),
        ),
        Case("jsonl: totals", lambda: usage(compiled), lambda: usage(pure)),
        Case("jsonl: path to the root", lambda: compiled.path(end), lambda: pure.path(end)),
        Case(
            "jsonl: common ancestor",
            lambda: compiled.common_ancestor(end, end - 1),
            lambda: pure.common_ancestor(end, end - 1),
        ),
        Case("jsonl: leaves", compiled.leaves, pure.leaves),
    ]


@pytest.mark.parametrize("name", ["compiled", "twin", "orjson", "json"])
@pytest.mark.parametrize("number", range(len(cases())), ids=[case.what for case in cases()])
def test_jsonl(benchmark: Any, number: int, name: str) -> None:
    case = cases()[number]
    run = case.runs().get(name)
    if run is None:
        pytest.skip("does not do this job")
    case.check()
    benchmark.group = case.what
    benchmark(run)
