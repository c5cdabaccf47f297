"""A person talks to the agent: what is typed, what is seen, what is kept."""

import json
import os
import re
import signal
import time
from typing import Any

import pytest

from tests.e2e.interactive.conftest import HI, Sitting

TOOLS = [
    {
        "blocks": [
            {"thinking": "I wonder."},
            {"text": "Let me **look**."},
            {"tool": "read", "id": "c1", "args": {"path": "a.txt"}},
            {"tool": "bash", "id": "c2", "args": {"command": "seq 1 40"}},
        ],
        "stop": "toolUse",
    },
    {
        "blocks": [
            {
                "tool": "edit",
                "id": "c3",
                "args": {"path": "a.txt", "edits": [{"oldText": "old", "newText": "new"}]},
            }
        ],
        "stop": "toolUse",
    },
    {"blocks": [{"text": "All done."}]},
]


def test_a_prompt_is_answered_and_kept(sit: Sitting) -> None:
    screen = sit()
    screen.type("what is this?")
    screen.wait("what is this?")
    screen.press("Enter")
    shown = screen.wait("Hello from the model.")
    assert "❯ what is this?" in shown
    screen.wait("↑10 ↓5")
    roles = [message["role"] for message in sit.machine.messages()]
    assert roles == ["system", "user", "assistant"]
    screen.press("C-d")
    assert screen.wait_end() == 0
    left = screen.text(scrollback=True)
    assert "Hello from the model." in left
    session = sit.machine.entries()[0]["id"]
    assert f"pi --session {session}" in left


def test_tools_show_what_they_do_and_fold(sit: Sitting) -> None:
    (sit.machine.project / "a.txt").write_text("old\n")
    screen = sit(turns=TOOLS, rows=45)
    screen.type("go")
    screen.press("Enter")
    shown = screen.wait("All done.")
    assert "I wonder." in shown and "Let me look." in shown
    assert "read a.txt" in shown and "$ seq 1 40" in shown
    assert re.search(r"- +old", shown) and re.search(r"\+ +new", shown)
    assert "\n   3\n" not in shown and "   40" in shown
    screen.press("C-o")
    assert "   12" in screen.wait("   12")
    screen.press("C-t")
    screen.wait_gone("I wonder.")


def test_what_is_said_meanwhile_is_heard(sit: Sitting) -> None:
    slow = {"blocks": [{"text": "one two three four", "piece": 1}], "delay": 0.15}
    screen = sit(turns=[slow, HI])
    screen.type("begin")
    screen.press("Enter")
    screen.wait("one")
    screen.type("and this")
    screen.press("Enter")
    screen.wait("Steering: and this")
    screen.type("later that")
    screen.press("M-Enter")
    screen.wait("Follow-up: later that")
    screen.wait_gone("Follow-up: later that")
    screen.wait("❯ later that")
    assert sit.script is not None
    screen.wait_until(lambda _: len(sit.script.bodies) == 3, "three requests")  # type: ignore[union-attr]


def test_escape_stops_and_gives_back_what_waited(sit: Sitting) -> None:
    stuck = {"blocks": [{"text": "thinking aloud"}], "hang": 3}
    screen = sit(turns=[stuck, HI])
    screen.type("begin")
    screen.press("Enter")
    screen.wait("Working")
    screen.type("my next words")
    screen.press("Enter")
    screen.wait("Steering: my next words")
    screen.press("Escape")
    screen.wait("Stopped")
    shown = screen.wait_gone("Steering: my next words")
    assert "my next words" in shown
    assert sit.machine.messages()[-1]["stopReason"] == "aborted"
    screen.press("Enter")
    screen.wait("Hello from the model.")


def test_shell_lines_are_run_and_kept(sit: Sitting) -> None:
    screen = sit()
    screen.type("!echo for the model")
    screen.press("Enter")
    screen.wait("\n   for the model")
    screen.type("!!echo for me")
    screen.press("Enter")
    screen.wait("\n   for me")
    screen.type("what did I run?")
    screen.press("Enter")
    screen.wait("Hello from the model.")
    assert sit.script is not None
    asked = str(sit.script.bodies[-1]["messages"])
    assert "echo for the model" in asked and "echo for me" not in asked


def test_a_failure_is_told_and_the_words_are_not_lost(sit: Sitting) -> None:
    refused = {"status": 400, "body": {"error": {"message": "no such thing"}}}
    screen = sit(turns=[refused])
    screen.type("hello")
    screen.press("Enter")
    screen.wait("no such thing")


def test_a_pasted_text_is_not_sent_by_its_newlines(sit: Sitting) -> None:
    screen = sit()
    screen.paste("first line\nsecond line")
    screen.wait("second line")
    screen.paste("\n".join(f"row {n}" for n in range(30)))
    screen.wait("[paste #1")
    screen.press("Enter")
    screen.wait("Hello from the model.")
    (user,) = [m for m in sit.machine.messages() if m["role"] == "user"]
    text = user["content"][0]["text"]
    assert "first line\nsecond line" in text and "row 29" in text


def test_files_are_completed(sit: Sitting) -> None:
    (sit.machine.project / "src").mkdir()
    (sit.machine.project / "src" / "unusual_name.py").write_text("")
    screen = sit()
    screen.type("look at @unus")
    screen.wait("unusual_name.py")
    screen.press("Tab")
    screen.wait("@src/unusual_name.py")


@pytest.mark.parametrize("columns", [20, 40, 120])
def test_any_width_will_do(sit: Sitting, columns: int) -> None:
    screen = sit(turns=TOOLS, columns=columns, ready="────")
    screen.type("go")
    screen.press("Enter")
    screen.wait("All done.")
    screen.resize(60, 20)
    screen.wait("All done.")
    screen.resize(33, 12)
    screen.type("still there")
    screen.wait("still there")


def test_without_colour(sit: Sitting) -> None:
    screen = sit(turns=TOOLS, NO_COLOR="1", rows=45)
    screen.type("go")
    screen.press("Enter")
    screen.wait("All done.")
    assert not re.search(r"\x1b\[(3|4|9|10)[0-8]", screen.text(styles=True))


def test_output_cannot_take_over_the_terminal(sit: Sitting) -> None:
    hostile = "\x1b[2J\x1b[1;1Hgone\x1b]0;owned\x07\x1b[?1049h\x9b31m and \x1bc after"
    screen = sit(turns=[{"blocks": [{"text": hostile}]}])
    screen.type("go")
    screen.press("Enter")
    shown = screen.wait("after")
    assert "❯ go" in shown and "pi 0" in shown


def test_the_earlier_conversation_comes_back(sit: Sitting) -> None:
    sit.serve()
    assert sit.script is not None
    sit.script.run("-p", "the first question")
    screen = sit("-c")
    shown = screen.text()
    assert "❯ the first question" in shown and "Hello from the model." in shown
    screen.type("the second")
    screen.press("Enter")
    screen.wait("↑20")
    assert len(sit.machine.messages()) == 5
    assert len(sit.machine.sessions()) == 1


def test_what_left_the_context_is_still_to_be_read(sit: Sitting) -> None:
    """On a resume and on another branch: attempts that failed, what edits took out or changed."""
    turns = [{"status": 529, "body": {"error": {"message": "much too busy"}}}, HI]
    screen = sit(turns=turns)
    screen.type("a question")
    screen.press("Enter")
    screen.wait("Hello from the model.")
    screen.press("C-d")
    assert screen.wait_end() == 0
    path = sit.machine.session()
    last = sit.machine.entries()[-1]
    lines: list[Any] = []

    def add(kind: str, **fields: Any) -> str:
        known, parent = f"{len(lines):08x}", lines[-1] if lines else last
        time = "2026-11-23T18:36:05.000Z"
        rest = {"id": known, "parentId": parent["id"], "timestamp": time, **fields}
        lines.append({"type": kind, **rest})
        return known

    def say(role: str, text: str, **fields: Any) -> str:
        content = [{"type": "text", "text": text}]
        known = {**last["message"]} if role == "assistant" else {"timestamp": 0}
        return add("message", message={**known, "role": role, "content": content, **fields})

    def edited(target: str, replacement: Any) -> None:
        add("context_edit", targetId=target, replacement=replacement)

    edited(say("user", "withdrawn question"), None)
    edited(say("assistant", "a cut answ", stopReason="length"), None)
    edited(say("user", "first wording"), {"content": "second wording"})
    kept = say("user", "kept question")
    edited(say("assistant", "an answer that overflowed"), None)
    add("compaction", summary="All of it.", firstKeptEntryId=kept, tokensBefore=5000)
    with path.open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines[:-1])
    again = sit("-c", rows=50, ready="an answer that overflowed")
    shown = again.text()
    wanted = [
        *("❯ a question", "✗ 529 much too busy", "Hello from the model.", "❯ withdrawn question"),
        *("a cut answ", "The answer was cut", "❯ first wording", "❯ kept question"),
        "an answer that overflowed",
    ]
    places = [shown.find(text) for text in wanted]
    assert -1 not in places and places == sorted(places), shown
    assert "second wording" not in shown
    again.press("C-d")
    assert again.wait_end() == 0
    with path.open("a") as file:
        file.write(json.dumps(lines[-1]) + "\n")
    compacted = sit("-c", rows=50, ready="an answer that overflowed")
    shown = compacted.text()
    assert "first wording" not in shown and "5,000 tokens" in shown
    assert shown.index("❯ kept question") < shown.index("an answer that overflowed")
    # To a place before the compaction, and all is there again.
    compacted.type("/tree")
    compacted.press("Enter")
    compacted.wait("→ • [compaction")
    compacted.press("Up")
    compacted.wait("→ • assistant: an answer that overflowed")
    compacted.press("Enter")
    compacted.wait("No summary")
    compacted.press("Enter")
    shown = compacted.wait("❯ first wording")
    assert "5,000 tokens" not in shown and "an answer that overflowed" in shown


def test_words_on_the_command_line_are_sent(sit: Sitting) -> None:
    screen = sit("say hello", ready="Hello from the model.")
    assert "❯ say hello" in screen.text()


def test_a_terminal_that_goes_away_ends_it_in_order(sit: Sitting) -> None:
    stuck = {"blocks": [{"text": "so far"}], "hang": 3}
    screen = sit(turns=[stuck])
    screen.type("begin")
    screen.press("Enter")
    screen.wait("Working")
    os.kill(screen.pid, signal.SIGTERM)
    assert screen.wait_end() == 143
    assert sit.machine.messages()[-1]["stopReason"] == "aborted"
    assert "pi --session" in screen.text(scrollback=True)


def test_nothing_is_done_while_nothing_happens(sit: Sitting) -> None:
    screen = sit()
    stat = f"/proc/{screen.pid}/stat"

    def spent() -> int:
        with open(stat) as file:
            fields = file.read().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    time.sleep(2)  # what is loaded after the first frame
    before = spent()
    time.sleep(2)
    assert spent() - before <= 10  # hundredths of a second


def test_suspended_and_woken(sit: Sitting) -> None:
    screen = sit()
    screen.type("half a sent")
    screen.wait("half a sent")
    screen.resize(70, 25)
    screen.type("ence")
    screen.wait("half a sentence")
