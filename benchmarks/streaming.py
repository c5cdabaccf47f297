"""One run for bench_screen.py, in a process of its own so that its memory can be told.

python -m benchmarks.streaming DELTAS SESSION MODE

Draws an answer of so many deltas, 20 to a frame, after a session of so many messages, on a terminal
of 120 × 40 that takes everything and shows nothing. Prints JSON: seconds of CPU in all and in the
slowest frame, frames, bytes written, peak memory.
"""

import json
import random
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.data import WORDS
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.screen import Frame, Screen
from pi.modes.interactive.transcript import Look, Transcript
from pi.resources.themes import builtin_theme

__all__ = ["PER_FRAME", "answer", "session", "stream"]

PER_FRAME = 20
"""Deltas between two frames: 600 a second at 30 frames."""


class Size(NamedTuple):
    rows: int = 40
    columns: int = 120


class Sink:
    """A terminal that counts."""

    def __init__(self) -> None:
        self.written = 0

    def write_raw(self, data: str) -> None:
        self.written += len(data.encode())

    def flush(self) -> None:
        pass

    def get_size(self) -> Size:
        return Size()


class Prompt:
    """An editor and a footer."""

    height = 3
    cursor = (1, 2)
    rows = ("─" * 120, "> ", "~/work (main)  model  12% of 200k")

    def render(self, width: int) -> tuple[str, ...]:
        return self.rows

    def invalidate(self) -> None:
        pass

    def handle(self, key: object) -> bool:
        return False


def answer(deltas: int) -> Iterator[str]:
    """Paragraphs, lists and code, a word a delta."""
    dice = random.Random(deltas)
    for number in range(deltas):
        word = dice.choice(WORDS)
        match number % 400:
            case 0:
                yield f"\n\n## {word}\n\n"
            case 150 | 170 | 190:
                yield f"\n- {word} "
            case 210:
                yield "\n\n```python\n"
            case place if 210 < place < 280:
                yield f"{word} = {number}\n" if place % 5 else "    "
            case 280:
                yield "```\n\n"
            case place:
                yield f"**{word}** " if place % 40 == 1 else f"{word} "


def session(messages: int) -> list[Any]:
    """A conversation: prompts, answers with a tool call, results."""
    text = "".join(answer(150))
    found: list[Any] = []
    for number in range(messages // 3):
        call = {
            "type": "toolCall",
            "id": str(number),
            "name": "bash",
            "arguments": {"command": "ls"},
        }
        found += [
            {"role": "user", "content": f"Question {number}", "timestamp": 0},
            {
                "role": "assistant",
                "content": [{"type": "text", "text": text}, call],
                "stopReason": "toolUse",
                "timestamp": 0,
            },
            {
                "role": "toolResult",
                "toolCallId": str(number),
                "toolName": "bash",
                "content": [{"type": "text", "text": "a line of output\n" * 12}],
                "isError": False,
                "timestamp": 0,
            },
        ]
    return found


def stream(deltas: int, messages: int, mode: Any) -> dict[str, Any]:
    sink = Sink()
    theme = Theme.of(builtin_theme("dark"))
    screen, prompt, transcript = Screen(sink, theme, mode), Prompt(), Transcript(Look(theme))
    transcript.load(session(messages))
    frame = Frame(transcript.components, [prompt], prompt)
    screen.draw(frame)
    at = {"contentIndex": 0}

    def update(event: dict[str, Any]) -> None:
        transcript.handle({"type": "message_update", "assistantMessageEvent": event}, 0.0)  # type: ignore[typeddict-item]

    pieces = list(answer(deltas))
    started, worst, frames = time.process_time(), 0.0, 0
    update({"type": "text_start", **at})
    for first in range(0, deltas, PER_FRAME):
        for piece in pieces[first : first + PER_FRAME]:
            update({"type": "text_delta", **at, "delta": piece})
        before = time.process_time()
        screen.draw(frame)
        worst, frames = max(worst, time.process_time() - before), frames + 1
    update({"type": "text_end", **at, "content": "".join(pieces)})
    screen.draw(frame)
    return {
        "seconds": time.process_time() - started,
        "worst": worst,
        "frames": frames,
        "written": sink.written,
        "peak": _peak(),
    }


def _peak() -> int:
    """Bytes that were resident at most, of this program.

    Linux hands a started program the peak of the process that started it, in getrusage only.
    """
    status = Path("/proc/self/status")
    if status.exists():
        told = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(told.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    print(json.dumps(stream(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])))
