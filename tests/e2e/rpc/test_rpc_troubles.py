"""RPC mode as a client meets it: bad lines, files that cannot be written, the end of it all."""

import json
import signal
import sys
from typing import Any

import pytest

from tests.e2e.conftest import COMMAND, Machine, ScriptedFactory
from tests.e2e.rpc.conftest import BIG, DONE, SHORT, SLEEPS, SLOW, aborted, ask, refused, run
from tests.rpc_client import RpcClient
from tests.scripted_provider import Turn
from tests.waiting import gone

# What is wrong


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"", {"command": "parse"}),
        (b"  ", {"command": "parse"}),
        (b"{", {"command": "parse"}),
        (b'{"type":NaN}', {"command": "parse"}),
        (b"\xff\xfe", {"command": "parse"}),
        (b"\xef\xbb\xbf{}", {"command": "parse"}),
        (b"[" * 100_000, {"command": "parse"}),
        (b"{}", {}),
        (b"[]", {}),
        (b"42", {}),
        (b"null", {}),
        (b'"x"', {}),
        (b'{"id":"y"}', {"id": "y"}),
        (b'{"id":7,"type":"nope"}', {"id": 7, "command": "nope"}),
        (b'{"id":{"a":1},"type":5}', {"id": {"a": 1}, "command": 5}),
        (b'{"id":null,"type":"prompt"}', {"id": None, "command": "prompt"}),
        (b'{"type":["prompt"]}', {"command": ["prompt"]}),
    ],
    ids=lambda value: value[:24].decode(errors="replace") if isinstance(value, bytes) else "",
)
def test_bad_lines_are_answered(connect: Any, line: bytes, expected: dict[str, Any]) -> None:
    with connect([DONE]) as (client, _):
        client.send(line + b"\n")
        record = client.until("response")
        assert record.pop("error")
        assert record == {"type": "response", "success": False, **expected}
        ask(client, "get_state")


def test_lines_come_as_they_come(connect: Any) -> None:
    with connect([DONE]) as (client, _):
        command = b'{"id":5,"type":"set_session_name","name":"a\xe2\x80\xa8b \xf0\x9f\x8e\x88"}\r\n'
        for byte in command:
            client.send(bytes([byte]))
        assert client.response(5)["success"]
        assert ask(client, "get_state")["sessionName"] == "a\u2028b \U0001f388"
        client.send(b'{"id":"\\ud83d","type":"get_commands"}\n{"id":6,"type":"get_commands"}')
        assert client.finish() == 0
        assert [r.get("id") for r in client.records][-2:] == ["\ud83d", 6]


def test_files_as_arguments_are_refused(machine: Machine) -> None:
    done = machine.run("--mode", "rpc", "@a.txt", stdin=b"")
    assert (done.code, done.stdout) == (2, b"")
    assert done.stderr == (
        "Error: RPC mode takes no @file arguments\nSend prompts as commands; see docs/rpc.md.\n"
    )


def test_a_session_that_is_open_elsewhere_is_refused(connect: Any) -> None:
    with connect([DONE]) as (client, script):
        run(client, "one")
        path = str(script.machine.session())
        second = script.run("--mode", "rpc", "--session", path, stdin=b"")
        assert second.code == 1 and second.stdout == b""
        assert second.stderr.splitlines()[0].startswith("Error: ")
        assert path in second.stderr
        with script.machine.rpc(*script.options) as other:
            assert path in refused(other, "switch_session", sessionPath=path)
            ask(other, "get_state")


@pytest.mark.skipif(sys.platform == "win32", reason="limits as POSIX has them")
def test_a_session_that_cannot_be_written_is_told(scripted: ScriptedFactory) -> None:
    import resource

    long: Turn = {"blocks": [{"text": "word " * 20_000}]}
    script = scripted([DONE, long, DONE])
    client = RpcClient(
        [*COMMAND, "--mode", "rpc", *script.options],
        cwd=script.machine.project,
        # Python would keep modules that it could write half of.
        env={**script.machine.environment, "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
    )
    with client:
        run(client, "one")
        client.skip()
        ask(client, "prompt", message="two")
        settled = client.until("agent_settled")
        assert "cannot write to session" in settled["errorMessage"]
        run(client, "three")
        assert client.finish() == 0
        assert b"cannot write to session" in client.errors
    # What was acknowledged is there, and nothing of what was not.
    roles = [message["role"] for message in script.machine.messages()]
    assert roles == ["system", "user", "assistant", "user", "user", "assistant"]


def test_an_extension_that_comes_later_does_not_take_the_records_along(
    scripted: ScriptedFactory,
) -> None:
    """What extensions print goes elsewhere, and that begins with the first of them."""
    script = scripted([DONE])
    with script.machine.rpc(*script.options) as client:
        ask(client, "get_state")
        script.machine.write("mcp.json", {"mcpServers": {}})  # wakes one that comes with pi
        ask(client, "new_session")
        run(client, "hi")
        assert ask(client, "get_last_assistant_text")["text"] == "It says hello."
        assert client.finish() == 0


# The end


def test_the_end_of_the_input_ends_all(connect: Any) -> None:
    with connect([SLOW]) as (client, script):
        ask(client, "prompt", message="one")
        client.until("message_update")
        client.send({"type": "bash", "command": "sleep 60"})
        assert client.finish() == 0
        assert "agent_end" not in client.kinds()
        assert [m["role"] for m in script.machine.messages()][-2:] == ["assistant", "bashExecution"]


def test_what_was_asked_before_the_end_is_answered(machine: Machine) -> None:
    done = machine.run("--mode", "rpc", stdin=b'{"type":"get_commands"}\n{"type":"get_messages"}')
    assert [json.loads(line)["command"] for line in done.stdout.splitlines()] == [
        "get_commands",
        "get_messages",
    ]
    assert done.code == 0


def test_what_takes_long_is_answered_too(connect: Any) -> None:
    """Work of its own is done, what would go on is ended; a session is not left half replaced."""
    with connect([DONE]) as (client, script):
        run(client, "one")
        run(client, "two")
        fork = ask(client, "get_fork_messages")["messages"][1]["entryId"]
        names = [
            client.begin({"type": "export_html", "outputPath": "x.html"}),
            client.begin({"type": "bash", "command": "echo begun; sleep 60"}),
            client.begin({"type": "fork", "entryId": fork}),
            client.begin({"type": "bash", "command": "sleep 60"}),
            client.begin({"type": "get_state"}),
        ]
        assert client.finish() == 0
        page, shell, forked, second, state = (client.response(name) for name in names)
        assert page["data"] == {"path": "x.html"}
        assert (script.machine.project / "x.html").stat().st_size > 10_000
        assert shell["data"]["cancelled"] and second["data"]["cancelled"]
        assert forked["data"] == {"text": "two", "cancelled": False}
        assert state["data"]["messageCount"] == 3  # of the session that took its place


def test_a_compaction_that_the_end_stops_is_answered(scripted: ScriptedFactory) -> None:
    script = scripted([BIG, BIG, BIG, SLOW])
    script.machine.write("settings.json", SHORT)
    with script.machine.rpc(*script.options) as client:
        for word in ("one", "two", "three"):
            run(client, word)
        name = client.begin({"type": "compact"})
        client.until("compaction_start")
        assert client.finish() == 0
        assert client.response(name)["error"] == "The compaction was stopped"


EXTENSION = """
import asyncio

def extend(pi):
    @pi.on("session_start")
    async def begin(event, ctx):
        if not await ctx.ui.confirm("Begin?", "Nobody answers."):
            await asyncio.sleep(0.3)

    @pi.command("ask")
    async def ask(argument, ctx):
        "Ask something."
        assert not await ctx.ui.confirm("Really?", "Nobody answers.")
        pi.set_session_name("asked")

    @pi.command("stay")
    async def stay(argument, ctx):
        "Never end."
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                return
"""


def test_commands_that_waited_for_extensions_are_answered(scripted: ScriptedFactory) -> None:
    """All is written at once, long before the extension has let the session begin."""
    script = scripted([DONE])
    extension = script.machine.project / "e.py"
    extension.write_text(EXTENSION)
    lines = [
        {"id": 1, "type": "get_state"},
        {"id": 2, "type": "prompt", "message": "/ask"},
        {"id": 3, "type": "new_session"},
        {"id": 4, "type": "bash", "command": "sleep 60"},
        {"id": 5, "type": "prompt", "message": "/stay"},
    ]
    done = script.run(
        *("--mode", "rpc", "-e", str(extension)),
        stdin=b"".join(json.dumps(line).encode() + b"\n" for line in lines),
    )
    assert done.code == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    answers = {r["id"]: r for r in records if r["type"] == "response"}
    assert [answers[name]["success"] for name in (1, 2, 3, 4, 5)] == [True, True, True, True, False]
    assert answers[4]["data"]["cancelled"]
    assert answers[5]["error"] == "pi ended before this was done"
    assert len(answers) == len([r for r in records if r["type"] == "response"])


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
@pytest.mark.parametrize("turn", [SLOW, SLEEPS], ids=["text", "tool"])
def test_signals_end_in_order(connect: Any, name: str, turn: Turn) -> None:
    number = getattr(signal, name)
    with connect([turn]) as (client, script):
        ask(client, "prompt", message="one")
        client.until("message_update" if turn is SLOW else "tool_execution_start")
        client.process.send_signal(number)
        assert client.ended() == 128 + number
        assert aborted(script)


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
@pytest.mark.parametrize("how", ["end", "signal"])
def test_an_extension_that_never_lets_it_begin(scripted: ScriptedFactory, how: str) -> None:
    script = scripted([DONE])
    extension = script.machine.project / "e.py"
    extension.write_text(
        "import asyncio\n"
        "def extend(pi):\n"
        "    @pi.on('session_start')\n"
        "    async def begin(event, ctx):\n"
        "        ctx.ui.notify('never')\n"
        "        await asyncio.sleep(600)\n"
    )
    with script.machine.rpc(*script.options, "-e", str(extension)) as client:
        client.until("extension_ui_request")
        name = client.begin({"type": "get_state"})
        if how == "end":
            assert client.finish() == 0
            assert client.response(name)["success"]
        else:
            client.process.send_signal(signal.SIGTERM)
            assert client.ended() == 143


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_a_signal_while_idle(connect: Any) -> None:
    with connect([DONE]) as (client, _):
        ask(client, "get_commands")
        client.process.send_signal(signal.SIGTERM)
        assert client.ended() == 143


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_a_second_signal_ends_at_once(connect: Any) -> None:
    stubborn = "trap '' TERM INT HUP; echo $$; while :; do sleep 0.2; done"
    turn: Turn = {
        "blocks": [{"tool": "bash", "id": "c1", "args": {"command": stubborn}}],
        "stop": "toolUse",
    }
    with connect([turn]) as (client, _):
        ask(client, "prompt", message="one")
        said = client.wait(lambda record: record.get("partialResult", {}).get("content"))
        pid = int(said["partialResult"]["content"][0]["text"])
        client.process.send_signal(signal.SIGTERM)
        client.process.send_signal(signal.SIGHUP)
        assert client.ended() in (143, 129)
    assert gone(pid)
