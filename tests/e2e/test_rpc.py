"""RPC mode as a client meets it: commands, answers, events, their order, and the end."""

import base64
import io
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.e2e.conftest import COMMAND, Machine, Scripted, ScriptedFactory
from tests.rpc_client import RpcClient
from tests.scripted_provider import Turn

DONE: Turn = {"blocks": [{"text": "It says hello."}], "usage": {"input": 100, "output": 20}}
SLOW: Turn = {"blocks": [{"text": "slow " * 200}], "delay": 0.05, "piece": 5}
SLEEPS: Turn = {
    "blocks": [{"text": "Look."}, {"tool": "bash", "id": "c1", "args": {"command": "sleep 60"}}],
    "stop": "toolUse",
}
WAITS: Turn = {
    "blocks": [
        {"text": "Look."},
        {
            "tool": "bash",
            "id": "c1",
            "args": {"command": "until test -e go; do sleep 0.02; done"},
        },
    ],
    "stop": "toolUse",
}
OVERLOADED: Turn = {"status": 529, "body": {"error": {"message": "Overloaded"}}}


def open_client(machine: Machine, *arguments: str) -> RpcClient:
    return RpcClient(
        [*COMMAND, "--mode", "rpc", *arguments], cwd=machine.project, env=machine.environment
    )


@pytest.fixture
def connect(scripted: ScriptedFactory) -> Callable[..., Any]:
    """A client of pi on a scripted model: `with connect(turns, …) as (client, script)`."""

    @contextmanager
    def opened(
        turns: list[Turn], *arguments: str, **options: Any
    ) -> Iterator[tuple[RpcClient, Scripted]]:
        script = scripted(turns, **options)
        with open_client(script.machine, *script.options, *arguments) as client:
            yield client, script

    return opened


def ask(client: RpcClient, kind: str, **fields: Any) -> Any:
    """The data of a response that is to succeed."""
    response = client.request({"type": kind, **fields})
    assert response["success"], response
    assert list(response)[:4] == ["id", "type", "command", "success"]
    assert response["command"] == kind
    return response.get("data")


def refused(client: RpcClient, kind: str, **fields: Any) -> str:
    response = client.request({"type": kind, **fields})
    assert list(response) == ["id", "type", "command", "success", "error"]
    assert response["success"] is False
    return str(response["error"])


def run(client: RpcClient, message: str) -> None:
    client.skip()
    assert ask(client, "prompt", message=message) == {"disposition": "started"}
    client.until("agent_settled")


# Runs


def test_a_run_from_prompt_to_settled(connect: Any) -> None:
    with connect([WAITS, DONE]) as (client, script):
        (script.machine.project / "go").touch()
        run(client, "hi")
        assert [kind for kind in client.kinds() if "execution_update" not in kind] == [
            "response prompt",
            "agent_start",
            "turn_start",
            *("message_start system", "message_end system"),
            *("message_start user", "message_end user"),
            *("message_start assistant", "message_end assistant"),
            *("tool_execution_start", "tool_execution_end"),
            *("message_start toolResult", "message_end toolResult"),
            "turn_end",
            "turn_start",
            *("message_start assistant", "message_end assistant"),
            *("turn_end", "agent_end", "agent_settled"),
        ]
        updates = [r for r in client.records if r["type"] == "message_update"]
        assert all("partial" not in update["assistantMessageEvent"] for update in updates)
        assert ask(client, "get_last_assistant_text") == {"text": "It says hello."}
        messages = ask(client, "get_messages")["messages"]
        stored = [e["message"] for e in script.machine.entries() if e["type"] == "message"]
        assert messages == stored
        assert [m["role"] for m in messages][-2:] == ["toolResult", "assistant"]
        assert client.finish() == 0
        assert client.errors == b""


def test_messages_said_during_a_run_wait_for_their_turn(connect: Any) -> None:
    with connect([WAITS, DONE]) as (client, script):
        ask(client, "prompt", message="one")
        client.until("tool_execution_start")
        assert "steer it or to follow up" in refused(client, "prompt", message="no")
        steered = ask(client, "prompt", message="p", streamingBehavior="steer")
        assert steered == {"disposition": "queued"}
        assert ask(client, "steer", message="s") == {"disposition": "queued"}
        assert ask(client, "follow_up", message="f") == {"disposition": "queued"}
        ask(client, "prompt", message="later", streamingBehavior="followUp")
        state = ask(client, "get_state")
        assert (state["isStreaming"], state["pendingMessageCount"]) == (True, 4)
        (script.machine.project / "go").touch()
        client.until("agent_settled")
        queues = [
            (record["steering"], record["followUp"])
            for record in client.records
            if record["type"] == "queue_update"
        ]
        assert queues == [
            (["p"], []),
            (["p", "s"], []),
            (["p", "s"], ["f"]),
            (["p", "s"], ["f", "later"]),
            (["s"], ["f", "later"]),
            ([], ["f", "later"]),
            ([], ["later"]),
            ([], []),
        ]
        assert len(script.server.requests) == 5
        texts = [m["content"][0]["text"] for m in script.machine.messages() if m["role"] == "user"]
        assert texts == ["one", "p", "s", "f", "later"]


def test_queues_delivered_whole_and_kept_in_the_settings(connect: Any) -> None:
    with connect([WAITS, DONE]) as (client, script):
        for kind in ("set_steering_mode", "set_follow_up_mode"):
            assert ask(client, kind, mode="all") is None
            assert "one of: all, one-at-a-time" in refused(client, kind, mode="some")
        ask(client, "prompt", message="one")
        client.until("tool_execution_start")
        for text in "ab":
            ask(client, "steer", message=text)
            ask(client, "follow_up", message=text.upper())
        (script.machine.project / "go").touch()
        client.until("agent_settled")
        assert len(script.server.requests) == 3
        settings = json.loads((script.machine.agent / "settings.json").read_text())
        assert settings["steeringMode"] == settings["followUpMode"] == "all"
        ask(client, "new_session")
        assert ask(client, "get_state")["steeringMode"] == "all"


def test_queued_messages_can_be_taken_back(connect: Any) -> None:
    with connect([DONE]) as (client, _):
        ask(client, "steer", message="s")
        ask(client, "follow_up", message="f")
        assert ask(client, "clear_queue") == {"steering": ["s"], "followUp": ["f"]}
        assert ask(client, "get_state")["pendingMessageCount"] == 0
        assert ask(client, "clear_queue") == {"steering": [], "followUp": []}


def test_abort_answers_when_all_is_quiet(connect: Any) -> None:
    with connect([SLEEPS, DONE]) as (client, script):
        ask(client, "prompt", message="one")
        client.until("tool_execution_start")
        assert ask(client, "abort") is None
        assert client.kinds()[-2:] == ["agent_settled", "response abort"]
        assert client.records[-2]["aborted"] is True
        assert ask(client, "get_state")["isStreaming"] is False
        run(client, "two")
        roles = [m["role"] for m in script.machine.messages()]
        assert roles == [
            "system",
            "user",
            "assistant",
            "toolResult",
            "assistant",
            "user",
            "assistant",
        ]
        # The prompt, the call, its result, the prompt; no answer that was cut short.
        sent = script.bodies[-1]["messages"]
        assert [m["role"] for m in sent] == ["user", "assistant", "user", "user"]


def test_a_retry_can_be_given_up(connect: Any) -> None:
    with connect([OVERLOADED, OVERLOADED, DONE], retry={"baseDelayMs": 60_000}) as (client, _):
        ask(client, "prompt", message="one")
        assert client.until("auto_retry_start")["delayMs"] == 60_000
        assert ask(client, "abort_retry") is None
        ended = client.until("auto_retry_end")
        assert (ended["success"], ended["attempt"]) == (False, 1)
        assert client.until("agent_settled")["aborted"] is False
        ask(client, "prompt", message="two")
        client.until("auto_retry_start")
        ask(client, "abort")
        assert client.until("agent_settled")["aborted"] is True
        run(client, "three")


def test_retries_can_be_switched_off(connect: Any) -> None:
    with connect([OVERLOADED, DONE]) as (client, script):
        ask(client, "set_auto_retry", enabled=False)
        assert "true or false" in refused(client, "set_auto_retry", enabled="no")
        run(client, "one")
        assert not [r for r in client.records if r["type"] == "auto_retry_start"]
        settings = json.loads((script.machine.agent / "settings.json").read_text())
        assert settings["retry"] == {"baseDelayMs": 10, "enabled": False}


# Compaction

BIG: Turn = {"blocks": [{"text": "word " * 9000}], "usage": {"input": 9000, "output": 9000}}
SHORT = {"compaction": {"keepRecentTokens": 2000, "reserveTokens": 2000}}
SUMMARY: Turn = {"blocks": [{"text": "What came before."}], "usage": {"input": 50, "output": 5}}


def test_manual_compaction(connect: Any, machine: Machine) -> None:
    with connect([BIG, BIG, {**SUMMARY, "delay": 0.05}, DONE]) as (client, script):
        assert "nothing to compact" in refused(client, "compact")
        assert client.kinds()[-3:] == ["compaction_start", "compaction_end", "response compact"]
        machine.write("settings.json", SHORT)
        with open_client(machine, *script.options) as client:
            run(client, "one")
            run(client, "two")
            waiting = client.begin({"type": "compact", "customInstructions": "mind the tests"})
            client.until("compaction_start")
            state = ask(client, "get_state")
            assert (state["isCompacting"], state["isStreaming"]) == (True, False)
            assert "compacting" in refused(client, "prompt", message="now?")
            response = client.response(waiting)
            assert response["success"]
            result = response["data"]
            assert set(result) == {
                *("summary", "firstKeptEntryId", "tokensBefore", "estimatedTokensAfter"),
                *("usage", "details"),
            }
            ended = [r for r in client.records if r["type"] == "compaction_end"][-1]
            assert ended["result"] == result
            assert "mind the tests" in json.dumps(script.bodies[-1])
            usage = ask(client, "get_session_stats")["contextUsage"]
            assert (usage["tokens"], usage["percent"]) == (None, None)
            assert "just been compacted" in refused(client, "compact")
            run(client, "three")
            assert ask(client, "get_session_stats")["contextUsage"]["tokens"] > 0


def test_what_is_said_during_a_compaction_is_heard_after_it(connect: Any, machine: Machine) -> None:
    full: Turn = {"blocks": [{"text": "w " * 9000}], "usage": {"input": 27_000, "output": 2000}}
    slow = {**SUMMARY, "delay": 0.1}
    with connect([BIG, full, slow, slow, DONE], model={"contextWindow": 30_000}) as (_, script):
        machine.write("settings.json", SHORT)
        with open_client(machine, *script.options) as client:
            run(client, "one")
            ask(client, "prompt", message="two")
            client.until("compaction_start")
            assert ask(client, "get_state")["isCompacting"] is True
            ask(client, "prompt", message="three", streamingBehavior="followUp")
            assert client.until("compaction_end")["reason"] == "threshold"
            client.until("agent_settled")
            assert [r["type"] for r in client.records].count("agent_settled") == 2
            assert ask(client, "get_last_assistant_text") == {"text": "It says hello."}
            assert ask(client, "get_state")["pendingMessageCount"] == 0


def test_automatic_compaction_can_be_switched_off(connect: Any) -> None:
    full: Turn = {"blocks": [{"text": "w"}], "usage": {"input": 27_000, "output": 2000}}
    with connect([full], model={"contextWindow": 30_000}) as (client, _):
        ask(client, "set_auto_compaction", enabled=False)
        assert ask(client, "get_state")["autoCompactionEnabled"] is False
        run(client, "one")
        run(client, "two")
        assert "compaction_start" not in client.kinds()


# Images


def picture(size: tuple[int, int]) -> str:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def test_images_are_made_to_fit_the_model(connect: Any) -> None:
    limits = {"images": {"resize": {"maxWidth": 100, "maxHeight": 100}}}
    model = {"input": ["text", "image"], "inputLimits": limits}
    with connect([DONE], model=model) as (client, script):
        images = [
            {"type": "image", "data": picture((300, 30)), "mimeType": "image/png"},
            {"type": "image", "data": "????", "mimeType": "image/png"},
        ]
        ask(client, "prompt", message="look", images=images)
        client.until("agent_settled")
        content = next(m for m in script.machine.messages() if m["role"] == "user")["content"]
        assert [block["type"] for block in content] == ["text", "image"]
        said, scaled, left_out = (
            content[0]["text"].split("\n\n")[0],
            *content[0]["text"].split("\n")[2:],
        )
        assert said == "look"
        assert "300x30" in scaled and "100x10" in scaled
        assert "left out" in left_out
        with Image.open(io.BytesIO(base64.b64decode(content[1]["data"]))) as image:
            assert image.size == (100, 10)
        assert "images[0]" in refused(client, "steer", message="x", images=[{"data": 5}])
        assert "images must be a list" in refused(client, "steer", message="x", images="x")


# Models and thinking


def test_models_and_levels(connect: Any) -> None:
    with connect([DONE], provider={"models": [{"id": "m1", "reasoning": True}, {"id": "m2"}]}) as (
        client,
        script,
    ):
        model = ask(client, "get_state")["model"]
        assert model == {
            "id": "m1",
            "name": "m1",
            "api": "anthropic-messages",
            "provider": "mock",
            "baseUrl": script.server.url,
            "reasoning": True,
            "input": ["text"],
            "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0},
            "contextWindow": 128000,
            "maxTokens": 16384,
        }
        models = ask(client, "get_available_models")["models"]
        assert [m["id"] for m in models if m["provider"] == "mock"] == ["m1", "m2"]
        levels = ask(client, "get_available_thinking_levels")["levels"]
        assert levels == ["off", "minimal", "low", "medium", "high"]
        assert ask(client, "set_thinking_level", level="high") is None
        assert client.until("thinking_level_changed")["level"] == "high"
        assert ask(client, "cycle_thinking_level") == {"level": "off"}
        ask(client, "set_thinking_level", level="low")
        assert ask(client, "set_model", provider="mock", modelId="m2")["id"] == "m2"
        state = ask(client, "get_state")
        assert (state["model"]["id"], state["thinkingLevel"]) == ("m2", "off")
        assert ask(client, "cycle_thinking_level") is None
        cycled = ask(client, "cycle_model")
        assert set(cycled) == {"model", "thinkingLevel", "isScoped"}
        assert cycled["isScoped"] is False
        assert "mock/none" in refused(client, "set_model", provider="mock", modelId="none")
        assert "needs provider" in refused(client, "set_model")
        # What a session begins with is the command line's and the settings' to say.
        ask(client, "set_model", provider="mock", modelId="m2")
        ask(client, "new_session")
        assert ask(client, "get_state")["model"]["id"] == "m1"
        assert "defaultModel" not in (script.machine.agent / "settings.json").read_text()


def test_models_to_cycle_through(scripted: ScriptedFactory) -> None:
    models = [{"id": "m1"}, {"id": "m2", "reasoning": True}, {"id": "m3"}]
    script = scripted([DONE], provider={"models": models})
    with open_client(script.machine, "--models", "mock/m2:low,mock/m3") as client:
        seen = [ask(client, "cycle_model") for _ in range(2)]
        assert [s["model"]["id"] for s in seen] == ["m3", "m2"]
        assert [s["thinkingLevel"] for s in seen] == ["off", "low"]
        assert all(s["isScoped"] for s in seen)
        ask(client, "set_model", provider="mock", modelId="m1")
        assert ask(client, "cycle_model")["model"]["id"] == "m2"


def test_without_any_model(machine: Machine) -> None:
    machine.write("models.json", {"providers": {}})
    with open_client(machine) as client:
        state = ask(client, "get_state")
        assert state["model"]["id"] == state["model"]["provider"] == "unknown"
        assert state["thinkingLevel"] == "off"
        # The demo provider needs no key, and is there for who asks for it.
        assert {m["provider"] for m in ask(client, "get_available_models")["models"]} <= {"demo"}
        assert "no model can be used" in refused(client, "prompt", message="hi")
        assert "contextUsage" not in ask(client, "get_session_stats")
        entries = ask(client, "get_entries")["entries"]
        assert [e["type"] for e in entries] == ["thinking_level_change"]
        assert ask(client, "bash", command="echo hi")["output"] == "hi\n"
        ask(client, "set_model", provider="demo", modelId="demo-1")
        run(client, "hi")


# Shell commands


def test_shell_commands(connect: Any) -> None:
    with connect([DONE]) as (client, script):
        name = client.begin({"type": "bash", "command": "printf 'a\\033[31mb\\n'; exit 3"})
        assert client.response(name)["data"] == {
            "output": "ab\n",
            "exitCode": 3,
            "cancelled": False,
            "truncated": False,
        }
        updates = [r for r in client.records if r["type"] == "bash_execution_update"]
        assert "".join(r["delta"] for r in updates) == "ab\n"
        assert {r["id"] for r in updates} == {name}
        long = ask(client, "bash", command="seq 1 3000", excludeFromContext=True)
        assert long["truncated"] is True
        assert Path(long["fullOutputPath"]).read_text().startswith("1\n2\n")
        assert long["output"].startswith("1001\n")
        waiting = client.begin({"type": "bash", "command": "echo on; sleep 60"})
        client.wait(lambda r: r["type"] == "bash_execution_update" and r["id"] == waiting)
        assert ask(client, "abort_bash") is None
        cancelled = client.response(waiting)["data"]
        assert cancelled == {"output": "on\n", "cancelled": True, "truncated": False}
        run(client, "go on")
        told = json.dumps(script.bodies[-1]["messages"])
        assert "printf" in told and "seq 1 3000" not in told


def test_a_shell_command_without_id(connect: Any) -> None:
    with connect([DONE]) as (client, _):
        client.send({"type": "bash", "command": "echo hi"})
        update = client.until("bash_execution_update")
        assert update == {"type": "bash_execution_update", "delta": "hi\n"}
        assert "id" not in client.until("response")


# Sessions


def test_sessions_are_named_forked_cloned_and_switched(connect: Any) -> None:
    with connect([DONE], "--name", "first") as (client, script):
        state = ask(client, "get_state")
        assert state["sessionName"] == "first"
        assert set(state) == {
            *("model", "thinkingLevel", "isStreaming", "isCompacting", "steeringMode"),
            *("followUpMode", "sessionFile", "sessionId", "sessionName", "autoCompactionEnabled"),
            *("messageCount", "pendingMessageCount"),
        }
        assert "nothing to copy yet" in refused(client, "clone")
        run(client, "one")
        run(client, "two")
        ask(client, "set_session_name", name="  new name ")
        assert client.until("session_info_changed")["name"] == "new name"
        assert "cannot be empty" in refused(client, "set_session_name", name=" ")
        original = ask(client, "get_state")["sessionFile"]

        entries = ask(client, "get_entries")
        assert entries["leafId"] == entries["entries"][-1]["id"]
        assert entries["entries"] == script.machine.entries()[1:]
        since = ask(client, "get_entries", since=entries["entries"][-3]["id"])["entries"]
        assert since == entries["entries"][-2:]
        assert "no entry 'x'" in refused(client, "get_entries", since="x")
        tree = ask(client, "get_tree")
        assert tree["leafId"] == entries["leafId"]
        depth, node = 0, {"children": tree["tree"]}
        while node["children"]:
            (node,) = node["children"]
            depth += 1
        assert depth == len(entries["entries"])

        points = ask(client, "get_fork_messages")["messages"]
        assert [point["text"] for point in points] == ["one", "two"]
        forked = ask(client, "fork", entryId=points[1]["entryId"])
        assert forked == {"text": "two", "cancelled": False}
        state = ask(client, "get_state")
        assert state["sessionFile"] != original and state["messageCount"] == 3
        assert ask(client, "clone") == {"cancelled": False}
        assert ask(client, "get_state")["messageCount"] == 3
        assert "cannot fork" in refused(client, "fork", entryId=entries["entries"][0]["id"])

        assert ask(client, "switch_session", sessionPath=original) == {"cancelled": False}
        state = ask(client, "get_state")
        assert (state["sessionFile"], state["sessionName"]) == (original, "new name")
        (script.machine.project / "bad.jsonl").write_text("garbage\n")
        for path in ("bad.jsonl", "."):
            refused(client, "switch_session", sessionPath=path)
        assert ask(client, "get_state")["sessionFile"] == original

        assert ask(client, "new_session", parentSession=original) == {"cancelled": False}
        run(client, "three")
        fresh = Path(ask(client, "get_state")["sessionFile"])
        header = json.loads(fresh.read_bytes().split(b"\n")[0])
        assert header["parentSession"] == original
        ask(client, "switch_session", sessionPath="new.jsonl")
        run(client, "four")
        assert (script.machine.project / "new.jsonl").exists()


def test_replacing_a_session_ends_its_run(connect: Any) -> None:
    with connect([SLOW]) as (client, script):
        ask(client, "prompt", message="one")
        client.until("message_update")
        waiting = client.begin({"type": "bash", "command": "sleep 60"})
        ask(client, "steer", message="lost with its session")
        ask(client, "new_session")
        assert client.response(waiting)["data"]["cancelled"] is True
        kinds = client.kinds()
        assert kinds.index("agent_settled") < kinds.index("response new_session")
        assert ask(client, "get_state")["pendingMessageCount"] == 0
        assert script.machine.messages()[-2]["stopReason"] == "aborted"
        assert script.machine.messages()[-1]["role"] == "bashExecution"


def test_statistics(connect: Any) -> None:
    with connect([DONE], "--no-session") as (client, _):
        run(client, "one")
        stats = ask(client, "get_session_stats")
        assert "sessionFile" not in stats
        assert stats["tokens"] == {
            "input": 100,
            "output": 20,
            "cacheRead": 0,
            "cacheWrite": 0,
            "total": 120,
        }
        assert stats["contextUsage"]["contextWindow"] == 128000
        assert "sessionFile" not in ask(client, "get_state")
        ask(client, "clone")
        ask(client, "new_session")


def test_export(connect: Any) -> None:
    with connect([DONE]) as (client, script):
        assert "nothing to export" in refused(client, "export_html")
        run(client, "<b>hello</b>")
        assert ask(client, "export_html", outputPath="out.html") == {"path": "out.html"}
        assert b"<html" in (script.machine.project / "out.html").read_bytes()
        path = ask(client, "export_html")["path"]
        assert path == f"pi-session-{script.machine.session().stem}.html"
        assert (script.machine.project / path).exists()
        assert "folder" in refused(client, "export_html", outputPath=".")


def test_a_session_in_memory_can_be_exported(connect: Any) -> None:
    with connect([DONE], "--no-session") as (client, script):
        run(client, "hello")
        ask(client, "export_html", outputPath="out.html")
        assert b"hello" in (script.machine.project / "out.html").read_bytes()


def test_prompt_templates_and_skills_are_commands(connect: Any, machine: Machine) -> None:
    machine.write("prompts/fix.md", "---\ndescription: Fix it\n---\nPlease fix $1.\n")
    machine.write("skills/tidy/SKILL.md", "---\nname: tidy\ndescription: Tidies up\n---\nSweep.\n")
    with connect([WAITS, DONE]) as (client, _):
        commands = ask(client, "get_commands")["commands"]
        assert commands == [
            {
                "name": "fix",
                "description": "Fix it",
                "source": "prompt",
                "sourceInfo": {
                    "path": str(machine.agent / "prompts/fix.md"),
                    "source": "auto",
                    "scope": "user",
                    "origin": "top-level",
                    "baseDir": str(machine.agent),
                },
            },
            {
                "name": "skill:tidy",
                "description": "Tidies up",
                "source": "skill",
                "sourceInfo": {
                    "path": str(machine.agent / "skills/tidy/SKILL.md"),
                    "source": "auto",
                    "scope": "user",
                    "origin": "top-level",
                    "baseDir": str(machine.agent),
                },
            },
        ]
        ask(client, "prompt", message="/fix tests")
        client.until("tool_execution_start")
        ask(client, "follow_up", message="/skill:tidy now")
        (machine.project / "go").touch()
        client.until("agent_settled")
        said = [m["content"][0]["text"] for m in machine.messages() if m["role"] == "user"]
        assert said[0].strip() == "Please fix tests."
        assert "Sweep." in said[1] and said[1].rstrip().endswith("now")


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
        with open_client(script.machine, *script.options) as other:
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


# The end


def aborted(script: Scripted) -> bool:
    message = script.machine.messages()[-1]
    return message["role"] == "assistant" and message["stopReason"] == "aborted"


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
def test_a_signal_while_idle(connect: Any) -> None:
    with connect([DONE]) as (client, _):
        ask(client, "get_commands")
        client.process.send_signal(signal.SIGTERM)
        assert client.ended() == 143


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_a_second_signal_ends_at_once(connect: Any) -> None:
    stubborn = "trap '' TERM INT HUP; while :; do sleep 0.2; done"
    turn: Turn = {
        "blocks": [{"tool": "bash", "id": "c1", "args": {"command": stubborn}}],
        "stop": "toolUse",
    }
    with connect([turn]) as (client, _):
        ask(client, "prompt", message="one")
        client.until("tool_execution_start")
        client.process.send_signal(signal.SIGTERM)
        client.process.send_signal(signal.SIGHUP)
        assert client.ended() in (143, 129)


# A client that does not read


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
