"""A client of RPC mode in the way people write one: a child process, lines of JSON, a thread.

    with RpcClient([*COMMAND, "--mode", "rpc"], cwd=…, env=…) as client:
        client.request({"type": "get_state"})["data"]
        client.send({"type": "prompt", "message": "hi"})
        client.until("agent_settled")

Everything that came is in `records`, in order.
"""

import contextlib
import itertools
import json
import subprocess
import threading
from collections.abc import Callable, Sequence
from typing import Any, Self

__all__ = ["RpcClient"]

Record = dict[str, Any]

LIMIT = 60.0
"""Seconds to wait for anything: a guard against a hang, not a measure."""


class RpcClient:
    """records: what pi wrote, parsed. `closed` once its stdout ended."""

    def __init__(self, command: Sequence[str], **options: Any) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )
        self.records: list[Record] = []
        self.errors = b""
        self.closed = False
        self._news = threading.Condition()
        self._ids = itertools.count(1)
        self._seen = 0
        self._threads = [
            threading.Thread(target=self._read, daemon=True),
            threading.Thread(target=self._drain, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join(10)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was never written when it was killed
                    pipe.close()

    def send(self, command: Any) -> None:
        """One command, as JSON; bytes are sent as they are."""
        assert self.process.stdin is not None
        data = command if isinstance(command, bytes) else json.dumps(command).encode() + b"\n"
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def begin(self, command: Record) -> str:
        """Send a command under an id of its own, which is returned."""
        name = f"r{next(self._ids)}"
        self.send({"id": name, **command})
        return name

    def request(self, command: Record) -> Record:
        """Send a command under an id of its own, and wait for its response."""
        return self.response(self.begin(command))

    def skip(self) -> None:
        """Let `until` and `wait` look at nothing that has come so far."""
        self._seen = len(self.records)

    def response(self, name: Any) -> Record:
        return self.wait(lambda r: r["type"] == "response" and r.get("id") == name, everything=True)

    def until(self, kind: str) -> Record:
        """The next record of a type after those that `until` or `next` returned before."""
        return self.wait(lambda record: record["type"] == kind)

    def wait(self, wanted: Callable[[Record], bool], *, everything: bool = False) -> Record:
        """The next record that is wanted. everything: look at those that came before, too."""
        at = 0 if everything else self._seen
        with self._news:
            while True:
                for number, record in enumerate(self.records[at:], at):
                    if wanted(record):
                        if not everything:
                            self._seen = number + 1
                        return record
                at = len(self.records)
                if self.closed:
                    raise AssertionError(f"pi ended: {self.records[-5:]} {self.errors!r}")
                if not self._news.wait(LIMIT):
                    raise AssertionError(f"nothing came: {self.records[-5:]} {self.errors!r}")

    def finish(self) -> int:
        """Close stdin and wait for the end; the exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.ended()

    def ended(self) -> int:
        code = self.process.wait(LIMIT)
        for thread in self._threads:
            thread.join(LIMIT)
        return code

    def kinds(self) -> list[str]:
        """Types without updates; messages with their role, responses with their command."""
        return [_kind(r) for r in self.records if r["type"] != "message_update"]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:  # a binary reader: it ends lines at LF only
            record = json.loads(line)
            with self._news:
                self.records.append(record)
                self._news.notify_all()
        with self._news:
            self.closed = True
            self._news.notify_all()

    def _drain(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.errors += line


def _kind(record: Record) -> str:
    if record["type"].startswith("message_"):
        return f"{record['type']} {record['message']['role']}"
    if record["type"] == "response":
        return f"response {record.get('command')}"
    return str(record["type"])
