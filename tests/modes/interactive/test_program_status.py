"""What pi is at, as terminals are told."""

import base64
import re
from typing import Any

from pi.modes.interactive.program_status import ProgramStatus


class Setup:
    def __init__(self) -> None:
        self.written: list[str] = []
        self.name: str | None = None
        self.status = ProgramStatus(self.written.append, lambda: self.name)

    def told(self) -> list[str]:
        """State, kind and message of each report since the last time."""
        reports, self.written[:] = list(self.written), []
        told = []
        for report in reports:
            found = re.fullmatch(
                r"\x1b]7501;state=(\w+)(?::app=pi)?(?::kind=(\w+))?(?::msg=([\w+/=]+))?\x1b\\",
                report,
            )
            assert found is not None, report
            message = base64.b64decode(found[3] or "").decode()
            told.append(" ".join(part for part in (found[1], found[2], message) if part))
        return told

    def event(self, kind: str, **fields: Any) -> None:
        self.status({"type": kind, **fields})  # type: ignore[typeddict-item]

    def answer(self, stop: str, **fields: Any) -> None:
        self.event("message_end", message={"role": "assistant", "stopReason": stop, **fields})


def test_a_run_and_how_it_ends() -> None:
    setup = Setup()
    assert setup.told() == ["idle"]
    setup.event("agent_start")
    setup.answer("stop")
    setup.event("agent_settled", aborted=False)
    assert setup.told() == ["working", "done"]
    setup.name = "Näme"
    setup.event("session_info_changed")
    assert setup.told() == ["done Näme"]
    setup.event("agent_start")
    setup.answer("aborted")
    setup.event("agent_settled", aborted=True)
    assert setup.told() == ["working Näme", "idle"]
    setup.event("session_info_changed")
    assert setup.told() == []


def test_only_an_error_that_stays_is_one() -> None:
    setup = Setup()
    setup.event("agent_start")
    setup.answer("error", errorMessage="busy")
    setup.event("agent_start")
    setup.answer("stop")
    setup.event("agent_settled", aborted=False)
    assert setup.told() == ["idle", "working", "done"]
    setup.event("agent_start")
    setup.answer("error", errorMessage="no credit\nand much more")
    setup.event("agent_settled", aborted=False)
    assert setup.told() == ["working", "error no credit"]


def test_compaction() -> None:
    setup = Setup()
    setup.event("compaction_start", reason="manual")
    setup.event(
        "compaction_end", reason="manual", aborted=False, willRetry=False, errorMessage="too short"
    )
    assert setup.told() == ["idle", "working Summarising the conversation", "error too short"]
    setup.event("compaction_start", reason="manual")
    setup.event("compaction_end", reason="manual", aborted=False, willRetry=False, result={})
    assert setup.told()[-1] == "done"


def test_who_is_waited_for_comes_first() -> None:
    setup = Setup()
    with setup.status.blocked("question", "Which?"):
        with setup.status.blocked("permission", "Sure?"):
            setup.event("agent_start")
        assert setup.told() == [
            "idle",
            "blocked question Which?",
            "blocked permission Sure?",
            "blocked question Which?",
        ]
    assert setup.told() == ["working"]
    setup.status.close()
    assert setup.told() == ["clear"]
