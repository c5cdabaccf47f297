"""What extensions have on the screen: a row stays a row, whatever is in it."""

from typing import Any

import pytest

from pi.modes.interactive.extension_parts import Guarded, WidgetLines
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.screen import Frame, Screen

from .terminal import Bottom, Terminal


class Drawn:
    def __init__(self, *rows: Any) -> None:
        self.rows = list(rows)

    def render(self, width: int) -> list[Any]:
        return self.rows


def of_component(*rows: Any) -> Guarded:
    def report(failure: object) -> None:
        raise AssertionError(failure)

    return Guarded(Drawn(*rows), report, "footer")


def of_widget(*rows: Any) -> WidgetLines:
    return WidgetLines([str(row) for row in rows])


@pytest.mark.parametrize("part", [of_component, of_widget])
def test_rows_that_would_move_the_cursor(part: Any) -> None:
    rows = ("a\nb", "c\rd", "\te", "\x1b[2Jf\x1b[5Ag", "\x1b[31mred", "\x07bell\x0b", 42)
    shown = part(*rows)
    terminal = Terminal(20, 14)
    painter, prompt = Screen(terminal, Theme("t", {})), Bottom(["> "], (0, 2))
    painter.draw(Frame((), (prompt, shown), prompt))
    assert terminal.text() == [">", "a", "b", "d", "    e", "fg", "red", "bell", "42"]
    assert terminal.cursor == (0, 2)


def test_a_colour_ends_with_its_row() -> None:
    rows = of_component("\x1b[31mred", "\x1b[1mbold and long", "plain").render(8)
    assert rows == ["\x1b[31mred\x1b[0m", "\x1b[1mbold an\x1b[0m…", "plain"]


def test_colours_links_and_images_stay() -> None:
    rows = [
        "\x1b[38;2;1;2;3mcolour\x1b[0m",
        "\x1b]8;;http://example.com\x1b\\link\x1b]8;;\x1b\\",
        "\x1b]1337;File=inline=1:AAAA\x07",
        "\x1b_Ga=T,f=100,i=7;AAAA\x1b\\",
    ]
    assert of_component(*rows).render(80) == rows
