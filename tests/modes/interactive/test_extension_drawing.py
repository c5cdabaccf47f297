"""What extensions draw in the transcript, and what becomes of their faults."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from pi.agent.hooks import HookFailure, Hooks
from pi.extensions.drawing import Draws
from pi.extensions.ui import Box, Rows, Text
from pi.modes.interactive.cells import plain, width
from pi.modes.interactive.extension_drawing import ExtensionDrawing
from pi.modes.interactive.transcript import Look, Transcript
from pi.modes.interactive.transcript.arguments import so_far
from pi.runtime.additions import AddedTool, Additions
from pi.runtime.looks import Drawing, MarkdownContext, Rendering

from .test_transcript import THEME, resumed, rows, text, update

HOSTILE = "\x1b[2J\x1b]0;title\x07\x1b[5mred\x1b[0m \u202etxt \x1b]8;;https://a.example\x07link\x1b]8;;\x07"


class Extension:
    """One extension, or several, and a transcript that they draw in."""

    def __init__(self, **options: Any) -> None:
        self.failures: list[HookFailure] = []
        self.refreshed = 0
        self.additions = Additions(Hooks(self.failures.append))
        self.pi = self.another("one.py", 0)
        self.look = Look(THEME, refresh=self._refresh, **options)
        self.look.renderers = ExtensionDrawing(
            self.additions,
            self.look,
            self.failures.append,
            lambda action: {"app.tools.expand": ("ctrl+o", "f2")}.get(action, ()),
            lambda entry_id: f"time of {entry_id}",
        )
        self.transcript = Transcript(self.look)

    def another(self, owner: str, rank: int) -> Draws:
        stage: Any = SimpleNamespace(loaded=False, struck=False)
        return Draws(stage, self.additions, owner, rank)

    def tool(self, name: str, **renderers: Any) -> None:
        tool: Any = SimpleNamespace(name=name)
        self.additions.tools[name] = AddedTool(tool, "one.py", {}, **renderers)

    def text(self, columns: int = 80) -> str:
        return text(self.transcript, columns)

    def call(self, name: str = "mine", args: Any = None, result: str | None = None) -> None:
        args = {"path": "a.py"} if args is None else args
        start = {"type": "tool_execution_start", "toolCallId": "c1", "toolName": name, "args": args}
        self.event(start, 0.0)
        if result is not None:
            self.finish(result, name)

    def finish(self, result: str, name: str = "mine", failed: bool = False) -> None:
        content = {"content": [{"type": "text", "text": result}], "details": {"n": 1}}
        end = {"type": "tool_execution_end", "toolCallId": "c1", "toolName": name}
        self.event({**end, "result": content, "isError": failed, "durationMs": 70}, 1.0)

    def event(self, event: Any, now: float = 0.0) -> None:
        self.transcript.handle(event, now)

    def _refresh(self) -> None:
        self.refreshed += 1


# Tools


def test_a_call_has_our_sign_and_what_the_extension_draws() -> None:
    extension = Extension()
    seen: list[Drawing] = []

    def call(args: Any, drawing: Drawing, theme: Any) -> str:
        seen.append(drawing)
        drawing.state["n"] = drawing.state.get("n", 0) + 1
        return theme.fg("accent", f"mine {args.get('path', '?')}")

    def result(result: Any, drawing: Drawing, theme: Any) -> list[str]:
        seen.append(drawing)
        text = result["content"][0]["text"]
        return [f"{text} {result['details']} {drawing.state['n']}", "x" * 200]

    extension.tool("mine", render_call=call, render_result=result)
    delta = {"type": "toolcall_delta", "contentIndex": 0, "delta": '{"path": "a.p'}
    extension.event(
        update({"type": "toolcall_start", "contentIndex": 0, "id": "c1", "toolName": "mine"})
    )
    extension.event(update(delta))
    assert extension.text() == "\n ○ mine a.p\n"
    drawing = seen[-1]
    assert (drawing.args_complete, drawing.execution_started, drawing.partial) == (
        *(False, False),
        True,
    )
    assert (drawing.tool_call_id, drawing.last, drawing.output_pad) == ("c1", None, 1)
    extension.call()
    assert extension.text() == "\n ● mine a.py\n"
    assert plain(seen[-1].last) == "mine a.p"
    assert (seen[-1].args_complete, seen[-1].execution_started, seen[-1].partial) == (True,) * 3
    extension.finish("ok")
    drawn = extension.text().splitlines()
    assert drawn[:3] == ["", " ✓ mine a.py", "   ok {'n': 1} 3"]
    assert drawn[3].endswith("x…")
    assert width(drawn[3]) == 79
    assert (seen[-1].partial, seen[-1].duration_ms, seen[-1].is_error) == (False, 70, False)
    assert seen[-1].args == {"path": "a.py"}
    assert seen[-1].expanded is False
    extension.transcript.set_expanded(True)
    extension.text()
    assert seen[-1].expanded is True
    assert extension.failures == []


def test_keys_are_the_persons_own() -> None:
    extension = Extension()

    def call(args: Any, drawing: Drawing, theme: Any) -> str:
        hint = plain(drawing.key_hint("app.tools.expand", "to expand"))
        return f"<{drawing.key_text('app.tools.expand')}|{hint}|{drawing.key_hint('none', 'x')}|"

    extension.tool("mine", render_call=call)
    extension.call()
    assert "<ctrl+o/f2|ctrl+o/f2 to expand||" in extension.text()


def test_a_failed_slot_is_drawn_by_pi_and_named_once() -> None:
    extension = Extension()

    def broken(*given: Any) -> Any:
        raise ValueError("no")

    extension.tool("mine", render_call=broken, render_result=lambda *given: ["drawn"])
    extension.call(result="ok")
    assert extension.text() == "\n ✓ mine path=a.py\n   drawn\n"
    extension.transcript.invalidate()
    extension.text()
    assert [(failure.owner, failure.event) for failure in extension.failures] == [
        ("one.py", "render_call of mine")
    ]
    extension.tool("mine", render_call=lambda *given: "mine", render_result=broken, own_shell=True)
    extension.transcript.invalidate()
    assert extension.text() == "\n ✓ mine\n   ok\n"


def test_slots_of_a_built_in_tool_are_inherited() -> None:
    extension = Extension()
    extension.tool("read", render_call=lambda args, drawing, theme: f"see {args['path']}")
    extension.call("read", result="one\ntwo")
    assert extension.text() == "\n ✓ see a.py\n"
    extension.transcript.set_expanded(True)
    assert extension.text() == "\n ✓ see a.py\n   one\n   two\n"
    extension.tool("read")
    extension.transcript.invalidate()
    assert extension.text() == "\n ✓ read a.py\n   one\n   two\n"


def test_a_shell_of_its_own() -> None:
    extension = Extension()
    extension.tool(
        "mine",
        render_call=lambda args, drawing, theme: "╭" + "─" * (drawing.width - 2) + "╮",
        render_result=lambda result, drawing, theme: "done",
        own_shell=True,
    )
    extension.call()
    assert extension.text(40) == "\n╭" + "─" * 38 + "╮\n"
    extension.finish("ok")
    assert extension.text(40).endswith("╮\ndone\n")
    extension.tool("mine", render_call=lambda *given: None, own_shell=True)
    extension.transcript.invalidate()
    assert rows(extension.transcript) == []


def test_resolvers_are_asked_in_load_order_for_any_tool() -> None:
    extension = Extension()
    asked: list[tuple[str, str]] = []

    def late(name: str, following: Callable[[], Any]) -> Any:
        asked.append(("late", name))
        found = following()
        return found or {"render_call": lambda args, drawing, theme: f"unknown {name}"}

    def early(name: str, following: Callable[[], Any]) -> Any:
        asked.append(("early", name))
        found = following()
        if name != "read":
            return found

        def result(result: Any, drawing: Drawing, theme: Any) -> list[str]:
            return [f"| {row}" for row in found.render_result(result, drawing, theme)]

        return Rendering(found.render_call, result)

    extension.another("late.py", 7).tool_renderer(late)
    extension.pi.tool_renderer(early)
    extension.call("mcp__docs__search", result="ok")
    assert extension.text() == "\n ✓ unknown mcp__docs__search\n   ok\n"
    assert asked == [("early", "mcp__docs__search"), ("late", "mcp__docs__search")]
    extension.transcript.clear()
    extension.look.expanded = True
    extension.call("read", result="one")
    assert extension.text() == "\n ✓ read a.py\n   | one\n"


def test_a_resolver_that_fails_is_passed_over() -> None:
    extension = Extension()

    @extension.pi.tool_renderer
    def broken(name: str, following: Callable[[], Any]) -> Any:
        raise LookupError(name)

    extension.tool("mine", render_call=lambda *given: "drawn")
    extension.call()
    extension.transcript.invalidate()
    assert extension.text() == "\n ● drawn\n"
    assert [failure.owner for failure in extension.failures] == ["one.py"]


def test_a_component_may_be_changed_and_given_again() -> None:
    extension = Extension()
    made: list[Text] = []

    def call(args: Any, drawing: Drawing, theme: Any) -> Text:
        part = drawing.last or Text("", pad=1)
        part.text = f"state {'runs' if drawing.partial else 'done'} " + "word " * 20
        made.append(part)
        return part

    def result(result: Any, drawing: Drawing, theme: Any) -> Box:
        return Box(drawing, Rows(*(Text(f"row {n}") for n in range(40))), title="of 40")

    extension.tool("mine", render_call=call, render_result=result)
    extension.call(result="ok")
    drawn = extension.text(40).splitlines()
    assert drawn[1].startswith(" ✓  state done word")
    assert "   ╭ of 40 ───────────────────────────╮" in drawn
    assert drawn[-2:] == ["   │ row 39                           │", f"   ╰{'─' * 34}╯"]
    assert "   │ row 0                            │" in drawn
    extension.transcript.invalidate()
    assert extension.text(40).splitlines() == drawn
    assert len({id(part) for part in made}) == 1


def test_a_component_draws_itself_again_when_it_asks() -> None:
    extension = Extension()
    asks: list[Callable[[], None]] = []

    def call(args: Any, drawing: Drawing, theme: Any) -> str:
        drawing.invalidate()  # while it is drawn: not heard, or it would never end
        asks.append(drawing.invalidate)
        drawing.state["frame"] = drawing.state.get("frame", 0) + 1
        return f"frame {drawing.state['frame']}"

    extension.tool("mine", render_call=call)
    extension.call()
    assert "frame 1" in extension.text()
    assert "frame 1" in extension.text()
    assert extension.refreshed == 0
    asks[-1]()
    assert extension.refreshed == 1
    assert "frame 2" in extension.text()


def test_what_is_shown_does_not_act_on_the_terminal() -> None:
    extension = Extension()
    extension.tool("mine", render_call=lambda *given: HOSTILE, render_result=lambda *g: [HOSTILE])
    extension.call(result="ok")
    for row in rows(extension.transcript):
        assert "\x1b[2J" not in row
        assert "\x1b]0;" not in row
        assert "\x1b[5m" not in row
        assert "\u202e" not in row
    assert "\x1b]8;;https://a.example\x07link\x1b]8;;\x07" in rows(extension.transcript)[1]


def test_a_coroutine_is_no_renderer() -> None:
    extension = Extension()

    async def call(*given: Any) -> str:
        return "late"

    extension.tool("mine", render_call=call)
    extension.call()
    assert extension.text() == "\n ● mine path=a.py\n"
    assert "coroutine" in extension.failures[0].text


# Messages and entries


def test_messages_and_entries() -> None:
    extension = Extension()
    later = extension.another("late.py", 3)

    @later.message_renderer("note")
    def second(message: Any, drawing: Drawing, theme: Any) -> str:
        return "not asked"

    @extension.pi.message_renderer("note")
    def note(message: Any, drawing: Drawing, theme: Any) -> str:
        drawing.state.setdefault("first", message["content"])
        return f"{drawing.output_pad} {drawing.state['first']} {drawing.last}"

    @extension.pi.entry_renderer("card")
    def card(entry: Any, drawing: Drawing, theme: Any) -> list[str]:
        return [f"card {entry['data']}", *(["more"] if drawing.expanded else [])]

    note_message: Any = {
        "role": "custom",
        "customType": "note",
        "content": "hi",
        "display": True,
        "timestamp": 0,
    }
    extension.transcript.load(
        [note_message], ["e1"], {"e1": [{"type": "custom", "customType": "card", "data": 7}]}
    )
    extension.transcript.entry({"type": "custom", "customType": "other", "data": 7})
    assert extension.text() == "\n1 hi None\n\ncard 7\n"
    extension.transcript.set_expanded(True)
    assert extension.text() == "\n1 hi 1 hi None\n\ncard 7\nmore\n"


def test_a_failed_renderer_leaves_the_message_readable() -> None:
    extension = Extension()
    extension.pi.message_renderer("reminder")(lambda *given: 1 / 0)
    extension.pi.entry_renderer("card")(lambda *given: 1 / 0)
    extension.transcript = resumed(renderers=extension.look.renderers)
    extension.transcript.entry({"type": "custom", "customType": "card", "data": 7})
    drawn = extension.text()
    assert "reminder" in drawn
    assert drawn.endswith("\n[card] cannot be drawn\n")
    assert [failure.event for failure in extension.failures] == [
        "message renderer for reminder",
        "entry renderer for card",
    ]


def test_a_message_without_a_renderer_is_markdown() -> None:
    extension = Extension()
    message: Any = {
        "role": "custom",
        "customType": "note",
        "content": "a **b**",
        "display": True,
        "timestamp": 0,
    }
    extension.transcript.load([message])
    assert [row.strip() for row in extension.text().splitlines()] == ["", "note", "a b"]


# Markdown


SKILL = '<skill name="pdf" location="/s/SKILL.md">\nHow --> to.\n</skill>\n\nread --> it'


def every_place() -> list[Any]:
    answer = [
        {"type": "thinking", "thinking": "hm --> hm"},
        {"type": "text", "text": "say --> this"},
    ]
    return [
        {"role": "user", "content": "ask --> it", "timestamp": 0},
        {"role": "user", "content": SKILL, "timestamp": 0},
        {"role": "assistant", "content": answer, "stopReason": "stop", "timestamp": 0},
        {
            "role": "custom",
            "customType": "note",
            "content": "note --> this",
            "display": True,
            "timestamp": 0,
        },
        {"role": "branchSummary", "summary": "sum --> up", "fromId": "x", "timestamp": 0},
        {"role": "compactionSummary", "summary": "all --> of", "tokensBefore": 1, "timestamp": 0},
    ]


@pytest.mark.parametrize(
    ("places", "changed"),
    [
        (None, ["ask", "read", "hm", "say"]),
        (["user"], ["ask", "read"]),
        (["assistant-thinking"], ["hm"]),
        (["custom"], ["How", "note"]),
        (["summary"], ["sum", "all"]),
        ([], []),
    ],
)
def test_where_a_transformer_is_asked(places: Any, changed: list[str]) -> None:
    extension = Extension(expanded=True)
    register = extension.pi.markdown_transformer
    if places is None:
        register(lambda text: text.replace("-->", "→"))
    else:
        register(message_types=places)(lambda text, context: text.replace("-->", "→"))
    extension.transcript.load(every_place())
    drawn = extension.text()
    for first in ("ask", "read", "How", "hm", "say", "note", "sum", "all"):
        assert (f"{first} → " if first in changed else f"{first} --> ") in drawn


def test_what_a_transformer_is_told() -> None:
    extension = Extension()
    told: list[MarkdownContext] = []

    @extension.pi.markdown_transformer
    def see(text: str, context: MarkdownContext) -> str:
        told.append(context)
        return text

    extension.transcript.load(every_place()[:1], ["e1"])
    extension.text(60)
    assert told[-1] == MarkdownContext("user", False, 56, "e1", "time of e1")
    extension.event(update({"type": "text_delta", "contentIndex": 0, "delta": "one"}))
    extension.text(60)
    assert told[-1] == MarkdownContext("assistant", True, 58)
    extension.event(update({"type": "text_end", "contentIndex": 0, "content": "one"}))
    extension.text(60)
    assert told[-1] == MarkdownContext("assistant", False, 58)
    extension.text(40)
    assert {context.available_width for context in told[-2:]} == {36, 38}
    count = len(told)
    extension.text(40)
    assert len(told) == count


def test_transformers_follow_each_other_and_one_that_fails_is_passed_over() -> None:
    extension = Extension()
    third = extension.another("three.py", 2)
    second = extension.another("two.py", 1)
    third.markdown_transformer(lambda text: text + " three")
    second.markdown_transformer(lambda text: 7)
    extension.pi.markdown_transformer(lambda text: text + " zero")
    extension.pi.markdown_transformer(lambda text: text + " one")  # in its place
    extension.transcript.load(every_place()[:1])
    assert extension.text() == "\n ❯ ask --> it one three\n"
    extension.text(60)
    assert [(failure.owner, failure.text) for failure in extension.failures] == [
        ("two.py", "TypeError: it gave int, not text")
    ]


def test_a_transformer_may_come_and_go() -> None:
    extension = Extension()
    extension.event(update({"type": "text_delta", "contentIndex": 0, "delta": "a --> b"}))
    assert "a --> b" in extension.text()
    extension.pi.markdown_transformer(lambda text: text.replace("-->", "→"))
    extension.transcript.invalidate()
    assert "a → b" in extension.text()
    extension.event(update({"type": "text_delta", "contentIndex": 0, "delta": " --> c"}))
    extension.event(update({"type": "text_end", "contentIndex": 0, "content": "a --> b --> c"}))
    assert "a → b → c" in extension.text()
    extension.additions.drop("one.py")
    extension.transcript.invalidate()
    assert "a --> b --> c" in extension.text()


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("", {}),
        ("{", {}),
        ('{"pa', {}),
        ('{"path"', {}),
        ('{"path":', {}),
        ('{"path": "a', {"path": "a"}),
        ('{"path": "a\\', {"path": "a"}),
        ('{"path": "a\\"b\\u00', {"path": 'a"b'}),
        ('{"path": "a", "n": 1', {"path": "a", "n": 1}),
        ('{"path": "a", "n": tr', {"path": "a"}),
        ('{"l": [1, {"x": "y"}, {"z', {"l": [1, {"x": "y"}, {}]}),
        ('{"l": [1, {"x": "y"}], "m": {"k": "v', {"l": [1, {"x": "y"}], "m": {"k": "v"}}),
        ('{"a": "}{", "b": 2}', {"a": "}{", "b": 2}),
        ("[1, 2", {}),
        ("nonsense }}}", {}),
    ],
)
def test_arguments_so_far(written: str, known: Any) -> None:
    assert so_far(written) == known
