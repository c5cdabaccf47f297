"""Functions as tools: arguments in, text, data or a whole result out."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, get_type_hints

from pi.agent.checks import json_problem
from pi.agent.faults import is_fault, text_of_error
from pi.errors import ToolError
from pi.extensions.checking import list_of_texts, must_be_function
from pi.tools.base import ToolContext, ToolResult
from pi.tools.functions import as_result, described, schema_of

if TYPE_CHECKING:
    from pi.extensions.context import Context

__all__ = ["ExtensionTool", "ToolFailure", "make_tool"]


class ToolFailure(ToolError):
    """Raised in a tool: the call failed; the text goes to the model, details are kept with it."""


@dataclass(slots=True, eq=False)
class ExtensionTool:
    """A `pi.tools.base.Tool` around a function.

    call: the function, given arguments, the extension's context and the call's own.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    call: Callable[[dict[str, Any], ToolContext], Any]
    snippet: str = ""
    rules: tuple[str, ...] = ()
    sequential: bool = False
    prepare: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    sampling: Mapping[str, Any] | None = None
    structured: bool = field(default=False)

    async def run(self, args: dict[str, Any], context: ToolContext) -> ToolResult:
        try:
            answer = self.call(args, context)
            if inspect.isawaitable(answer):
                answer = await answer
        except Exception:
            raise
        except BaseException as error:
            # sys.exit() and the like are a failure of this call, not the end of pi.
            if not is_fault(error):
                raise
            raise ToolFailure(f"{self.name} failed: {text_of_error(error)}") from error
        return as_result(answer, structured=self.structured)


def make_tool(
    function: Callable[..., Any],
    context: "Callable[[ToolContext], Context]",
    *,
    name: str | None,
    description: str | None,
    parameters: Mapping[str, Any] | None,
    snippet: str,
    guidelines: Sequence[str],
    sequential: bool,
    prepare: Callable[[dict[str, Any]], dict[str, Any]] | None,
    sampling: Mapping[str, Any] | None,
    structured: bool = False,
) -> ExtensionTool:
    """A tool out of a function.

    Its parameters are the arguments; two names are not the model's: `ctx` gets the Context, `call`
    the ToolContext (id, environment, `update`). With `parameters`, the first gets all arguments as
    a dict.
    """
    must_be_function(function, f"the tool {name or getattr(function, '__name__', '')}")
    signature = inspect.signature(function).parameters
    own = [name for name in signature if name in ("ctx", "call")]
    # Models add arguments of their own, which are nothing to fail for, and none may be one of ours.
    known = {name for name in signature if name not in own}
    schema = dict(parameters) if parameters is not None else schema_of(function, own)
    hints = {} if parameters is not None else _enums(function, own)

    def call(args: dict[str, Any], tool_context: ToolContext) -> Any:
        given: dict[str, Any] = {}
        if "ctx" in own:
            given["ctx"] = context(tool_context)
        if "call" in own:
            given["call"] = tool_context
        if parameters is not None:
            positional: tuple[Any, ...] = (args,)
        else:
            positional = ()
            given |= {
                key: hints[key](value) if key in hints else value
                for key, value in args.items()
                if key in known
            }
        return function(*positional, **given)

    called = name or function.__name__
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", called):
        raise ValueError(f"{called!r} is no name for a tool")
    if schema.get("type") != "object" or json_problem(schema) is not None:
        raise TypeError(f"the parameters of {called} are no JSON Schema of an object")
    return ExtensionTool(
        name=name or function.__name__,
        description=described(description or function.__doc__ or ""),
        parameters=schema,
        call=call,
        snippet=snippet,
        rules=tuple(list_of_texts(guidelines, f"guidelines of {called}")),
        sequential=sequential,
        prepare=prepare,
        sampling=sampling,
        structured=structured,
    )


def _enums(function: Callable[..., Any], own: Sequence[str]) -> dict[str, Callable[[Any], Any]]:
    """Parameters that are given as a member of an enum, not as its value."""
    hints = get_type_hints(function)
    return {
        name: hint
        for name, hint in hints.items()
        if name not in own and isinstance(hint, type) and issubclass(hint, Enum)
    }
