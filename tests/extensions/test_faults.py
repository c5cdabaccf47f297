"""What extensions do wrong: it is told with its place, and ends nothing."""

import pytest

from tests.extensions.conftest import SAYS_DONE, SOUND, Extend, calls
from tests.extensions.test_examples_tools import text_of

FAULTY = """
def extend(pi):
    @pi.on("turn_start")
    def broken(event):
        return {}["nothing"]

    @pi.on("tool_call")
    async def gate(event):
        raise ValueError("cannot tell")

    @pi.command("fail")
    async def fail(args, ctx):
        raise RuntimeError("no " + args)

    @pi.tool
    def odd(x: str) -> object:
        '''Return something odd'''
        return object()

    @pi.events.on("x")
    def hear(data):
        1 / 0

    @pi.on("agent_settled")
    async def later():
        pi.events.emit("x")
        pi.background(wrong())

async def wrong():
    raise OSError("in the background")
"""


def test_a_faulty_extension_never_ends_the_agent(extend: Extend) -> None:
    turns = [calls("bash", {"command": "echo"}), calls("odd", {"x": "1"}, "call_2"), SAYS_DONE]
    pi = extend(FAULTY, SOUND, turns=turns)
    with pi.rpc() as person:
        person.ask("go")
        assert person.ask("/fail luck")["data"]["disposition"] == "handled"
        assert person.request({"type": "get_state"})["success"]
        person.finish()
    errors = person.errors_of_extensions()
    assert {e["extensionPath"] for e in errors} == {str(pi.folder / "extension_0.py")}
    said = [(e["event"], e["error"], e.get("place", "").rpartition(":")[2]) for e in errors]
    assert ("turn_start", "KeyError: 'nothing'", "5") in said
    assert ("tool_call", "ValueError: cannot tell", "9") in said
    assert ("command /fail", "RuntimeError: no luck", "13") in said
    assert ("bus event x", "ZeroDivisionError: division by zero", "22") in said
    assert ("background", "OSError: in the background", "30") in said
    assert "failed to decide" in text_of(pi.tool_results()[0]), "a gate fails closed"
    assert [e["customType"] for e in pi.entries() if e["type"] == "custom"] == ["sound"] * 3


def test_faults_in_print_mode_are_lines_on_stderr(extend: Extend) -> None:
    done = extend(FAULTY).run("-p", "go")
    assert (done.code, done.text) == (0, "done\n")
    assert "extension_0.py:5, in turn_start: KeyError: 'nothing'" in done.stderr


def test_a_slow_handler_is_named(extend: Extend) -> None:
    source = """
import time
def extend(pi):
    pi.on("turn_start", lambda: time.sleep(0.6))
"""
    done = extend(source).run("-p", "go")
    assert "extension_0.py, in turn_start: kept everything waiting for 0.6 s" in done.stderr


RUBBISH = """
import asyncio
from pi.agent.hook_events import *
from pi.extensions import ToolResult

class Odd:
    def __repr__(self):
        return "Odd()"

WRONG = {
    "input": [Odd(), Transform(3)],
    "before_agent_start": [Odd(), Start(message=Odd()), Start(message={"customType": "x"}),
        Start(message={"customType": "x", "content": [Odd()]}),
        Start(message={"customType": "x", "content": "y", "details": Odd()}),
        Start(system_prompt=Odd())],
    "turn_end": [Odd(), Boundary(entries=[{"type": "custom", "customType": "x", "data": Odd()}]),
        Boundary(entries=[{"type": "context_edit", "targetId": "nothing"}]), Boundary(entries=[3])],
    "agent_before_settle": [Odd(), Boundary(entries=[{}])],
    "message_end": [Odd(), {"role": "assistant"}, {"role": "user", "content": Odd()}],
    "tool_result": [Odd(), ResultPatch(content="text"), ResultPatch(content=[Odd()]),
        ResultPatch(details=Odd()), ResultPatch(usage=Odd())],
    "context": [Odd(), [Odd()], [{"role": "nobody"}],
        [{"role": "user", "content": [{"type": "text"}]}]],
    "context_with_system": [Odd(), [], [{"role": "user", "content": "x"}],
        [{"role": "system"}, Odd()]],
    "before_provider_request": [Odd(), {"x": Odd()}],
    "session_start": [Odd()], "resources_discover": [Odd()], "agent_settled": [Odd()],
}

def extend(pi):
    for name, answers in WRONG.items():
        for answer in answers:
            pi.on(name, lambda event, answer=answer: answer)

    @pi.on("before_agent_start")
    def parts(event):
        event.system_prompt_options.selected_tools.append(Odd())
        event.system_prompt_options.prompt_guidelines.append(Odd())

    @pi.on("before_provider_headers")
    def headers(event):
        event.headers[3] = Odd()

    @pi.on("before_provider_request")
    def payload(event):
        event.payload = Odd()

    @pi.on("turn_start")
    async def cancelled():
        raise asyncio.CancelledError

    @pi.on("agent_end")
    def exits():
        raise SystemExit

    @pi.tool
    def odd_content(x: str) -> object:
        '''Odd'''
        return ToolResult(5)

    @pi.tool
    def odd_details(x: str) -> object:
        '''Odd'''
        return ToolResult([], details=Odd())

    @pi.tool
    async def odd_end(x: str) -> object:
        '''Odd'''
        raise asyncio.CancelledError

    @pi.command("odd")
    def odd(args, ctx):
        for send in (lambda: pi.append_entry("x", Odd()),
                     lambda: pi.send_message({"customType": 3}),
                     lambda: pi.set_active_tools([Odd(), "read"]),
                     lambda: pi.set_label("no", "x")):
            try:
                send()
            except Exception as error:
                ctx.ui.notify(type(error).__name__)
"""


def test_rubbish_from_everywhere_ends_nothing(extend: Extend) -> None:
    names = ("odd_content", "odd_details", "odd_end")
    turns = [calls(name, {"x": "1"}, f"call_{name}") for name in names]
    pi = extend(RUBBISH, turns=[*turns, SAYS_DONE])
    with pi.rpc() as person:
        person.ask("go")
        person.ask("/odd")
        person.ask("again")
        assert person.finish() == 0
    results = [text_of(r) for r in pi.tool_results()]
    assert "content is a list" in results[0]
    assert "no JSON" in results[1]
    assert "was cancelled" in results[2]
    assert pi.machine.messages()[-1]["content"] == [{"type": "text", "text": "done"}]
    errors = person.errors_of_extensions()
    events = {error["event"] for error in errors}
    assert {"input", "turn_end", "message_end", "tool_result", "context", "turn_start"} <= events
    assert {"before_agent_start", "before_provider_headers", "before_provider_request"} <= events
    assert person.notices() == ["SessionError", "ValueError", "TypeError", "SessionError"]


def test_an_abort_ends_a_handler_that_asks(extend: Extend) -> None:
    source = """
def extend(pi):
    @pi.on("tool_call")
    async def gate(event, ctx):
        try:
            await ctx.ui.confirm("Sure", "?")
        finally:
            pi.append_entry("ended")
"""
    pi = extend(source, turns=[calls("bash", {"command": "echo"}), SAYS_DONE])
    with pi.rpc() as person:
        person.request({"type": "prompt", "message": "go"})
        person.until("extension_ui_request")
        assert person.request({"type": "abort"})["success"]
        assert person.until("agent_settled")["aborted"] is True
        assert person.ask("again")["success"]
        person.finish()
    assert [e["customType"] for e in pi.entries() if e["type"] == "custom"] == ["ended"]


SLIPS = """
import asyncio
def extend(pi):
    @pi.on("tool_call")
    def gate(event, ctx):
        from pi.extensions import Block
        if not ctx.ui.confirm("Sure?", "really"):  # not awaited
            return Block("no")

    @pi.command("said")
    def said(ctx):
        pi.send_message("just text")

    @pi.on("agent_end")
    def ends(*, ctx):
        ctx.ui.notify(f"ends in {ctx.mode}")

    @pi.command("awaited")
    async def awaited(where, *, ctx):
        sure = asyncio.create_task(ctx.ui.confirm("Sure?", where))
        ctx.ui.notify(f"{await sure} {await asyncio.gather(ctx.ui.confirm('Sure?', 'x'))}")
"""


def test_slips_are_told_and_a_gate_stays_shut(extend: Extend) -> None:
    pi = extend(SLIPS, turns=[calls("bash", {"command": "echo ran"}), SAYS_DONE])
    with pi.rpc(confirm=True) as person:
        person.ask("go")
        person.ask("/said")
        person.ask("/awaited there")
        person.finish()
    assert "await ctx.ui.confirm(…)" in pi.tool_results()[0]["content"][0]["text"]
    errors = [(e["event"], e["error"]) for e in person.errors_of_extensions()]
    assert errors == [
        ("tool_call", "TypeError: nobody was asked: write `await ctx.ui.confirm(…)`"),
        (
            "command /said",
            """ValueError: a message is {"customType": …, "content": …}, not 'just text'""",
        ),
    ]
    assert person.notices() == ["ends in rpc", "True [True]"]
    assert person.errors == b""


def test_a_mistyped_event_is_named(extend: Extend) -> None:
    done = extend('def extend(pi):\n    pi.on("tool_cal", print)\n').run("-p", "hi")
    assert done.code == 1
    assert "there is no event 'tool_cal', but there is 'tool_call'" in done.stderr


ENDING = """
def extend(pi):
    @pi.command("bye")
    def bye(ctx):
        ctx.shutdown()
        ctx.ui.notify("on my way")

    @pi.on("session_shutdown")
    async def ends(event, ctx):
        ctx.ui.notify(f"{event.reason} {await ctx.ui.confirm('Sure?', 'nobody is asked any more')}")
        1 / 0
"""


@pytest.mark.parametrize("how", ["input", "command"])
def test_what_is_said_at_the_end_is_heard(extend: Extend, how: str) -> None:
    with extend(ENDING).rpc() as person:
        if how == "input":
            person.request({"type": "get_state"})
            assert person.finish() == 0
        else:
            person.begin({"type": "prompt", "message": "/bye"})
            assert person.ended() == 0
    assert person.notices()[-1] == "quit False"
    assert person.requests("confirm") == []
    (error,) = person.errors_of_extensions()
    assert (error["event"], error["error"][:17]) == ("session_shutdown", "ZeroDivisionError")
