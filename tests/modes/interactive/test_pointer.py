"""The mouse in fullscreen mode: who gets an event, counted from where, and what nobody takes."""

from collections.abc import Callable

from pi.modes.interactive.keys import Mouse, MouseAction, MouseButton
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.pointer import Pointer
from pi.modes.interactive.screen import Frame, Screen
from pi.resources.themes import builtin_theme

from .terminal import Block, Bottom, Terminal

THEME = Theme.of(builtin_theme("dark"))
COLUMNS, ROWS = 20, 10


class Heard(list[tuple[str, str, int, int]]):
    """taking: the names of those who take what they hear of."""

    def __init__(self) -> None:
        self.taking: set[str] = set()

    def by(self, name: str) -> Callable[[Mouse], bool]:
        def mouse(event: Mouse) -> bool:
            self.append((name, event.action, event.x, event.y))
            return name in self.taking

        return mouse


class Setup:
    """Three blocks of four rows, of which the last six are in view; a widget, a panel, a footer."""

    def __init__(self) -> None:
        self.heard = Heard()
        self.terminal = Terminal(COLUMNS, ROWS)
        self.screen = Screen(self.terminal, THEME, "fullscreen", scrollbar="hidden")
        self.blocks = [Block([f"block {n} {row}" for row in range(4)]) for n in range(3)]
        self.panel = Bottom(["> ", ""], (0, 2))
        self.widget, self.footer = Block(["widget"]), Block(["footer"])
        self.silent = Block([])
        named = [("block", self.blocks[1]), ("widget", self.widget), ("panel", self.panel)]
        for name, component in [*named, ("footer", self.footer)]:
            component.mouse = self.heard.by(name)  # type: ignore[attr-defined]
        self.followed: list[str] = []
        self.pointer = Pointer(self.screen, lambda: None, self.followed.append)
        self.draw()

    def draw(self, *more: Block) -> list[str]:
        bottom = [*more, self.widget, self.silent, self.panel, self.footer]
        self.screen.draw(Frame(self.blocks, bottom, self.panel))
        return self.terminal.display()

    def __call__(self, action: MouseAction, x: int, y: int, button: MouseButton = "left") -> bool:
        return self.pointer.act(Mouse(action, button, x, y))


def test_whatever_is_there_hears_of_it_from_its_own_first_cell() -> None:
    on = Setup()
    shown = on.draw()
    assert (shown[0], shown[6], shown[7], shown[9]) == ("block 1 2", "widget", ">", "footer")
    for row in range(ROWS):
        assert on("press", 3, row) is False
    assert on.heard == [
        ("block", "press", 3, 2),
        ("block", "press", 3, 3),
        ("widget", "press", 3, 0),
        ("panel", "press", 3, 0),
        ("panel", "press", 3, 1),
        ("footer", "press", 3, 0),
    ]


def test_who_takes_a_press_has_the_button_until_it_goes_up() -> None:
    on = Setup()
    on.heard.taking = {"widget"}
    assert on("press", 2, 6)
    assert on("drag", 19, 0) and on("release", 0, 9)
    assert on.heard == [
        ("widget", "press", 2, 0),
        ("widget", "drag", 19, -6),
        ("widget", "release", 0, 3),
    ]
    assert not on("drag", 2, 6) and not on("release", 2, 6), "text is selected meanwhile"
    assert not on("press", 2, 7)
    assert not on("release", 2, 6)
    assert len(on.heard) == 4


def test_a_wheel_that_is_taken_holds_nothing() -> None:
    on = Setup()
    on.heard.taking = {"block", "widget"}
    assert on("press", 2, 0, "wheelUp")
    assert not on("release", 2, 0)
    assert on("press", 2, 6) and on("press", 0, 0, "wheelDown") and on("drag", 3, 6)
    assert [name for name, *_ in on.heard] == ["block", "widget", "block", "widget"]


def test_a_release_that_is_lost_does_not_matter() -> None:
    on = Setup()
    on.heard.taking = {"widget"}
    assert on("press", 2, 6)
    assert not on("press", 2, 9)
    assert not on("drag", 2, 6)


def test_rows_that_have_no_room_are_counted() -> None:
    on = Setup()
    assert on.draw(Block([f"more {n}" for n in range(9)]))[0] == "more 3"
    on("press", 1, 6)
    on("press", 1, 9)
    assert on.heard == [("widget", "press", 1, 0), ("footer", "press", 1, 0)]


def linked(address: str) -> str:
    return f"to \x1b]8;;{address}\x1b\\the \x1b[1mpage\x1b[0m\x1b]8;;\x1b\\ of it"


def test_a_click_on_a_link_opens_its_page_whatever_it_lies_in() -> None:
    on = Setup()
    on.heard.taking = {"block", "widget"}
    on.blocks[1].put([linked("https://example.com/x")] * 4)
    on.widget.put([linked("http://example.org/")])
    on.draw()
    for x in (3, 8, 10):
        assert not on("press", x, 0), "text is selected from here, if it is dragged"
        assert not on("release", x, 0)
    assert on.followed == ["https://example.com/x"] * 3
    on("press", 5, 6)
    on("release", 5, 6, "none")  # some terminals do not say which button goes up
    assert on.followed[3:] == ["http://example.org/"]
    assert on.heard == []
    on("press", 4, 0)
    on("drag", 9, 0)
    on("release", 9, 0)
    on("press", 4, 0, "right")
    on("release", 4, 0, "right")
    on("press", 0, 0)
    on("release", 4, 0)
    assert len(on.followed) == 4
    assert ("block", "press", 0, 2) in on.heard


def test_only_pages_are_opened() -> None:
    on = Setup()
    for address in ("file:///tmp/a.desktop", "vscode://x", "javascript:alert(1)", "HTTPS://a.b/"):
        on.widget.put([linked(address)])
        on.draw()
        on("press", 5, 6)
        on("release", 5, 6)
    assert on.followed == ["HTTPS://a.b/"]


def test_a_click_folds_but_for_one_on_a_link() -> None:
    on = Setup()

    class Foldable(Block):
        foldable, expanded = True, False

        def fold(self, expanded: bool | None) -> None:
            self.expanded = bool(expanded)
            self.put([linked("https://example.com/")] * (6 if expanded else 1))

    block = Foldable([linked("https://example.com/")])
    on.blocks.append(block)
    view = on.screen.viewport

    def click(x: int, text: str) -> None:
        row = on.draw().index(text)
        on("press", x, row)
        assert view.press(x, row)
        on("release", x, row)
        assert view.release() == ""

    click(5, "to the page of it")
    assert not block.expanded and len(on.followed) == 1
    assert view.following
    click(0, "to the page of it")
    assert block.expanded and len(on.followed) == 1
    assert not view.following, "what is read stays where it is"
    click(0, "to the page of it")
    assert not block.expanded
