"""The transcript: how its parts look, and that live and resumed conversations look the same."""

import os
from pathlib import Path
from typing import Any

import pytest

from pi.modes.interactive.cells import plain, width
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.screen import Frame, Screen
from pi.modes.interactive.transcript import Look, Transcript
from pi.modes.interactive.transcript.arguments import peek, peek_tail
from pi.modes.interactive.transcript.diffs import diff_rows
from pi.resources.themes import builtin_theme

from .story import CWD, MESSAGES, events
from .terminal import Bottom, Terminal

GOLDEN = Path(__file__).with_name("golden")
THEME = Theme.of(builtin_theme("dark"))


def look(**options: Any) -> Look:
    return Look(THEME, cwd=Path(CWD), **options)


def resumed(**options: Any) -> Transcript:
    transcript = Transcript(look(**options))
    transcript.load(MESSAGES)
    return transcript


def rows(transcript: Transcript, columns: int = 80) -> list[str]:
    return [row for component in transcript.components for row in component.render(columns)]


def text(transcript: Transcript, columns: int = 80) -> str:
    return "\n".join(plain(row).rstrip() for row in rows(transcript, columns)) + "\n"


def update(event: dict[str, Any]) -> Any:
    return {"type": "message_update", "usage": {}, "assistantMessageEvent": event}


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("expanded", [False, True], ids=["folded", "expanded"])
def test_golden_screens(columns: int, expanded: bool) -> None:
    """WRITE_GOLDEN=1 writes them anew: look at what has changed before you keep it."""
    transcript = resumed(expanded=expanded)
    drawn = text(transcript, columns)
    file = GOLDEN / f"transcript-{columns}{'-expanded' if expanded else ''}.txt"
    if os.environ.get("WRITE_GOLDEN"):
        file.write_text(drawn, encoding="utf-8")
    assert drawn == file.read_text(encoding="utf-8")
    for row in rows(transcript, columns):
        assert width(row) <= columns


def test_golden_screen_in_colour() -> None:
    drawn = "\n".join(row.replace("\x1b", "^[") for row in rows(resumed(), 80)) + "\n"
    file = GOLDEN / "transcript-80-colour.txt"
    if os.environ.get("WRITE_GOLDEN"):
        file.write_text(drawn, encoding="utf-8")
    assert drawn == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("columns", [20, 33])
def test_narrow_terminals(columns: int) -> None:
    for expanded in (False, True):
        assert all(width(row) <= columns for row in rows(resumed(expanded=expanded), columns))


def test_without_colour_a_sign_says_the_state() -> None:
    drawn = text(resumed())
    assert "✓ read" in drawn
    assert "✗ $ python -m pytest" in drawn
    transcript = Transcript(Look(Theme.of(builtin_theme("dark"), "none")))
    transcript.load(MESSAGES)
    assert "\x1b[3" not in "".join(rows(transcript)).replace("\x1b[3m", "")


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_live_and_resumed_look_the_same(size: int) -> None:
    transcript = Transcript(look())
    for at, event in enumerate(events(size)):
        transcript.handle(event, 0.0)  # type: ignore[arg-type]
        if at % 5 == 0:
            rows(transcript)
    assert text(transcript) == text(resumed())
    assert all(getattr(each, "settled_rows", None) is None for each in transcript.components)


@pytest.mark.parametrize("columns", [40, 100])
def test_live_through_a_terminal_nothing_is_lost_or_doubled(columns: int) -> None:
    terminal = Terminal(columns, 12)
    screen, bottom = Screen(terminal, THEME), Bottom(["> "])
    transcript = Transcript(look())
    for event in events(5):
        transcript.handle(event, 0.0)  # type: ignore[arg-type]
        screen.draw(Frame(transcript.components, [bottom], bottom))
    assert "\n".join(terminal.text()[:-1]) == text(transcript, columns).rstrip("\n")


def test_thinking_is_folded_and_shown_again() -> None:
    transcript = resumed(thinking_hidden=True)
    assert "I should look" not in text(transcript)
    assert "Thought (ctrl+t)" in text(transcript)
    transcript.set_thinking_hidden(False)
    assert "I should look at the reader first" in text(transcript)


def test_expanding_and_folding_again() -> None:
    transcript = resumed()
    folded = text(transcript)
    transcript.set_expanded(True)
    assert "line 79" in text(transcript)
    transcript.set_expanded(False)
    assert text(transcript) == folded


def test_another_theme_changes_colours_and_nothing_else() -> None:
    transcript = resumed()
    before, colored = text(transcript), rows(transcript)
    transcript.set_theme(Theme.of(builtin_theme("light")))
    assert text(transcript) == before
    assert rows(transcript) != colored


def test_arguments_are_shown_while_they_arrive() -> None:
    transcript = Transcript(look())
    transcript.handle(
        update({"type": "toolcall_start", "contentIndex": 0, "id": "c", "toolName": "write"}), 0
    )
    for piece in (
        '{"path": "a',
        '.txt", "content": "one\\ntw',
        "o\\nthree\\nfour\\nfive\\nsix\\nse",
    ):
        transcript.handle(update({"type": "toolcall_delta", "contentIndex": 0, "delta": piece}), 0)
    assert text(transcript).splitlines() == [
        "",
        " ○ write a.txt",
        "   … 7 lines so far",
        "   three",
        "   four",
        "   five",
        "   six",
        "   se",
    ]
    assert transcript.components[0].settled_rows == 0  # type: ignore[attr-defined]


def test_live_output_with_its_time_and_the_end() -> None:
    transcript = Transcript(look())
    call = {"toolCallId": "c", "toolName": "bash", "args": {"command": "make\nmake check"}}
    transcript.handle({"type": "tool_execution_start", **call}, 10.0)  # type: ignore[arg-type]
    partial = {"content": [{"type": "text", "text": "\n".join(f"out {n}" for n in range(9))}]}
    transcript.handle({"type": "tool_execution_update", **call, "partialResult": partial}, 10.5)  # type: ignore[arg-type]
    assert not transcript.tick(11.0)
    assert transcript.tick(75.0)
    assert not transcript.tick(75.5)
    assert text(transcript).splitlines() == [
        "",
        " ● $ make  1 min 5 s",
        "     make check",
        "   … 4 earlier lines (ctrl+o)",
        *(f"   out {n}" for n in range(4, 9)),
    ]
    transcript.handle({"type": "agent_settled", "aborted": True}, 80.0)
    assert text(transcript).splitlines()[1] == " ■ $ make  1 min 5 s"


def test_retries_and_compaction_are_told_and_vanish_when_they_succeed() -> None:
    transcript = Transcript(look())
    retry = {"attempt": 1, "maxAttempts": 3, "delayMs": 2000, "errorMessage": "busy"}
    transcript.handle({"type": "auto_retry_start", **retry}, 0)  # type: ignore[arg-type]
    assert "Trying again in 2 s (1 of 3)" in text(transcript)
    transcript.handle({"type": "auto_retry_end", "success": True, "attempt": 1}, 0)
    assert text(transcript) == "\n"
    transcript.handle({"type": "compaction_start", "reason": "manual"}, 0)
    assert "Compacting" in text(transcript)
    result = {"summary": "All done.", "tokensBefore": 9_000}
    transcript.handle(
        {
            "type": "compaction_end",
            "reason": "manual",
            "aborted": False,
            "willRetry": False,
            "result": result,
        },  # type: ignore[arg-type]
        0,
    )
    assert text(transcript) == "\n ◇ Compacted: 9,000 tokens became a summary (ctrl+o)\n"
    transcript.handle({"type": "auto_retry_start", **retry}, 0)  # type: ignore[arg-type]
    transcript.handle({"type": "auto_retry_end", "success": False, "attempt": 3}, 0)
    assert "Gave up after 3 attempts" in text(transcript)


def test_a_shell_command_of_the_person() -> None:
    transcript = Transcript(look())
    block = transcript.shell("sleep 1", excluded=True)
    block.output("one\n")
    block.output("two\n")
    assert text(transcript).splitlines() == ["", " !! sleep 1", "   one", "   two", "   running …"]
    block.finish(
        {
            "role": "bashExecution",
            "command": "sleep 1",
            "output": "one\ntwo\n",
            "cancelled": False,
            "truncated": False,
            "exitCode": 3,
            "timestamp": 0,
        }
    )
    assert text(transcript).splitlines()[-1] == "   exit code 3"


def test_skills_are_folded() -> None:
    transcript = Transcript(look())
    skill = '<skill name="pdf" location="/s/SKILL.md">\nHow to read a PDF.\n</skill>\n\nread a.pdf'
    transcript.load([{"role": "user", "content": skill, "timestamp": 0}])
    assert text(transcript) == "\n ❯ skill pdf (ctrl+o)\n   read a.pdf\n"
    transcript.set_expanded(True)
    assert "How to read a PDF." in text(transcript)


def test_an_edit_that_failed_has_changed_nothing() -> None:
    """Its counts are of what was to be."""
    transcript = Transcript(look())
    arguments = {"path": "a.py", "edits": [{"oldText": "one", "newText": "two"}]}
    call = {"type": "toolCall", "id": "c1", "name": "edit", "arguments": arguments}
    answer = {"role": "assistant", "content": [call], "stopReason": "toolUse"}
    result = {"role": "toolResult", "toolCallId": "c1", "toolName": "edit", "isError": True}
    refused = [{"type": "text", "text": "It is not there."}]
    transcript.handle({"type": "message_end", "message": answer}, 0)  # type: ignore[typeddict-item]
    assert "+1 -1" in text(transcript)
    transcript.clear()
    transcript.load([answer, {**result, "content": refused}])  # type: ignore[list-item]
    assert "✗ edit a.py\n" in text(transcript)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"path": 7},
        {"path": None, "offset": "x", "limit": []},
        {"command": ["ls"], "timeout": "soon"},
        {"edits": "no list"},
        {"edits": [1, {"oldText": 2}]},
        {"content": 7, "path": "x" * 500},
        {"pattern": {"a": "\x1b[2J"}, "path": "\x1b]0;t\x07"},
        "not even an object",
    ],
)
@pytest.mark.parametrize(
    "name", ["read", "bash", "edit", "write", "grep", "find", "ls", "un\x1b[2Jknown"]
)
def test_any_arguments_and_results_are_drawn(name: str, arguments: Any) -> None:
    for content in (
        None,
        [],
        [{"type": "text", "text": "a\x1b[2J\rb\tc\n\n"}],
        [{"type": "image"}],
    ):
        for failed in (False, True):
            transcript = Transcript(look())
            call = {"toolCallId": "c", "toolName": name, "args": arguments}
            transcript.handle({"type": "tool_execution_start", **call}, 0)  # type: ignore[arg-type]
            rows(transcript, 40)
            result = {"content": content or [], "details": {"diff": 7}}
            transcript.handle(
                {"type": "tool_execution_end", **call, "result": result, "isError": failed},  # type: ignore[arg-type]
                0,
            )
            for expanded in (False, True):
                transcript.set_expanded(expanded)
                for row in rows(transcript, 40):
                    assert "\x1b[2J" not in row
                    assert "\x1b]0" not in row
                    assert width(row) <= 40


def test_ten_thousand_lines_folded_and_expanded() -> None:
    transcript = Transcript(look())
    call = {"toolCallId": "c", "toolName": "bash", "args": {"command": "seq"}}
    output = "\n".join(f"line {n}" for n in range(10_000))
    result = {"content": [{"type": "text", "text": output}]}
    transcript.handle({"type": "tool_execution_start", **call}, 0)  # type: ignore[arg-type]
    transcript.handle({"type": "tool_execution_end", **call, "result": result, "isError": False}, 0)  # type: ignore[arg-type]
    assert len(rows(transcript)) == 8
    transcript.set_expanded(True)
    assert len(rows(transcript)) == 10_002


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", {}),
        ('{"pa', {}),
        ('{"path": "', {"path": ""}),
        ('{"path": "a/b', {"path": "a/b"}),
        ('{"path": "a\\', {"path": "a"}),
        ('{"path": "a\\u00', {"path": "a"}),
        ('{"path": "a\\u00e9 \\"q\\"", "n": 12', {"path": 'aé "q"'}),
        ('{"path": "x", "limit": 12}', {"path": "x", "limit": 12}),
        ('{"content": "{\\"path\\": 1}", "path":"p"}', {"path": "p"}),
    ],
)
def test_peeking_at_arguments(written: str, expected: dict[str, Any]) -> None:
    assert peek(written, ("path", "limit")) == expected


def test_peeking_at_the_end_of_a_long_argument() -> None:
    assert peek_tail('{"path": "x"', "content", 2) is None
    assert peek_tail('{"content": "a\\nb\\nc', "content", 2) == (["b", "c"], 3)
    assert peek_tail('{"content": "a\\nb\\nc", "path": "x"}', "content", 2) == (["b", "c"], 3)
    long = '{"content": "' + "line\\n" * 100_000
    assert peek_tail(long, "content", 2) == (["line", ""], 100_001)


def test_a_changed_word_is_marked_and_long_lines_go_on() -> None:
    drawn = diff_rows(["-1 the old word", "+1 the new word", " 2 same"], 40, THEME)
    assert [plain(row) for row in drawn] == ["1 - the old word", "1 + the new word", "2   same"]
    assert "\x1b[1mold" in drawn[0]
    assert "\x1b[1mthe" not in drawn[0]
    wrapped = diff_rows([f"+1 {'word ' * 12}".rstrip()], 30, THEME)
    assert [plain(row) for row in wrapped] == [
        "1 + word word word word word",
        "    word word word word word",
        "    word word",
    ]


def test_thousands_of_calls_in_a_row_have_no_blank_rows_between_them() -> None:
    transcript = Transcript(look())
    for number in range(3_000):
        call = {"toolCallId": f"c{number}", "toolName": "read", "args": {"path": "a"}}
        transcript.handle({"type": "tool_execution_start", **call}, 0)  # type: ignore[arg-type]
    last = transcript.components[-1]
    assert [plain(row).rstrip() for row in last.render(40)] == [" ● read a"]
    assert len(rows(transcript, 40)) == 3_001
    # What gets a second row stands apart from then on.
    transcript.handle(
        {
            "type": "tool_execution_end",
            "toolCallId": "c2998",
            "toolName": "read",
            "result": {"content": [{"type": "text", "text": "no such file"}]},
            "isError": True,
        },
        0,
    )
    drawn = [plain(row).rstrip() for row in rows(transcript, 40)]
    assert drawn[-6:] == [" ● read a", "", " ✗ read a", "   no such file", "", " ● read a"]


def test_what_stands_for_folded_thinking_can_be_said_otherwise() -> None:
    shown = text(resumed(thinking_hidden=True, thinking_label="Hm."))
    assert "Hm." in shown and "Thought (" not in shown


def test_calls_that_a_tool_makes_have_no_rows_of_their_own() -> None:
    """As in a session that is resumed: whoever makes them shows them."""
    transcript = Transcript(look())
    outer = {"toolCallId": "c", "toolName": "outer", "args": {}}
    inner = {"toolCallId": "c/1", "toolName": "bash", "args": {}, "parentToolCallId": "c"}
    done = {"result": {"content": [{"type": "text", "text": "inner"}]}, "isError": False}
    transcript.handle({"type": "tool_execution_start", **outer}, 0)  # type: ignore[arg-type]
    before = text(transcript)
    transcript.handle({"type": "tool_execution_start", **inner}, 0)  # type: ignore[arg-type]
    transcript.handle({"type": "tool_execution_end", **inner, **done}, 0)  # type: ignore[arg-type]
    assert text(transcript) == before
    assert "outer" in before
