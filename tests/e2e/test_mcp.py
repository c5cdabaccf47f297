"""Sessions with MCP servers: what the model is told, calls and results, and what is left behind."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Machine, Scripted, ScriptedFactory
from tests.mcp.http_server import serve
from tests.waiting import eventually, gone, is_alive

SERVER = str(Path(__file__).parents[1] / "mcp" / "stdio_server.py")
DONE = {"blocks": [{"text": "done."}]}


def server(tmp_path: Path, mode: str = "good", name: str = "srv", **entry: Any) -> dict[str, Any]:
    args = [SERVER, str(tmp_path / f"{name}.log"), mode]
    return {"command": sys.executable, "args": args, **entry}


def configure(machine: Machine, **servers: dict[str, Any]) -> None:
    machine.write("mcp.json", {"mcpServers": servers})


def calls(*wanted: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    blocks = [{"tool": n, "id": f"c{i}", "args": a} for i, (n, a) in enumerate(wanted)]
    return {"blocks": blocks, "stop": "toolUse"}


def declared(script: Scripted, request: int = 0) -> list[str]:
    return [tool["name"] for tool in script.bodies[request]["tools"]]


def prompt(script: Scripted, request: int = 0) -> str:
    return "\n".join(block["text"] for block in script.bodies[request]["system"])


def results(machine: Machine) -> dict[str, dict[str, Any]]:
    return {m["toolCallId"]: m for m in machine.messages() if m["role"] == "toolResult"}


def texts(message: dict[str, Any]) -> list[str]:
    return [block.get("text", block["type"]) for block in message["content"]]


def test_direct_tools_are_declared_in_the_first_request(
    scripted: ScriptedFactory, tmp_path: Path
) -> None:
    script = scripted([DONE])
    chosen = {"read-file": "hidden", "f*": "deferred"}
    entry = server(tmp_path, "slow", exposure="direct", toolExposure=chosen)
    configure(script.machine, srv=entry)
    assert script.run("-p", "go").code == 0
    assert declared(script) == [
        *("read", "bash", "edit", "write", "tool_search"),
        *(f"mcp__srv__{n}" for n in ("echo", "kinds", "big", "slow", "grow", "crash")),
        "mcp__srv__environment",
        *("list_mcp_resources", "list_mcp_resource_templates", "read_mcp_resource"),
    ]
    echo = script.bodies[0]["tools"][5]
    assert echo["description"] == "Say it again"
    assert echo["input_schema"]["required"] == ["text"]


def test_results(scripted: ScriptedFactory, tmp_path: Path) -> None:
    script = scripted(
        [
            calls(
                ("mcp__srv__echo", {"text": "hi"}),
                ("mcp__srv__kinds", {}),
                ("mcp__srv__fail", {}),
                ("mcp__srv__big", {}),
                ("mcp__srv__echo", {}),
                ("mcp__srv__read_file", {}),
            ),
            DONE,
        ]
    )
    configure(script.machine, srv=server(tmp_path, exposure="direct"))
    ran = script.run("--mode", "json", "-p", "go")
    assert ran.code == 0
    found = results(script.machine)
    assert found["c0"]["details"] == {"server": "srv", "tool": "echo"}
    assert texts(found["c0"]) == ["hi"] and not found["c0"]["isError"]
    kinds = texts(found["c1"])
    saved = kinds[5].rpartition(" ")[2].rstrip("]")
    assert kinds[:5] == [
        "words",
        "image",
        "[audio audio/wav omitted]",
        '[Resource file:///x.txt "x" (text/plain). Read it with read_mcp_resource (server "srv")]',
        "embedded",
    ]
    assert Path(saved).read_bytes() == b"\0\1\2" and Path(saved).stat().st_mode & 0o777 == 0o600
    assert kinds[6] == "[unsupported MCP content strange]"
    assert found["c2"]["isError"] and texts(found["c2"]) == ["fail"]
    (big,) = texts(found["c3"])
    whole = Path(found["c3"]["details"]["fullOutputPath"])
    assert len(whole.read_text()) == 40000 and "…19520 chars truncated…" in big
    assert len(big) < 21000 and str(whole) in big
    assert found["c4"]["isError"] and "text" in texts(found["c4"])[0]
    assert texts(found["c5"]) == ["read-file"]
    ended = {e["toolCallId"]: e for e in ran.events if e["type"] == "tool_execution_end"}
    structured = ended["c1"]["result"]["structuredContent"]
    assert structured["structuredContent"] == {"a": 1} and "_meta" not in structured
    assert len(structured["content"]) == 7
    for path in (Path(saved), whole):
        path.unlink()


def test_progress_is_told(scripted: ScriptedFactory, tmp_path: Path) -> None:
    script = scripted([calls(("mcp__srv__slow", {})), DONE])
    configure(script.machine, srv=server(tmp_path, exposure="direct"))
    ran = script.run("--mode", "json", "-p", "go")
    updates = [e["partialResult"] for e in ran.events if e["type"] == "tool_execution_update"]
    assert [each["content"][0]["text"] for each in updates] == [f"step {i}" for i in range(4)]
    assert not results(script.machine)["c0"]["isError"]


def test_resources(scripted: ScriptedFactory, tmp_path: Path) -> None:
    script = scripted(
        [
            calls(
                ("list_mcp_resources", {}),
                ("list_mcp_resources", {"server": "srv"}),
                ("list_mcp_resource_templates", {}),
                ("read_mcp_resource", {"server": "srv", "uri": "file:///a.txt"}),
                ("read_mcp_resource", {"server": "other", "uri": "file:///a.txt"}),
                ("list_mcp_resources", {"cursor": "n"}),
            ),
            DONE,
        ]
    )
    configure(script.machine, srv=server(tmp_path, exposure="direct"))
    assert script.run("-p", "go").code == 0
    found = results(script.machine)
    resource = {"server": "srv", "uri": "file:///r.txt", "name": "r"}
    assert json.loads(texts(found["c0"])[0]) == {"resources": [resource, resource]}
    page = json.loads(texts(found["c1"])[0])
    assert page == {"server": "srv", "resources": [resource], "nextCursor": "n"}
    template = {"server": "srv", "uriTemplate": "file:///{p}", "name": "t"}
    assert json.loads(texts(found["c2"])[0]) == {"resourceTemplates": [template]}
    (first, text, second, binary) = texts(found["c3"])
    assert (first, text, second) == ("file:///a.txt:", "hello", "file:///a.txt:")
    assert binary.startswith("[Binary resource file:///a.txt (unknown type, 3B) saved to ")
    assert found["c4"]["isError"] and "Servers with resources: srv" in texts(found["c4"])[0]
    assert found["c5"]["isError"]


def test_scripts_call_tools_that_are_not_declared(
    scripted: ScriptedFactory, tmp_path: Path
) -> None:
    pytest.importorskip("_quickjs")
    source = "return (await tools.mcp__srv__echo({text: 'found'})).content[0].text"
    script = scripted([calls(("codemode", {"code": source})), DONE])
    configure(script.machine, srv=server(tmp_path, "slow", description="It says things"))
    assert script.run("-p", "go").code == 0
    assert declared(script) == ["read", "bash", "edit", "write", "codemode"]
    (result,) = (m for m in script.machine.messages() if m["role"] == "toolResult")
    assert (result["isError"], result["content"][1]["text"]) == (False, "found")


@pytest.mark.parametrize("exposure", ["codemode", "deferred"])
def test_other_tools_are_found_by_a_search(
    scripted: ScriptedFactory, tmp_path: Path, exposure: str
) -> None:
    script = scripted(
        [
            calls(("tool_search", {"query": "say again"})),
            calls(("mcp__srv__echo", {"text": "found"})),
            DONE,
        ]
    )
    # Slow to start: the first request does not wait, the search does.
    entry = server(tmp_path, "slow", exposure=exposure, description="It says things")
    configure(script.machine, srv=entry)
    # As where codemode cannot run.
    assert script.run("-xt", "codemode", "-p", "go").code == 0
    assert declared(script) == ["read", "bash", "edit", "write", "tool_search"]
    assert "mcp__srv__echo" in declared(script, 1)
    assert texts(results(script.machine)["c0"]) == ["found"]
    section = prompt(script).partition("<mcp_servers>")[2]
    assert "- mcp__srv (tool_search): It says things" in section
    assert prompt(script, 2) == prompt(script)
    # What was found stays so when the session goes on.
    assert script.run("-c", "-p", "again").code == 0
    assert "mcp__srv__echo" in declared(script, 3) or "mcp__srv__echo" in str(script.bodies[3])


@pytest.mark.parametrize(("exposure", "own"), [("codemode", "deferred"), ("deferred", "codemode")])
def test_what_reaches_tools_of_both_kinds(
    scripted: ScriptedFactory, tmp_path: Path, exposure: str, own: str
) -> None:
    pytest.importorskip("_quickjs")
    script = scripted([DONE])
    entry = server(tmp_path, exposure=exposure, toolExposure={"echo": own})
    configure(script.machine, srv=entry)
    assert script.run("-p", "go").code == 0
    assert declared(script) == ["read", "bash", "edit", "write", "codemode", "tool_search"]


def test_hidden_and_disabled_servers(scripted: ScriptedFactory, tmp_path: Path) -> None:
    script = scripted([calls(("mcp__srv__echo", {"text": "x"})), DONE])
    entry = server(tmp_path, exposure="hidden")
    configure(script.machine, srv=entry, off=server(tmp_path, name="off", enabled=False))
    assert script.run("-p", "go").code == 0
    assert declared(script) == ["read", "bash", "edit", "write"]
    assert "mcp_servers" not in prompt(script)
    assert results(script.machine)["c0"]["isError"]
    assert not (tmp_path / "off.log").exists()


@pytest.mark.parametrize("option", ["--no-mcp", "-ne"])
def test_switched_off(scripted: ScriptedFactory, tmp_path: Path, option: str) -> None:
    script = scripted([DONE])
    configure(script.machine, srv=server(tmp_path, exposure="direct"))
    assert script.run(option, "-p", "go").code == 0
    assert declared(script) == ["read", "bash", "edit", "write"]
    assert not (tmp_path / "srv.log").exists()


def test_a_list_of_tools(scripted: ScriptedFactory, tmp_path: Path) -> None:
    script = scripted([DONE])
    configure(script.machine, srv=server(tmp_path, exposure="direct"))
    assert script.run("--tools", "read", "-p", "go").code == 0
    assert declared(script) == ["read"]
    assert script.run("--tools", "read,mcp__srv__e*", "-p", "go").code == 0
    assert declared(script, 1) == ["read", "mcp__srv__echo", "mcp__srv__environment"]


def test_projects_that_are_not_trusted(scripted: ScriptedFactory, tmp_path: Path) -> None:
    script = scripted([DONE])
    path = script.machine.project / ".pi" / "mcp.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"mcpServers": {"srv": server(tmp_path, exposure="direct")}}))
    assert script.run("-p", "go").code == 0
    assert not (tmp_path / "srv.log").exists()
    assert script.run("--approve", "-p", "go").code == 0
    assert "mcp__srv__echo" in declared(script, 1)


def test_a_crash_in_the_middle(scripted: ScriptedFactory, tmp_path: Path) -> None:
    script = scripted(
        [calls(("mcp__srv__crash", {})), calls(("mcp__srv__echo", {"text": "back"})), DONE]
    )
    configure(script.machine, srv=server(tmp_path, exposure="direct"))
    assert script.run("-p", "go").code == 0
    messages = [m for m in script.machine.messages() if m["role"] == "toolResult"]
    assert messages[0]["isError"] and "exited with code 7" in texts(messages[0])[0]
    assert texts(messages[1]) == ["back"]


def test_over_http(scripted: ScriptedFactory, machine: Machine) -> None:
    with serve() as web:
        script = scripted([calls(("mcp__web__echo", {})), DONE])
        configure(script.machine, web={"url": web.url, "exposure": "direct"})
        assert script.run("-p", "go").code == 0
        assert texts(results(machine)["c0"]) == ["ok"]
        assert web.seen[-1].method == "DELETE"


def test_extensions_see_and_block_calls(scripted: ScriptedFactory, tmp_path: Path) -> None:
    script = scripted([calls(("mcp__srv__echo", {"text": "x"})), DONE])
    configure(script.machine, srv=server(tmp_path, exposure="direct"))
    gate = tmp_path / "gate.py"
    gate.write_text(
        "from pi.extensions import Block, Pi, ToolCall\n"
        "def extend(pi: Pi) -> None:\n"
        "    @pi.on('tool_call')\n"
        "    def gate(event: ToolCall) -> Block | None:\n"
        "        about = {t['name']: t for t in pi.all_tools()}[event.tool_name]\n"
        "        return Block(str((about['annotations'], about['namespace'].name)))\n"
    )
    assert script.run("-e", str(gate), "-p", "go").code == 0
    (text,) = texts(results(script.machine)["c0"])
    assert text == "({'readOnlyHint': True}, 'mcp__srv')"


def test_an_extension_brings_a_server(scripted: ScriptedFactory, tmp_path: Path) -> None:
    script = scripted([calls(("mcp__own__echo", {"text": "hello"})), DONE])
    entry = server(tmp_path, exposure="direct")
    brings = tmp_path / "brings.py"
    brings.write_text(
        "from pi.extensions import Pi\n"
        "def extend(pi: Pi) -> None:\n"
        f"    pi.register_mcp_server('own', {entry!r})\n"
        "    try:\n"
        "        pi.register_mcp_server('bad', {})\n"
        "    except ValueError as error:\n"
        "        assert 'needs' in str(error)\n"
        "    assert [each.name for each in pi.mcp_servers()] == ['own']\n"
    )
    ran = script.run("-e", str(brings), "-p", "go")
    assert (ran.code, ran.stderr) == (0, "")
    assert texts(results(script.machine)["c0"]) == ["hello"]
    without = script.run("-e", str(brings), "--no-mcp", "-p", "go")
    assert "nothing connects the MCP server" in without.stderr


def test_an_extension_with_the_command_replaces_it(
    scripted: ScriptedFactory, tmp_path: Path
) -> None:
    script = scripted([DONE])
    configure(script.machine, srv=server(tmp_path, exposure="direct"))
    other = tmp_path / "other.py"
    other.write_text(
        "def extend(pi):\n    @pi.command('mcp', 'Mine')\n    def mcp(text):\n        pass\n"
    )
    assert script.run("-e", str(other), "-p", "go").code == 0
    assert declared(script) == ["read", "bash", "edit", "write"]
    assert not (tmp_path / "srv.log").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_servers_end_with_pi(scripted: ScriptedFactory, tmp_path: Path, how: int) -> None:
    script = scripted([{"blocks": [{"text": "x"}], "hang": "headers"}])
    configure(script.machine, srv=server(tmp_path, exposure="direct"))
    process = script.start("-p", "go")
    pid_file = tmp_path / "srv.log.pid"
    try:
        assert eventually(lambda: script.bodies)
        assert is_alive(int(pid_file.read_text()))
        process.send_signal(how)
        process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert gone(int(pid_file.read_text()))


def test_a_start_without_servers_loads_nothing_of_it(
    scripted: ScriptedFactory, machine: Machine
) -> None:
    script = scripted([DONE])
    code = (
        "import sys; from pi.cli import main; main(sys.argv[1:]);"
        "loaded = [n for n in sys.modules if n.startswith(('pi.mcp', 'pi.builtin'))];"
        "print(*loaded, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *script.options, "-p", "go"],
        cwd=machine.project,
        env=machine.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stderr.decode().split() == []


def test_a_faulty_file_is_told_where_nobody_is_asked(machine: Machine, tmp_path: Path) -> None:
    configure(machine, good=server(tmp_path), bad={"command": 5})
    demo = ("--provider", "demo", "-p", "hello")
    done = machine.run(*demo)
    assert done.code == 0
    assert 'mcp.json: server "bad": command: expected a string, found the number 5' in done.stderr
    file = machine.write("mcp.json", '{"mcpServers": ')
    done = machine.run(*demo, "--mode", "json")
    assert done.code == 0
    assert (
        done.stderr
        == f"Warning: {file}: not valid JSON, line 1 column 16: unexpected end of data\n"
    )
