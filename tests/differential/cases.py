"""The conversations that go through both programs."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from tests.scripted_provider import Turn

__all__ = ["CASES", "SCRIPTS", "Case"]


@dataclass(frozen=True)
class Case:
    """turns: the model's script. steps: arguments of a run ("{first}" is the first session's file),
    or files to write before the next one. api: the only one it is for, None for both."""

    turns: Sequence[Turn]
    steps: Sequence[Sequence[str] | dict[str, bytes]]
    files: Mapping[str, bytes] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    api: str | None = None


READ = {"tool": "read", "id": "call_1", "args": {"path": "a.txt"}}
BASH = {"tool": "bash", "id": "call_2", "args": {"command": "echo hi; exit 3"}}
DONE = {"blocks": [{"text": "It says hello."}]}
OVERLOADED = {
    "status": 529,
    "body": {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
}

SCRIPTS: dict[str, tuple[list[Turn], list[str]]] = {
    "text": ([DONE], ["hi"]),
    "tools": (
        [
            {
                "blocks": [{"thinking": "hm", "signature": "SIG"}, {"text": "Look."}, READ, BASH],
                "stop": "toolUse",
                "usage": {"input": 100, "output": 20, "cacheRead": 50, "cacheWrite": 10},
            },
            DONE,
        ],
        ["what is in a.txt?"],
    ),
    "retried": ([OVERLOADED, {"status": 500, "body": {"error": {"message": "x"}}}, DONE], ["hi"]),
    "given up": ([OVERLOADED], ["hi"]),
    "refused": ([{"status": 401, "body": {"error": {"message": "bad key"}}}], ["hi"]),
    "invalid": ([{"status": 400, "body": {"error": {"message": "bad request"}}}], ["hi"]),
    "cut": ([{"blocks": [{"text": "a text that is cut midway"}], "cut": 4}, DONE], ["hi"]),
    "malformed arguments": (
        [
            {
                "blocks": [{"tool": "read", "id": "c1", "args_text": '{"path": "a.t'}],
                "stop": "toolUse",
            },
            DONE,
        ],
        ["hi"],
    ),
    "bad calls": (
        [
            {
                "blocks": [
                    {"tool": "Read", "id": "c1", "args": {"path": "a.txt"}},
                    {"tool": "read", "id": "c2", "args": {"pth": "a.txt"}},
                    {"tool": "read", "id": "c3", "args": {"path": 5, "limit": "1"}},
                ],
                "stop": "toolUse",
            },
            DONE,
        ],
        ["hi"],
    ),
    "length": (
        [{"blocks": [{"text": "part"}], "stop": "length", "usage": {"input": 9, "output": 16384}}],
        ["hi"],
    ),
    "length with calls": (
        [
            {
                "blocks": [{"text": "part"}, READ],
                "stop": "length",
                "usage": {"input": 9, "output": 16384},
            },
            DONE,
        ],
        ["hi"],
    ),
    "two prompts": ([DONE, {"blocks": [{"text": "again"}]}], ["one", "two"]),
    "edits": (
        [
            {
                "blocks": [
                    {
                        "tool": "edit",
                        "id": "e1",
                        "args": {
                            "path": "a.txt",
                            "edits": [{"oldText": "hello", "newText": "bye"}],
                        },
                    },
                    {"tool": "write", "id": "w1", "args": {"path": "b/c.txt", "content": "x\n"}},
                ],
                "stop": "toolUse",
            },
            DONE,
        ],
        ["hi"],
    ),
}


def picture(kind: str, size: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, kind)
    return out.getvalue()


def calls(*wanted: tuple[str, dict[str, Any]]) -> Turn:
    """A reply that calls these tools."""
    blocks = [
        {"tool": name, "id": f"call_{number}", "args": args}
        for number, (name, args) in enumerate(wanted)
    ]
    return {"blocks": blocks, "stop": "toolUse"}


LINES = "".join(f"line {number}\n" for number in range(3000)).encode()
SEES = {"input": ["text", "image"]}
PICTURES = {
    "a.png": picture("PNG", (10, 10)),
    "a.jpg": picture("JPEG", (20, 10)),
    "big.png": picture("PNG", (3000, 100)),
    "a.bmp": picture("BMP", (10, 10)),
    "broken.png": picture("PNG", (10, 10))[:40],
}
LOOK = [calls(("read", {"path": "a.png"}), ("read", {"path": "big.png"})), DONE]
MORE = [DONE, {"blocks": [{"text": "more"}]}, {"blocks": [{"text": "and more"}]}]
PARTIAL: list[Turn] = [
    {
        "type": "message_start",
        "message": {"id": "m", "role": "assistant", "usage": {"input_tokens": 3}},
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "par"}},
]


def failing(kind: str) -> Turn:
    """A stream that ends in an error event."""
    error = {"type": "error", "error": {"type": kind, "message": kind.replace("_error", "")}}
    return {"events": [*PARTIAL, error]}


CASES: dict[str, Case] = {
    name: Case(turns, [["-p", *prompts]]) for name, (turns, prompts) in SCRIPTS.items()
}
CASES |= {
    f"thinking {level}": Case([DONE], [["--thinking", level, "-p", "hi"]])
    for level in ("off", "minimal", "low", "medium", "high", "xhigh", "max")
}
CASES |= {
    "images in the prompt": Case(
        [DONE], [["-p", "@a.png", "@a.jpg", "@big.png", "@a.bmp", "hi"]], PICTURES, model=SEES
    ),
    "a broken image": Case(
        [calls(("read", {"path": "broken.png"})), DONE],
        [["-p", "@broken.png", "hi"]],
        PICTURES,
        model=SEES,
    ),
    "images in results": Case(LOOK, [["-p", "hi"]], PICTURES, model=SEES),
    "images for a blind model": Case(LOOK, [["-p", "@a.png", "hi"]], PICTURES),
    "images blocked": Case(
        LOOK,
        [["-p", "@a.png", "hi"]],
        PICTURES,
        model=SEES,
        settings={"images": {"blockImages": True}},
    ),
    "cache long": Case([DONE], [["-p", "hi"]], env={"PI_CACHE_RETENTION": "long"}),
    "continued": Case(MORE, [["-p", "one"], ["-c", "-p", "two"], ["-c", "-p", "three"]]),
    "other tools": Case(
        MORE, [["-p", "one"], ["-c", "-t", "read,grep", "-p", "two"], ["-c", "-p", "three"]]
    ),
    "another prompt": Case(
        MORE,
        [
            ["--system-prompt", "Be brief.", "-p", "one"],
            ["-c", "--system-prompt", "Be kind.", "--append-system-prompt", "Or not.", "-p", "two"],
        ],
    ),
    "other instructions": Case(
        MORE,
        [
            {"AGENTS.md": b"one\n"},
            ["-p", "one"],
            {"AGENTS.md": b"two\n"},
            ["-c", "-p", "two"],
            ["-c", "-nc", "-p", "three"],
        ],
    ),
    "another level": Case(
        MORE, [["--thinking", "low", "-p", "one"], ["-c", "--thinking", "high", "-p", "two"]]
    ),
    "forked": Case(MORE, [["-p", "one"], ["--fork", "{first}", "-p", "two"]]),
    "an id": Case(MORE, [["--session-id", "x.1", "-p", "one"], ["--session-id", "x.1", "-p", "2"]]),
    "named": Case(MORE, [["-n", " N ", "-p", "one"], ["-c", "--name", "M", "-p", "two"]]),
    "stdin and files": Case(
        [DONE, DONE],
        [["-p", "@b.txt", "@empty", "@a.txt", "hi", "second"]],
        {"b.txt": b"\xef\xbb\xbfone\xff\r\n", "empty": b""},
        stdin=b" \n piped \n",
    ),
    "an error, then another prompt": Case(
        [{"status": 400, "body": {"error": {"message": "no"}}}, DONE], [["-p", "one", "two"]]
    ),
    "a refusal": Case([{"blocks": [{"text": "no"}], "raw_stop": "refusal"}], [["-p", "hi"]]),
    "filtered": Case(
        [{"blocks": [{"text": "no"}], "raw_stop": "content_filter"}],
        [["-p", "hi"]],
        api="openai-completions",
    ),
    "nothing said": Case([{"blocks": []}], [["-p", "hi"]]),
    "searches": Case(
        [
            calls(
                ("grep", {"pattern": "line 29", "glob": "*.txt"}),
                ("grep", {"pattern": "LINE 2999", "ignoreCase": True, "context": 2}),
                ("grep", {"pattern": "line 1", "limit": 3}),
                ("grep", {"pattern": "zzz"}),
                ("grep", {"pattern": "("}),
                ("grep", {"pattern": "(", "literal": True}),
                ("find", {"pattern": "*.txt"}),
                ("find", {"pattern": "**/*.txt", "limit": 1}),
                ("find", {"pattern": "*.zzz"}),
                ("ls", {}),
                ("ls", {"path": "d", "limit": 1}),
                ("ls", {"path": "nope"}),
            ),
            DONE,
        ],
        [["-t", "grep,find,ls", "-p", "hi"]],
        {"long.txt": LINES, "d/x.txt": b"line 1\n", "d/y/z.md": b"f(x)\n"},
    ),
    "long output": Case(
        [
            calls(
                ("bash", {"command": "seq 1 5000"}),
                ("bash", {"command": "head -c 200000 /dev/zero | tr '\\0' x"}),
                ("bash", {"command": "true"}),
                ("bash", {"command": "kill -9 $$"}),
                ("bash", {"command": "echo x; sleep 60", "timeout": 0.5}),
            ),
            DONE,
        ],
        [["-p", "hi"]],
    ),
    "long files": Case(
        [
            calls(
                ("read", {"path": "long.txt"}),
                ("read", {"path": "long.txt", "offset": 2990}),
                ("read", {"path": "long.txt", "offset": 3001}),
                ("read", {"path": "long.txt", "offset": 5000}),
                ("read", {"path": "long.txt", "offset": 5, "limit": 3}),
                ("read", {"path": "wide.txt"}),
                ("read", {"path": "nope"}),
                ("read", {"path": "."}),
            ),
            DONE,
        ],
        [["-p", "hi"]],
        {"long.txt": LINES, "wide.txt": b"x" * 60_000},
    ),
    "overloaded midway": Case(
        [failing("overloaded_error"), DONE], [["-p", "hi"]], api="anthropic-messages"
    ),
    "an error midway": Case(
        [failing("invalid_request_error"), DONE], [["-p", "hi"]], api="anthropic-messages"
    ),
    "rate limit": Case(
        [
            {"status": 429, "headers": {"retry-after": "0"}, "body": {"error": {"message": "!"}}},
            DONE,
        ],
        [["-p", "hi"]],
    ),
    "a gateway's page": Case(
        [{"status": 502, "body": "<html>bad gateway</html>"}, DONE], [["-p", "hi"]]
    ),
}
