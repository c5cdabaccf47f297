"""The examples about sessions, prompts in several steps, summaries and providers."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.extensions.conftest import SAYS_DONE, Extend, calls
from tests.extensions.test_examples_tools import EXAMPLES, declared, needs_examples, text_of
from tests.scripted_provider import Request, Turn

pytestmark = needs_examples

PLAN = "I looked.\n\nPlan:\n1. Write a test\n2. Mend the code\n"


def test_plan_mode_from_plan_to_done(extend: Extend) -> None:
    turns: list[Turn] = [
        calls("write", {"path": "a.txt", "content": "x"}),
        calls("bash", {"command": "cat a.txt > b.txt"}, "call_2"),
        calls("bash", {"command": "echo looked | cat"}, "call_3"),
        {"blocks": [{"text": PLAN}], "stop": "stop"},
        {"blocks": [{"text": "Wrote it [done 1]"}], "stop": "stop"},
    ]
    pi = extend(EXAMPLES / "plan_mode", turns=turns)
    with pi.rpc("--plan", titled={"The plan is ready": "Carry it out"}) as person:
        person.ask("mend it")
        person.until("agent_settled")  # of the run that carries the plan out
        person.finish()
    assert sorted(declared(pi, 0)) == ["bash", "find", "grep", "ls", "read"]
    assert "Plan mode is on" in json.dumps(pi.bodies[0]["messages"])
    unknown, writes, reads = pi.tool_results()
    assert "no tool named" in text_of(unknown)
    assert "only commands that read" in text_of(writes)
    assert text_of(reads).strip() == "looked"
    assert "edit" in declared(pi, 4), "the tools of before are back"
    assert "Carry out the plan" in json.dumps(pi.bodies[4]["messages"])
    statuses = [r.get("statusText") for r in person.requests("setStatus")]
    assert statuses[0] == "plan mode"
    assert statuses[-1] == "plan: 1/2"
    assert person.requests("setWidget")[-1]["widgetLines"] == [
        "☑ 1. Write a test",
        "☐ 2. Mend the code",
    ]


def test_plan_mode_is_remembered(extend: Extend) -> None:
    turns: list[Turn] = [{"blocks": [{"text": PLAN}], "stop": "stop"}]
    pi = extend(EXAMPLES / "plan_mode", turns=turns)
    with pi.rpc(titled={"The plan is ready": "Stay in plan mode"}) as person:
        person.ask("/plan")
        person.ask("mend it")
        person.finish()
    assert person.notices() == ["Plan mode is on"]
    with pi.rpc("-c") as person:
        person.ask("/plan")
        person.finish()
    assert person.notices() == ["Plan mode is off"]


@pytest.mark.parametrize("mode", ["text", "json"])
def test_plan_mode_without_anybody(extend: Extend, mode: str) -> None:
    pi = extend(EXAMPLES / "plan_mode", turns=[{"blocks": [{"text": PLAN}], "stop": "stop"}])
    assert pi.run("--mode", mode, "--plan", "-p", "mend it").code == 0
    assert "write" not in declared(pi)


@pytest.mark.parametrize(
    ("command", "harmless"),
    [
        ("ls -la | grep x && git diff", True),
        ("git commit -m x", False),
        ("find . -delete", False),
        ("cat a > b", False),
        ("echo $(rm a)", False),
        ("ls; rm a", False),
        ("ls & rm a", False),
        ("ls || rm a", False),
        ("grep 'a", False),
        ("", False),
    ],
)
def test_what_plan_mode_lets_through(command: str, harmless: bool) -> None:
    from pi.extensions.modules import load_module

    assert load_module(EXAMPLES / "plan_mode" / "plan.py").is_harmless(command) is harmless


@pytest.mark.parametrize("mode", ["text", "json", "rpc"])
def test_session_name(extend: Extend, mode: str) -> None:
    long = "Please look at all the files in this folder and tell me what they are for"
    pi = extend(EXAMPLES / "session_name.py")
    if mode == "rpc":
        with pi.rpc() as person:
            person.ask(long)
            person.ask("/rename Files")
            state = person.request({"type": "get_state"})["data"]
            person.finish()
        assert state["sessionName"] == "Files"
        return
    assert pi.run("--mode", mode, "-p", long).code == 0
    (info,) = (e for e in pi.entries() if e["type"] == "session_info")
    assert info["name"] == "Please look at all the files in this folder and…"


def test_the_model_names_a_session(extend: Extend) -> None:
    turns: list[Turn] = [SAYS_DONE, {"blocks": [{"text": "Files, explained\n"}], "stop": "stop"}]
    pi = extend(EXAMPLES / "session_name.py", turns=turns)
    with pi.rpc() as person:
        person.ask("explain the files")
        person.ask("/rename")
        person.finish()
    assert person.notices() == ["This session is called Files, explained"]
    assert "at most five words" in json.dumps(pi.bodies[1]["messages"])
    statuses = [r.get("statusText") for r in person.requests("setStatus")]
    assert statuses == ["looking for a name", None]


@pytest.mark.parametrize("stays", [True, False])
def test_confirm_destructive(extend: Extend, stays: bool) -> None:
    pi = extend(EXAMPLES / "confirm_destructive.py")
    with pi.rpc() as person:
        assert person.request({"type": "new_session"})["data"] == {"cancelled": False}
        person.ask("hi")
        before = person.request({"type": "get_state"})["data"]["sessionId"]
        name = person.begin({"type": "new_session"})
        asked = person.until("extension_ui_request")
        assert asked["timeout"] == 60_000
        person.send({"type": "extension_ui_response", "id": asked["id"], "confirmed": not stays})
        assert person.response(name)["data"] == {"cancelled": stays}
        after = person.request({"type": "get_state"})["data"]["sessionId"]
        person.finish()
    assert (before == after) is stays


def test_confirm_destructive_without_anybody(extend: Extend) -> None:
    assert extend(EXAMPLES / "confirm_destructive.py").run("-p", "hi", "there").code == 0


def test_reload_by_the_model(extend: Extend) -> None:
    pi = extend(EXAMPLES / "reload_runtime.py", turns=[calls("reload_runtime", {}), SAYS_DONE])
    with pi.rpc() as person:
        person.ask("reload, please")
        person.wait(lambda r: r.get("method") == "notify", everything=True)
        person.ask("go on")
        person.finish()
    assert person.notices() == ["Everything was read again"]
    assert person.errors_of_extensions() == []
    assert len(pi.bodies) == 2, "the call ended the first run"


@pytest.mark.parametrize("mode", ["text", "json"])
def test_reload_in_a_single_run(extend: Extend, mode: str) -> None:
    pi = extend(EXAMPLES / "reload_runtime.py", turns=[calls("reload_runtime", {}), SAYS_DONE])
    done = pi.run("--mode", mode, "-p", "reload", "go on")
    assert (done.code, done.stderr) == (0, "")


def summariser(request: Request) -> Turn:
    said = json.dumps(request.body["messages"])
    if "needs to know to go on without it" in said:
        return {"blocks": [{"text": "SUMMARY OF MY OWN"}], "stop": "stop"}
    used = {"input": 2000, "output": 200}
    return {"blocks": [{"text": "word " * 200}], "stop": "stop", "usage": used}


@pytest.mark.parametrize(
    "option", [(), ("--compact-with", "mock/m1"), ("--compact-with", "no/such")]
)
def test_custom_compaction(extend: Extend, option: tuple[str, ...]) -> None:
    pi = extend(EXAMPLES / "custom_compaction.py", turns=[summariser] * 12)
    pi.machine.write("settings.json", {"compaction": {"keepRecentTokens": 200}})
    with pi.rpc(*option) as person:
        for text in ("one", "two", "three"):
            person.ask(text)
        response = person.request({"type": "compact", "customInstructions": "briefly"})
        person.finish()
    assert response["success"], response
    (entry,) = (e for e in pi.entries() if e["type"] == "compaction")
    own = option != ("--compact-with", "no/such")
    assert (entry["summary"] == "SUMMARY OF MY OWN") is own
    assert entry["fromHook"] is own
    assert person.notices() == ([] if own else ["There is no model no/such: compacting as usual"])


@pytest.mark.parametrize("mode", ["text", "json"])
def test_custom_compaction_by_itself(extend: Extend, mode: str) -> None:
    pi = extend(
        EXAMPLES / "custom_compaction.py",
        turns=[summariser] * 12,
        model={"contextWindow": 3000, "maxTokens": 500},
    )
    pi.machine.write(
        "settings.json", {"compaction": {"keepRecentTokens": 200, "reserveTokens": 1500}}
    )
    assert pi.run("--mode", mode, "-p", "one " * 500, "two " * 500, "three").code == 0
    found = [e for e in pi.entries() if e["type"] == "compaction"]
    assert found
    assert found[0]["summary"] == "SUMMARY OF MY OWN"


class Lines:
    """The service of the custom_provider example."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], dict[str, object]]] = []
        self.answer: list[bytes] = []
        self.status = 200
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()
        self._thread.start()
        self._ready.wait(10)

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        await self._stop.wait()
        server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
        self.requests.append((headers, body))
        data = b"\n".join(self.answer) + b"\n"
        writer.write(
            b"HTTP/1.1 %d OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
            % (self.status, len(data))
        )
        writer.write(data)
        await writer.drain()
        writer.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture
def lines() -> Iterator[Lines]:
    service = Lines()
    yield service
    service.close()


@pytest.mark.parametrize("mode", ["text", "json", "rpc"])
def test_custom_provider(extend: Extend, lines: Lines, mode: str) -> None:
    lines.answer = [
        b'{"text": "Hello "}',
        b'{"text": "lines"}',
        b'{"usage": {"input": 7, "output": 2}}',
    ]
    pi = extend(EXAMPLES / "custom_provider")
    pi.machine.environment["LINES_API_KEY"] = "sesame"
    pi.script.options = ("--provider", "lines", "--model", "lines-small")
    if mode == "rpc":
        with pi.rpc("--lines-url", lines.url) as person:
            person.ask("hi")
            person.finish()
    else:
        done = pi.run("--mode", mode, "--lines-url", lines.url, "-p", "hi")
        assert done.code == 0
        assert mode == "json" or done.text == "Hello lines\n"
    headers, body = lines.requests[0]
    assert headers["authorization"] == "bearer sesame"
    assert body["model"] == "lines-small"
    reply = pi.machine.messages()[-1]
    assert (reply["provider"], reply["usage"]["input"]) == ("lines", 7)


def test_a_custom_provider_that_fails(extend: Extend, lines: Lines) -> None:
    pi = extend(EXAMPLES / "custom_provider")
    pi.machine.environment["LINES_API_KEY"] = "sesame"
    pi.script.options = ("--provider", "lines", "--model", "lines-small")
    lines.answer = [b"not json"]
    done = pi.run("--lines-url", lines.url, "-p", "hi")
    assert done.code == 1
    assert "the provider lines failed: JSONDecodeError" in done.stderr
    assert "custom_provider/__init__.py:" in done.stderr
    lines.status = 503
    assert "503 from" in pi.run("--lines-url", lines.url, "-p", "hi").stderr


def test_its_models_are_listed(extend: Extend) -> None:
    pi = extend(EXAMPLES / "custom_provider")
    pi.machine.environment["LINES_API_KEY"] = "sesame"
    done = pi.machine.run(*pi.options, "--list-models", "lines")
    assert done.code == 0
    assert "lines-small" in done.text
    del pi.machine.environment["LINES_API_KEY"]
    assert "lines-small" not in pi.machine.run(*pi.options, "--list-models", "lines").text


def test_every_example_is_run_here() -> None:
    tested = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    names = [p.name for p in EXAMPLES.iterdir() if not p.name.startswith(("_", ".", "README"))]
    assert len(names) >= 20
    assert [name for name in names if f'EXAMPLES / "{name}"' not in tested] == []
