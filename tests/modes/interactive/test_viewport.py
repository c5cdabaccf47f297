"""Fullscreen mode: a viewport over the conversation."""

from hypothesis import given
from hypothesis import strategies as st

from pi.modes.interactive.palette import Theme
from pi.modes.interactive.screen import Frame, Screen
from pi.modes.interactive.viewport import Scrollbar
from pi.resources.themes import builtin_theme

from .terminal import Block, Bottom, Terminal

THEME = Theme.of(builtin_theme("dark"))


class Setup:
    """A fullscreen of 6 rows, of which 2 are the bottom."""

    def __init__(self, blocks: list[Block], scrollbar: Scrollbar = "hidden") -> None:
        self.terminal = Terminal(20, 6)
        self.blocks = blocks
        self.bottom = Bottom(["> text", "footer"], (0, 6))
        self.screen = Screen(self.terminal, THEME, "fullscreen", scrollbar=scrollbar)
        self.view = self.screen.viewport

    def draw(self) -> list[str]:
        self.screen.draw(Frame(self.blocks, [self.bottom], self.bottom))
        assert self.terminal.display()[-2:] == ["> text", "footer"]
        assert self.terminal.cursor == (4, 6)
        return self.terminal.display()[:4]


def rows(count: int, size: int = 3) -> list[Block]:
    return [Block([f"{n}.{row}" for row in range(size)]) for n in range(count)]


def test_the_bottom_stays_at_the_bottom_and_the_end_in_view() -> None:
    setup = Setup(rows(1))
    assert setup.draw() == ["0.0", "0.1", "0.2", ""]
    setup.blocks += rows(10)[1:]
    assert setup.draw() == ["8.2", "9.0", "9.1", "9.2"]
    assert setup.terminal.writes[0].startswith("\x1b[?2026h")
    assert "\x1b[?1049h" in setup.terminal.writes[0]


def test_scrolling_up_stays_while_text_arrives_and_down_follows_again() -> None:
    setup = Setup(rows(10))
    setup.draw()
    setup.view.scroll(-2)
    assert setup.draw() == ["8.0", "8.1", "8.2", "9.0"]
    setup.blocks.append(Block(["new"]))
    assert setup.draw() == ["8.0", "8.1", "8.2", "9.0"]
    setup.view.scroll(100)
    assert setup.draw() == ["9.0", "9.1", "9.2", "new"]
    assert setup.view.following
    setup.view.to_start()
    assert setup.draw()[0] == "0.0"
    setup.view.scroll(-5)
    assert setup.draw()[0] == "0.0"
    setup.view.to_end()
    assert setup.draw()[-1] == "new"


def test_a_frame_draws_only_what_is_in_view() -> None:
    setup = Setup(rows(20_000))
    setup.draw()
    assert sum(block.renders for block in setup.blocks) <= 3
    for _ in range(50):
        setup.view.scroll(-10)
        setup.draw()
    assert sum(block.renders for block in setup.blocks) < 300


def test_only_changed_rows_are_written() -> None:
    setup = Setup(rows(2))
    setup.draw()
    setup.draw()
    assert len(setup.terminal.writes) == 1
    setup.blocks[1].put(["1.0", "changed", "1.2"])
    setup.draw()
    assert "changed" in setup.terminal.writes[1]
    assert "1.2" not in setup.terminal.writes[1]


def test_resizing_keeps_the_place() -> None:
    setup = Setup(rows(50))
    setup.draw()
    setup.view.scroll(-60)
    top = setup.draw()[0]
    setup.terminal.resize(30, 10)
    setup.screen.draw(Frame(setup.blocks, [setup.bottom], setup.bottom))
    assert setup.terminal.display()[0] == top
    assert setup.terminal.display()[-2:] == ["> text", "footer"]


def test_the_scrollbar() -> None:
    setup = Setup(rows(10), "auto")
    setup.draw()
    assert "█" not in "".join(setup.terminal.display())
    setup.view.to_start()
    setup.draw()
    assert [row[-1:] for row in setup.terminal.display()[:4]] == ["█", "│", "│", "│"]
    always = Setup(rows(10), "always")
    always.draw()
    assert [row[-1:] for row in always.terminal.display()[:4]] == ["│", "│", "│", "█"]
    assert all(len(row) == 20 for row in always.terminal.display()[:4])


def test_search_shows_the_nearest_match_and_goes_on() -> None:
    setup = Setup([Block([f"line {n}", "Needle" if n % 10 == 5 else "-"]) for n in range(30)])
    setup.draw()
    assert setup.view.search("needle") == 3
    assert "Needle" in setup.draw()
    assert setup.view.match is not None
    assert setup.view.match.at == 25
    assert setup.view.search_step(-1) == (2, 3)
    assert "line 15" in setup.draw()
    assert setup.view.search_step(1) == (3, 3)
    assert setup.view.search_step(1) == (1, 3)
    assert "line 5" in setup.draw()
    assert setup.view.search("nothing") == 0
    assert setup.view.search_step(1) == (0, 0)
    assert setup.view.search("") == 0


def test_matches_are_marked_where_they_are() -> None:
    setup = Setup([Block(["漢字 abc \x1b[31mabc\x1b[39m"])])
    setup.draw()
    assert setup.view.search("abc") == 2
    assert setup.draw()[0] == "漢字 abc abc"
    line = setup.terminal.screen.buffer[0]
    assert [line[at].reverse for at in range(12)] == [False] * 9 + [True] * 3
    assert line[5].bg != "default"


def test_selecting_with_the_mouse() -> None:
    setup = Setup([Block(["one two", "\x1b[1mthree\x1b[22m four", "five"])])
    setup.draw()
    assert setup.view.press(4, 0)
    setup.view.drag(4, 1)
    assert setup.draw()[:2] == ["one two", "three four"]
    line = setup.terminal.screen.buffer[0]
    assert line[3].bg == "default"
    assert line[4].bg != "default"
    assert setup.view.release() == "two\nthree"
    assert setup.view.press(2, 1)
    assert setup.view.release() == ""
    assert setup.view.selection is None
    assert not setup.view.press(2, 5)


def test_dragging_beyond_the_edge_scrolls() -> None:
    setup = Setup(rows(10))
    setup.draw()
    setup.view.press(0, 3)
    for _ in range(5):
        setup.view.drag(0, -1)
        setup.draw()
    setup.view.drag(0, 0)
    assert setup.view.release().split("\n")[0] == "7.0"


def test_jumping_between_prompts() -> None:
    setup = Setup(rows(20))
    for at in (4, 12):
        setup.blocks[at].marked = True  # type: ignore[attr-defined]
    setup.draw()
    setup.view.jump(-1)
    assert setup.draw()[0] == "12.0"
    setup.view.jump(-1)
    assert setup.draw()[0] == "4.0"
    setup.view.jump(1)
    assert setup.draw()[0] == "12.0"
    setup.view.jump(1)
    assert setup.draw()[-1] == "19.2"


def test_leaving_restores_the_terminal_and_prints_the_transcript() -> None:
    setup = Setup(rows(2, 1))
    setup.draw()
    setup.screen.close(["bye"], setup.blocks)
    last = "".join(setup.terminal.writes)
    assert "\x1b[?1049l" in last
    assert "\x1b[?1002l" in last
    assert last.rstrip().endswith("\x1b[?7h")
    assert "0.0\r\n1.0\r\nbye\r\n" in last
    assert not setup.terminal.screen.cursor.hidden


def test_switching_to_regular_mode_puts_all_of_it_into_the_scrollback() -> None:
    setup = Setup(rows(5, 2))
    setup.draw()
    setup.screen.switch("regular")
    setup.terminal.screen.reset()
    setup.screen.draw(Frame(setup.blocks, [setup.bottom], setup.bottom))
    expected = [row for block in setup.blocks for row in block.rows]
    assert setup.terminal.text() == [*expected, "> text", "footer"]


@given(
    st.lists(st.integers(0, 7), max_size=20),
    st.lists(st.tuples(st.sampled_from(["scroll", "grow", "shrink", "add"]), st.integers(-9, 9))),
)
def test_the_view_is_always_a_part_of_the_whole(
    sizes: list[int], steps: list[tuple[str, int]]
) -> None:
    setup = Setup([Block([f"{n}.{row}" for row in range(size)]) for n, size in enumerate(sizes)])
    setup.draw()
    for kind, number in steps:
        blocks = setup.blocks
        if kind == "scroll":
            setup.view.scroll(number)
        elif kind == "add":
            blocks.append(Block([f"{len(blocks)}.{row}" for row in range(abs(number))]))
        elif blocks:
            at = number % len(blocks)
            count = len(blocks[at].rows) + (3 if kind == "grow" else -2)
            blocks[at].put([f"{at}.{row}" for row in range(max(0, count))])
        shown = setup.draw()
        whole = [row for block in setup.blocks for row in block.rows]
        view = [row for row in shown if row]
        assert len(view) == min(4, len(whole))
        at = whole.index(view[0]) if view else 0
        assert whole[at : at + len(view)] == view
        if setup.view.following:
            assert view == whole[-4:]


def test_forgetting_draws_everything_again() -> None:
    setup = Setup(rows(2))
    setup.draw()
    setup.terminal.screen.reset()
    setup.screen.forget()
    assert setup.draw() == ["0.2", "1.0", "1.1", "1.2"]
