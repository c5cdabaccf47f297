"""Sessions from the command line: stored, continued, forked, refused."""

import json

from tests.e2e.conftest import Scripted, ScriptedFactory

HELLO = [{"blocks": [{"text": text}]} for text in ("one", "two", "three", "four")]


def roles(body: dict) -> list[str]:  # type: ignore[type-arg]
    return [message["role"] for message in body["messages"]]


def start(scripted: ScriptedFactory) -> Scripted:
    script = scripted(HELLO)
    assert script.run("-p", "first").code == 0
    return script


def test_the_file_and_its_entries(scripted: ScriptedFactory) -> None:
    script = start(scripted)
    path = script.machine.session()
    folder = "--" + str(script.machine.project).strip("/").replace("/", "-") + "--"
    assert path.parent.name == folder
    entries = script.machine.entries()
    assert [entry["type"] for entry in entries] == [
        "session",
        "model_change",
        "thinking_level_change",
        "message",
        "message",
        "message",
    ]
    header = entries[0]
    assert path.name.endswith(f"_{header['id']}.jsonl")
    assert (header["version"], header["cwd"]) == (3, str(script.machine.project))
    parents = [entry["parentId"] for entry in entries[1:]]
    assert parents == [None, *[entry["id"] for entry in entries[1:-1]]]


def test_verbose_says_where_it_is(scripted: ScriptedFactory) -> None:
    script = scripted(HELLO)
    assert script.run("--verbose", "-p", "hi").stderr == f"Session: {script.machine.session()}\n"


def test_continue(scripted: ScriptedFactory) -> None:
    script = start(scripted)
    result = script.machine.run("-c", "-p", "second")
    assert (result.code, result.text, result.stderr) == (0, "two\n", "")
    assert roles(script.bodies[1]) == ["user", "assistant", "user"]
    assert len(script.machine.sessions()) == 1
    kinds = [entry["type"] for entry in script.machine.entries()]
    assert kinds == ["session", "model_change", "thinking_level_change", *["message"] * 5]


def test_continue_with_other_tools_announces_the_difference(scripted: ScriptedFactory) -> None:
    script = start(scripted)
    assert script.run("-c", "-t", "read,grep", "--thinking", "high", "-p", "second").code == 0
    patch = script.machine.messages()[3]
    assert patch["role"] == "system"
    assert [tool["name"] for tool in patch["toolsAdded"]] == ["grep"]
    assert [tool["name"] for tool in patch["toolsRemoved"]] == ["bash", "edit", "write"]
    assert [tool["name"] for tool in script.bodies[1]["tools"]] == ["read", "grep"]
    # Without the flag the session keeps the tools it has.
    assert script.machine.run("-c", "-p", "third").code == 0
    assert [tool["name"] for tool in script.bodies[2]["tools"]] == ["read", "grep"]
    assert [m["role"] for m in script.machine.messages()[-2:]] == ["user", "assistant"]
    assert script.machine.messages()[-1]["thinkingLevel"] == "high"


def test_by_id_path_and_part_of_an_id(scripted: ScriptedFactory) -> None:
    script = start(scripted)
    header = script.machine.entries()[0]
    for name in (header["id"], header["id"][:13], str(script.machine.session())):
        assert script.run("--session", name, "-p", "more").code == 0
    assert len(script.machine.sessions()) == 1
    assert roles(script.bodies[3]) == ["user", "assistant"] * 3 + ["user"]


def test_session_id_creates_then_opens(scripted: ScriptedFactory) -> None:
    script = scripted(HELLO)
    first = script.run("--session-id", "my.session-1", "-p", "first")
    assert (first.code, first.stderr.count("\n")) == (0, 1)
    assert first.stderr.startswith("Warning: ") and "my.session-1" in first.stderr
    second = script.run("--session-id", "my.session-1", "-p", "second")
    assert (second.code, second.stderr) == (0, "")
    assert script.machine.entries()[0]["id"] == "my.session-1"
    assert roles(script.bodies[1]) == ["user", "assistant", "user"]


def test_fork_leaves_the_original_alone(scripted: ScriptedFactory) -> None:
    script = start(scripted)
    original = script.machine.session()
    before = original.read_bytes()
    assert script.run("--fork", str(original), "-p", "elsewhere").code == 0
    assert original.read_bytes() == before
    (fork,) = set(script.machine.sessions()) - {original}
    header = json.loads(fork.read_bytes().split(b"\n")[0])
    assert header["parentSession"] == str(original)
    assert roles(script.bodies[1]) == ["user", "assistant", "user"]


def test_no_session_writes_nothing(scripted: ScriptedFactory) -> None:
    script = scripted(HELLO)
    assert script.run("--no-session", "-p", "hi").text == "one\n"
    assert script.machine.sessions() == []


def test_a_name(scripted: ScriptedFactory) -> None:
    script = scripted(HELLO)
    assert script.run("--name", "Refactoring", "-p", "hi").code == 0
    entry = script.machine.entries()[1]
    assert (entry["type"], entry["name"]) == ("session_info", "Refactoring")


def test_the_folder_can_be_chosen(scripted: ScriptedFactory, tmp_path) -> None:  # type: ignore[no-untyped-def]
    script = scripted(HELLO)
    assert script.run("-p", "hi", PI_CODING_AGENT_SESSION_DIR=str(tmp_path / "env")).code == 0
    assert script.run("--session-dir", str(tmp_path / "flag"), "-p", "hi").code == 0
    assert len(list((tmp_path / "env").rglob("*.jsonl"))) == 1
    assert len(list((tmp_path / "flag").rglob("*.jsonl"))) == 1
    assert script.machine.sessions() == []


def test_an_unknown_session_is_one_line(scripted: ScriptedFactory) -> None:
    result = scripted(HELLO).run("--session", "nosuch", "-p", "hi")
    assert (result.code, result.text) == (1, "")
    assert "nosuch" in result.stderr
    assert result.stderr.count("\n") == 2, "what is wrong, and what to do"


def test_damage_is_reported_and_kept(scripted: ScriptedFactory) -> None:
    script = start(scripted)
    path = script.machine.session()
    damaged = path.read_bytes() + b'not json\n{"type":"message","id":"torn'
    path.write_bytes(damaged)
    result = script.machine.run("-c", "-p", "second")
    assert (result.code, result.text) == (0, "two\n")
    assert roles(script.bodies[1]) == ["user", "assistant", "user"]
    assert path.read_bytes().startswith(damaged + b"\n")


def test_a_thinking_level_that_nobody_knows(scripted: ScriptedFactory) -> None:
    """The npm package takes it for off, too."""
    script = start(scripted)
    path = script.machine.session()
    last = json.loads(path.read_bytes().splitlines()[-1])
    about = {"id": "later", "parentId": last["id"], "timestamp": last["timestamp"]}
    entry = {"type": "thinking_level_change", **about, "thinkingLevel": "ultra"}
    path.write_bytes(path.read_bytes() + json.dumps(entry).encode() + b"\n")
    result = script.machine.run("-c", "-p", "second")
    assert (result.code, result.text) == (0, "two\n")
    assert roles(script.bodies[1]) == ["user", "assistant", "user"]


def test_two_processes_do_not_share_a_session(scripted: ScriptedFactory) -> None:
    endless = {"blocks": [{"text": "slow"}], "hang": 3}
    script = scripted([HELLO[0], endless])
    assert script.run("-p", "first").code == 0
    running = script.start("-c", "-p", "second")
    try:
        while len(script.server.requests) < 2:
            assert running.poll() is None, running.communicate()
        result = script.run("-c", "-p", "third")
        assert result.code == 1
        assert result.stderr.count("\n") <= 2
        assert len(script.server.requests) == 2
    finally:
        running.terminate()
        running.communicate(timeout=30)


def test_what_lies_among_the_sessions_keeps_nobody_from_starting(
    scripted: ScriptedFactory,
) -> None:
    """Old, damaged and foreign files: a new session begins, and the last good one goes on."""
    script = scripted([{"blocks": [{"text": "fine"}]}])
    assert script.run("-p", "hello").code == 0
    good = script.machine.session()
    folder = good.parent
    (folder / "2027-01-01T00-00-00-000Z_binary.jsonl").write_bytes(bytes(range(256)) * 100)
    (folder / "2027-01-01T00-00-01-000Z_empty.jsonl").touch()
    (folder / "2027-01-01T00-00-02-000Z_folder.jsonl").mkdir()
    (folder / "2027-01-01T00-00-03-000Z_gone.jsonl").symlink_to(folder / "nowhere")
    (folder / "notes.txt").write_text("not a session")
    for arguments in (["-p", "new"], ["-c", "-p", "more"]):
        done = script.run(*arguments)
        assert (done.code, done.text) == (0, "fine\n")
    texts = [path.read_bytes() for path in folder.glob("*.jsonl") if path.is_file()]
    assert sum(b'"more"' in text for text in texts) == 1
