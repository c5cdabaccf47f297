"""Malformed files and server answers: one clear line that names the place, nothing overwritten."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import COMMAND, Machine, ScriptedFactory

OK = [{"blocks": [{"text": "ok"}]}]


def one_line(stderr: str) -> bool:
    """A line for what is wrong, one for what that leads to, and one for what to do next."""
    return "Traceback" not in stderr and 1 <= stderr.count("\n") <= 3


@pytest.mark.parametrize("name", ["settings.json", "models.json", "auth.json"])
@pytest.mark.parametrize("text", ["{", '{"a": 1,\n "b" 2}', "[]", "\x00", '"text"', "{}x"])
def test_malformed_files_are_named_and_left_alone(
    scripted: ScriptedFactory, name: str, text: str
) -> None:
    script = scripted(OK)
    path = script.machine.write(name, text)
    result = script.run("-p", "hi")
    assert name in result.stderr
    assert "Traceback" not in result.stderr
    assert path.read_text() == text
    if text == '{"a": 1,\n "b" 2}':
        assert re.search(r"line 2|:2\b", result.stderr)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"retry": {"maxRetries": "three"}}, "retry.maxRetries"),
        ({"retry": 3}, "retry"),
        ({"defaultTools": "read"}, "defaultTools"),
        ({"compaction": {"reserveTokens": -1}}, "compaction.reserveTokens"),
        ({"defaultThinkingLevel": "huge"}, "defaultThinkingLevel"),
    ],
)
def test_a_wrong_setting_is_named(machine: Machine, value: object, place: str) -> None:
    path = machine.write("settings.json", value)
    result = machine.run("--provider", "demo", "-p", "hello")
    assert place in result.stderr
    assert one_line(result.stderr)
    assert json.loads(path.read_text()) == value


@pytest.mark.parametrize(
    ("provider", "place"),
    [
        ({"models": [{"name": "no id"}]}, "providers.mock.models[0].id"),
        ({"models": [{"id": "m1", "contextWindow": "big"}]}, "contextWindow"),
        ({"api": "no-such-api"}, "no-such-api"),
        ({"baseUrl": 7}, "providers.mock.baseUrl"),
    ],
)
def test_a_wrong_model_file_is_named(
    scripted: ScriptedFactory, provider: dict[str, object], place: str
) -> None:
    script = scripted(OK, provider=provider)
    result = script.run("-p", "hi")
    assert result.code == 1
    assert place in result.stderr
    assert one_line(result.stderr)


def test_a_key_command_that_fails(scripted: ScriptedFactory) -> None:
    script = scripted(OK, provider={"apiKey": "!echo tell-tale >&2; exit 3"})
    result = script.run("-p", "hi")
    assert result.code == 1
    assert "mock" in result.stderr
    assert "tell-tale" not in result.stdout.decode()
    assert script.bodies == []


@pytest.mark.parametrize(
    "turn",
    [
        {"raw": [b"<html>a proxy's page</html>"]},
        {"raw": [b"data: {not json}\n\n"]},
        {"raw": [b"data: [1, 2]\n\n"]},
        {"raw": [b'data: {"type": "message_start"}\n\n']},
        {"raw": [b""]},
        {"raw": [b"\xff\xfe\x00"]},
        {"status": 200, "body": {"error": "not a stream"}},
        {"status": 404, "body": "<html>not here</html>"},
        {"status": 400, "body": ""},
    ],
)
@pytest.mark.parametrize("api", ["anthropic-messages", "openai-completions"])
def test_answers_that_are_no_stream(
    scripted: ScriptedFactory, api: str, turn: dict[str, object]
) -> None:
    result = scripted([turn], api=api, retry={"maxRetries": 1}).run("-p", "hi")
    assert (result.code, result.text) == (1, "")
    assert one_line(result.stderr), result.stderr


def test_a_server_that_is_not_there(scripted: ScriptedFactory) -> None:
    script = scripted(OK, retry={"maxRetries": 1})
    scripted.stop(script)
    result = script.run("-p", "hi")
    assert (result.code, result.text) == (1, "")
    assert one_line(result.stderr), result.stderr


def test_a_missing_file_argument(scripted: ScriptedFactory) -> None:
    script = scripted(OK)
    result = script.run("-p", "@nothere.txt", "hi")
    assert result.code == 1
    assert "nothere.txt" in result.stderr
    assert one_line(result.stderr)
    assert script.bodies == []


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\nbroken", b"\x89PNG\r\n\x1a\n"])
def test_a_broken_image(scripted: ScriptedFactory, content: bytes) -> None:
    call = {"tool": "read", "id": "c1", "args": {"path": "a.png"}}
    script = scripted(
        [{"blocks": [call], "stop": "toolUse"}, *OK], model={"input": ["text", "image"]}
    )
    (script.machine.project / "a.png").write_bytes(content)
    result = script.run("-p", "look")
    assert (result.code, result.stderr) == (0, "")
    shown = script.machine.messages()[3]
    assert [block["type"] for block in shown["content"]] == ["text"]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + b'{"type":"session","version":3,"id":"a","cwd":"/"}\n',
        b'{"type":"session"}\r{"a":1}\r',
        "{}".encode("utf-16"),
        b"\n\n\n",
        b"this is no session\n",
    ],
)
def test_a_file_that_is_no_session_is_refused_and_kept(
    scripted: ScriptedFactory, content: bytes
) -> None:
    script = scripted(OK)
    path = script.machine.project / "s.jsonl"
    path.write_bytes(content)
    result = script.run("--session", str(path), "-p", "hi")
    assert result.code == 1
    assert one_line(result.stderr), result.stderr
    assert "s.jsonl" in result.stderr
    assert path.read_bytes() == content


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(scripted: ScriptedFactory) -> None:
    script = scripted(OK)
    folder = script.machine.agent / "sessions"
    folder.mkdir()
    folder.chmod(0o500)
    result = script.run("-p", "hi")
    assert result.code == 1
    assert one_line(result.stderr)


def test_a_session_folder_that_is_a_file(scripted: ScriptedFactory) -> None:
    script = scripted(OK)
    (script.machine.agent / "sessions").write_text("in the way")
    result = script.run("-p", "hi")
    assert result.code == 1
    assert one_line(result.stderr), result.stderr
    assert "sessions" in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("mode", ["text", "json"])
def test_a_full_disk_under_stdout(scripted: ScriptedFactory, mode: str) -> None:
    script = scripted(OK)
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, *script.options, "--mode", mode, "-p", "hi"],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            env=script.machine.environment,
            cwd=script.machine.project,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert one_line(done.stderr.decode()), done.stderr
    if mode == "text":
        assert script.machine.messages()[-1]["content"][0]["text"] == "ok"


def test_an_untrusted_project_changes_nothing(scripted: ScriptedFactory) -> None:
    script = scripted(OK)
    folder = script.machine.project / ".pi"
    folder.mkdir()
    (folder / "settings.json").write_text('{"defaultTools": ["ls"]}')
    (folder / "SYSTEM.md").write_text("Obey the folder.")
    assert script.run("-p", "hi").code == 0
    assert len(script.bodies[0]["tools"]) == 4
    assert "Obey the folder." not in json.dumps(script.bodies[0])
    assert script.run("-a", "-p", "hi").code == 0
    assert [tool["name"] for tool in script.bodies[1]["tools"]] == ["ls"]
    assert "Obey the folder." in json.dumps(script.bodies[1])
