"""What a session adds up to: messages, tokens, cost, models, branches. Reads all of it once."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pi.session.history import History
from pi.session.index.scan import text_of
from pi.session.reader import decode

__all__ = ["Spent", "Statistics", "Tokens", "measure"]

_SPENT = ("input", "output", "cacheRead", "cacheWrite")


@dataclass(slots=True)
class Tokens:
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output + self.cache_read + self.cache_write


@dataclass(slots=True)
class Spent:
    """cost: US dollars."""

    tokens: int = 0
    cost: float = 0.0


@dataclass(slots=True)
class Statistics:
    """Of all branches together.

    tokens, cost: of answers, of tools that report usage, of compactions and branch summaries, and
    of usage entries. cost: US dollars. models: "provider/model" and how many answers it gave.
    spent: the same by the model that answered, "" for what no model is named for.
    branches: entries that nothing follows. first, last: what the user or the assistant said, with
    its role; None where nobody said anything.
    """

    entries: int = 0
    users: int = 0
    assistants: int = 0
    tool_calls: int = 0
    tool_results: int = 0
    messages: int = 0
    compactions: int = 0
    tokens: Tokens = field(default_factory=Tokens)
    cost: float = 0.0
    models: Counter[str] = field(default_factory=Counter)
    spent: dict[str, Spent] = field(default_factory=dict)
    branches: int = 0
    labels: int = 0
    first: tuple[str, str] | None = None
    last: tuple[str, str] | None = None


def measure(history: History) -> Statistics:
    index = history.index()
    counted = Statistics(entries=len(index))
    counted.branches = len(index) - len({index.parent(row) for row in range(len(index))} - {None})
    for row in range(len(index)):
        kind = index.type(row)
        if kind not in _TELLING:
            continue
        start, end = index.span(row)
        line = history.source.read(start, end)
        if kind == "message" and b'"toolResult"' in line and b'"usage"' not in line:
            # A decoder would spend most of its time on these; what counts is that they are there.
            entry: Any = _peek(line)
        else:
            entry = decode(line)
        if entry is not None:
            _count(counted, kind, entry)
    return counted


_TELLING = frozenset({"message", "compaction", "branch_summary", "usage", "label"})
_TOOL_RESULT: dict[str, Any] = {"message": {"role": "toolResult"}}


def _peek(line: bytes) -> Any:
    head = line[:512]
    return _TOOL_RESULT if b'"message":{"role":"toolResult"' in head else decode(line)


def _count(counted: Statistics, kind: str, entry: dict[str, Any]) -> None:
    if kind != "message":
        counted.compactions += kind == "compaction"
        counted.labels += kind == "label"
        named = ""
        if kind == "usage" and isinstance(entry.get("model"), str):
            named = f"{entry.get('provider', '?')}/{entry['model']}"
        _spend(counted, entry.get("usage"), named)
        return
    message = entry.get("message")
    if not isinstance(message, dict):
        return
    counted.messages += 1
    role = message.get("role")
    named = ""
    if role == "assistant":
        answered = message.get("responseModel") or message.get("model", "?")
        named = f"{message.get('provider', '?')}/{answered}"
    _spend(counted, message.get("usage"), named)
    if role == "toolResult":
        counted.tool_results += 1
    if role not in ("user", "assistant"):
        return
    if role == "user":
        counted.users += 1
    else:
        counted.assistants += 1
        counted.models[f"{message.get('provider', '?')}/{message.get('model', '?')}"] += 1
        content = message.get("content")
        if isinstance(content, list):
            counted.tool_calls += sum(
                isinstance(block, dict) and block.get("type") == "toolCall" for block in content
            )
    if (text := text_of(message)).strip():
        counted.last = (role, text)
        if counted.first is None:
            counted.first = counted.last


def _spend(counted: Statistics, usage: Any, named: str = "") -> None:
    """A damaged record may hold anything: what is no number counts nothing."""
    if not isinstance(usage, dict):
        return
    tokens = counted.tokens
    values = [usage.get(key) for key in _SPENT]
    spent = [value if isinstance(value, int | float) else 0 for value in values]
    tokens.input += int(spent[0])
    tokens.output += int(spent[1])
    tokens.cache_read += int(spent[2])
    tokens.cache_write += int(spent[3])
    cost = usage.get("cost")
    total = cost.get("total") if isinstance(cost, dict) else None
    total = total if isinstance(total, int | float) else 0
    counted.cost += total
    if total or any(spent):
        by_model = counted.spent.setdefault(named, Spent())
        by_model.tokens += int(sum(spent))
        by_model.cost += total
