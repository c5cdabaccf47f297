"""The mouse in fullscreen mode, in a real terminal: components of extensions, lists, the editor."""

from pathlib import Path

from tests.e2e.interactive.conftest import Sitting
from tests.e2e.interactive.tmux import Screen

EXTENSION = '''
from pi.extensions.ui import Part


class Spot(Part):
    """Says what it heard last; takes what happens on its first row."""

    def __init__(self, name, screen, done=None):
        self.name, self.screen, self.done, self.said = name, screen, done, ""

    def render(self, width):
        return [f"<{self.name} {self.said}>", f"<{self.name} below>"]

    def mouse(self, event):
        self.said = f"{event.action} {event.button} {event.x},{event.y}"
        self.screen.redraw()
        if self.done is not None and event.action == "release":
            self.done("mouse")
        return event.y < 1 or event.action == "release"

    def handle(self, key):
        return False


def extend(pi):
    @pi.on("session_start")
    async def start(event, ctx):
        ctx.ui.set_widget_component("w", lambda screen, theme, keys: Spot("widget", screen))
        ctx.ui.set_header(lambda screen, theme, keys: Spot("header", screen))
        ctx.ui.set_footer(lambda screen, theme, keys, figures: Spot("footer", screen))

    kept = {}

    @pi.message_renderer("spot")
    def spot(message, drawing, theme):
        return kept.setdefault("spot", Spot("message", kept["screen"]))

    @pi.command("say")
    async def say(args, ctx):
        """A message with a component."""
        kept["screen"] = ctx.ui.screen
        pi.send_message({"customType": "spot", "content": "x", "display": True})

    @pi.command("ask")
    async def ask(args, ctx):
        """A panel in the editor's place."""
        got = await ctx.ui.custom(lambda screen, theme, keys, done: Spot("panel", screen, done))
        ctx.ui.notify(f"the answer is {got}")

    @pi.command("edit")
    async def edit(args, ctx):
        """Another editor."""
        ctx.ui.set_editor_component(lambda screen, theme, keys, own: Spot("editor", screen))
'''


def place(screen: Screen, shown: str) -> tuple[int, int]:
    """Row and column of a text that is on the screen."""
    rows = screen.text().split("\n")
    row = next((at for at, line in enumerate(rows) if shown in line), None)
    assert row is not None, screen.text()
    return row, rows[row].index(shown)


def mouse(screen: Screen, button: int, shown: str, *, right: int = 0, end: str = "M") -> None:
    """At the first cell of a text, or so many cells to its right."""
    row, column = place(screen, shown)
    screen.type(f"\x1b[<{button};{column + 1 + right};{row + 1}{end}")


def click(screen: Screen, shown: str, *, right: int = 0) -> None:
    row, column = place(screen, shown)
    for end in "Mm":
        screen.type(f"\x1b[<0;{column + 1 + right};{row + 1}{end}")


def say(screen: Screen, line: str) -> None:
    screen.type(line)
    screen.press("Enter")


def sit_with(sit: Sitting, tmp_path: Path) -> Screen:
    path = tmp_path / "spots.py"
    path.write_text(EXTENSION)
    screen = sit("--tui-mode", "fullscreen", "-e", str(path), ready="<footer below>", rows=30)
    screen.wait("<header below>")
    return screen


def test_components_of_extensions_hear_of_it(sit: Sitting, tmp_path: Path) -> None:
    screen = sit_with(sit, tmp_path)
    say(screen, "/say")
    screen.wait("<message below>")
    for name in ("widget", "header", "footer", "message"):
        mouse(screen, 0, f"<{name} ", right=3)
        screen.wait(f"<{name} press left 3,0>")
        mouse(screen, 32, f"<{name} below", right=9)
        screen.wait(f"<{name} drag left 9,1>")
        mouse(screen, 0, f"<{name} below", right=4, end="m")
        screen.wait(f"<{name} release left 4,1>")
        mouse(screen, 64, f"<{name} below")
        screen.wait(f"<{name} press wheelUp 0,1>")
    say(screen, "/ask")
    screen.wait("<panel below>")
    mouse(screen, 0, "<panel ")
    screen.wait("<panel press left 0,0>")
    mouse(screen, 0, "<panel ", end="m")
    screen.wait("the answer is mouse")
    say(screen, "/edit")
    screen.wait("<editor below>")
    mouse(screen, 2, "<editor ", right=2)
    screen.wait("<editor press right 2,0>")


def test_lists_and_the_editor(sit: Sitting) -> None:
    screen = sit("--tui-mode", "fullscreen", rows=30)
    screen.type("hello wrld")
    screen.wait("hello wrld")
    click(screen, "wrld", right=1)
    screen.type("o")
    screen.wait("hello world")
    screen.press("C-c")
    screen.wait_gone("hello world")
    screen.type("/se")
    screen.wait("→ settings")
    mouse(screen, 65, "→ settings")
    screen.wait("→ session")
    click(screen, "  settings")
    screen.wait_until(lambda shown: "  session" not in shown and "/settings" in shown, "one word")
    screen.press("Enter")
    screen.wait("→ Automatic compaction")
    mouse(screen, 65, "→ Automatic compaction")
    screen.wait("→ Steering messages")
    assert "Hide thinking                   off" in screen.text()
    click(screen, "Hide thinking")
    screen.wait("→ Hide thinking                   on")


def test_a_click_shows_more_of_one_part_only(sit: Sitting) -> None:
    command = {"command": "seq 1 40"}
    calls = [{"tool": "bash", "id": f"c{number}", "args": command} for number in (1, 2)]
    turns = [{"blocks": calls, "stop": "toolUse"}, {"blocks": [{"text": "All done."}]}]
    sit.serve(turns)
    sit.settings(fullscreenScrollbar="hidden")
    screen = sit("--tui-mode", "fullscreen", rows=60)
    say(screen, "go")
    screen.wait("All done.")
    assert screen.text().count("seq 1 40") == 2
    assert "\n   7\n" not in screen.text()
    click(screen, "$ seq 1 40")
    shown = screen.wait("   7\n")
    assert shown.count("   7\n") == 1
    assert shown.index("   7\n") < shown.rindex("seq 1 40")
    mouse(screen, 0, "$ seq 1 40", right=1)
    mouse(screen, 32, "$ seq 1 40", right=4)
    mouse(screen, 0, "$ seq 1 40", right=4, end="m")
    screen.type("x")
    assert "   7\n" in screen.wait("x\n"), "what is selected is not folded"
    click(screen, "$ seq 1 40", right=6)
    screen.wait_gone("   7\n")
