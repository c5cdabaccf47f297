"""RPC mode as a client meets it: runs, queues, retries, compaction."""

import json
from typing import Any

from tests.e2e.conftest import Machine
from tests.e2e.rpc.conftest import BIG, DONE, OVERLOADED, SHORT, SLEEPS, WAITS, ask, refused, run
from tests.scripted_provider import Turn

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

SUMMARY: Turn = {"blocks": [{"text": "What came before."}], "usage": {"input": 50, "output": 5}}


def test_manual_compaction(connect: Any, machine: Machine) -> None:
    with connect([BIG, BIG, {**SUMMARY, "delay": 0.05}, DONE]) as (client, script):
        assert "nothing to compact" in refused(client, "compact")
        assert client.kinds()[-3:] == ["compaction_start", "compaction_end", "response compact"]
        machine.write("settings.json", SHORT)
        with machine.rpc(*script.options) as client:
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
        with machine.rpc(*script.options) as client:
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
