"""Signals and readers that leave: what came is stored, what ran is stopped."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Scripted, ScriptedFactory
from tests.waiting import eventually, gone

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

SLOW = {"blocks": [{"text": "word " * 200}], "delay": 0.05, "piece": 5}


def until_streaming(process: "subprocess.Popen[bytes]", sign: bytes = b"text_delta") -> None:
    """Read JSON events until one holds `sign`."""
    assert process.stdout is not None
    for line in process.stdout:
        if sign in line:
            return
    pytest.fail(f"{sign!r} did not come: {process.communicate()}")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_streaming(scripted: ScriptedFactory, number: int, code: int) -> None:
    script = scripted([SLOW])
    process = script.start("--mode", "json", "-p", "hi")
    until_streaming(process)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=20)
    assert (process.returncode, stderr) == (code, b"")
    last = script.machine.messages()[-1]
    assert (last["role"], last["stopReason"]) == ("assistant", "aborted")
    assert last["content"][0]["text"].startswith("word ")
    assert eventually(lambda: script.server.dropped == [0])


def test_a_signal_kills_the_tools(scripted: ScriptedFactory, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    command = f"sleep 300 & echo $! > {pid}; printf 'sta'; printf 'rted\\n'; wait"
    call = {"tool": "bash", "id": "c1", "args": {"command": command}}
    script = scripted([{"blocks": [call], "stop": "toolUse"}])
    process = script.start("--mode", "json", "-p", "hi")
    until_streaming(process, b'"started\\n')
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    child = int(pid.read_text())
    assert gone(child)
    result, reply = script.machine.messages()[-2:]
    assert (result["role"], result["isError"]) == ("toolResult", True)
    assert result["content"][0]["text"].startswith("started")
    assert reply["stopReason"] == "aborted"


def test_the_session_goes_on_after_an_abort(scripted: ScriptedFactory) -> None:
    script = scripted([SLOW, {"blocks": [{"text": "fine"}]}])
    process = script.start("--mode", "json", "-p", "hi")
    until_streaming(process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    result = script.machine.run("-c", "-p", "again")
    assert (result.code, result.text) == (0, "fine\n")


@pytest.mark.parametrize("mode", [["--mode", "json"], ["-p"]])
def test_a_reader_that_leaves_ends_the_run_quietly(
    scripted: ScriptedFactory, mode: list[str]
) -> None:
    script = scripted([{**SLOW, "delay": 0.01}])
    process = script.start(*mode, "hi")
    assert process.stdout is not None
    if mode == ["-p"]:
        process.stdout.close()
    else:
        until_streaming(process)
        process.stdout.close()
    process.stdout = None
    _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (0, b"")
    assert script.machine.messages()[-1]["role"] == "assistant"


def test_a_stalled_stream_can_be_left(scripted: ScriptedFactory) -> None:
    script = scripted([{"blocks": [{"text": "word " * 5}], "hang": 3, "ping": 0.05}])
    process = script.start("--mode", "json", "-p", "hi")
    until_streaming(process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 130


def test_a_kill_loses_nothing_that_was_told(scripted: ScriptedFactory, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    call = {"tool": "bash", "id": "c1", "args": {"command": f"echo $$ > {pid}; exec sleep 60"}}
    script: Scripted = scripted([{"blocks": [{"text": "now"}, call], "stop": "toolUse"}])
    process = script.start("--mode", "json", "-p", "hi")
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        told.append(line)
        if b"tool_execution_start" in line:
            break
    assert eventually(lambda: pid.exists() and pid.read_text().strip())
    process.kill()
    process.communicate(timeout=10)
    os.kill(int(pid.read_text()), signal.SIGKILL)
    stored = script.machine.session().read_bytes()
    assert stored.endswith(b"\n")
    ends = [line for line in told if line.startswith(b'{"type":"message_end"')]
    assert len(ends) == 3
    assert len(script.machine.messages()) == 3
