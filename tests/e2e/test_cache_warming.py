"""Prompt caches kept warm, by the installed command: what is sent, stored and told."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Machine, Result, Scripted, ScriptedFactory
from tests.waiting import eventually

BIG = 100_000
PRICED: dict[str, Any] = {
    "promptCache": {"short": 12.5},
    "cost": {"input": 3, "output": 15, "cacheRead": 0.3, "cacheWrite": 3.75},
    "contextWindow": 200_000,
}
WAITS = {
    "blocks": [
        {
            "tool": "bash",
            "id": "c1",
            "args": {"command": "for i in $(seq 600); do test -e go && break; sleep 0.05; done"},
        }
    ],
    "stop": "toolUse",
    "usage": {"input": 10, "cacheWrite": BIG, "output": 5},
}
DONE = {"blocks": [{"text": "Done."}], "usage": {"input": 10, "cacheRead": BIG, "output": 5}}


def refreshing(project: Path) -> Any:
    """Answers a refresh, and lets the tool end."""

    def answer(request: Any) -> dict[str, Any]:
        (project / "go").touch()
        return {
            "blocks": [{"text": "x"}],
            "stop": "length",
            "usage": {"input": 0, "cacheRead": BIG + 10, "output": 1},
        }

    return answer


@pytest.fixture
def online(machine: Machine) -> Machine:
    del machine.environment["PI_OFFLINE"]
    return machine


def play(
    scripted: ScriptedFactory,
    machine: Machine,
    *arguments: str,
    api: str = "anthropic-messages",
    **model: Any,
) -> tuple[Scripted, Result]:
    """A run whose tool waits for a refresh."""
    turns = [WAITS, refreshing(machine.project), DONE]
    script = scripted(turns, api=api, model={**PRICED, "reasoning": False, **model})
    return script, script.run(*arguments, "-p", "go")


LIMITS = {
    "anthropic-messages": ("max_tokens", 1),
    "openai-completions": ("max_completion_tokens", 1),
    "openai-responses": ("max_output_tokens", 16),
}


@pytest.mark.parametrize("api", LIMITS)
def test_the_last_request_is_sent_again_but_for_its_limit(
    online: Machine, scripted: ScriptedFactory, api: str
) -> None:
    script, result = play(scripted, online, api=api)
    assert (result.code, result.text, result.stderr) == (0, "Done.\n", "")
    first, again, last = script.server.requests
    name, limit = LIMITS[api]
    assert again.body.pop(name) == limit
    assert first.body.pop(name) > 1000
    assert again.body == first.body
    same = {"content-length"}
    assert {k: v for k, v in again.headers.items() if k not in same} == {
        k: v for k, v in first.headers.items() if k not in same
    }
    assert last.body != first.body


def test_what_is_stored_and_told(online: Machine, scripted: ScriptedFactory) -> None:
    script, result = play(scripted, online, "--mode", "json")
    told = [event["entry"] for event in result.events if event["type"] == "entry_appended"]
    stored = [entry for entry in online.entries() if entry["type"] == "usage"]
    assert told == stored
    (entry,) = stored
    assert {key: entry[key] for key in ("kind", "provider", "model")} == {
        "kind": "cache_warm",
        "provider": "mock",
        "model": "m1",
    }
    usage = entry["usage"]
    assert (usage["input"], usage["output"], usage["cacheRead"]) == (0, 1, BIG + 10)
    assert usage["cost"]["total"] == pytest.approx(0.030018)
    kinds = [entry["type"] for entry in online.entries()]
    assert kinds[-4:] == ["message", "usage", "message", "message"]
    # A result still follows its call, for the model and in the session's tree.
    roles = [message["role"] for message in script.bodies[-1]["messages"]]
    assert roles == ["user", "assistant", "user"]


def test_nothing_is_sent_offline(machine: Machine, scripted: ScriptedFactory) -> None:
    script = scripted([DONE], model={**PRICED, "reasoning": False})
    with script.machine.rpc(*script.options) as rpc:
        rpc.send({"type": "prompt", "message": "hi"})
        rpc.until("agent_settled")
        assert rpc.request({"type": "get_state"})["success"]
    assert len(script.bodies) == 1
    assert _loaded(script) == []


def _loaded(script: Scripted) -> list[str]:
    """The modules for keeping caches warm that a run loads."""
    code = (
        "import json, sys\nfrom pi.cli import main\nmain(sys.argv[1:])\n"
        "print(json.dumps([n for n in sys.modules if n.endswith('.warming')]), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *script.options, "-p", "hi"],
        capture_output=True,
        cwd=script.machine.project,
        env=script.machine.environment,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=True,
    )
    loaded: list[str] = json.loads(done.stderr)
    return loaded


@pytest.mark.parametrize(
    ("model", "settings", "expected"),
    [
        ({}, {}, ["pi.agent.warming"]),
        ({"promptCache": {"long": 3600}}, {}, ["pi.agent.warming"]),
        ({"promptCache": {}}, {}, []),
        ({}, {"cacheWarming": "off"}, []),
    ],
)
def test_nothing_is_loaded_for_what_is_not_wanted(
    online: Machine,
    scripted: ScriptedFactory,
    model: dict[str, Any],
    settings: dict[str, Any],
    expected: list[str],
) -> None:
    script = scripted([DONE], model={**PRICED, **model})
    online.write("settings.json", settings)
    assert _loaded(script) == expected


def test_a_thread_is_not_touched(online: Machine, scripted: ScriptedFactory) -> None:
    script, _ = play(scripted, online, compat={"supportsMessageThreads": True})
    first, again, last = script.bodies
    assert first.pop("thread") == {"type": "create"}
    assert again.pop("max_tokens") == 1
    del first["max_tokens"]
    assert again == first
    assert last["thread"]["type"] == "continue"
    assert len(last["messages"]) == 1


def test_an_extension_hears_of_it(online: Machine, scripted: ScriptedFactory) -> None:
    online.write(
        "extensions/w.py",
        "import pathlib\nfrom pi.extensions import WarmCache\n"
        "def extend(pi):\n"
        "    @pi.on('cache_warming_decision')\n"
        "    def decide(event, ctx):\n"
        "        pathlib.Path('go').touch()\n"
        "        pathlib.Path('told').write_text(f'{event.action} {ctx.is_idle}')\n"
        "        return WarmCache('stop')\n",
    )
    script = scripted([WAITS, DONE], model={**PRICED, "reasoning": False})
    assert script.run("-p", "go").text == "Done.\n"
    assert (online.project / "told").read_text() == "warm False"
    assert len(script.bodies) == 2


def test_a_session_left_alone_ends_without_a_trace(
    online: Machine, scripted: ScriptedFactory
) -> None:
    """A refresh under way is cut off when pi ends, and costs nothing of what is stored."""
    hangs = {"hang": "headers"}
    usage = {"input": 10, "cacheRead": 3_000_000, "output": 5}
    script = scripted(
        [{"blocks": [{"text": "Hi."}], "usage": usage}, hangs],
        model={**PRICED, "reasoning": False, "contextWindow": 8_000_000},
    )
    with script.machine.rpc(*script.options) as rpc:
        rpc.send({"type": "prompt", "message": "hi"})
        rpc.until("agent_settled")
        assert eventually(lambda: len(script.bodies) == 2)
        assert rpc.process.stdin is not None
        rpc.process.stdin.close()
        assert rpc.process.wait(60) == 0
        assert rpc.errors == b""
    assert [e["type"] for e in online.entries() if e["type"] == "usage"] == []
    assert os.path.exists(online.session())
