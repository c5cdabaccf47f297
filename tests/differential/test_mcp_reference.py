"""The same servers in both programs: what they are sent, what the model is told, what it gets."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.differential.programs import commands, furnish, mock, needs_reference
from tests.mcp.http_server import serve
from tests.scripted_provider import ScriptedProvider

pytestmark = needs_reference
SERVER = str(Path(__file__).parents[1] / "mcp" / "stdio_server.py")
SAVED = re.compile(r"/tmp/[^ \]]*pi-mcp-[0-9a-f]{16}(\.\w+)")

Played = dict[str, Any]


def both(
    tmp_path: Path, mode: str, turns: list[Any], *arguments: str, **entry: Any
) -> list[Played]:
    """What each program, the reference first, sent and got."""
    played = []
    for name, command in zip(("theirs", "ours"), commands(), strict=True):
        root = tmp_path / name
        project, log = root / "project", root / "sent.log"
        project.mkdir(parents=True)
        with ScriptedProvider(list(turns)) as server, serve() as web:
            how = (
                {"url": web.url}
                if mode == "http"
                else {"command": sys.executable, "args": [SERVER, str(log), mode]}
            )
            model = {"id": "m1", "input": ["text", "image"]}
            agent = furnish(root / "home", mock(server, model))
            (agent / "mcp.json").write_text(
                json.dumps({"mcpServers": {"my-srv": {**how, **entry}}})
            )
            environment = {
                **{k: v for k, v in os.environ.items() if not k.startswith("PI_")},
                "HOME": str(root / "home"),
                "PI_OFFLINE": "1",
            }
            done = subprocess.run(
                [*command, *arguments],
                cwd=project,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=60,
                check=False,
            )
            lines = log.read_text().split("\n")[:-1] if log.exists() else []
            sent = [json.loads(line) for line in lines] or [s.body for s in web.posted()]
            for message in sent:
                message.get("params", {}).get("clientInfo", {}).pop("version", None)
            heads = [
                {k: s.headers.get(k) for k in ("accept", "mcp-session-id", "mcp-protocol-version")}
                for s in web.seen
                if s.method == "POST"
            ]
            text = json.dumps([sent, server.bodies, done.stdout.decode()])
            sent, bodies, out = json.loads(text.replace(str(root), "<root>"))
            played.append(
                {
                    "sent": sent,
                    "bodies": bodies,
                    "heads": heads,
                    "code": done.returncode,
                    "out": out,
                }
            )
    return played


def results(body: Any) -> Any:
    found = [
        {**block, "cache_control": None}
        for message in body["messages"]
        for block in message["content"]
        if block["type"] == "tool_result"
    ]
    return json.loads(SAVED.sub(r"<saved>\1", json.dumps(found)))


def call(*wanted: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    blocks = [{"tool": n, "id": f"c{i}", "args": a} for i, (n, a) in enumerate(wanted)]
    return {"blocks": blocks, "stop": "toolUse"}


DONE = {"blocks": [{"text": "done"}]}
RUN = ("--provider", "mock", "--model", "m1", "-p", "go")


@pytest.mark.parametrize("mode", ["good", "asks", "garbage", "http"])
def test_the_list(tmp_path: Path, mode: str) -> None:
    theirs, ours = both(tmp_path, mode, [DONE], "mcp", "list", "--json")
    assert ours["code"] == theirs["code"] == 0
    mine, other = (json.loads(p["out"]) for p in (ours, theirs))
    for listed in (mine, other):
        for server in listed["servers"]:
            server["transport"] = re.sub(r":\d+", "", server["transport"])
    assert mine == other
    key = {"asks": lambda m: (str(m.get("id")), m.get("method", ""))}.get(mode)
    sent = [p["sent"] if key is None else sorted(p["sent"], key=key) for p in (ours, theirs)]
    assert sent[0] == sent[1]
    assert ours["heads"] == theirs["heads"]


def test_calls_and_results(tmp_path: Path) -> None:
    turn = call(
        ("mcp__my_srv__echo", {"text": "hi"}),
        ("mcp__my_srv__kinds", {}),
        ("mcp__my_srv__fail", {}),
        ("mcp__my_srv__missing", {}),
        ("list_mcp_resources", {"server": "my-srv"}),
        ("read_mcp_resource", {"server": "my-srv", "uri": "file:///a.txt"}),
    )
    theirs, ours = both(tmp_path, "good", [turn, DONE], *RUN, exposure="direct")
    names = [[tool["name"] for tool in p["bodies"][0]["tools"]] for p in (ours, theirs)]
    assert names[0] == names[1]
    schemas = [
        {t["name"]: t["input_schema"] for t in p["bodies"][0]["tools"]} for p in (ours, theirs)
    ]
    for name in names[0]:
        if name.startswith("mcp__"):
            assert schemas[0][name] == schemas[1][name]
    (mine, other) = (results(p["bodies"][1]) for p in (ours, theirs))
    for at in (0, 1, 2, 4, 5):
        assert mine[at] == other[at]
    assert mine[3]["is_error"] is other[3]["is_error"] is True

    def requests(played: Played) -> list[Any]:
        found = [m for m in played["sent"] if "id" in m]
        for message in found:
            message.pop("id")
            message.get("params", {}).pop("_meta", None)
        return sorted(found, key=json.dumps)

    assert requests(ours) == requests(theirs)


def test_a_long_result_keeps_the_same_ends(tmp_path: Path) -> None:
    turn = call(("mcp__my_srv__big", {}))
    theirs, ours = both(tmp_path, "good", [turn, DONE], *RUN, exposure="direct")
    cuts = []
    for played in (ours, theirs):
        text = json.dumps(results(played["bodies"][1]), ensure_ascii=False)
        found = re.search(r"0000000.*…(\d+) chars truncated….*0004999", text)
        assert found is not None
        cuts.append(found[0])
    assert cuts[0] == cuts[1]


def test_what_is_searched_for(tmp_path: Path) -> None:
    turns = [call(("tool_search", {"query": "say again", "limit": 1})), DONE]
    theirs, ours = both(tmp_path, "slow", turns, *RUN, exposure="deferred", description="It says")
    for request in (0, 1):
        names = [{t["name"] for t in p["bodies"][request]["tools"]} for p in (ours, theirs)]
        assert names[0] == names[1]
    for played in (ours, theirs):
        (system,) = [b["text"] for b in played["bodies"][0]["system"] if "mcp_servers" in b["text"]]
        assert "\n- mcp__my_srv (tool_search): It says\n</mcp_servers>" in system


OF_TWO_KINDS: list[dict[str, Any]] = [
    {"exposure": "codemode", "toolExposure": {"echo": "deferred"}},
    {"exposure": "deferred", "toolExposure": {"echo": "codemode"}},
    {"exposure": "direct", "toolExposure": {"echo": "deferred", "kinds": "codemode"}},
    {"exposure": "hidden", "toolExposure": {"nothing": "deferred"}},
]


@pytest.mark.parametrize("entry", OF_TWO_KINDS, ids=json.dumps)
def test_what_reaches_tools_of_two_kinds(tmp_path: Path, entry: dict[str, Any]) -> None:
    pytest.importorskip("_quickjs")
    theirs, ours = both(tmp_path, "good", [DONE], *RUN, **entry)
    names = [[tool["name"] for tool in p["bodies"][0]["tools"]] for p in (ours, theirs)]
    assert names[0] == names[1]


def test_the_list_of_tools_of_two_kinds(tmp_path: Path) -> None:
    theirs, ours = both(tmp_path, "good", [], "mcp", "list", "--json", **OF_TWO_KINDS[0])
    mine, other = (json.loads(p["out"])["servers"] for p in (ours, theirs))
    assert mine == other
