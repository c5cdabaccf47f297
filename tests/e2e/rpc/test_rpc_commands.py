"""RPC mode as a client meets it: models, images, shell commands, sessions."""

import base64
import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

from tests.e2e.conftest import Machine, ScriptedFactory
from tests.e2e.rpc.conftest import DONE, SLOW, WAITS, ask, refused, run

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
    with script.machine.rpc("--models", "mock/m2:low,mock/m3") as client:
        seen = [ask(client, "cycle_model") for _ in range(2)]
        assert [s["model"]["id"] for s in seen] == ["m3", "m2"]
        assert [s["thinkingLevel"] for s in seen] == ["off", "low"]
        assert all(s["isScoped"] for s in seen)
        ask(client, "set_model", provider="mock", modelId="m1")
        assert ask(client, "cycle_model")["model"]["id"] == "m2"


def test_without_any_model(machine: Machine) -> None:
    machine.write("models.json", {"providers": {}})
    with machine.rpc() as client:
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

TELL = "echo $AI_AGENT $PI_CODING_AGENT ${PI_SESSION_ID:+session} $PI_MODEL $PI_REASONING_LEVEL"


def test_programs_see_who_started_them(scripted: ScriptedFactory) -> None:
    """All of them, those of extensions, too; the session's state is for the model's own alone."""
    call = {"tool": "bash", "id": "c1", "args": {"command": TELL}}
    script = scripted([{"blocks": [call], "stop": "toolUse"}, DONE])
    machine = script.machine
    machine.environment |= {"AI_AGENT": "outer", "PI_SESSION_ID": "outer", "PI_MODEL": "outer"}
    (machine.project / "tell.py").write_text(
        "import subprocess\n"
        "def extend(pi):\n"
        "    @pi.command('tell')\n"
        "    def tell(args, ctx):\n"
        "        command = 'echo $AI_AGENT $PI_CODING_AGENT'\n"
        "        done = subprocess.run(command, shell=True, capture_output=True, text=True)\n"
        "        ctx.ui.notify(done.stdout)\n"
    )
    with machine.rpc(*script.options, "-e", "tell.py") as client:
        assert ask(client, "bash", command=TELL)["output"] == "pi true\n"
        run(client, "go")
        ask(client, "prompt", message="/tell")
        told = client.until("extension_ui_request")
        assert told["message"] == "pi true\n"
    (result,) = (m for m in machine.messages() if m["role"] == "toolResult")
    assert result["content"][0]["text"] == "pi true session m1 medium\n"


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
        (own, *commands) = ask(client, "get_commands")["commands"]
        assert (own["name"], own["sourceInfo"]["path"]) == ("mcp", "builtin:mcp")
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
