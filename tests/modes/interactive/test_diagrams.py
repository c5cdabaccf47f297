"""Mermaid diagrams: which are drawn, when, and what stays code."""

import asyncio
from typing import Any

import pytest

from pi.modes.interactive import diagrams
from pi.modes.interactive.cells import plain, width
from pi.modes.interactive.transcript import Look, Transcript

from .test_transcript import THEME, rows, text, update

FLOW = "graph LR\n  A[Start] --> B{ok?}\n  B -->|yes| C[漢字]"


def fenced(source: str) -> str:
    return f"```mermaid\n{source}\n```"


def answered(source: str, columns: int = 80, **options: Any) -> str:
    transcript = Transcript(Look(THEME, **{"diagrams": "streaming", **options}))
    content = [{"type": "text", "text": source}]
    transcript.load(
        [{"role": "assistant", "content": content, "stopReason": "stop", "timestamp": 0}]  # type: ignore[list-item]
    )
    for row in rows(transcript, columns):
        assert width(row) <= columns
    return text(transcript, columns)


@pytest.mark.parametrize(
    ("source", "pieces"),
    [
        (FLOW, ["│ Start ├", "ok?", "yes", "│ 漢字 │"]),
        ("flowchart TD\n A --> B\n A --> C", ["│ B │", "│ C │"]),
        ("sequenceDiagram\n Ann->>Bob: hello", ["│ Ann │", "│ Bob │", "hello", "►"]),
        ("classDiagram\n Animal <|-- Duck\n Animal : +int age", ["Animal", "Duck", "+int age"]),
        ("stateDiagram-v2\n [*] --> Still\n Still --> [*]", ["│ Still │", "●"]),
        ("erDiagram\n CUSTOMER ||--o{ ORDER : places", ["CUSTOMER", "ORDER", "places"]),
        ('pie title Pets\n "Dogs" : 3\n "Cats" : 1', ["Pets", "Dogs", "75"]),
        ("mindmap\n root((x))\n  A\n  B", ["A", "B"]),
        ("gantt\n title Plan\n section One\n Task :a1, 2024-01-01, 3d", ["Plan", "Task"]),
    ],
)
def test_kinds(source: str, pieces: list[str]) -> None:
    drawn = answered(f"Look:\n\n{fenced(source)}\n\nDone.")
    for piece in ("Look:", *pieces, "Done."):
        assert piece in drawn
    assert "```" not in drawn
    assert source.split("\n")[0] not in drawn.splitlines()


@pytest.mark.parametrize(
    "source",
    [
        "",
        "hello world",
        "graph LR\n A -->",
        "graph LR\n" + "\n".join(f" A --> B{n}" for n in range(40)),
        "sequenceDiagram\n" + "\n".join(f" A->>B: {n}" for n in range(90)),
        "graph LR\n" + " --> ".join(f"a_long_name_{n}" for n in range(12)),
        "erDiagram\n ]]]] ||",
    ],
)
def test_what_is_not_drawn_stays_code(source: str) -> None:
    drawn = " ".join(answered(fenced(source)).split())
    for line in source.split("\n"):
        assert line.strip() in drawn


def test_narrow_screens_have_the_code() -> None:
    assert "│ Start ├" in answered(fenced(FLOW), 60)
    assert "A[Start] --> B{ok?}" in answered(fenced(FLOW), 30)


def test_escapes_in_a_diagram_do_not_act() -> None:
    transcript = Transcript(Look(THEME, diagrams="final"))
    source = fenced('graph LR\n A["\x1b[2Jone\x1b]0;t\x07"] --> B[\u202etwo]')
    transcript.load([{"role": "user", "content": source, "timestamp": 0}])
    drawn = "".join(rows(transcript))
    assert "│ one ├" in plain(drawn)
    assert "[2J" not in drawn
    assert "\u202e" not in drawn


@pytest.mark.parametrize("place", ["user", "thinking", "custom", "summary"])
def test_where_diagrams_are_drawn(place: str) -> None:
    transcript = Transcript(Look(THEME, diagrams="streaming", expanded=True))
    source = fenced(FLOW)
    message: Any = {
        "user": {"role": "user", "content": source},
        "thinking": {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": source}],
            "stopReason": "stop",
        },
        "custom": {"role": "custom", "customType": "x", "content": source, "display": True},
        "summary": {"role": "branchSummary", "summary": source, "fromId": "x"},
    }[place]
    transcript.load([{**message, "timestamp": 0}])
    assert ("│ Start ├" in text(transcript)) == (place in ("user", "summary"))


@pytest.mark.parametrize(
    ("mode", "arriving", "whole"),
    [("off", False, False), ("final", False, True), ("streaming", True, True)],
)
def test_while_it_arrives(
    mode: Any, arriving: bool, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagrams, "REST", 0)
    transcript = Transcript(Look(THEME, diagrams=mode))
    pieces = ["```mermaid\ngraph LR\n A[Start] -->", " B\n B ", "--> C[End]\n", "```\n"]
    for piece in pieces:
        event = {"type": "text_delta", "contentIndex": 0, "delta": piece}
        transcript.handle(update(event), 0.0)
        drawn = text(transcript)
    assert ("│ Start ├" in drawn) == arriving
    end = {"type": "text_end", "contentIndex": 0, "content": "".join(pieces)}
    transcript.handle(update(end), 0.0)
    assert ("│ End │" in text(transcript)) == whole


def test_one_that_takes_long_is_code_until_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagrams, "INSTANT", 0.0)
    source = "graph LR\n " + " --> ".join(f"n{n}" for n in range(9))

    async def look() -> None:
        there = asyncio.Event()
        transcript = Transcript(Look(THEME, diagrams="final", refresh=there.set))
        content = [{"type": "text", "text": fenced(source)}]
        message: Any = {"role": "assistant", "content": content, "stopReason": "stop"}
        transcript.load([{**message, "timestamp": 0}])
        (block,) = transcript.components
        first = "\n".join(block.render(120))
        if "n0 --> n1" in first:  # it may already be done
            assert block.settled_rows == 0  # type: ignore[attr-defined]
            await there.wait()
        assert "│ n0 ├" in plain("\n".join(block.render(120)))
        assert block.settled_rows is None  # type: ignore[attr-defined]

    asyncio.run(look())
