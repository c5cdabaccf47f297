"""write: a file's whole content."""

import asyncio
from typing import Any

from pi.tools.base import STRICT_SAMPLING, ToolContext, ToolResult, text_result
from pi.tools.files import exclusive, whole_characters, write_atomically
from pi.tools.paths import os_error, resolve

__all__ = ["TOOL", "WriteTool"]


class WriteTool:
    name = "write"
    description = (
        "Write a file: a new one with its parent folders, or the whole content of an existing one."
    )
    parameters: dict[str, Any] = {  # noqa: RUF012  (read only)
        "type": "object",
        "required": ["path", "content"],
        "properties": {
            "path": {
                "type": "string",
                "description": "The file, relative to the working folder or absolute",
            },
            "content": {"type": "string", "description": "All that the file will contain"},
        },
    }
    sampling = STRICT_SAMPLING
    snippet = "Create a file or replace all of it"
    rules = ("Keep write for new files and for rewriting a file from scratch.",)

    async def run(self, args: dict[str, Any], context: ToolContext) -> ToolResult:
        path = resolve(args["path"], context.cwd)
        content = whole_characters(args["content"])
        async with exclusive(path):
            try:
                await asyncio.to_thread(_write, path, content.encode())
            except OSError as error:
                raise os_error("write", args["path"], error) from error
        return text_result(f"Wrote {args['path']}")


def _write(path: Any, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, data)


TOOL = WriteTool()
