"""The embedded demo provider: no key, no network, and no language model.

A small deterministic planner behind the ordinary provider seam, so that the whole program can be
seen at work: it calls the real tools through the ordinary agent loop and answers from what they
returned. It only ever calls tools that the conversation declares, and each kind of call at most
once after a person's message, so a run always ends.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pi.providers.assembly import Assembly
from pi.providers.base import Context, StreamOptions
from pi.providers.demo_model import DEMO_MODEL
from pi.providers.prompt import fold
from pi.wire.events import AssistantEvent
from pi.wire.jsonio import dumps
from pi.wire.messages import AgentMessage, ToolResultMessage, text_of
from pi.wire.model import Model

__all__ = ["DEMO_MODEL", "stream"]

PIECE = 24
"""Characters a delta."""

SHOWN_NAMES = 12
SHOWN_LINES = 8
LINE_WIDTH = 160

ABOUT = (
    "I am pi's demo provider: a few rules, not a language model. For real work, get an API key "
    "and name it: `export ANTHROPIC_API_KEY=…` (or OPENAI_API_KEY and others), or a server of "
    "your own in ~/.pi/agent/models.json; then `pi --list-models` shows what you can use."
)
ABILITIES = (
    "What I can do here, with pi's real tools:\n"
    "- `what is in this folder?`: list it and read its README\n"
    "- `read FILE`: show how a file begins\n"
    "- `find TEXT`: search the files below this folder"
)
_README = re.compile(r"^(readme|index)(\.(md|rst|txt|markdown))?$", re.IGNORECASE)
_READ = re.compile(r"\b(?:read|show|open|cat|print)\s+(?:me\s+)?(?:the\s+)?(?:file\s+)?(.+)", re.I)
_FIND = re.compile(r"\b(?:find|search(?:\s+for)?|grep|look\s+for)\s+(.+)", re.IGNORECASE)
_FOLDER = re.compile(
    r"\b(folder|directory|project|repo(sitory)?|files|here|ls|list|what is this)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Call:
    tool: str
    args: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Step:
    """What to say next: a thought, then calls or an answer."""

    thought: str
    calls: tuple[_Call, ...] = ()
    answer: str = ""


@dataclass(slots=True)
class _Turn:
    """The conversation since the last prompt. done: results by tool, the latest of each."""

    prompt: str
    tools: set[str]
    done: dict[str, ToolResultMessage] = field(default_factory=dict)
    args: dict[str, dict[str, Any]] = field(default_factory=dict)

    def may(self, tool: str) -> bool:
        return tool in self.tools and tool not in self.done

    def output(self, tool: str) -> str | None:
        """What a tool returned, None if it was not called or failed."""
        result = self.done.get(tool)
        if result is None or result["isError"]:
            return None
        return text_of(result["content"])


async def stream(
    model: Model, context: Context, options: StreamOptions
) -> AsyncGenerator[AssistantEvent, None]:
    """Yield `start`, deltas, then `done`."""
    assembly = Assembly(model)
    try:
        yield assembly.start()
        turn = _turn(context)
        step = _plan(turn)
        marker = f"demo_{assembly.message['timestamp']}_{len(context.messages)}"
        for event in _said(assembly, step, marker, thinking=options.thinking != "off"):
            yield event
            await asyncio.sleep(0)  # as a network would: others get their turn between pieces
        _count(assembly, context)
        yield assembly.done("toolUse" if step.calls else "stop")
    finally:
        assembly.flush()


def _said(
    assembly: Assembly, step: _Step, marker: str, *, thinking: bool
) -> Iterator[AssistantEvent]:
    """marker: begins the ids of the calls, so that no two of a conversation are alike."""
    if thinking:
        block, event = assembly.open_thinking("")
        yield event
        yield from (block.delta(piece) for piece in _pieces(step.thought))
        yield assembly.end(block)
    if step.answer:
        block, event = assembly.open_text()
        yield event
        yield from (block.delta(piece) for piece in _pieces(step.answer))
        yield assembly.end(block)
    for number, call in enumerate(step.calls, 1):
        opened, started = assembly.open_call(f"{marker}_{number}", call.tool)
        yield started
        yield from (opened.delta(piece) for piece in _pieces(dumps(call.args).decode()))
        yield assembly.end(opened)


def _pieces(text: str) -> Iterator[str]:
    for at in range(0, len(text), PIECE):
        yield text[at : at + PIECE]


def _count(assembly: Assembly, context: Context) -> None:
    """Roughly what a model would count, so that totals and meters have something to show."""
    sent = sum(len(dumps(message)) for message in context.messages)
    said = len(dumps(assembly.message["content"]))
    assembly.count(input=sent // 4 + 1, output=said // 4 + 1)


def _turn(context: Context) -> _Turn:
    messages: Sequence[AgentMessage] = context.messages
    start = max((i for i, m in enumerate(messages) if m["role"] == "user"), default=-1)
    prompt = messages[start] if start >= 0 else None
    text = text_of(prompt["content"]) if prompt is not None and prompt["role"] == "user" else ""
    turn = _Turn(text.strip(), {tool["name"] for tool in fold(messages).tools})
    for message in messages[start + 1 :]:
        if message["role"] == "toolResult":
            turn.done[message["toolName"]] = message
        elif message["role"] == "assistant":
            for block in message["content"]:
                if block["type"] == "toolCall":
                    turn.args[block["name"]] = block["arguments"]
    return turn


def _plan(turn: _Turn) -> _Step:
    line = turn.prompt.splitlines()[0] if turn.prompt else ""
    if found := _FIND.search(line):
        return _find(turn, _bare(found[1]))
    if (found := _READ.search(line)) and not _FOLDER.fullmatch(path := _path(found[1])):
        return _read(turn, path)
    if _FOLDER.search(line):
        return _folder(turn)
    return _Step("Nothing I have a rule for: say what I can do.", answer=f"{ABOUT}\n\n{ABILITIES}")


def _bare(text: str) -> str:
    """The name or text that was meant: without quotes, and without what follows a quoted one."""
    text = text.strip()
    if quoted := re.match(r"""(["'`“])(.+?)["'`”]""", text):
        return quoted[2]
    return text.rstrip(" .?!")


def _path(text: str) -> str:
    """The file that was meant: one word, or all that is quoted."""
    bare = _bare(text)
    return bare if text.strip()[:1] in "\"'`“" else bare.split()[0].rstrip(",.;:?!")


def _folder(turn: _Turn) -> _Step:
    listing = "ls" if "ls" in turn.tools else "bash"
    if turn.may(listing):
        args = {"path": "."} if listing == "ls" else {"command": "ls -a -p"}
        return _Step(
            f"A question about the folder: list it with {listing}.", (_Call(listing, args),)
        )
    names = _names(turn.output(listing))
    readme = next((name for name in names if _README.match(name)), None)
    if names and "read" not in turn.done:
        calls = []
        if readme is not None and turn.may("read"):
            calls.append(_Call("read", {"path": readme, "limit": 40}))
        if turn.may("grep"):
            calls.append(_Call("grep", {"pattern": "TODO", "literal": True, "limit": 20}))
        if calls:
            return _Step(
                f"The listing holds {len(names)} names; a look into them before I answer.",
                tuple(calls),
            )
    return _Step(
        "I have what my rules ask for: answer.", answer=_folder_answer(turn, listing, names)
    )


def _folder_answer(turn: _Turn, listing: str, names: list[str]) -> str:
    if turn.output(listing) is None:
        failed = turn.done.get(listing)
        why = (
            f"it failed: {_first(text_of(failed['content']))}"
            if failed
            else "I have no tool for it"
        )
        return f"I could not list this folder; {why}.\n\n{ABOUT}"
    folders = [name for name in names if name.endswith("/")]
    shown = ", ".join(f"`{name}`" for name in names[:SHOWN_NAMES])
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    parts = [
        f"This folder holds {_counted(len(names) - len(folders), 'file')} and "
        f"{_counted(len(folders), 'folder')}" + (f": {shown}{more}." if names else ".")
    ]
    text = turn.output("read")
    if text is not None:
        path = turn.args.get("read", {}).get("path", "the README")
        parts.append(f"`{path}` begins:\n\n{_quoted(text)}")
    hits = turn.output("grep")
    if hits is not None:
        count = len(re.findall(r"^[^\n]+:\d+:", hits, re.MULTILINE))
        parts.append(f"A search for TODO found {_counted(count, 'line')}.")
    return "\n\n".join([*parts, ABOUT])


def _read(turn: _Turn, path: str) -> _Step:
    if turn.may("read"):
        return _Step(f"A file is asked for: read {path}.", (_Call("read", {"path": path}),))
    text = turn.output("read")
    if text is not None:
        lines = len(text.splitlines())
        answer = f"`{path}`, {_counted(lines, 'line')} as read, begins:\n\n{_quoted(text)}"
    else:
        answer = _missed(turn, "read", f"read `{path}`")
    return _Step("Answer from what read returned.", answer=f"{answer}\n\n{ABOUT}")


def _find(turn: _Turn, text: str) -> _Step:
    if turn.may("grep"):
        args = {"pattern": text, "literal": True, "ignoreCase": True, "limit": 50}
        return _Step(f"A search is asked for: grep {text!r}.", (_Call("grep", args),))
    if "grep" not in turn.tools and turn.may("bash"):
        quoted = "'" + text.replace("'", "'\\''") + "'"
        command = f"grep -rnIiF -m 5 -e {quoted} . | head -n 50"
        return _Step("No grep tool: search with bash.", (_Call("bash", {"command": command}),))
    tool = "grep" if "grep" in turn.done else "bash"
    hits = turn.output(tool)
    if hits is not None:
        answer = f"A search for `{text}` returned:\n\n{_quoted(hits)}"
    else:
        answer = _missed(turn, tool, f"search for `{text}`")
    return _Step(f"Answer from what {tool} returned.", answer=f"{answer}\n\n{ABOUT}")


def _missed(turn: _Turn, tool: str, what: str) -> str:
    failed = turn.done.get(tool)
    if failed is None:
        return f"I could not {what}: this session has no tool for it."
    return f"I could not {what}. The tool said: {_first(text_of(failed['content']))}"


def _names(listing: str | None) -> list[str]:
    lines = (listing or "").splitlines()
    return [
        line.strip()
        for line in lines
        if line.strip() and not line.startswith(("[", "(")) and line.strip() not in ("./", "../")
    ]


def _quoted(text: str) -> str:
    lines = [line[:LINE_WIDTH] for line in text.splitlines()]
    kept = lines[:SHOWN_LINES]
    if len(lines) > SHOWN_LINES:
        kept.append("…")
    return "\n".join(f"> {line}".rstrip() for line in kept) or "> (empty)"


def _first(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0][:LINE_WIDTH] if lines else "nothing"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
