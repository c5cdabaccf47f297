"""Whether what a handler answers holds what its class says: looked at before it is acted on."""

import os
from collections.abc import Callable, Mapping
from typing import Any

from pi.agent import hook_events as ev
from pi.agent.checks import content_problem, json_problem, shown

__all__ = ["answer_problem", "options_problem"]

_Fits = Callable[[Any], bool]


def _of(*kinds: type) -> _Fits:
    return lambda value: isinstance(value, kinds)


def _list_of(fits: _Fits) -> _Fits:
    # A text is a sequence, too, and its letters are not what was meant.
    return lambda value: isinstance(value, list | tuple) and all(map(fits, value))


def _dict_of(fits: _Fits) -> _Fits:
    return lambda value: (
        isinstance(value, dict)
        and all(isinstance(key, str) and fits(each) for key, each in value.items())
    )


def _or_none(fits: _Fits) -> _Fits:
    return lambda value: value is None or fits(value)


def _images(value: Any) -> bool:
    return content_problem(value) is None and all(block["type"] == "image" for block in value)


_TEXT = (_of(str), "a text")
_PERHAPS_TEXT = (_or_none(_of(str)), "a text or None")
_YES_OR_NO = (_of(bool), "True or False")
_NUMBER = (lambda value: isinstance(value, int) and not isinstance(value, bool), "a number")
_PATHS = (_list_of(_of(str, os.PathLike)), "a list of paths")
_JSON = (lambda value: json_problem(value) is None, "what JSON can hold")
_USAGE = (lambda value: value is None or (isinstance(value, dict) and _JSON[0](value)), "a dict")

_FIELDS: Mapping[type, Mapping[str, tuple[_Fits, str]]] = {
    ev.Transform: {"text": _TEXT, "images": (_or_none(_images), "a list of image blocks")},
    ev.RunAs: {
        "command": _PERHAPS_TEXT,
        "runner": (_or_none(callable), "a function"),
    },
    ev.BashDone: {
        "output": _TEXT,
        "exit_code": (_or_none(_NUMBER[0]), "a number or None"),
        "cancelled": _YES_OR_NO,
        "truncated": _YES_OR_NO,
        "full_output_path": _PERHAPS_TEXT,
    },
    ev.Start: {"system_prompt": _PERHAPS_TEXT},
    ev.Boundary: {
        "entries": (_or_none(_list_of(_of(Mapping))), "a list of dicts"),
        "go_on": (_or_none(_of(bool)), "True, False or None"),
    },
    ev.Block: {"reason": _TEXT, "terminate": _YES_OR_NO},
    ev.ResultPatch: {
        "details": _JSON,
        "structured_content": _JSON,
        "is_error": _YES_OR_NO,
        "usage": _USAGE,
    },
    ev.Trust: {
        "trusted": (lambda value: value in ("yes", "no", "undecided"), '"yes", "no", "undecided"'),
        "remember": _YES_OR_NO,
    },
    ev.Resources: {"skills": _PATHS, "prompts": _PATHS, "themes": _PATHS},
    ev.CustomCompaction: {
        "summary": _TEXT,
        "first_kept_entry_id": _PERHAPS_TEXT,
        "tokens_before": _NUMBER,
        "details": _JSON,
        "usage": _USAGE,
    },
    ev.CustomTree: {
        "summary": _PERHAPS_TEXT,
        "details": _JSON,
        "usage": _USAGE,
        "custom_instructions": _PERHAPS_TEXT,
        "replace_instructions": (_or_none(_of(bool)), "True, False or None"),
        "label": _PERHAPS_TEXT,
    },
    ev.WarmCache: {"action": (lambda value: value in ("warm", "stop"), '"warm" or "stop"')},
}


_OPTIONS: Mapping[str, tuple[_Fits, str]] = {
    "selected_tools": (_list_of(_of(str)), "a list of names"),
    "prompt_guidelines": (_list_of(_of(str)), "a list of texts"),
    "tool_snippets": (_dict_of(_of(str)), "a dict of texts"),
    "tool_guidelines": (_dict_of(_list_of(_of(str))), "a dict of lists of texts"),
    "sections": (_dict_of(_or_none(_of(str))), "a dict of texts"),
    "append_system_prompt": (_list_of(_of(str)), "a list of texts"),
    "custom_prompt": _PERHAPS_TEXT,
    "force_system_prompt": _PERHAPS_TEXT,
}


def options_problem(options: object) -> str | None:
    """What a handler has left in the parts of the system prompt that is of no use there."""
    if not isinstance(options, ev.PromptOptions):
        return f"system_prompt_options is to be changed, not to be {shown(options)}"
    for name, (fits, what) in _OPTIONS.items():
        value = getattr(options, name)
        if not fits(value):
            return f"system_prompt_options.{name} is {what}, not {shown(value)}"
    return None


def answer_problem(answer: object) -> str | None:
    """What is wrong with it, in a line; None where nothing is."""
    if isinstance(answer, ev.ResultPatch) and answer.content is not ev.UNCHANGED:
        problem = content_problem(answer.content)
        if problem is not None:
            return problem
    for kind in type(answer).__mro__:
        for name, (fits, what) in _FIELDS.get(kind, {}).items():
            value = getattr(answer, name)
            if value is not ev.UNCHANGED and not fits(value):
                return f"{kind.__name__}.{name} is {what}, not {shown(value)}"
    return None
