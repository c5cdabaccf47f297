"""Regular mode: nothing is lost and nothing doubled in the scrollback."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi.modes.interactive.palette import Theme
from pi.modes.interactive.screen import Frame, Screen

from .terminal import Block, Bottom, Terminal

THEME = Theme("t", {})


def screen(terminal: Terminal, **options: Any) -> Screen:
    return Screen(terminal, THEME, **options)


def frame(blocks: list[Block], bottom: Bottom) -> Frame:
    return Frame(blocks, [bottom], bottom)


def test_a_frame_shows_transcript_bottom_and_cursor() -> None:
    terminal = Terminal(20, 6)
    bottom = Bottom(["> text", "footer"], (0, 6))
    screen(terminal).draw(frame([Block(["one", "two"])], bottom))
    assert terminal.display() == ["one", "two", "> text", "footer", "", ""]
    assert terminal.cursor == (2, 6)


def test_only_changed_rows_are_written_and_nothing_where_nothing_changed() -> None:
    terminal = Terminal(20, 10)
    painter, block, bottom = screen(terminal), Block(["one", "two"]), Bottom(["> "], (0, 2))
    painter.draw(frame([block], bottom))
    painter.draw(frame([block], bottom))
    assert len(terminal.writes) == 1
    block.put(["one", "three"])
    painter.draw(frame([block], bottom))
    assert "three" in terminal.writes[1]
    assert "one" not in terminal.writes[1]
    assert "> " not in terminal.writes[1]
    assert terminal.writes[1].startswith("\x1b[?2026h")
    assert terminal.writes[1].endswith("\x1b[?2026l")


def test_what_was_on_the_terminal_stays_above() -> None:
    terminal = Terminal(20, 5)
    terminal.write_raw("$ pi\r\n")
    painter = screen(terminal)
    blocks = [Block(["a"])]
    bottom = Bottom(["> "])
    for number in range(10):
        painter.draw(frame(blocks, bottom))
        blocks.append(Block([f"row {number}"]))
    painter.draw(frame(blocks, bottom))
    assert terminal.text() == ["$ pi", "a", *(f"row {n}" for n in range(10)), ">"]
    assert not any("\x1b[2J" in write or "\x1b[3J" in write for write in terminal.writes)


def test_over_wide_rows_are_cut() -> None:
    terminal = Terminal(10, 5)
    screen(terminal).draw(
        frame([Block(["x" * 30, "漢" * 9, "\x1b[31m" + "y" * 30 + "\x1b[0m"])], Bottom(["> "]))
    )
    assert terminal.text()[0] == "x" * 10
    assert terminal.text()[2:] == ["y" * 10, ">"]


def test_rows_that_may_change_are_held_back() -> None:
    terminal = Terminal(20, 4)
    painter, bottom = screen(terminal), Bottom(["> "])
    running = Block([f"old {n}" for n in range(6)], settled=0)
    painter.draw(frame([running], bottom))
    assert terminal.text() == ["old 3", "old 4", "old 5", ">"]
    running.put(["new 0", "new 1"])
    painter.draw(frame([running], bottom))
    assert terminal.text() == ["new 0", "new 1", ">"]


def test_ten_thousand_rows_at_once_go_to_the_scrollback() -> None:
    terminal = Terminal(20, 10)
    painter, bottom = screen(terminal), Bottom(["> "])
    painter.draw(frame([Block([f"row {n}" for n in range(10_000)])], bottom))
    assert terminal.text() == [*(f"row {n}" for n in range(10_000)), ">"]
    assert len(terminal.writes) == 1


def test_committed_components_are_asked_for_nothing() -> None:
    terminal = Terminal(20, 10)
    blocks = [Block([f"row {n}"]) for n in range(1_000)]
    painter, bottom = screen(terminal), Bottom(["> "])
    painter.draw(frame(blocks, bottom))
    assert painter.committed == 991
    assert terminal.text() == [*(f"row {n}" for n in range(1_000)), ">"]
    before = [block.renders for block in blocks]
    blocks.append(Block(["more"]))
    painter.draw(frame(blocks, bottom))
    assert [block.renders for block in blocks[:991]] == before[:991]


def test_a_block_that_is_drawn_differently_goes_on_where_it_differs() -> None:
    terminal = Terminal(20, 4)
    painter, bottom = screen(terminal), Bottom(["> "])
    block = Block(["title", *(f"row {n}" for n in range(8))])
    painter.draw(frame([block], bottom))
    block.put(["title", *(f"full {n}" for n in range(8))])
    painter.draw(frame([block], bottom))
    assert terminal.text()[-9:] == [*(f"full {n}" for n in range(8)), ">"]


def test_suspend_leaves_the_transcript_and_takes_up_again_below() -> None:
    terminal = Terminal(20, 6)
    painter, bottom = screen(terminal), Bottom(["> draft", "footer"], (0, 7))
    blocks = [Block(["one"]), Block(["running"], settled=0)]
    painter.draw(frame(blocks, bottom))
    painter.suspend()
    assert terminal.text() == ["one"]
    assert terminal.cursor == (1, 0)
    terminal.write_raw("$ fg\r\n")
    painter.draw(frame(blocks, bottom))
    assert terminal.text() == ["one", "$ fg", "running", "> draft", "footer"]


def test_close_leaves_the_cursor_below_everything() -> None:
    terminal = Terminal(20, 6)
    painter = screen(terminal)
    painter.draw(frame([Block(["one"])], Bottom(["> ", "footer"])))
    painter.close(["bye"])
    assert terminal.text() == ["one", "bye"]
    assert terminal.cursor == (2, 0)
    assert not terminal.screen.cursor.hidden


def test_close_keeps_what_is_unfinished() -> None:
    terminal = Terminal(20, 4)
    painter, bottom = screen(terminal), Bottom(["> ", "footer"])
    rows = [f"row {n}" for n in range(5)]
    painter.draw(frame([Block(["one"]), Block(rows, settled=3)], bottom))
    painter.close(["bye"])
    assert terminal.text() == ["one", *rows, "bye"]


def test_restart_keeps_what_is_shown() -> None:
    terminal = Terminal(20, 6)
    painter, bottom = screen(terminal), Bottom(["> "])
    painter.draw(frame([Block(["old"]), Block(["half"], settled=0)], bottom))
    painter.restart()
    painter.draw(frame([Block(["new"])], bottom))
    assert terminal.text() == ["old", "half", "new", ">"]


def test_a_bottom_taller_than_the_terminal_shows_its_cursor() -> None:
    terminal = Terminal(20, 4)
    bottom = Bottom([f"line {n}" for n in range(10)], (2, 1))
    screen(terminal).draw(frame([Block(["one"])], bottom))
    assert terminal.display() == ["line 2", "line 3", "line 4", "line 5"]
    assert terminal.cursor == (0, 1)


def test_images_are_taken_off_when_their_row_changes() -> None:
    terminal = Terminal(20, 6)
    painter, bottom = screen(terminal), Bottom(["> "])
    block = Block(["", "\x1b[1A\x1b_Ga=T,i=7;AAAA\x1b\\\x1b[1B"])
    painter.draw(frame([block], bottom))
    block.put(["", "gone"])
    painter.draw(frame([block], bottom))
    assert terminal.writes[-1].index("\x1b_Ga=d,d=i,i=7") < terminal.writes[-1].index("gone")


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 12)),
        st.tuples(st.just("stream"), st.integers(1, 6)),
        st.tuples(st.just("change"), st.integers(0, 9)),
        st.tuples(st.just("finish"), st.integers(0, 9)),
        st.tuples(st.just("bottom"), st.integers(1, 6)),
        st.tuples(st.just("cursor"), st.integers(0, 5)),
        st.tuples(st.just("suspend"), st.just(0)),
    ),
    max_size=30,
)


class Story:
    """A conversation as random steps make it; every row says something else."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.bottom = Bottom(["> "])
        self.count = 0

    def rows(self, count: int) -> list[str]:
        self.count += count
        return [f"row {n}" for n in range(self.count - count, self.count)]

    def step(self, kind: str, number: int) -> None:
        last = self.blocks[-1] if self.blocks else None
        if kind == "add":
            self.finish()
            self.blocks.append(Block(self.rows(number)))
        elif kind == "stream":
            # Rows are added; the last one may still change.
            if last is None or last.settled_rows is None:
                last = Block([], settled=0)
                self.blocks.append(last)
            kept = last.rows[: last.settled_rows]
            rows = kept + self.rows(number)
            last.put(rows, settled=len(rows) - 1)
        elif kind == "change":
            # All of it changes but what it said would stay.
            if last is None or last.settled_rows is None:
                last = Block([], settled=0)
                self.blocks.append(last)
            last.put(last.rows[: last.settled_rows] + self.rows(number), settled=last.settled_rows)
        elif kind == "finish":
            self.finish(number)
        elif kind == "bottom":
            self.bottom.put([f"bottom {n} {self.count}" for n in range(number)])
            self.bottom.cursor = (number - 1, 0)
        elif kind == "cursor":
            self.bottom.cursor = (min(number, len(self.bottom.rows) - 1), number)

    def finish(self, number: int | None = None) -> None:
        for block in self.blocks:
            if block.settled_rows is not None:
                rows = block.rows
                if number is not None:
                    rows = rows[: block.settled_rows] + self.rows(number)
                block.put(rows)

    def text(self) -> list[str]:
        return [row for block in self.blocks for row in block.rows]


@settings(max_examples=150)
@given(steps, st.integers(1, 12), st.integers(0, 5))
def test_any_stream_of_changes_ends_in_the_whole_text_once(
    story_steps: list[tuple[str, int]], rows: int, above: int
) -> None:
    terminal = Terminal(30, rows)
    shell = [f"$ {n}" for n in range(above)]
    terminal.write_raw("".join(f"{row}\r\n" for row in shell))
    painter, story = screen(terminal), Story()
    for kind, number in story_steps:
        if kind == "suspend":
            painter.suspend()
        story.step(kind, number)
        painter.draw(frame(story.blocks, story.bottom))
        bottom = [row.rstrip() for row in story.bottom.rows]
        assert (
            "".join(terminal.text()[-rows:]).endswith("".join(bottom[-rows:])) or len(bottom) > rows
        )
    story.finish()
    story.bottom.put(["> "])
    story.bottom.cursor = (0, 0)
    painter.draw(frame(story.blocks, story.bottom))
    assert terminal.text() == [*shell, *story.text(), ">"]


@settings(max_examples=150)
@given(
    steps, st.lists(st.tuples(st.integers(10, 40), st.integers(2, 12)), max_size=6), st.booleans()
)
def test_resizing_loses_nothing(
    story_steps: list[tuple[str, int]], sizes: list[tuple[int, int]], pulls: bool
) -> None:
    terminal = Terminal(30, 8, pulls=pulls)
    painter, story = screen(terminal, reflows=False), Story()
    columns = 30
    widths = False
    for at, (kind, number) in enumerate(story_steps):
        story.step(kind, number)
        painter.draw(frame(story.blocks, story.bottom))
        if sizes and at % 3 == 2:
            wide, rows = sizes.pop()
            widths = widths or wide != columns
            columns = wide
            terminal.resize(wide, rows)
            painter.draw(frame(story.blocks, story.bottom))
    story.finish()
    story.bottom.put(["> "])
    story.bottom.cursor = (0, 0)
    painter.draw(frame(story.blocks, story.bottom))
    seen = [row for row in terminal.text() if re.fullmatch(r"row \d+", row)]
    expected = [row for row in story.text() if re.fullmatch(r"row \d+", row)]
    assert [row for row in expected if row not in seen] == []
    positions = [max(at for at, row in enumerate(seen) if row == one) for one in expected]
    assert positions == sorted(positions)
    if not widths and not any(kind in ("change", "stream") for kind, _ in story_steps):
        # Rows that might still have changed can have been scrolled away by the terminal.
        doubled = [row for row in expected if seen.count(row) > 1]
        assert not doubled


def test_rows_that_become_free_are_filled_where_that_is_wanted() -> None:
    terminal = Terminal(20, 8)
    painter = screen(terminal, refill=True)
    blocks = [Block([f"row {n}", f"row {n} more"]) for n in range(8)]
    bottom, menu = ["> ", "footer"], ["> /", "one", "two", "three", "footer"]
    painter.draw(frame(blocks, Bottom(bottom)))
    before = terminal.display()
    painter.draw(frame(blocks, Bottom(menu)))
    assert terminal.display() == [*before[3:6], "> /", *menu[1:]]
    painter.draw(frame(blocks, Bottom(bottom)))
    assert terminal.display() == before
    painter.draw(frame([*blocks, Block(["last"])], Bottom(bottom)))
    assert terminal.display() == [*before[1:6], "last", ">", "footer"]
    scrolled = terminal.history()
    assert [row for n in range(8) for row in (f"row {n}", f"row {n} more")][
        : len(scrolled) - 3
    ] == [
        *scrolled[:10],
        *scrolled[13:],
    ]


def test_rows_that_become_free_stay_so_otherwise() -> None:
    terminal = Terminal(20, 8)
    painter = screen(terminal)
    blocks = [Block([f"row {n}"]) for n in range(8)]
    painter.draw(frame(blocks, Bottom(["> ", "menu", "menu", "footer"])))
    painter.draw(frame(blocks, Bottom(["> ", "footer"])))
    assert terminal.display() == [*(f"row {n}" for n in range(4, 8)), ">", "footer", "", ""]


def test_nothing_is_shown_twice_that_is_on_the_screen() -> None:
    """What was left to another program stands above, and is not ours any more."""
    terminal = Terminal(20, 12)
    painter = screen(terminal, refill=True)
    blocks = [Block([f"row {n}"]) for n in range(4)]
    painter.draw(frame(blocks, Bottom(["> "])))
    painter.suspend()
    painter.draw(frame(blocks, Bottom(["> ", "menu", "menu"])))
    painter.draw(frame(blocks, Bottom(["> "])))
    assert terminal.text() == [*(f"row {n}" for n in range(4)), ">"]


@settings(max_examples=150)
@given(steps, st.integers(1, 12))
def test_filling_loses_nothing(story_steps: list[tuple[str, int]], rows: int) -> None:
    terminal = Terminal(30, rows)
    painter, story = screen(terminal, refill=True), Story()
    for kind, number in story_steps:
        if kind == "suspend":
            painter.suspend()
        story.step(kind, number)
        painter.draw(frame(story.blocks, story.bottom))
    story.finish()
    story.bottom.put(["> "])
    story.bottom.cursor = (0, 0)
    painter.draw(frame(story.blocks, story.bottom))
    seen = [row for row in terminal.text() if row]
    assert seen[-1] == ">"
    expected = [row for row in story.text() if row]
    assert [row for row in expected if row not in seen] == []
    positions = [max(at for at, row in enumerate(seen) if row == one) for one in expected]
    assert positions == sorted(positions)


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_tiny_terminals(columns: int) -> None:
    terminal = Terminal(columns, 2)
    painter = screen(terminal)
    painter.draw(frame([Block(["漢字 and more"] * 3)], Bottom(["> long prompt", "footer"], (0, 9))))
    terminal.resize(columns, 1)
    painter.draw(frame([Block(["漢字 and more"] * 3)], Bottom(["> long prompt", "footer"], (0, 9))))
    painter.close()
