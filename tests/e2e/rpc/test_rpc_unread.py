"""RPC mode with a client that does not read."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import COMMAND, Machine, ScriptedFactory
from tests.e2e.rpc.conftest import DONE, SLOW, aborted


class Unread:
    """A client that writes and does not read until told to."""

    def __init__(self, machine: Machine, *arguments: str) -> None:
        import subprocess

        self.process = subprocess.Popen(
            [*COMMAND, "--mode", "rpc", *arguments],
            cwd=machine.project,
            env=machine.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def send(self, **command: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()

    @property
    def memory(self) -> int:
        """Resident bytes."""
        fields = Path(f"/proc/{self.process.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")

    def wait_until_full(self) -> None:
        """Until nothing more goes into the pipe that nobody reads."""
        import fcntl
        import termios

        assert self.process.stdout is not None
        deadline, waiting = time.monotonic() + 60, 0
        while waiting < 60_000:
            assert time.monotonic() < deadline and self.process.poll() is None
            time.sleep(0.02)
            answer = fcntl.ioctl(self.process.stdout, termios.FIONREAD, bytes(4))
            waiting = int.from_bytes(answer, sys.byteorder)

    def close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process.kill()
        self.process.wait()


def settles(value: Callable[[], int]) -> int:
    """A value once it has not changed for a while."""
    deadline = time.monotonic() + 60
    last, since = value(), time.monotonic()
    while time.monotonic() - since < 1 and time.monotonic() < deadline:
        time.sleep(0.05)
        if abs((now := value()) - last) > 1 << 20:
            last, since = now, time.monotonic()
    return last


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory from /proc")
def test_a_run_waits_for_a_client_that_does_not_read(scripted: ScriptedFactory) -> None:
    """60 MB of deltas, and 60 MB of a command's output; then the client reads, and aborts."""
    text = "x" * 1000 * 20_000
    script = scripted([{"blocks": [{"text": text}], "piece": 1000}, DONE])
    client = Unread(script.machine, *script.options)
    try:
        client.send(id=1, type="prompt", message="go")
        client.send(id=2, type="bash", command="yes 0123456789 | head -c 60000000")
        client.wait_until_full()
        peak = settles(lambda: client.memory)
        assert peak < 250 << 20
        assert client.process.poll() is None
        assert client.process.stdout is not None
        first = client.process.stdout.readline()
        assert json.loads(first)["command"] == "prompt"
        client.send(id=3, type="abort")
        client.send(id=4, type="abort_bash")
        seen: list[Any] = []
        reader = threading.Thread(target=lambda: seen.extend(read_until(client, {3, 2, 4})))
        reader.start()
        reader.join(60)
        assert not reader.is_alive()
        kinds = [record["type"] for record in seen]
        assert "agent_settled" in kinds
        assert kinds.count("message_update") < 20_000
        client.send(id=5, type="get_state")
        state = next(r for r in read_until(client, {5}) if r.get("id") == 5)
        assert state["data"]["isStreaming"] is False
    finally:
        client.close()


def read_until(client: Unread, ids: set[int]) -> Iterator[Any]:
    """Records up to the last of these responses."""
    assert client.process.stdout is not None
    while ids:
        record = json.loads(client.process.stdout.readline())
        if record["type"] == "response":
            ids.discard(record.get("id"))
        yield record


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_a_signal_ends_a_run_that_waits_for_its_client(scripted: ScriptedFactory) -> None:
    script = scripted([{"blocks": [{"text": "x" * 4_000_000}], "piece": 1000}])
    client = Unread(script.machine, *script.options)
    try:
        client.send(id=1, type="prompt", message="go")
        client.wait_until_full()
        client.process.send_signal(signal.SIGTERM)
        assert client.process.wait(60) == 143
        assert aborted(script)
    finally:
        client.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_an_error(machine: Machine) -> None:
    import subprocess

    with (
        open("/dev/full", "wb") as full,
        subprocess.Popen(
            [*COMMAND, "--mode", "rpc", "--no-session"],
            stdin=subprocess.PIPE,
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=machine.project,
            env=machine.environment,
        ) as process,
    ):
        assert process.stdin is not None and process.stderr is not None
        process.stdin.write(b'{"type":"get_commands"}\n')
        process.stdin.flush()
        assert process.wait(60) == 1
        assert process.stderr.read().startswith(b"Error: stdout cannot be written: ")


def test_a_client_that_goes_away_ends_pi(scripted: ScriptedFactory) -> None:
    script = scripted([SLOW])
    client = Unread(script.machine, *script.options)
    try:
        client.send(id=1, type="prompt", message="go")
        assert client.process.stdout is not None
        client.process.stdout.readline()
        client.process.stdout.close()
        assert client.process.wait(60) == 0
        assert aborted(script)
    finally:
        client.close()
