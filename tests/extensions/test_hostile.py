"""Extensions that do everything wrong: pi goes on, the others go on, and nothing reaches stdout."""

import json
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.e2e.conftest import COMMAND, Machine, ScriptedFactory
from tests.extensions.conftest import SAYS_DONE
from tests.rpc_client import RpcClient
from tests.scripted_provider import Turn
from tests.waiting import eventually

GOOD = """
def extend(pi):
    pi.on("session_start", lambda: pi.append_entry("begun"))
    pi.on("agent_settled", lambda: pi.append_entry("settled"))
    pi.on("session_shutdown", lambda event, ctx: (ctx.cwd / "ended").touch())

    @pi.tool
    def sound(x: str) -> str:
        '''Answer'''
        return "sound " + x
"""
HEAD = """
import asyncio, os, sys, threading, time, warnings, logging, atexit

class Own(BaseException):
    pass

class Odd:
    def __repr__(self):
        raise ValueError("no name")
    __str__ = __bool__ = __eq__ = __len__ = __repr__

class Mute(Exception):
    def __str__(self):
        raise ValueError("no words")

def extend(pi):
"""
FIRST = len(HEAD.splitlines()) + 1
"""The line of an extension that its own text begins with."""


def handler(body: str, event: str = "turn_start") -> str:
    return f"    @pi.on({event!r})\n    def handle(event, ctx):\n        {body}\n"


def waiting(body: str, event: str = "turn_start") -> str:
    return handler(body, event).replace("    def", "    async def")


def tool(body: str) -> str:
    return f"    @pi.tool\n    async def bad(x: str) -> object:\n        'Fail'\n        {body}\n"


EVENTS = (
    *("tool_call", "tool_result", "context", "context_with_system", "input", "before_agent_start"),
    *("message_end", "turn_end", "before_provider_request", "before_provider_headers"),
    *("resources_discover", "agent_before_settle", "message_start", "message_update", "agent_end"),
)


def everywhere(body: str) -> str:
    return f"    for name in {EVENTS}:\n        pi.on(name, lambda event: {body})\n"


# Extensions, and what is told of each: the place by its line, or a text.
FAULTY: dict[str, tuple[str, int | str]] = {
    "raises its own kind": (handler("raise Own('x')"), 2),
    "exits": (handler("sys.exit(7)"), 2),
    "interrupts": (handler("raise KeyboardInterrupt"), 2),
    "cancels itself by hand": (waiting("raise asyncio.CancelledError"), 2),
    "exits while it waits": (waiting("sys.exit(7)"), 2),
    "raises its own kind while it waits": (waiting("raise Own('x')"), 2),
    "exits at the end": (handler("sys.exit(9)", "session_shutdown"), 2),
    "recurses": (handler("handle(event, ctx)"), "RecursionError"),
    "has an error without words": (handler("raise Mute"), 2),
    "has a long error": (handler("raise ValueError('z' * 3_000_000)"), 2),
    "has an error of many lines": (handler("raise ValueError('a\\nb\\x1b[31m\\r\\nc')"), 2),
    "raises a group": (handler("raise ExceptionGroup('g', [ValueError('a')])"), 2),
    "asks for four arguments": (
        "    pi.on('turn_start', lambda a, b, c, d: None)\n",
        "needs 4 values; it is given one, and ctx",
    ),
    "answers numbers": (everywhere("42"), "is Transform or Handled, not 42"),
    "answers odd things": (everywhere("Odd()"), "an object of type Odd"),
    "answers lists of nothing": (everywhere("[None]"), "[None]"),
    "clears what it is shown": (handler("event.message.clear()", "message_end"), "put back"),
    "clears deltas": (
        handler("event.assistant_message_event.clear()", "message_update"),
        "put back",
    ),
    "clears a turn": (handler("event.message.clear()", "turn_end"), "put back"),
    "stores what is no JSON": (handler("pi.append_entry('x', {1, 2})", "session_start"), 2),
    "reads stdin": (handler("input('? ')"), 2),
    "registers at the end": (handler("pi.append_entry('x', object())", "session_shutdown"), 2),
}
# Nothing of these is told, or not by pi.
TOLERATED = {
    "prints": (
        "    print('noise'); os.write(1, b'noise\\n'); os.system('echo noise')\n"
        + handler("print('noise', flush=True); os.write(1, b'noise\\n'); os.system('echo noise')")
    ),
    "closes stdout": handler("sys.stdout.close()"),
    "replaces stdout": handler("import io; sys.stdout = io.StringIO()"),
    "logs to stdout": "    logging.basicConfig(level=0, force=True, stream=sys.stdout)\n",
    "changes the folder": handler("os.chdir('/')", "turn_end"),
    "empties its list": handler("event.messages.clear()", "agent_end"),
    "has a failing thread": handler("threading.Thread(target=lambda: 1 / 0).start()"),
    "leaves a task": waiting("pi.background(asyncio.sleep(3600))"),
    "fails at exit": "    atexit.register(lambda: 1 / 0)\n",
    "makes errors of warnings": "    warnings.simplefilter('error')\n",
    "aborts what has ended": waiting("ctx.abort()", "agent_settled"),
    "speaks from threads": handler(
        "t = threading.Thread(target=lambda: pi.append_entry('x', 1)); t.start(); t.join()",
        "session_start",
    ),
}
FAILING_TOOLS = {
    "raises its own kind": tool("raise Own('x')"),
    "exits": tool("sys.exit(3)"),
    "interrupts": tool("raise KeyboardInterrupt"),
    "is cancelled by nobody": tool("raise asyncio.CancelledError"),
    "returns itself": tool("a = []; a.append(a); return a"),
    "returns what is no JSON": tool("return {1: {2}}"),
    "returns an odd thing": tool("return Odd()"),
    "recurses": tool("return await bad(x)"),
}
CALLS: Turn = {
    "blocks": [
        {"tool": "sound", "id": "c1", "args": {"x": "1"}},
        {"tool": "bad", "id": "c2", "args": {"x": "1"}},
    ],
    "stop": "toolUse",
}


class Ran:
    """A run in one of the modes. told: what pi said of extensions, a line each."""

    def __init__(self, machine: Machine, mode: str, *options: str) -> None:
        if mode == "rpc":
            with RpcClient(
                [*COMMAND, *options, "--mode", "rpc"],
                cwd=machine.project,
                env=machine.environment,
            ) as client:
                client.send({"type": "prompt", "message": "go"})
                client.until("agent_settled")
                assert client.request({"type": "get_state"})["success"]
                self.code = client.finish()
            self.records = client.records  # each line was JSON, or the client had failed
            self.stderr = client.errors.decode()
            errors = [r for r in self.records if r["type"] == "extension_error"]
            self.told = [f"{e.get('place')}, {e['event']}: {e['error']}" for e in errors]
            self.told += self.stderr.splitlines()  # when the client has gone
        else:
            done = machine.run(*options, "--mode", mode, "-p", "go", stdin=b"")
            self.code, self.stderr = done.code, done.stderr
            if mode == "json":
                self.records = done.events
            else:
                assert done.text == "done\n"
            self.told = done.stderr.splitlines()


def run(machine: Machine, scripted: ScriptedFactory, mode: str, source: str) -> Ran:
    folder = machine.agent / "extensions"
    folder.mkdir(parents=True)
    (folder / "a_bad.py").write_text(source)
    (folder / "z_good.py").write_text(GOOD)
    ran = Ran(machine, mode, *scripted([CALLS, SAYS_DONE]).options)
    assert ran.code == 0, ran.stderr
    entries = machine.entries()
    kinds = [e["customType"] for e in entries if e["type"] == "custom"]
    assert [kind for kind in kinds if kind != "x"] == ["begun", "settled"]
    assert (machine.project / "ended").exists()
    return ran


def results(machine: Machine) -> dict[str, tuple[bool, str]]:
    return {
        m["toolName"]: (m["isError"], m["content"][0]["text"])
        for m in machine.messages()
        if m["role"] == "toolResult"
    }


MODES = ("text", "json", "rpc")


def spread(names: Any) -> list[Any]:
    """Each in two of the modes."""
    return [
        pytest.param(name, MODES[(number + step) % 3])
        for number, name in enumerate(names)
        for step in (0, 1)
    ]


@pytest.mark.parametrize(("name", "mode"), spread(FAULTY))
def test_a_fault_is_told_with_its_place(
    machine: Machine, scripted: ScriptedFactory, name: str, mode: str
) -> None:
    source, said = FAULTY[name]
    ran = run(machine, scripted, mode, HEAD + source)
    where = f"a_bad.py:{FIRST + said}," if isinstance(said, int) else said
    assert any(where in line for line in ran.told), ran.told
    assert all(len(line) < 5000 for line in ran.told)


@pytest.mark.parametrize(("name", "mode"), spread(TOLERATED))
def test_stdout_stays_clean_and_the_rest_works(
    machine: Machine, scripted: ScriptedFactory, name: str, mode: str
) -> None:
    ran = run(machine, scripted, mode, HEAD + TOLERATED[name])
    if name == "prints":
        assert ran.stderr.count("noise") >= 6
    assert results(machine)["sound"] == (False, "sound 1")


@pytest.mark.parametrize(("name", "mode"), spread(FAILING_TOOLS))
def test_a_failing_tool_is_a_result(
    machine: Machine, scripted: ScriptedFactory, name: str, mode: str
) -> None:
    run(machine, scripted, mode, HEAD + FAILING_TOOLS[name])
    found = results(machine)
    assert found["sound"] == (False, "sound 1")
    assert found["bad"][0]
    assert "failed" in found["bad"][1]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "source",
    [
        "class Own(BaseException): pass\nraise Own",
        "\nraise KeyboardInterrupt",
        "\nraise GeneratorExit",
        "import asyncio\nraise asyncio.CancelledError",
        "import sys\nsys.exit(3)",
    ],
)
def test_one_that_cannot_be_imported(
    machine: Machine, scripted: ScriptedFactory, source: str, mode: str
) -> None:
    ran = run(machine, scripted, mode, source)
    assert any("a_bad.py:2, " in line and "loading" in line for line in ran.told), ran.told


ENDLESS = (
    "    async def never():\n"
    "        while True:\n"
    "            try:\n"
    "                await asyncio.sleep(3600)\n"
    "            except asyncio.CancelledError:\n"
    "                pass\n"
    "    pi.on('session_start', lambda: pi.background(never()))\n"
)


@pytest.mark.parametrize("mode", MODES)
def test_a_task_that_does_not_end_does_not_keep_pi(
    machine: Machine, scripted: ScriptedFactory, mode: str
) -> None:
    assert "does not end" in run(machine, scripted, mode, HEAD + ENDLESS).stderr


@pytest.mark.parametrize("mode", MODES)
def test_a_run_that_is_cancelled_from_within_ends_in_order(
    machine: Machine, scripted: ScriptedFactory, mode: str
) -> None:
    folder = machine.agent / "extensions"
    folder.mkdir(parents=True)
    body = "asyncio.current_task().cancel(); await asyncio.sleep(0)"
    (folder / "a.py").write_text(HEAD + waiting(body))
    script = scripted([SAYS_DONE])
    if mode != "rpc":
        done = script.run("--mode", mode, "-p", "go")
        assert (done.code, done.stderr.count("\n")) == (1, 1)
        assert "an extension cancelled the run" in done.stderr
        return
    command = [*COMMAND, *script.options, "--mode", "rpc"]
    with RpcClient(command, cwd=machine.project, env=machine.environment) as client:
        client.send({"type": "prompt", "message": "go"})
        assert "cancelled the run" in client.until("agent_settled")["errorMessage"]
        assert client.request({"type": "get_state"})["data"]["isStreaming"] is False
        assert client.finish() == 0


@pytest.mark.parametrize("event", ["turn_start", "message_end", "turn_end"])
def test_an_abort_ends_a_handler_that_waits(
    machine: Machine, scripted: ScriptedFactory, event: str
) -> None:
    folder = machine.agent / "extensions"
    folder.mkdir(parents=True)
    began = machine.project / "began"
    body = f"open({str(began)!r}, 'w').close(); await asyncio.sleep(3600)"
    (folder / "a.py").write_text(HEAD + waiting(body, event))
    command = [*COMMAND, *scripted([SAYS_DONE]).options, "--mode", "rpc"]
    with RpcClient(command, cwd=machine.project, env=machine.environment) as client:
        client.send({"type": "prompt", "message": "go"})
        assert eventually(began.exists)
        client.request({"type": "abort"})
        assert client.until("agent_settled")["aborted"] is True
        errors = [r["error"] for r in client.records if r["type"] == "extension_error"]
        # Messages after the first are told of, too, and their handlers are given some seconds.
        assert any("was ended" in text for text in errors) == (event == "message_end")
        assert client.finish() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals are another matter there")
@pytest.mark.parametrize(
    ("body", "signals"),
    [("time.sleep(3600)", 2), ("asyncio.sleep(3600)", 1)],
    ids=["blocks", "waits"],
)
def test_ctrl_c_gets_through(
    machine: Machine, scripted: ScriptedFactory, body: str, signals: int
) -> None:
    folder = machine.agent / "extensions"
    folder.mkdir(parents=True)
    began = machine.project / "began"
    begin = f"open({str(began)!r}, 'w').close()"
    made = waiting(f"{begin}; await {body}") if signals == 1 else handler(f"{begin}; {body}")
    (folder / "a.py").write_text(HEAD + made)
    process = scripted([SAYS_DONE]).start("-p", "go")
    assert eventually(began.exists)
    for _ in range(signals):
        time.sleep(0.5)  # two that come at once are one
        process.send_signal(signal.SIGINT)
    try:
        _, stderr = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == 128 + signal.SIGINT
    assert b"Traceback" not in stderr
    if signals == 2:
        assert f"a.py:{FIRST + 2}, in turn_start: KeyboardInterrupt" in stderr.decode()


def test_what_ends_the_process_ends_it(machine: Machine, scripted: ScriptedFactory) -> None:
    """Nothing helps against os._exit; what was said before is in the session."""
    folder = machine.agent / "extensions"
    folder.mkdir(parents=True)
    (folder / "a.py").write_text(HEAD + handler("os._exit(5)", "agent_settled"))
    done = scripted([SAYS_DONE]).run("-p", "go")
    assert done.code == 5
    assert [m["role"] for m in machine.messages()] == ["system", "user", "assistant"]


def test_help_and_lists_stay_clean(machine: Machine) -> None:
    folder = machine.agent / "extensions"
    folder.mkdir(parents=True)
    (folder / "a.py").write_text(HEAD + "    print('noise'); os.write(1, b'noise\\n')\n")
    for options in (("--help",), ("--list-models",)):
        done = machine.run(*options)
        assert "noise" not in done.text
        assert done.stderr.count("noise") == 2
        assert done.text


def test_piped_input_is_read_once(machine: Machine, scripted: ScriptedFactory) -> None:
    folder = machine.agent / "extensions"
    folder.mkdir(parents=True)
    (folder / "a.py").write_text("import sys\nTAKEN = sys.stdin.read()\n" + GOOD)
    script = scripted([SAYS_DONE])
    done = script.run("-p", "and this", stdin=b"from the pipe ")
    assert done.code == 0
    assert "from the pipe" in json.dumps(script.bodies[0]["messages"])
