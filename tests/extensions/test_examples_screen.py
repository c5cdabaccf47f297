"""The examples that draw on the terminal, each with a person at it."""

import re
from typing import Literal

import pytest

from tests.e2e.interactive.tmux import TMUX
from tests.extensions.conftest import SAYS_DONE, Extend
from tests.extensions.screens import say, sitting
from tests.extensions.test_examples_tools import EXAMPLES, needs_examples

pytestmark = [needs_examples, pytest.mark.skipif(TMUX is None, reason="no tmux here")]

ScreenMode = Literal["regular", "fullscreen"]
MODES: tuple[ScreenMode, ...] = ("regular", "fullscreen")


@pytest.mark.parametrize("mode", MODES)
def test_an_overlay_to_pick_from_and_one_in_the_corner(extend: Extend, mode: ScreenMode) -> None:
    with sitting(extend(EXAMPLES / "overlay.py"), "--tui-mode", mode) as screen:
        say(screen, "mend the parser")
        screen.wait("done")
        say(screen, "/clock")
        row = screen.wait("╭ open").splitlines()[1]
        assert row.index("╭ open") == 75, "13 cells and a margin of two"
        say(screen, "/pick")
        shown = screen.wait("Earlier prompts")
        assert "→ mend the parser" in shown
        assert "╭ open" in shown
        assert "mend the parser" in shown.split("Earlier prompts")[0], "it floats above"
        screen.type("nothing like it")
        screen.wait("nothing of that name")
        screen.press("Escape")
        screen.wait_gone("Earlier prompts")
        say(screen, "/pick")
        screen.wait("Earlier prompts")
        screen.press("Enter")
        screen.wait_gone("Earlier prompts")
        screen.wait_until(lambda shown: shown.count("mend the parser") == 2, "it in the editor")
        assert "Earlier prompts" not in screen.text(scrollback=True)
        screen.press("C-c")
        screen.resize(50, 20)
        screen.wait_gone("╭ open")
        screen.resize(90, 30)
        screen.wait("╭ open")
        say(screen, "/peek")
        screen.wait_gone("╭ open")
        say(screen, "/peek")
        screen.wait("╭ open")
        say(screen, "/clock")
        screen.wait_gone("╭ open")
        say(screen, "and the lexer")
        screen.wait("and the lexer")


def test_a_modal_editor(extend: Extend) -> None:
    with sitting(extend(EXAMPLES / "modal_editor.py")) as screen:
        screen.wait("INSERT")
        screen.type("hello wurld")
        screen.wait("hello wurld")
        screen.press("Escape")
        screen.wait("NORMAL")
        screen.type("bllxh")
        screen.wait("hello wuld")
        screen.type("za")  # z does nothing, a goes on behind the letter
        screen.wait("INSERT")
        screen.type("o")
        screen.wait("hello wuold")
        screen.press("Escape")
        screen.wait("NORMAL")
        screen.type("0i")
        screen.wait("INSERT")
        screen.type("oh ")
        screen.wait("oh hello")
        screen.press("Enter")
        screen.wait("done")
        screen.wait("INSERT")
        screen.press("Escape")
        screen.wait("NORMAL")
        screen.press("C-c", "C-c")
        assert screen.wait_end() == 0, "keys of pi are heard in both modes"


def test_a_footer_and_a_header(extend: Extend) -> None:
    pi = extend(EXAMPLES / "custom_footer.py", EXAMPLES / "status_line.py")
    head = pi.machine.project / ".git" / "HEAD"
    head.parent.mkdir()
    head.write_text("ref: refs/heads/topic\n")
    with sitting(pi) as screen:
        say(screen, "hello")
        screen.wait("done")
        say(screen, "/footer")
        shown = screen.wait_gone("0.0%")
        assert "(topic)" in shown
        last = shown.rstrip().splitlines()[-1]
        assert re.search(r"↑\d+ ↓\d+ \$0\.000 · 1 turns, \d+ tokens written", last)
        head.write_text("ref: refs/heads/other\n")
        say(screen, "again")
        screen.wait("(other)")
        say(screen, "/header")
        screen.wait("What shall we build today?")
        say(screen, "/header")
        screen.wait_gone("What shall we build today?")
        say(screen, "/footer")
        screen.wait("0.0%")


@pytest.mark.parametrize("mode", MODES)
def test_a_game(extend: Extend, mode: ScreenMode) -> None:
    pi = extend(EXAMPLES / "snake.py")
    with sitting(pi, "--tui-mode", mode) as screen:
        say(screen, "hello")
        screen.wait("done")
        say(screen, "/snake")
        screen.wait("score 0")
        screen.press("Up")
        screen.wait("plays again")  # it ran into the wall
        screen.press("Enter")
        screen.wait_gone("plays again")
        screen.press("Escape")
        shown = screen.wait_gone("score")
        assert "hello" in shown
        say(screen, "still here")
        screen.wait("still here")
        assert "score" not in screen.text(scrollback=True)


def test_the_game_keeps_its_rules() -> None:
    namespace: dict[str, object] = {}
    exec((EXAMPLES / "snake.py").read_text(), namespace)
    game = namespace["Game"](best=2)  # type: ignore[operator]
    game.food = (game.snake[0][0] + 1, game.snake[0][1])
    game.step()
    assert (game.score, game.over) == (1, False)
    game.steer((-1, 0))
    game.step()
    assert not game.over, "it cannot turn back into itself"
    game.food = (0, 0)
    for _ in range(30):
        game.step()
    assert game.over
    assert game.best == 2


def test_how_work_looks(extend: Extend) -> None:
    pi = extend(EXAMPLES / "working_look.py", turns=[{**SAYS_DONE, "delay": 0.5}])
    with sitting(pi) as screen:
        screen.wait_title(lambda title: title == "π project")
        say(screen, "hello")
        screen.wait("● Working")
        screen.wait_title(lambda title: title[0] in "◐◓◑◒")
        screen.wait("done")
        screen.wait_title(lambda title: title == "π project")


def test_over_rpc_nothing_of_it_is_in_the_way(extend: Extend) -> None:
    names = ("overlay", "modal_editor", "custom_footer", "snake", "working_look")
    pi = extend(*(EXAMPLES / f"{name}.py" for name in names))
    with pi.rpc() as person:
        person.ask("hello")
        for command in ("/snake", "/pick", "/clock", "/peek", "/footer", "/header"):
            assert person.ask(command)["success"]
        assert person.finish() == 0
    assert person.errors_of_extensions() == []
    assert person.notices() == ["/snake is for the terminal", "There is nothing to pick from"]
    assert person.requests("setTitle")[0]["title"] == "π project"
