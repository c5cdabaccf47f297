"""The process that runs one script; started by its path, and ended by whoever started it.

QuickJS has no files, network, modules or timers, and nothing of Python is in its reach but one
function, which writes to stdout. Records are lines of JSON. In comes first

    {"source", "tools": {identifier: name}, "some": [identifiers], "names": [{"name",
     "description"}], "store": {key: JSON}, "limits": {"value", "values"}}

and then an answer to each question: {"n", "ok", "value"}. Out go {"kind": "call" | "ask", "n", …},
{"kind": "text" | "image" | "log", …} and, at the end, {"kind": "end", "ok", "error", "set",
"delete"}. Needs the module _quickjs in the folder that is its one argument. Imports nothing of pi.
"""

import contextlib
import json
import os
import queue
import sys
import threading
from typing import Any

MEMORY = 256 << 20
"""Bytes that a script may have."""
AROUND = 1 << 30
"""Bytes for the process around it, where the system knows such a limit."""
STACK = 512 << 10
OUTPUT = 16_777_216
"""Characters of text and image data that a script may put out."""
ITEMS = 100_000
"""Texts, images and lines of the console."""


class _Out:
    """What the script has put out, and the pipe it goes to."""

    def __init__(self) -> None:
        self.chars = self.items = 0
        self.asked: set[int] = set()
        self._lock = threading.Lock()

    def send(self, kind: str, number: float, line: str) -> None:
        """The one function that a script reaches. line: the record, as JSON."""
        if kind in ("call", "ask"):
            self.asked.add(int(number))
            if len(line) > OUTPUT:
                self.fail(f"Error: the arguments of a call have more than {OUTPUT} characters")
        elif kind != "end":
            self.items += 1
            self.chars += len(line)
            if self.chars > OUTPUT or self.items > ITEMS:
                self.fail(
                    f"Error: the script puts out more than {OUTPUT} characters or {ITEMS} items; "
                    "write large data to a file with a tool"
                )
        self.write(line)
        if kind == "end":
            leave()

    def fail(self, error: str) -> None:
        end = {"kind": "end", "ok": False, "error": error, "set": {}, "delete": []}
        self.write(json.dumps(end))
        leave()

    def write(self, line: str) -> None:
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        with self._lock:
            while data:
                data = data[os.write(1, data) :]


def leave() -> None:
    """Nothing that a script left behind may keep the process from ending."""
    os._exit(0)


def _prelude() -> str:
    with open(os.path.join(os.path.dirname(__file__), "prelude.js"), encoding="utf-8") as file:
        return " ".join(line.strip() for line in file if not line.startswith("//"))


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415  (not on Windows)

        resource.setrlimit(resource.RLIMIT_AS, (AROUND, AROUND))


def main(folder: str) -> None:
    _limit_memory()
    sys.path.append(folder)
    import _quickjs  # noqa: PLC0415  (found by now)

    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        """Read on while a script writes, or both sides would wait for each other."""
        with open(0, "rb") as file:
            for line in file:
                lines.put(line.decode())
        leave()  # nobody wants the script any more

    threading.Thread(target=read, daemon=True).start()
    setup = json.loads(lines.get())
    out = _Out()
    context: Any = _quickjs.Context()
    context.set_memory_limit(MEMORY)
    context.set_max_stack_size(STACK)
    context.add_callable("__send", out.send)
    context.set("__setup", json.dumps(setup))
    script = context.eval(_prelude())
    try:
        script("")
        while True:
            while context.execute_pending_job():
                pass
            if not out.asked:
                out.fail(
                    "Error: the script waits for a promise that nothing can settle: "
                    "it has called no tool, and there are no timers"
                )
            answer = lines.get()
            out.asked.discard(json.loads(answer)["n"])
            script(answer)
    except _quickjs.JSException as error:
        out.fail(str(error))
    except MemoryError:
        out.fail("InternalError: out of memory")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except BaseException as fault:  # noqa: BLE001  (whatever it is, the other side must hear of it)
        os.write(2, f"{type(fault).__name__}: {fault}\n".encode())
        os._exit(1)
