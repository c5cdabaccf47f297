"""Extensions in the terminal: what they ask, show and draw, with a person's hands on the keys."""

import json
import shutil
import time
from typing import Any

import pytest

from tests.e2e.conftest import COMMAND, Machine
from tests.e2e.interactive.tmux import TMUX, Screen
from tests.extensions.conftest import SAYS_DONE, Extend, Extended, calls
from tests.extensions.screens import sitting
from tests.extensions.test_examples_tools import EXAMPLES, declared, needs_examples, text_of
from tests.waiting import eventually

pytestmark = [needs_examples, pytest.mark.skipif(TMUX is None, reason="no tmux here")]

ALL = """
from pi.extensions import Pi

class Counter:
    height, cursor = 10, None

    def __init__(self, screen, theme, keys, done):
        self.count, self.done, self.theme = 0, done, theme

    def render(self, width):
        return [self.theme.fg("accent", f"count {self.count}"), "x" * (width + 50)]

    def handle(self, key):
        if key.name == "up":
            self.count += 1
        elif key.name == "enter":
            self.done(self.count)
        elif key.name == "!":
            1 / 0
        else:
            return False
        return True

def extend(pi: Pi):
    @pi.on("session_start")
    def start(event, ctx):
        ui = ctx.ui
        ui.notify(f"started {event.reason} in {ctx.mode}")
        ui.set_status("s", "status of mine")
        ui.set_widget("above", ["widget above"])
        ui.set_widget("below", ["widget below"], "belowEditor")
        ui.add_completion(lambda before: [("#42", "the answer")] if before.endswith("#") else None)

    @pi.command("ask", "Ask all there is")
    async def ask(args, ctx):
        ui = ctx.ui
        got = [
            await ui.select("Which one?", ["first", "second"]),
            await ui.confirm("Sure", "really?"),
            await ui.input("Your name"),
            await ui.editor("A text", "before"),
            await ui.custom(Counter),
            await ui.confirm("Too late", "wait", seconds=0.5),
        ]
        ui.notify(f"answers {got}")

    @pi.command("broken")
    async def broken(args, ctx):
        ctx.ui.notify(f"gave {await ctx.ui.custom(Counter)}")
        ctx.ui.set_widget_component("w", lambda *args: None)
        ctx.ui.set_footer(lambda *args: 1 / 0)

    @pi.command("looks")
    def looks(args, ctx):
        ctx.ui.set_editor_text(f"{len(ctx.ui.themes())} themes, {ctx.ui.set_theme('light')}")

    @pi.shortcut("ctrl+alt+k", "Say something")
    def key(ctx):
        ctx.ui.notify("key heard")
"""


def test_all_of_the_ui(extend: Extend) -> None:
    with sitting(extend(ALL)) as screen:
        for shown in ("started startup in tui", "status of mine", "widget above", "widget below"):
            screen.wait(shown)
        screen.type("/ask")
        screen.press("Enter")
        screen.wait("Which one?")
        screen.press("Down", "Enter")
        screen.wait("really?")
        screen.type("y")
        screen.wait("Your name")
        screen.type("Ada")
        screen.press("Enter")
        screen.wait("A text")
        screen.type(" and after")
        screen.press("Enter")
        screen.wait("count 0")
        screen.press("Up", "Up")
        screen.wait("count 2")
        screen.press("Enter")
        screen.wait("answers ['second', True, 'Ada', 'before and after', 2, False]")
        screen.press("C-M-k")
        screen.wait("key heard")
        screen.type("see #")
        screen.wait("the answer")
        screen.press("Tab")
        screen.wait("see #42")


def test_what_fails_on_the_screen_is_said_and_locks_nobody_in(extend: Extend) -> None:
    with sitting(extend(ALL)) as screen:
        screen.type("/broken")
        screen.press("Enter")
        screen.wait("count 0")
        screen.type("!")
        screen.wait_words("extension_0.py:19, in custom: ZeroDivisionError")
        screen.wait("gave None")
        screen.wait_words("in footer: ZeroDivisionError")
        screen.wait_words(
            "extension_0.py:50, in widget w: TypeError: the factory gave no component"
        )
        screen.wait("0.0%")
        screen.wait("0.0%")
        screen.type("/looks")
        screen.press("Enter")
        screen.wait("themes, None")
        screen.press("C-c")
        screen.type("/reload")
        screen.press("Enter")
        screen.wait("started reload in tui")
        screen.type("hello")
        screen.press("Enter")
        screen.wait("done")


@pytest.mark.parametrize("allowed", [True, False])
def test_permission_gate(extend: Extend, allowed: bool) -> None:
    turns = [calls("bash", {"command": "rm -rf build; echo gone"}), SAYS_DONE]
    pi = extend(EXAMPLES / "permission_gate.py", turns=turns)
    with sitting(pi) as screen:
        screen.type("clean up")
        screen.press("Enter")
        screen.wait("Run it?")
        assert "rm -rf build" in screen.text()
        screen.press(*(["Down"] if allowed else []), "Enter")
        screen.wait("done")
    assert ("gone" in text_of(pi.tool_results()[0])) is allowed


def test_a_question_ends_with_the_run(extend: Extend) -> None:
    turns = [calls("bash", {"command": "sudo true"}), SAYS_DONE]
    with sitting(extend(EXAMPLES / "permission_gate.py", turns=turns)) as screen:
        screen.type("go")
        screen.press("Enter")
        screen.wait("Run it?")
        screen.press("Escape")
        screen.wait("did not allow")
        screen.wait("done")


def test_plan_mode(extend: Extend) -> None:
    plan: Any = {"blocks": [{"text": "Plan:\n1. Write a test\n2. Mend it\n"}], "stop": "stop"}
    done: Any = {"blocks": [{"text": "Wrote it [done 1]"}], "stop": "stop"}
    pi = extend(EXAMPLES / "plan_mode", turns=[plan, done])
    with sitting(pi) as screen:
        screen.press("C-M-p")
        screen.wait("plan mode")
        screen.type("mend it")
        screen.press("Enter")
        screen.wait("The plan is ready")
        screen.press("Enter")
        screen.wait("plan: 1/2")
        screen.wait("☑ 1. Write a test")
    assert "edit" not in declared(pi, 0)
    assert "edit" in declared(pi, 1)


LATE = """
from pi.extensions import Pi

def extend(pi: Pi):
    @pi.command("arrows")
    def arrows(args, ctx):
        @pi.markdown_transformer
        def arrows(text):
            return text.replace("-->", "→")

        @pi.tool_renderer
        def tools(name, following):
            raise LookupError("nothing for " + name)

        @pi.entry_renderer("late")
        def late(entry, drawing, theme):
            return f"late card {entry['data']}"

    @pi.on("session_start")
    def start(event):
        pi.append_entry("late", 7)
"""


def test_what_draws_may_come_late_and_fail(extend: Extend) -> None:
    turns = [calls("bash", {"command": "echo one --> two"}), SAYS_DONE]
    with sitting(extend(LATE, turns=turns)) as screen:
        screen.type("say --> it")
        screen.press("Enter")
        screen.wait("done")
        assert "❯ say --> it" in screen.text()
        screen.type("/arrows")
        screen.press("Enter")
        screen.wait("❯ say → it")
        screen.wait("late card 7")
        assert "$ echo one --> two" in screen.text()
        named = "LookupError:nothingforbash"
        screen.wait_words(named)
        assert "".join(screen.text().split()).count(named) == 1


def test_what_is_resumed_is_drawn_by_extensions_from_the_first_frame(extend: Extend) -> None:
    source = """
def extend(pi):
    pi.markdown_transformer(lambda text: text.replace("-->", "→"))
"""
    lines = "\n".join(f"- {number} --> {number + 1}" for number in range(60))
    pi = extend(source, turns=[{"blocks": [{"text": lines}], "stop": "stop"}])
    pi.run("-p", "count")
    with sitting(pi, "-c", rows=15) as screen:
        shown = screen.wait("59 → 60", scrollback=True)
        assert "• 0 → 1" in shown
        assert "-->" not in shown


def test_messages_cards_and_todos_are_drawn(extend: Extend) -> None:
    turns = [calls("todo", {"action": "add", "text": "write docs"}), SAYS_DONE]
    pi = extend(EXAMPLES / "message_renderer.py", EXAMPLES / "todo.py", turns=turns)
    with sitting(pi) as screen:
        screen.type("/card My title")
        screen.press("Enter")
        screen.wait("│ My title │")
        screen.type("/note mind this")
        screen.press("Enter")
        screen.wait("goes with the next prompt")
        screen.type("plan")
        screen.press("Enter")
        screen.wait("note mind this")
        screen.wait("done")
        screen.type("/todos")
        screen.press("Enter")
        screen.wait("[ ] #1 write docs")


def test_questionnaire(extend: Extend) -> None:
    questions = [{"question": "Which?", "choices": ["this", "that"]}, {"question": "Why?"}]
    turns = [calls("ask_user", {"questions": questions}), SAYS_DONE]
    pi = extend(EXAMPLES / "questionnaire.py", turns=turns)
    with sitting(pi) as screen:
        screen.type("ask me")
        screen.press("Enter")
        screen.wait("(1/2) Which?")
        screen.press("Down", "Enter")
        screen.wait("(2/2) Why?")
        screen.type("because")
        screen.press("Enter")
        screen.wait("done")
    assert text_of(pi.tool_results()[0]) == "Which? that\nWhy? because"


def test_confirm_destructive(extend: Extend) -> None:
    with sitting(extend(EXAMPLES / "confirm_destructive.py")) as screen:
        screen.type("hello")
        screen.press("Enter")
        screen.wait("done")
        screen.type("/new")
        screen.press("Enter")
        screen.wait("Leave this session")
        screen.type("n")
        screen.wait("done")
        screen.type("/new")
        screen.press("Enter")
        screen.wait("Leave this session")
        screen.type("y")
        screen.wait("0.0%")


def test_signing_in_to_a_provider_of_an_extension(machine: Machine) -> None:
    folder = machine.agent / "extensions"
    folder.mkdir(parents=True)
    shutil.copytree(EXAMPLES / "custom_provider", folder / "lines")
    command = [*COMMAND, "auth", "login", "lines"]
    with Screen(command, cwd=machine.project, env=machine.environment, columns=100) as screen:
        screen.wait("https://lines.example/sign-in")
        screen.wait("The code:")
        screen.type("sesame")
        screen.press("Enter")
        assert screen.wait_end() == 0
    stored = json.loads((machine.agent / "auth.json").read_text())["lines"]
    assert (stored["type"], stored["access"]) == ("oauth", "sesame")
    assert "lines-small" in machine.run("--list-models", "lines").text


@pytest.mark.parametrize("decision", ["yes", "undecided"])
def test_an_extension_decides_on_trust_instead_of_the_person(extend: Extend, decision: str) -> None:
    pi = extend(
        "from pi.extensions import Trust\n"
        "def extend(pi):\n"
        f"    pi.on('project_trust', lambda event: Trust({decision!r}))\n"
    )
    ours = pi.machine.project / ".pi" / "extensions"
    ours.mkdir(parents=True)
    (ours / "here.py").write_text(
        "def extend(pi):\n"
        "    pi.on('session_start', lambda event, ctx: ctx.ui.notify('of the project'))\n"
    )
    command = [*COMMAND, *pi.script.options, *pi.options]
    with Screen(command, cwd=pi.machine.project, env=pi.machine.environment) as screen:
        if decision == "yes":
            screen.wait("of the project")
        else:
            screen.wait("rust")
            assert "of the project" not in screen.text()


def test_what_is_printed_becomes_notices(extend: Extend) -> None:
    source = """
import sys, threading

print("printed while loading")

def extend(pi):
    @pi.command("chat", "Print")
    def chat():
        print("one\\ntwo", end="")
        print(" more \x1b[2J\x1b[31mred")
        print("and this", file=sys.stderr)
        thread = threading.Thread(target=lambda: print("from a thread"))
        thread.start()
        thread.join()

    @pi.on("session_shutdown")
    def late():
        print("and at the end", end="")
"""
    with sitting(extend(source)) as screen:
        screen.wait("printed while loading")
        screen.type("/chat")
        screen.press("Enter")
        for line in ("· one", "two more", "red", "and this", "from a thread"):
            screen.wait(line)
        assert "printed while loading" in screen.text()  # nothing has cleared the screen
        screen.type("still here")
        screen.wait("still here")
        screen.press("C-c", "C-c", "C-c")
        assert screen.wait_end() == 0
        screen.wait("and at the end")


LEAVES = """
import asyncio, pathlib, time

def extend(pi):
    @pi.on("session_shutdown")
    async def leave(event, ctx):
        ctx.ui.notify("last words")
        asked = [await ctx.ui.confirm("Save?", "now"), await ctx.ui.select("Where?", ["a", "b"])]
        pathlib.Path("left").write_text(f"{ctx.mode} {asked}")
        DOES
"""


def left(screen: Screen, extended: Extended) -> str:
    """What was told when the handler had been asked to leave."""
    screen.type("/quit")
    screen.press("Enter")
    told = extended.machine.project / "left"
    assert eventually(told.exists)
    return told.read_text()


def test_at_the_end_nobody_is_asked_and_what_is_said_stands_below(extend: Extend) -> None:
    extended = extend(LEAVES.replace("DOES", ""))
    with sitting(extended) as screen:
        assert left(screen, extended) == "tui [False, None]"
        assert screen.wait_end() == 0
        assert "last words" in screen.text().splitlines()  # no margin: it is no notice in a frame


@pytest.mark.parametrize("does", ["await asyncio.sleep(3600)", "time.sleep(3600)"])
def test_at_the_end_ctrl_c_ends_what_waits(extend: Extend, does: str) -> None:
    extended = extend(LEAVES.replace("DOES", does))
    with sitting(extended) as screen:
        left(screen, extended)
        began = time.monotonic()
        while screen.code is None and time.monotonic() < began + 30:
            screen.press("C-c")
            time.sleep(1)
        # A third one, of a person who does not wait, ends pi without the rest.
        assert screen.wait_end() in (0, 130)
        assert "Traceback" not in screen.text()
