"""Functions as tools."""

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

from pi.errors import ConfigError
from pi.tools.base import ToolContext, ToolResult
from pi.tools.functions import as_result, described, schema_of

__all__ = ["FunctionTool", "tool"]

Function = Callable[..., Any]


class FunctionTool:
    """A tool that is a function; still callable as one. See `tool`."""

    def __init__(
        self,
        function: Function,
        *,
        name: str,
        description: str,
        parameters: dict[str, Any],
        context: str | None,
        snippet: str,
        rules: tuple[str, ...],
        sequential: bool,
    ) -> None:
        self.function = function
        self.name = name
        self.description = description
        self.parameters = parameters
        self.snippet = snippet
        self.rules = rules
        self.sequential = sequential
        self._context = context

    def __call__(self, *args: Any, **named: Any) -> Any:
        return self.function(*args, **named)

    def __repr__(self) -> str:
        return f"<tool {self.name}>"

    async def run(self, args: dict[str, Any], context: ToolContext) -> ToolResult:
        if inspect.iscoroutinefunction(self.function):
            return as_result(await self.function(**self._named(args, context)))
        loop = asyncio.get_running_loop()

        def update(told: ToolResult | str) -> None:
            if not isinstance(told, ToolResult | str):
                raise TypeError(f"update takes text or a ToolResult, not {told!r:.60}")
            loop.call_soon_threadsafe(context.update, told)

        named = self._named(args, context._replace(update=update))
        return as_result(await asyncio.to_thread(self.function, **named))

    def _named(self, args: dict[str, Any], context: ToolContext) -> dict[str, Any]:
        """Models add arguments of their own, which are nothing to fail for."""
        known = inspect.signature(self.function).parameters
        if not any(each.kind is each.VAR_KEYWORD for each in known.values()):
            args = {name: value for name, value in args.items() if name in known}
        return args if self._context is None else {**args, self._context: context}


@overload
def tool(function: Function, /) -> FunctionTool: ...
@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    snippet: str = "",
    rules: Sequence[str] = (),
    sequential: bool = False,
) -> Callable[[Function], FunctionTool]: ...
def tool(
    function: Function | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    snippet: str = "",
    rules: Sequence[str] = (),
    sequential: bool = False,
) -> FunctionTool | Callable[[Function], FunctionTool]:
    """Make a tool of a function: `@pi.tool`, or `@pi.tool(name=…)`.

    The arguments are its parameters: their type hints become the schema that a model's arguments
    are checked against, its docstring the description, and an `Args:` section theirs. A parameter
    whose type is ToolContext is not the model's: it gets the context of the call. A coroutine
    function is awaited, any other runs in a thread. What it returns goes to the model: text,
    values as JSON, or a whole ToolResult; what it raises becomes an error result.

    parameters: a JSON Schema, instead of the hints. snippet: its line in the system prompt's list
    of tools. rules: advice in there. sequential: keeps the calls of one reply from running
    together. Raises ConfigError for a function that cannot be a tool.
    """

    def make(function: Function) -> FunctionTool:
        context = _context_parameter(function)
        try:
            schema = parameters or schema_of(function, [] if context is None else [context])
        except (TypeError, NameError) as error:
            raise ConfigError(f"no tool can be made of {error}") from None
        text = description or described(function.__doc__ or "")
        if not text:
            raise ConfigError(
                f"the tool {function.__name__} has no description",
                hint="Give the function a docstring: it is all that a model knows of it.",
            )
        return FunctionTool(
            function,
            name=name or function.__name__,
            description=text,
            parameters=dict(schema),
            context=context,
            snippet=snippet,
            rules=tuple(rules),
            sequential=sequential,
        )

    return make if function is None else make(function)


def _context_parameter(function: Function) -> str | None:
    """The parameter that takes the ToolContext."""
    for name, parameter in inspect.signature(function).parameters.items():
        hint = parameter.annotation
        if hint is ToolContext or hint in ("ToolContext", "pi.ToolContext"):
            return name
    return None
