"""What extensions ask and show over RPC, with the same extension in each program's language."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.differential.programs import environment, furnish, mock, needs_reference, twins
from tests.rpc_client import Record, RpcClient
from tests.scripted_provider import ScriptedProvider, Turn

pytestmark = [
    needs_reference,
    pytest.mark.usefixtures("typescript"),
]
ASKING = Path(__file__).with_name("extensions") / "asking"
CALL: Turn = {
    "blocks": [{"tool": "read", "id": "call_1", "args": {"path": "a.txt"}}],
    "stop": "toolUse",
}
DONE: Turn = {"blocks": [{"text": "ok"}], "stop": "stop"}
DIALOGS = ("select", "confirm", "input", "editor")


class Client(RpcClient):
    """answers: fields of the responses to questions, in turn; after those, none is answered."""

    def drive(self, command: Record, answers: list[Any]) -> list[Record]:
        """Send a command; what extensions asked and showed until all is still, without ids."""
        self.skip()
        name = self.begin(command)
        shown: list[Record] = []
        left = list(answers)
        open_: list[str] = []
        while True:
            record = self.wait(
                lambda r: (
                    r["type"] in ("extension_ui_request", "agent_settled", "extension_error")
                    or (r["type"] == "response" and r.get("id") == name)
                )
            )
            if record["type"] == "extension_ui_request":
                key = record["id"]
                shown.append(plain(record))
                if record["method"] in DIALOGS and left:
                    self.answer(key, left.pop(0), open_)
            elif record["type"] == "response":
                data = record.get("data") or {}
                shown.append({"success": record["success"], "cancelled": data.get("cancelled")})
                if command["type"] != "prompt" or data.get("disposition") == "handled":
                    return shown
            else:
                shown.append({"type": record["type"]})
                if record["type"] == "agent_settled":
                    return shown

    def answer(self, key: str, fields: Any, waiting: list[str]) -> None:
        """ "later" keeps a question for the next one, whose answer comes first."""
        if fields == "later":
            waiting.append(key)
            return
        for other in (key, *waiting):
            if isinstance(fields, list):
                for each in fields:
                    self.send({"type": "extension_ui_response", "id": other, **each})
            else:
                self.send({"type": "extension_ui_response", "id": other, **fields})
        waiting.clear()


@contextmanager
def sides(root: Path, turns: list[Turn]) -> Iterator[list[Client]]:
    clients = []
    with ScriptedProvider(turns) as one, ScriptedProvider(turns) as two:
        for (command, suffix), server in zip(twins(), (one, two), strict=True):
            home = root / suffix[1:]
            furnish(home, mock(server))
            project = home / "project"
            project.mkdir()
            (project / "a.txt").write_text("hello\n")
            words = [*command, "-e", str(ASKING.with_suffix(suffix)), "--mode", "rpc"]
            words += ["--model", "mock/m1"]
            client = Client(words, cwd=project, env=environment(home))
            clients.append(client)
        with clients[0], clients[1]:
            for client in clients:
                client.request({"type": "get_state"})
            yield clients


def told(client: Client) -> list[Record]:
    return [plain(r) for r in client.records if r["type"] == "extension_ui_request"]


def plain(record: Record) -> Record:
    """Without its id; what need not be said, because it is the default, said."""
    told = {key: value for key, value in record.items() if key != "id"}
    if record["method"] == "notify":
        told.setdefault("notifyType", "info")
    return told


CASES: list[tuple[str, list[Any]]] = [
    ("select", [{"value": "b"}]),
    ("select", [{"value": "ü\u2028"}]),
    ("select", [{"value": "no option"}]),
    ("select", [{"cancelled": True}]),
    ("select", [{"cancelled": True, "value": "a"}]),
    ("select", [[{"value": "a"}, {"value": "b"}]]),
    ("none", [{"cancelled": True}]),
    ("confirm", [{"confirmed": True}]),
    ("confirm", [{"confirmed": False}]),
    ("confirm", [{"cancelled": True}]),
    ("input", [{"value": "Ada"}]),
    ("input", [{"value": ""}]),
    ("input", [{"cancelled": True}]),
    ("bare", [{"value": "Ada"}]),
    ("editor", [{"value": "one\nthree"}]),
    ("editor", [{"cancelled": True}]),
    ("blank", [{"value": "x"}]),
    ("late", []),
    ("two", ["later", {"value": "both"}]),
    ("tell", []),
    ("know", []),
]


def test_requests_and_answers(tmp_path: Path) -> None:
    with sides(tmp_path, [DONE]) as clients:
        for name, answers in CASES:
            command = {"type": "prompt", "message": f"/{name}"}
            theirs, ours = (client.drive(command, answers) for client in clients)
            assert ours == theirs, f"{name}\n{theirs}\n{ours}"
        assert told(clients[1]) == told(clients[0])
        assert [client.finish() for client in clients] == [0, 0]


def test_one_that_is_dismissed_from_inside(tmp_path: Path) -> None:
    with sides(tmp_path, [DONE]) as clients:
        command = {"type": "prompt", "message": "/dismissed"}
        theirs, ours = (client.drive(command, []) for client in clients)
        assert ours == theirs, f"{theirs}\n{ours}"


@pytest.mark.parametrize("answer", [{"value": "Yes"}, {"value": "No"}, {"cancelled": True}])
def test_questions_amid_a_run(tmp_path: Path, answer: Record) -> None:
    with sides(tmp_path, [CALL, DONE]) as clients:
        command = {"type": "prompt", "message": "read it"}
        theirs, ours = (client.drive(command, [answer]) for client in clients)
        assert ours == theirs, f"{theirs}\n{ours}"
        results = [
            [
                record["message"]["content"]
                for record in client.records
                if record["type"] == "message_end" and record["message"]["role"] == "toolResult"
            ]
            for client in clients
        ]
        assert results[1] == results[0]


@pytest.mark.parametrize("answer", [{"confirmed": True}, {"confirmed": False}])
def test_questions_before_another_session(tmp_path: Path, answer: Record) -> None:
    with sides(tmp_path, [DONE]) as clients:
        theirs, ours = (client.drive({"type": "new_session"}, [answer]) for client in clients)
        # The reference tells extensions of the new session twice.
        theirs = [one for at, one in enumerate(theirs) if one not in theirs[:at]]
        assert ours == theirs, f"{theirs}\n{ours}"


def test_the_end_ends_what_is_asked(tmp_path: Path) -> None:
    with sides(tmp_path, [DONE]) as clients:
        for client in clients:
            client.begin({"type": "prompt", "message": "/input"})
            client.until("extension_ui_request")
            client.wait(lambda r: r.get("method") == "input", everything=True)
        assert [client.finish() for client in clients] == [0, 0]
