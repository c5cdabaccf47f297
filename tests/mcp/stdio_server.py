"""An MCP server over stdio, run as a script, well-behaved or hostile: `stdio_server.py LOG MODE`.

LOG: every message that comes in is written there, a line each.
"""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
TOOLS: list[dict[str, Any]] = [
    {
        "name": "echo",
        "description": "Say it again",
        "inputSchema": {
            "type": "object",
            "properties": {"text": {"type": "string"}},
            "required": ["text"],
        },
        "annotations": {"readOnlyHint": True},
    },
    {"name": "read-file", "inputSchema": {"type": "object"}},
    {"name": "kinds", "description": "Every kind", "inputSchema": {"type": "object"}},
    {"name": "fail", "inputSchema": {"type": "object"}},
    {"name": "big", "inputSchema": {"type": "object"}},
    {"name": "slow", "inputSchema": {"type": "object"}},
    {"name": "grow", "inputSchema": {"type": "object"}},
    {"name": "crash", "inputSchema": {"type": "object"}},
    {"name": "environment", "inputSchema": {"type": "object"}},
]
KINDS = [
    {"type": "text", "text": "words"},
    {"type": "image", "data": PIXEL, "mimeType": "image/png"},
    {"type": "audio", "data": "AAAA", "mimeType": "audio/wav"},
    {"type": "resource_link", "uri": "file:///x.txt", "name": "x", "mimeType": "text/plain"},
    {"type": "resource", "resource": {"uri": "file:///y.txt", "text": "embedded"}},
    {"type": "resource", "resource": {"uri": "file:///z.bin", "blob": "AAEC"}},
    {"type": "strange"},
]


def send(message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def raw(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.flush()


def main() -> None:
    log, mode = sys.argv[1], sys.argv[2]
    if mode == "forks":
        child = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(600)"], stdin=subprocess.DEVNULL
        )
        with open(log + ".child", "w") as file:
            file.write(str(child.pid))
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if mode == "dies":
        sys.stderr.write("no database here\n")
        sys.exit(3)
    if mode == "silent":
        time.sleep(600)
    with open(log + ".pid", "w") as file:
        file.write(str(os.getpid()))
    for line in sys.stdin:
        message = json.loads(line)
        with open(log, "a") as file:
            file.write(line)
        answer(message, mode)
    if mode == "stubborn":
        time.sleep(600)
    if mode == "forks":
        sys.exit(0)


def answer(message: dict[str, Any], mode: str) -> None:
    number, method = message.get("id"), message.get("method")
    params = message.get("params") or {}
    if number is None or method is None:
        return
    if mode == "garbage":
        raw(b"starting up...\n\xff\xfe not utf-8 \x80\n{broken\n[1, 2]\n42\nnull\n\n")
        send({"jsonrpc": "2.0", "id": 999, "result": {}})
        send({"jsonrpc": "2.0", "id": "x", "error": "no object"})
        send({"jsonrpc": "2.0", "method": "notifications/progress", "params": [1]})
        send({"jsonrpc": "2.0", "method": "notifications/message", "params": "text"})
    if method == "initialize":
        if mode == "huge":
            raw(b"x" * (17 * 1024 * 1024))
            return
        if mode == "slow":
            time.sleep(1)
        result: dict[str, Any] = {
            "protocolVersion": "1999" if mode == "old" else params["protocolVersion"],
            "capabilities": {"tools": {"listChanged": True}, "resources": {}},
            "serverInfo": {"name": "test", "version": "1"},
            "instructions": "First line.\nSecond line.",
        }
        send({"jsonrpc": "2.0", "id": number, "result": result})
        if mode == "asks":
            for key, asked in (("p", "ping"), ("r", "roots/list"), ("s", "sampling/createMessage")):
                send({"jsonrpc": "2.0", "id": key, "method": asked})
            told = {"level": "warning", "logger": "part", "data": "two\nlines"}
            send({"jsonrpc": "2.0", "method": "notifications/message", "params": told})
        return
    if method == "tools/list":
        if mode == "circles":
            result = {"tools": [], "nextCursor": "again"}
        elif params.get("cursor"):
            result = {"tools": TOOLS[2:]}
        else:
            result = {"tools": TOOLS[:2], "nextCursor": "2"}
    elif method == "tools/call":
        called(number, params, mode)
        return
    elif method == "resources/list":
        result = {
            "resources": [
                {"uri": "file:///r.txt", "name": "r", "icons": []},
                {"uri": "ui://app", "name": "app"},
            ]
        }
        if not params.get("cursor"):
            result["nextCursor"] = "n"
    elif method == "resources/templates/list":
        result = {"resourceTemplates": [{"uriTemplate": "file:///{p}", "name": "t"}]}
    elif method == "resources/read":
        uri = params["uri"]
        result = {"contents": [{"uri": uri, "text": "hello"}, {"uri": uri, "blob": "AAEC"}]}
    else:
        send({"jsonrpc": "2.0", "id": number, "error": {"code": -32601, "message": "no"}})
        return
    send({"jsonrpc": "2.0", "id": number, "result": result})


def called(number: Any, params: dict[str, Any], mode: str) -> None:
    name, arguments = params["name"], params.get("arguments") or {}
    result: dict[str, Any] = {"content": [{"type": "text", "text": arguments.get("text", name)}]}
    if name == "kinds":
        result = {"content": KINDS, "structuredContent": {"a": 1}, "_meta": {"z": 1}}
    elif name == "fail":
        result["isError"] = True
    elif name == "big":
        text = "".join(f"{i:07}\n" for i in range(5000))
        result["content"][0]["text"] = text
    elif name == "slow":
        token = (params.get("_meta") or {}).get("progressToken")
        for step in range(4):
            time.sleep(0.5)
            told = {"progressToken": token, "progress": step, "message": f"step {step}"}
            send({"jsonrpc": "2.0", "method": "notifications/progress", "params": told})
    elif name == "grow":
        TOOLS.append({"name": "late", "inputSchema": {"type": "object"}})
        TOOLS[:] = [tool for tool in TOOLS if tool["name"] != "fail"]
        send({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
    elif name == "crash":
        sys.stdout.write('{"jsonrpc": "2.0", "id": ')
        sys.stdout.flush()
        os._exit(7)
    elif name == "environment":
        result["content"][0]["text"] = json.dumps({"env": dict(os.environ), "cwd": os.getcwd()})
    elif name == "missing":
        send({"jsonrpc": "2.0", "id": number, "error": {"code": -32602, "message": "no such tool"}})
        return
    send({"jsonrpc": "2.0", "id": number, "result": result})
    if mode == "twice":
        send({"jsonrpc": "2.0", "id": number, "result": {"content": []}})


if __name__ == "__main__":
    main()
