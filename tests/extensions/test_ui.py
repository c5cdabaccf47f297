"""What extensions can do to the terminal: looks, titles, completions, input, editors, overlays."""

import base64
import json
import re
import sys

import pytest

from tests.e2e.interactive.tmux import TMUX
from tests.extensions.conftest import SAYS_DONE, Extend, Extended
from tests.extensions.screens import READY, command_of, say, settled
from tests.modes.interactive.ptys import Pty

pytestmark = pytest.mark.skipif(TMUX is None, reason="no tmux here")


TITLES = """
def extend(pi):
    @pi.on("session_start")
    def start(event, ctx):
        ctx.ui.set_title("mine")

    @pi.command("title")
    def title(args, ctx):
        ctx.ui.set_title(args)

    @pi.command("call")
    def call(args, ctx):
        pi.set_session_name(args)
"""


def test_a_title_stays_until_the_session_has_another_name(extend: Extend) -> None:
    with settled(extend(TITLES, READY)) as screen:
        assert screen.title == "mine"
        say(screen, "hello")
        screen.wait("done")
        screen.press("BTab")
        assert screen.wait("m1") and screen.title == "mine"
        say(screen, "/call Named")
        screen.wait_title(lambda title: title == "pi · project · Named")
        say(screen, "/title other")
        screen.wait_title(lambda title: title == "other")
        say(screen, "/new")
        screen.wait_title(lambda title: title == "mine")


THEMES = """
def extend(pi):
    @pi.command("object")
    def object(args, ctx):
        theme = ctx.ui.get_theme(args)
        ctx.ui.notify(f"{theme and theme.name}, {ctx.ui.set_theme(theme)}")

    @pi.command("named")
    def named(args, ctx):
        ctx.ui.notify(f"{ctx.ui.set_theme(args)}, {ctx.ui.theme.name}")

    @pi.on("session_start")
    def start(event, ctx):
        ctx.ui.set_widget_component("w", lambda screen, theme, keys: Widget(theme))

class Widget:
    def __init__(self, theme):
        self.theme = theme
    def render(self, width):
        return [self.theme.fg("accent", f"in {self.theme.name}")]
    def invalidate(self):
        pass
"""


def test_themes(extend: Extend) -> None:
    pi = extend(THEMES, READY)
    settings = pi.machine.agent / "settings.json"
    with settled(pi) as screen:
        screen.wait("in system")
        say(screen, "/object light")
        screen.wait("light, None")
        screen.wait("in light")
        assert not settings.exists() or "light" not in settings.read_text(), "for now only"
        say(screen, "/object nonsense")
        screen.wait("None, A theme is a name")
        say(screen, "/named dark")
        screen.wait("None, dark")
        screen.wait("in dark")
        assert json.loads(settings.read_text())["theme"] == "dark"
        say(screen, "/named nonsense")
        screen.wait("There is no theme 'nonsense', dark")


def on_terminal(pi: Extended) -> Pty:
    """Every byte that is written comes through, as in no tmux."""
    env = {**pi.machine.environment, "TERM": "xterm-256color"}
    return Pty(command_of(pi), env, columns=100, rows=30, cwd=pi.machine.project)


EARLY = """
import asyncio
def extend(pi):
    ready = []

    @pi.on("session_start")
    async def start(event, ctx):
        await asyncio.sleep(1)
        ready.append(True)

    @pi.on("input")
    def hear(event):
        pi.append_entry("heard", [event.text, bool(ready)])

    @pi.on("user_bash")
    def shell(event):
        pi.append_entry("heard", [event.command, bool(ready)])

    @pi.command("early")
    def early(args, ctx):
        pi.append_entry("heard", ["early", bool(ready)])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of POSIX")
def test_what_is_typed_at_once_waits_for_session_start(extend: Extend) -> None:
    pi = extend(EARLY)
    with on_terminal(pi) as pty:
        pty.expect("0.0%")
        for line in ("/early", "!true", "hello"):
            pty.send(f"{line}\r")
        pty.expect("done")
        pty.send("\x04")
        assert pty.wait() == 0
        assert "no session is open" not in pty.output
    heard = [e["data"] for e in pi.entries() if e.get("customType") == "heard"]
    assert sorted(heard) == [["early", True], ["hello", True], ["true", True]]


CONTROL = """
def extend(pi):
    @pi.command("ring")
    def ring(args, ctx):
        ctx.ui.write_terminal("\\x07\\x1b]9;ready\\x07\\x1bPtmux;\\x1b\\x1b]52;c;aGk=\\x07\\x1b\\\\")
        for wrong in ("text", "\\x1b[2J", "\\x1b]9;open", "\\x1b]0;x\\x07\\x1b[H", ""):
            try:
                ctx.ui.write_terminal(wrong)
            except ValueError:
                pi.append_entry("refused", wrong)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of POSIX")
def test_control_strings_get_to_the_terminal(extend: Extend) -> None:
    pi = extend(CONTROL)
    with on_terminal(pi) as pty:
        pty.expect("0.0%")
        pty.send("/ring\r")
        pty.expect("\x07\x1b]9;ready\x07\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\")
        pty.send("hello\r")
        pty.expect("done")
        pty.send("\x04")
        assert pty.wait() == 0
    refused = [e["data"] for e in pi.entries() if e.get("customType") == "refused"]
    assert refused == ["text", "\x1b[2J", "\x1b]9;open", "\x1b]0;x\x07\x1b[H", ""]


WORKING = """
def extend(pi):
    @pi.on("session_start")
    def start(event, ctx):
        ctx.ui.set_working_indicator(["\\x1b[38;2;1;2;3m<A>\\x1b[39m", "<B>"], 0.2)
        ctx.ui.set_working_message("Brewing")

    @pi.command("hide")
    def hide(args, ctx):
        ctx.ui.set_working_visible(False)
"""


def test_the_working_line(extend: Extend) -> None:
    pi = extend(WORKING, READY, turns=[{**SAYS_DONE, "delay": 0.4}] * 2)
    with settled(pi) as screen:
        say(screen, "hello")
        screen.wait("<A> Brewing…")
        screen.wait("<B> Brewing…")
        screen.wait_until(
            lambda _: "\x1b[38;2;1;2;3m<A>" in screen.text(styles=True), "its own colour"
        )
        screen.wait("done")
        say(screen, "/hide")
        say(screen, "again")
        shown = screen.wait_until(lambda shown: shown.count("done") == 2, "two answers")
        assert "Brewing" not in shown


COMPLETION = """
from pi.extensions.ui import Found, Item

class Issues:
    triggers = "#"

    async def complete(self, text, caret, following):
        before = text[:caret]
        word = before.rpartition(" ")[2]
        if not word.startswith("#"):
            below = await following()
            if below is None:
                return None
            return Found(below.start, below.end, [*below.items, Item("extra", "extra", "added")])
        return [
            {"value": "#42", "label": "#42", "description": "the answer"},
            {"value": "#7", "label": "#7", "description": "seven"},
        ]

    def apply(self, text, caret, item):
        if not item.text.startswith("#"):
            return None
        start = text.rfind("#", 0, caret)
        return text[:start] + "<" + item.text + ">" + text[caret:], start + len(item.text) + 2

def extend(pi):
    @pi.on("session_start")
    def start(event, ctx):
        ctx.ui.add_completion(lambda before: [("@@under", "asked after")], triggers="@")
        ctx.ui.add_completion(Issues())
"""


def test_completions_lie_on_each_other(extend: Extend) -> None:
    pi = extend(COMPLETION, READY)
    (pi.machine.project / "unique_file.txt").touch()
    with settled(pi) as screen:
        screen.type("see #")
        screen.wait("the answer")
        screen.press("Down", "Tab")
        screen.wait("see <#7>")
        screen.press("C-u")
        screen.type("# @")
        shown = screen.wait("added")
        assert "asked after" in shown
        screen.press("C-u")
        screen.type("./uniq")
        screen.press("Tab")
        screen.wait("unique_file.txt")


INPUT = """
def extend(pi):
    @pi.on("session_start")
    def start(event, ctx):
        def heard(data):
            if data == "x":
                return True
            if data == "y":
                return "why"
            if data == "z":
                1 / 0
        stop = ctx.ui.on_terminal_input(heard)

        @pi.command("stop")
        def end(args, ctx):
            stop()
"""


def test_raw_input_is_swallowed_or_changed(extend: Extend) -> None:
    with settled(extend(INPUT, READY)) as screen:
        screen.type("axbyc")
        screen.wait("abwhyc")
        screen.type("z!")
        screen.wait("abwhycz!")
        screen.wait_words("in terminal input: ZeroDivisionError")
        screen.type("xx")
        screen.wait("abwhycz!xx")  # a faulty listener is asked no more


EDITORS = """
class Around:
    def __init__(self, inner, screen, theme, mark, notify):
        self.inner, self.screen, self.theme, self.mark = inner, screen, theme, mark
        self.notify = notify
        self.height = 24

    @property
    def cursor(self):
        return self.inner.cursor

    def render(self, width):
        columns, rows = self.screen.size
        mark = self.theme.fg("accent", f"{self.mark} {columns}x{rows} {self.screen.mode}")
        return [*self.inner.render(width), mark]

    def handle(self, key):
        return self.inner.handle(key)

    def invalidate(self):
        self.inner.invalidate()

    def close(self):
        self.notify(f"{self.mark} is closed")

def extend(pi):
    @pi.on("session_start")
    def start(event, ctx):
        for mark in ("[one]", "[two]"):
            before = ctx.ui.get_editor_component()
            ctx.ui.set_editor_component(
                lambda screen, theme, keys, editor, before=before, mark=mark: Around(
                    before(screen, theme, keys, editor) if before else editor,
                    screen, theme, mark, ctx.ui.notify,
                )
            )

    @pi.command("plain")
    def plain(args, ctx):
        ctx.ui.set_editor_component(None)
        ctx.ui.notify(f"now {ctx.ui.get_editor_component()}")

    @pi.command("none")
    def none(args, ctx):
        ctx.ui.set_editor_component(lambda screen, theme, keys, editor: None)
"""


def test_editors_around_editors(extend: Extend) -> None:
    with settled(extend(EDITORS, READY)) as screen:
        shown = screen.wait("[two]")
        assert shown.index("[one] 90x30 regular") < shown.index("[two] 90x30 regular")
        assert "[one] is closed" in shown  # it stands alone no longer
        say(screen, "hello")
        screen.wait("done")
        say(screen, "/plain")
        shown = screen.wait("now None")
        assert "[two] is closed" in shown
        assert "[one] 90x30" not in shown
        say(screen, "/none")
        screen.wait_words("the factory gave no component")
        say(screen, "hello again")
        screen.wait("hello again")


CHAIN = """
def extend(pi):
    @pi.command("chain")
    async def chain(args, ctx):
        sure = await ctx.ui.confirm("Sure?", "really")
        name = await ctx.ui.input("Name?")
        ctx.ui.notify(f"got {sure} and {name}")
"""


def test_what_is_typed_on_is_for_what_comes_next(extend: Extend) -> None:
    with settled(extend(CHAIN, READY)) as screen:
        say(screen, "/chain")
        screen.wait("really")
        screen.type("yAda\r!later")  # all at once
        screen.wait("got True and Ada")
        screen.wait("!later")


LATER = """
import asyncio
def extend(pi):
    @pi.on("session_shutdown")
    async def end(event, ctx):
        await asyncio.sleep(0.5)

    @pi.command("{0}")
    def command(args, ctx):
        ctx.ui.notify("this is {0}")
"""


def test_what_is_typed_on_after_reload_is_for_what_there_is_then(extend: Extend) -> None:
    pi = extend(LATER.format("before"), READY)
    with settled(pi) as screen:
        (pi.folder / "extension_0.py").write_text(LATER.format("after"))
        screen.type("/reload\r/after\r")  # all at once
        screen.wait("this is after")
    assert pi.bodies == []


def test_what_waits_for_a_command_can_be_taken_back(extend: Extend) -> None:
    with settled(extend(LATER.format("it").replace("0.5", "3600"), READY)) as screen:
        say(screen, "/new")
        say(screen, "once there")
        screen.wait("Steering: once there")
        screen.press("Escape")
        shown = screen.wait_gone("Steering")
        assert "once there" in shown


ASKS = """
def extend(pi):
    @pi.command("ask")
    async def ask(args, ctx):
        await ctx.ui.confirm("Sure?", "really")

    @pi.command("panel")
    async def panel(args, ctx):
        class Panel:
            def render(self, width):
                return ["a panel"]
            def invalidate(self):
                pass
        await ctx.ui.custom(lambda *given: Panel(), overlay=True, blocked=("auth", "A door"))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of POSIX")
@pytest.mark.parametrize("how", ["answered", "forced", "silent"])
def test_a_terminal_is_told_what_pi_is_at(extend: Extend, how: str) -> None:
    pi = extend(ASKS)
    answers = [(r"\x1b\[c", "\x1b[?62;22c")]
    if how == "answered":
        answers.insert(0, (r"\x1b]7501;\?\x1b\\", "\x1b]7501;v=1\x1b\\"))
    env = {**pi.machine.environment, "TERM": "xterm-256color"}
    if how == "forced":
        env["PI_PROGRAM_STATUS"] = "1"
    command = command_of(pi)

    def message(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    with Pty(command, env, columns=100, rows=30, answers=answers, cwd=pi.machine.project) as pty:
        pty.expect("0.0%")
        if how != "silent":
            idle = "\x1b]7501;state=idle:app=pi\x1b\\"
            pty.expect(idle)
            pty.send("/ask\r")
            pty.expect("really")
            pty.send("n")
            pty.expect(idle)
            pty.send("/panel\r")
            pty.expect("a panel")
            pty.send("\x1b")
            pty.expect(idle)
        pty.send("hello\r")
        pty.expect("done")
        pty.send("\x04")
        assert pty.wait() == 0
        told = re.findall(r"\x1b]7501;(state[^\x1b]*)\x1b", pty.output)
    if how == "silent":
        assert told == []
    else:
        assert told == [
            "state=idle:app=pi",
            f"state=blocked:app=pi:kind=permission:msg={message('Sure?')}",
            "state=idle:app=pi",
            f"state=blocked:app=pi:kind=auth:msg={message('A door')}",
            "state=idle:app=pi",
            "state=working:app=pi",
            "state=done:app=pi",
            "state=clear",
        ]


SHELLS = """
from pi.extensions import BashDone, Pi, RunAs, UserBash

async def runner(command, cwd, on_output):
    on_output(f"{command} in {cwd.rpartition('/')[2]}\\n")
    on_output("two\\n")
    return 3

def extend(pi: Pi):
    @pi.on(UserBash)
    def first(event: UserBash):
        if event.command == "other":
            return RunAs("echo another command")
        if event.command == "remote":
            return RunAs(runner=runner)
        if event.command == "known":
            return BashDone("as before", exit_code=0, truncated=True, full_output_path="/all")
        if event.command == "touch never":
            raise ValueError("cannot tell")
        return None

    @pi.on(UserBash)
    def second(event: UserBash):
        pi.append_entry("asked", [event.command, event.exclude_from_context])
"""


def test_commands_of_the_person_run_another_way(extend: Extend) -> None:
    pi = extend(SHELLS, READY)
    with settled(pi) as screen:
        for line, shown in (
            ("!other", "another command"),
            ("!remote", "two"),
            ("!known", "as before"),
            ("!touch never", "cannot tell"),
            ("!!echo quiet", "quiet"),
        ):
            say(screen, line)
            screen.wait(shown)
        say(screen, "hello")
        screen.wait("done")
    assert not (pi.machine.project / "never").exists()
    ran = [m for m in pi.machine.messages() if m["role"] == "bashExecution"]
    assert [(m["command"], m["output"], m.get("exitCode"), m["truncated"]) for m in ran] == [
        ("other", "another command\n", 0, False),
        ("remote", "remote in project\ntwo\n", 3, False),
        ("known", "as before", 0, True),
        ("echo quiet", "quiet\n", 0, False),
    ]
    assert ran[2]["fullOutputPath"] == "/all"
    assert [bool(m.get("excludeFromContext")) for m in ran] == [False, False, False, True]
    asked = [e["data"] for e in pi.entries() if e.get("customType") == "asked"]
    assert asked == [["echo quiet", True]], "the first answer counts"
    sent = json.dumps(pi.bodies[0]["messages"])
    assert "remote in project" in sent
    assert "quiet" not in sent


KEYS = """
def extend(pi):
    @pi.shortcut("ctrl+alt+k", "Say something")
    def key(ctx):
        ctx.ui.notify("pressed {name}")
"""


def test_a_key_that_two_want_is_told(extend: Extend) -> None:
    pi = extend(KEYS.format(name="one"), KEYS.format(name="two"), READY)
    with settled(pi) as screen:
        screen.wait_words("extension_1.py takes the key ctrl+alt+k from")
        screen.press("C-M-k")
        screen.wait("pressed two")
