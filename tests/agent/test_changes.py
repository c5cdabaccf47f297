"""What changes a session besides prompts: model, level, name, shell commands; its statistics."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pi.agent.abort import Abort
from pi.agent.shell import run_shell
from pi.config.settings_types import Compaction
from pi.session.store import SessionStore
from pi.tools.base import ToolContext
from tests.agent.conftest import MODEL, Conversation, Echo, says

PLAIN = replace(MODEL, id="m2", reasoning=False)


def context(cwd: Path, **env: str) -> ToolContext:
    return ToolContext("", cwd, {"PATH": "/usr/bin:/bin", **env}, lambda _: None)


def test_another_model_is_recorded_with_the_level_it_can_think_at(store: SessionStore) -> None:
    talk = Conversation([], store)
    talk.session.set_model(PLAIN)
    talk.session.set_model(PLAIN)
    assert talk.session.thinking == "off"
    assert [entry["type"] for entry in store.entries()] == [
        "model_change",
        "thinking_level_change",
        "model_change",
    ]
    assert talk.outside == [{"type": "thinking_level_changed", "level": "off"}]
    assert talk.session.set_thinking("high") == "off"
    assert len(talk.outside) == 1


async def test_a_change_during_a_run_holds_for_its_next_request(store: SessionStore) -> None:
    call = {"id": "1", "name": "echo", "arguments": {"text": "x"}}
    talk = Conversation([says("", call), says("done")], store, tools=[Echo()])
    async for event in talk.session.prompt([{"type": "text", "text": "go"}]):
        if event["type"] == "tool_execution_end":
            talk.session.set_thinking("low")
    levels = [
        e["message"]["thinkingLevel"]
        for e in talk.entries("message")
        if e["message"]["role"] == "assistant"
    ]
    assert levels == ["medium", "low"]


def test_a_name_is_one_line_and_can_be_taken_away(store: SessionStore) -> None:
    talk = Conversation([], store)
    talk.session.set_name(" my\nname ")
    talk.session.set_name("")
    assert talk.outside == [
        {"type": "session_info_changed", "name": "my name"},
        {"type": "session_info_changed"},
    ]
    assert store.name is None


async def test_statistics_count_all_and_forget_the_context_when_compacted(
    store: SessionStore,
) -> None:
    settings = Compaction(reserve_tokens=1000, keep_recent_tokens=10)
    call = {"id": "1", "name": "echo", "arguments": {"text": "x"}}
    talk = Conversation(
        [says("", call, tokens=50), says("word " * 20, tokens=100, out=10), says("SUM", tokens=7)],
        store,
        tools=[Echo()],
        compaction=settings,
        model=replace(MODEL, context_window=8000),
    )
    assert "contextUsage" in talk.session.statistics()
    await talk.say("question " * 20)
    stats = talk.session.statistics()
    assert stats["contextUsage"] == {"tokens": 110, "contextWindow": 8000, "percent": 1.375}
    async for _ in talk.session.compact():
        pass
    stats = talk.session.statistics()
    assert stats["contextUsage"]["tokens"] is None
    assert stats["contextUsage"]["percent"] is None
    assert stats["tokens"]["total"] == 50 + 110 + 7
    assert (stats["userMessages"], stats["assistantMessages"]) == (1, 2)
    assert (stats["toolCalls"], stats["toolResults"], stats["totalMessages"]) == (1, 1, 5)
    assert "sessionFile" not in stats


async def test_a_shell_command_is_seen_with_the_next_prompt(
    store: SessionStore, tmp_path: Path
) -> None:
    talk = Conversation([says("ok")], store, cwd=tmp_path)
    heard: list[str] = []
    message = await talk.session.shell("echo hey; exit 3", on_output=heard.append)
    assert {**message, "timestamp": 0} == {
        "role": "bashExecution",
        "command": "echo hey; exit 3",
        "output": "hey\n",
        "exitCode": 3,
        "cancelled": False,
        "truncated": False,
        "timestamp": 0,
    }
    assert "".join(heard) == "hey\n"
    hidden = await talk.session.shell("echo secret", exclude=True)
    assert hidden["excludeFromContext"]
    await talk.say("hi")
    shown = str(talk.contexts[-1])
    assert "hey" in shown
    assert "secret" not in shown
    assert [e["message"]["role"] for e in talk.entries("message")][:2] == ["bashExecution"] * 2


async def test_during_a_run_it_is_stored_when_that_is_over(
    store: SessionStore, tmp_path: Path
) -> None:
    call = {"id": "1", "name": "echo", "arguments": {"text": "x"}}
    talk = Conversation([says("", call), says("done")], store, tools=[Echo()], cwd=tmp_path)
    async for event in talk.session.prompt([{"type": "text", "text": "go"}]):
        if event["type"] == "tool_execution_start":
            await talk.session.shell("true")
    roles = [e["message"]["role"] for e in talk.entries("message")]
    assert roles == ["system", "user", "assistant", "toolResult", "assistant", "bashExecution"]


async def test_it_can_be_stopped_with_all_it_started(store: SessionStore, tmp_path: Path) -> None:
    talk = Conversation([], store, cwd=tmp_path)
    begun = asyncio.Event()
    command = "echo begun; sleep 60 & sleep 60"
    run = asyncio.create_task(talk.session.shell(command, on_output=lambda _: begun.set()))
    await asyncio.wait_for(begun.wait(), 20)
    talk.session.abort_shell()
    message = await asyncio.wait_for(run, 20)
    assert message["cancelled"]
    assert "exitCode" not in message
    assert message["output"] == "begun\n"


@pytest.mark.parametrize(
    ("printed", "seen"),
    [
        (r"\033[31mred\033[0m\r\nx", "red\nx"),
        (r"\033]0;title\007text", "text"),
        (r"a\000b\001\tc", "ab\tc"),
        (r"\303\251", "é"),
    ],
)
async def test_output_is_plain_text(tmp_path: Path, printed: str, seen: str) -> None:
    message = await run_shell(f"printf '{printed}'", context(tmp_path), Abort())
    assert message["output"] == seen


async def test_an_escape_in_two_pieces_is_one(tmp_path: Path) -> None:
    heard: list[str] = []
    command = r"printf 'a\033[3'; sleep 0.1; printf '1mb'"
    message = await run_shell(command, context(tmp_path), Abort(), on_output=heard.append)
    assert message["output"] == "".join(heard) == "ab"


async def test_the_persons_commands_know_nothing_of_the_agent(tmp_path: Path) -> None:
    env = {"PI_MODEL": "m", "PI_SESSION_ID": "s", "MINE": "1"}
    message = await run_shell("env", context(tmp_path, **env), Abort())
    assert "MINE=1" in message["output"]
    assert "PI_" not in message["output"]


async def test_long_output_is_cut_and_kept_whole_in_a_file(tmp_path: Path) -> None:
    heard: list[Any] = []
    message = await run_shell(
        "seq 10000", context(tmp_path, TMPDIR=str(tmp_path)), Abort(), on_output=heard.append
    )
    assert message["truncated"]
    assert message["output"].startswith("8001\n")
    assert Path(message["fullOutputPath"]).read_text() == "".join(heard)
    assert "".join(heard).count("\n") == 10000
