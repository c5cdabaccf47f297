"""Plans as text, and commands that only read."""

import re
import shlex
from dataclasses import dataclass, field

__all__ = ["Plan", "is_harmless", "read_plan"]

_STEP = re.compile(r"^\s*(\d+)[.)]\s+(.+?)\s*$", re.MULTILINE)
_DONE = re.compile(r"\[done\s+(\d+)\]", re.IGNORECASE)
_READING = frozenset(
    [
        "cat",
        "head",
        "tail",
        "less",
        "wc",
        "ls",
        "pwd",
        "find",
        "grep",
        "rg",
        "fd",
        "tree",
        "file",
        "stat",
        "du",
        "df",
        "echo",
        "which",
        "env",
        "date",
    ]
)
_GIT_READING = frozenset(["status", "log", "diff", "show", "branch", "remote", "blame", "ls-files"])


@dataclass
class Plan:
    """done: numbers of steps, from 1."""

    steps: list[str] = field(default_factory=list)
    done: list[int] = field(default_factory=list)

    def tick(self, text: str) -> bool:
        """Mark the steps that a text says are done; whether there was one."""
        found = [int(n) for n in _DONE.findall(text) if 0 < int(n) <= len(self.steps)]
        new = [n for n in dict.fromkeys(found) if n not in self.done]
        self.done += new
        return bool(new)

    def progress(self) -> str | None:
        return f"plan: {len(self.done)}/{len(self.steps)}" if self.steps else None

    def lines(self) -> list[str]:
        return [
            f"{'☑' if number in self.done else '☐'} {number}. {step}"
            for number, step in enumerate(self.steps, 1)
        ]


def read_plan(text: str) -> Plan | None:
    """The numbered list after a line that says "Plan:"."""
    steps = [step for _, step in _STEP.findall(text.partition("Plan:")[2])]
    return Plan(steps) if steps else None


def is_harmless(command: str) -> bool:
    """Whether a command line can only read: plain programs from a list, joined by pipes and &&."""
    if re.search(r"[<>`\n;]|\$\(|\|\|?\s*$|(?<!&)&(?!&)", command):
        return False
    for part in re.split(r"\|\||\||&&", command):
        try:
            words = shlex.split(part)
        except ValueError:
            return False
        if not words:
            return False
        if words[0] == "git":
            if len(words) < 2 or words[1] not in _GIT_READING:
                return False
        elif words[0] == "find":
            if any(word.startswith(("-exec", "-delete", "-ok", "-fprint")) for word in words):
                return False
        elif words[0] not in _READING:
            return False
    return True
