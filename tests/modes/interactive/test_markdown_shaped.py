"""Markdown that extensions change while it arrives: the same in the end, and not at any price."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi.modes.interactive.cells import plain
from pi.modes.interactive.markdown import Markdown
from pi.modes.interactive.markdown_shaped import REST, Shaped

from .test_markdown import DRAWING, SAMPLE, pieces, whole

Change = Callable[[str, bool, int], str]


def final_only(text: str, streaming: bool, width: int) -> str:
    return text if streaming else text.replace("e", "E")


CHANGES: dict[str, Change] = {
    "nothing": lambda text, streaming, width: text,
    "everywhere": lambda text, streaming, width: text.replace("e", "**ee**"),
    "at the end": lambda text, streaming, width: text + "\n\n--- end",
    "at the beginning": lambda text, streaming, width: f"{len(text)} characters\n\n{text}",
    "in the end": final_only,
    "by width": lambda text, streaming, width: f"# {width}\n\n{text}",
    "shorter and shorter": lambda text, streaming, width: text[len(text) // 3 :],
    "gone": lambda text, streaming, width: "",
}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def letters(rows: list[str]) -> list[str]:
    return [plain(row) for row in rows]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@settings(max_examples=30)
@given(source=st.one_of(st.just(SAMPLE), pieces), seed=st.integers(0, 2**32))
def test_in_the_end_it_is_drawn_as_a_whole(change: Change, source: str, seed: int) -> None:
    shaped = Shaped(Markdown(DRAWING), change, Clock())
    dice = random.Random(seed)
    at = 0
    while at < len(source):
        size = dice.randint(1, 40)
        shaped.append(source[at : at + size])
        at += size
        drawn = shaped.rows(40)
        assert shaped.settled == 0
        assert shaped.rows(40) is drawn
    shaped.finish(source)
    assert letters(shaped.rows(40)) == letters(whole(change(source, False, 40), 40))
    assert shaped.settled == len(shaped.rows(40))
    assert letters(shaped.rows(60)) == letters(whole(change(source, False, 60), 60))
    assert shaped.text == source


def test_what_stays_at_the_beginning_is_not_parsed_again() -> None:
    markdown = Markdown(DRAWING)
    shaped = Shaped(markdown, CHANGES["everywhere"], Clock())
    paragraph = "some words that end here.\n\n"
    for _ in range(400):
        shaped.append(paragraph)
        shaped.rows(40)
    assert markdown.parsed < 4 * len(CHANGES["everywhere"](shaped.text, True, 40))


def test_an_update_that_took_long_is_followed_by_a_rest() -> None:
    clock = Clock()
    asked: list[str] = []

    def slow(text: str, streaming: bool, width: int) -> str:
        asked.append(text)
        clock.now += 0.2
        return text

    shaped = Shaped(Markdown(DRAWING), slow, clock)
    for _ in range(1_000):  # a frame after each tenth of a second, with new text
        shaped.append("word ")
        shaped.rows(40)
        clock.now += 0.1
    assert len(asked) * 0.2 <= clock.now / REST
    shaped.rows(50)  # another width does not wait
    assert asked[-1] == shaped.text
    shaped.append("end")
    shaped.finish()
    assert shaped.rows(50) == whole(shaped.text, 50)
