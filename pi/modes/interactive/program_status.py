"""What pi is at, told to the terminal: the Program Status Protocol (OSC 7501).

Terminals and dashboards that understand it show whether a program works, waits for somebody, is
done or failed. Nothing that was said in the conversation is told. Loaded only where the terminal
says that it understands, or the person does (PI_PROGRAM_STATUS=1).
"""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from pi.runtime.ui import Blocked

if TYPE_CHECKING:
    from pi.wire.events import AgentEvent

__all__ = ["ProgramStatus"]

State = Literal["idle", "working", "done", "error"]

_END = "\x1b\\"


class ProgramStatus:
    """write: to the terminal. name: of the session, as it is now.

    A listener for the host's events; `blocked` while somebody is waited for.
    """

    def __init__(self, write: Callable[[str], None], name: Callable[[], str | None]) -> None:
        self._write, self._name = write, name
        self._state: State = "idle"
        self._message = ""
        self._waiting: list[tuple[Blocked, str]] = []
        self._told = ""
        self._failed: str | None = None
        self._tell()

    def __call__(self, event: "AgentEvent") -> None:
        told: Any = event
        match told["type"]:
            case "agent_start":
                self._failed = None
                self._be("working", self._name() or "")
            case "message_end" if told["message"]["role"] == "assistant":
                message = told["message"]
                failed = message["stopReason"] == "error"
                self._failed = message.get("errorMessage", "") if failed else None
            case "agent_settled":
                self._settle(told["aborted"], self._failed)
            case "compaction_start":
                self._be("working", "Summarising the conversation")
            case "compaction_end" if not told["willRetry"]:
                failed = "result" not in told and not told["aborted"]
                self._settle(told["aborted"], told.get("errorMessage", "") if failed else None)
            case "session_info_changed" if self._state in ("working", "done"):
                self._be(self._state, self._name() or "")

    @contextmanager
    def blocked(self, kind: Blocked, message: str) -> Iterator[None]:
        """Somebody is waited for inside; of several, the last one tells for what."""
        waiting = kind, message
        self._waiting.append(waiting)
        self._tell()
        try:
            yield
        finally:
            self._waiting.remove(waiting)
            self._tell()

    def close(self) -> None:
        self._send("state=clear")

    def _settle(self, aborted: bool, failed: str | None) -> None:
        if aborted:
            self._be("idle", "")
        elif failed is not None:
            self._be("error", failed.strip().partition("\n")[0])
        else:
            self._be("done", self._name() or "")

    def _be(self, state: State, message: str) -> None:
        self._state, self._message = state, message
        self._tell()

    def _tell(self) -> None:
        if self._waiting:
            kind, message = self._waiting[-1]
            fields = f"state=blocked:app=pi:kind={kind}"
        else:
            fields, message = f"state={self._state}:app=pi", self._message
        if message:
            fields += ":msg=" + base64.b64encode(message.encode(errors="replace")).decode()
        if fields != self._told:
            self._send(fields)

    def _send(self, fields: str) -> None:
        self._told = fields
        self._write(f"\x1b]7501;{fields}{_END}")
