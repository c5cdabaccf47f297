"""What authors of extensions get wrong when they register something, told at once and by name."""

import inspect
import re
from typing import Any

from pi.agent.checks import shown

__all__ = ["list_of_texts", "must_be_function", "must_be_name"]


def must_be_function(function: Any, what: str) -> None:
    """Raises TypeError for what cannot be called, and for what would be called and never run."""
    if not callable(function):
        raise TypeError(f"{what} is a function, not {shown(function)}")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"{what} yields, so nothing of it would run: let it return")


def must_be_name(name: Any, what: str, example: str, pattern: str = r"\S.*") -> None:
    """Raises TypeError where a decorator got the function itself, ValueError for no name."""
    if not isinstance(name, str):
        raise TypeError(f"{what} comes with its name, as in {example}, not with {shown(name)}")
    if re.fullmatch(pattern, name) is None:
        raise ValueError(f"{name!r} is no name: {what} is written as in {example}")


def list_of_texts(values: Any, what: str) -> list[str]:
    """The values. Raises TypeError for a text alone, whose letters are not what was meant."""
    if isinstance(values, str) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"{what} is a list of texts, not {shown(values)}")
    return list(values)
