"""Markdown: an answer drawn while it arrives, beside drawing all of it at each update.

python -m pytest benchmarks/bench_markdown.py -o addopts=
"""

from typing import Any

import pytest

from benchmarks.streaming import PER_FRAME, answer
from pi.modes.interactive.markdown import Drawing, Markdown
from pi.modes.interactive.palette import Theme
from pi.resources.themes import builtin_theme

DELTAS = 4_000
DRAWING = Drawing(Theme.of(builtin_theme("dark")))

PIECES = list(answer(DELTAS))
FRAMES = ["".join(PIECES[at : at + PER_FRAME]) for at in range(0, DELTAS, PER_FRAME)]


def incremental() -> list[str]:
    markdown = Markdown(DRAWING)
    for piece in FRAMES:
        markdown.append(piece)
        markdown.rows(120)
    markdown.finish()
    return markdown.rows(120)


def anew() -> list[str]:
    rows: list[str] = []
    text = ""
    for piece in FRAMES:
        text += piece
        rows = once(text)
    return rows


def once(text: str = "".join(PIECES)) -> list[str]:
    markdown = Markdown(DRAWING)
    markdown.append(text)
    markdown.finish()
    return markdown.rows(120)


@pytest.mark.parametrize("way", [incremental, anew, once], ids=lambda way: way.__name__)
def test_markdown(benchmark: Any, way: Any) -> None:
    assert len(incremental()) == len(once())
    benchmark.group = f"{DELTAS} deltas, {PER_FRAME} at a time"
    benchmark.pedantic(way, rounds=3, warmup_rounds=1)
