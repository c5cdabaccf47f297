"""The tool seam: a declaration, a coroutine, a result.

A tool knows neither agent nor mode. Its arguments were validated against `parameters`; cancelling
the task that runs it cancels it; what it raises as ToolError becomes an error result.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from pi.wire.messages import ImageContent, TextContent, ToolDeclaration, Usage, UserContent

__all__ = [
    "CallTool",
    "STRICT_SAMPLING",
    "ImageLimits",
    "Tool",
    "ToolContext",
    "ToolResult",
    "Update",
    "declaration",
    "image_block",
    "text_block",
    "text_result",
]

STRICT_SAMPLING: Mapping[str, str] = {"type": "json_schema", "strict": "prefer"}
"""`sampling` of tools whose arguments a provider should constrain to the schema where it can."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """content goes to the model, a text as one block; details is stored with it, for people and
    programs.

    structured: the same result as data (JSON events only; neither stored nor sent to the model).
    usage: of the models that the tool asked. terminate: ask the model no more after this batch, if
    all of its results say so.
    """

    content: Sequence[UserContent] = field(default_factory=list)
    details: Any = None
    is_error: bool = False
    structured: Any = None
    usage: Usage | None = None
    terminate: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            content: Sequence[UserContent] | str = (),
            details: Any = None,
            is_error: bool = False,
            structured: Any = None,
            usage: Usage | None = None,
            terminate: bool = False,
        ) -> None: ...

    def __post_init__(self) -> None:
        content: Any = self.content
        if isinstance(content, str):
            object.__setattr__(self, "content", [text_block(content)])


Update = Callable[[ToolResult | str], None]
"""What a tool tells of a call that goes on. Raises TypeError, in the tool, for anything else."""


class ImageLimits(NamedTuple):
    """How new images are encoded. max_bytes: of the base64 text."""

    max_width: int = 2000
    max_height: int = 2000
    max_bytes: int = 4_718_592
    jpeg_quality: int = 80


async def _no_other(
    name: str, args: dict[str, Any], *, on_update: Callable[[ToolResult], None] | None = None
) -> ToolResult:
    """A context that somebody made by hand has no other tools."""
    text = f'There is no tool named "{name}"'
    return ToolResult(content=[text_block(text)], details={}, is_error=True)


class ToolContext(NamedTuple):
    """What a call may use.

    cwd: relative paths resolve from here.
    env: the whole environment of child processes (PI_* session variables included).
    update: call with text or a partial ToolResult; consumers show the latest.
    images: how to encode images; None when the model takes none (they are kept in the result, with
    a note, and left out of the request). Blocking images is the request's matter, not the tool's.
    shell, shell_prefix: settings `shellPath` and `shellCommandPrefix`.
    call_tool: `await call_tool(name, arguments, on_update=…)` runs another tool. Whatever goes
    wrong is a result with is_error. The model is told nothing of it.
    tools: those that can be called so.
    """

    call_id: str
    cwd: Path
    env: Mapping[str, str]
    update: Update
    images: ImageLimits | None = ImageLimits()
    resize_images: bool = True
    shell: str | None = None
    shell_prefix: str | None = None
    call_tool: "CallTool" = _no_other
    tools: "Callable[[], Sequence[Tool]]" = tuple


class CallTool(Protocol):
    """on_update: gets what the tool reports meanwhile."""

    def __call__(
        self,
        name: str,
        args: dict[str, Any],
        *,
        on_update: Callable[[ToolResult], None] | None = None,
    ) -> Awaitable[ToolResult]: ...


class Tool(Protocol):
    """One tool. `snippet` is its line in the system prompt's list, `rules` its lines of advice.

    Further attributes are optional. `sampling`: the declaration's constrainedSampling.
    `output_schema`: JSON Schema of `structured` in its results, for other tools that call it.
    `prepare(arguments)`: rewrites what models are known to send wrongly, before validation.
    `sequential`: True keeps the calls of a batch from running together.

    A cancelled `run` first calls context.update with all it has, then raises CancelledError.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    snippet: str
    rules: tuple[str, ...]

    async def run(self, args: dict[str, Any], context: ToolContext) -> ToolResult: ...


def text_block(text: str) -> TextContent:
    """Text in a message or a result."""
    return {"type": "text", "text": text}


def text_result(text: str, *, details: Any = None, structured: Any = None) -> ToolResult:
    """A success that is one block of text."""
    return ToolResult(content=[text_block(text)], details=details, structured=structured)


class Described(Protocol):
    """What a declaration is made of; `sampling` is optional."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def parameters(self) -> dict[str, Any]: ...


def declaration(tool: Described) -> ToolDeclaration:
    """The tool as a system message announces it."""
    announced: ToolDeclaration = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }
    sampling = getattr(tool, "sampling", None)
    if sampling is not None:
        announced["constrainedSampling"] = dict(sampling)
    return announced


def image_block(data: str, mime_type: str) -> ImageContent:
    """An image in a message or a result. data: in Base64. mime_type: as in "image/png"."""
    return {"type": "image", "data": data, "mimeType": mime_type}
