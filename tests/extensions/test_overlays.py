"""What extensions lay over the screen: who has the keyboard, what goes first, what faults do."""

import pytest

from tests.e2e.interactive.tmux import TMUX
from tests.extensions.conftest import Extend
from tests.extensions.screens import READY, say, settled

pytestmark = pytest.mark.skipif(TMUX is None, reason="no tmux here")


OVERLAYS = """
from pi.extensions.ui import Input, Box, Key, Overlay, Part

class Name(Part):
    def __init__(self, name, screen, done):
        self.name, self.screen, self.done, self.typed = name, screen, done, ""

    def render(self, width):
        mark = "*" if self.focused else " "
        self.cursor = (0, len(self.name) + 2 + len(self.typed))
        return [f"{mark}{self.name}:{self.typed}."]

    def handle(self, key):
        if self.screen.keymap.matches(key, "tui.select.confirm"):
            self.done(self.typed)
        elif key.text:
            self.typed += key.text
        else:
            return False
        return True

    def close(self):
        log.append(self.name)

log = []
handles = {}

def extend(pi):
    @pi.command("two")
    async def two(args, ctx):
        import asyncio
        async def one(name, column):
            got = await ctx.ui.custom(
                lambda screen, theme, keys, done: Name(name, screen, done),
                overlay=Overlay(row=2, column=column, width=20),
                on_handle=lambda handle: handles.update({name: handle}),
            )
            ctx.ui.notify(f"{name} gave {got!r}")
        await asyncio.gather(one("left", 5), one("right", 40))
        ctx.ui.notify(f"closed {log}")

    @pi.shortcut("ctrl+alt+f", "Focus the left one")
    def focus(ctx):
        handles["left"].focus()

    @pi.on("session_start")
    def start(event, ctx):
        def heard(data):
            if data == "F":
                handles["left"].focus()
            elif data == "E":
                handles["left"].unfocus("editor")
            elif data == "N":
                handles["right"].unfocus("nobody")
            elif data == "H":
                (handles["left"].show if handles["left"].hidden else handles["left"].hide)()
            else:
                return None
            return True
        ctx.ui.on_terminal_input(heard)

    @pi.command("ask")
    async def ask(args, ctx):
        ctx.ui.notify(f"answer {await ctx.ui.input('A question')!r}")

    @pi.command("faulty")
    async def faulty(args, ctx):
        class Faulty(Part):
            def render(self, width):
                return ["faulty panel"]
            def handle(self, key):
                1 / 0
        ctx.ui.notify(f"gave {await ctx.ui.custom(lambda *a: Faulty(), overlay=lambda: 1 / 0)}")
"""


@pytest.mark.parametrize("mode", ["regular", "fullscreen"])
def test_overlays_and_the_keyboard(extend: Extend, mode: str) -> None:
    with settled(extend(OVERLAYS, READY), "--tui-mode", mode) as screen:
        say(screen, "/two")
        screen.wait("*right:.")
        screen.type("ab")
        screen.wait("*right:ab.")
        row, column = screen.cursor
        assert (row, column) == (2, 40 + len("*right:ab"))
        screen.type("Fcd")
        screen.wait("*left:cd.")
        screen.wait(" right:ab.")
        screen.type("Etext")
        screen.wait(" left:cd.")
        screen.wait("text")
        say(screen, "")  # a prompt of the person's, below the overlays
        screen.wait("done")
        screen.type("F/")
        screen.wait("*left:cd/.")
        screen.type("H")
        screen.wait_gone("left:cd/")
        screen.type("e")  # to where it came from: the editor
        assert " right:ab." in screen.wait("\ne")
        screen.type("H")
        screen.wait("*left:cd/.")
        screen.type("f")
        screen.wait("*left:cd/f.")
        screen.press("Enter")
        screen.wait("left gave 'cd/f'")
        screen.type("Nlost")
        screen.press("C-c")  # what nobody wants is for the application
        assert "lost" not in screen.wait_gone("\ne")


def test_a_question_comes_before_an_overlay_and_then_it_goes_on(extend: Extend) -> None:
    with settled(extend(OVERLAYS, READY)) as screen:
        say(screen, "/two")
        screen.wait("*right:.")
        screen.type("Fxyz")
        screen.wait("*left:xyz.")
        screen.type("E/ask")
        screen.press("Enter")
        screen.wait("A question")
        screen.wait(" left:xyz.")
        screen.type("me")
        screen.press("Enter")
        screen.wait("answer 'me'")
        screen.type("F!")
        screen.wait("*left:xyz!.")


def test_a_faulty_overlay_locks_nobody_in(extend: Extend) -> None:
    with settled(extend(OVERLAYS, READY)) as screen:
        say(screen, "/faulty")
        screen.wait("faulty panel")
        screen.wait_words("in overlay: ZeroDivisionError")
        screen.type("x")
        screen.wait("gave None")
        say(screen, "hello")
        screen.wait("done")


def test_a_reload_takes_overlays_away(extend: Extend) -> None:
    with settled(extend(OVERLAYS, READY)) as screen:
        say(screen, "/two")
        screen.wait("*right:.")
        screen.type("E")
        screen.wait(" right:.")
        say(screen, "/reload")
        screen.wait_gone(" right:.")
        screen.wait("Read settings")
        say(screen, "hello")
        screen.wait("done")
