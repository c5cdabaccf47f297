"""Functions of extensions, which may leave out parameters that they do not need."""

import inspect
from collections.abc import Callable
from typing import Any, cast

__all__ = ["bound"]


def bound(function: Callable[..., Any], context: Any) -> Callable[[Any], Any]:
    """The function with as many of (value, context) as it takes.

    A parameter called `ctx` gets the context wherever it stands, as with tools.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return lambda value: function(value, context)
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return lambda value: function(value, context)
    named = any(each.name == "ctx" and each.kind != each.POSITIONAL_ONLY for each in parameters)
    takes = sum(
        each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
        for each in parameters
        if each.name != "ctx" or not named
    )
    needed = sum(
        each.default is each.empty
        and each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
        for each in parameters
        if each.name != "ctx" or not named
    )
    if needed > (1 if named else 2):
        what = getattr(function, "__qualname__", repr(function))
        raise TypeError(f"{what} needs {needed} values; it is given one, and ctx")
    if named:
        return _with_name(function, context, takes)
    if takes >= 2:
        return lambda value: function(value, context)
    if takes == 1:
        return cast("Callable[[Any], Any]", function)
    return lambda value: function()


def _with_name(function: Callable[..., Any], context: Any, takes: int) -> Callable[[Any], Any]:
    if takes:
        return lambda value: function(value, ctx=context)
    return lambda value: function(ctx=context)
