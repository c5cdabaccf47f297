"""The compiled modules, each beside its pure twin, and the one place that picks.

COMPILED says which are in use. PI_PURE=1 picks the twins at run time, as PI_NO_EXTENSIONS=1 does
in the build. Nothing else in the program imports a compiled module or its twin by name.

What not every run needs is loaded when the first name of its group is asked for. The search modules
are compiled on POSIX only; elsewhere they are the twins even where COMPILED is true. They pass each
other's objects on, so they are picked together.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

__all__ = [
    "COMPILED",
    "Automaton",
    "Names",
    "Rules",
    "SseDecoder",
    "TreeRows",
    "TreeSearch",
    "Walker",
    "search_bytes",
    "search_file",
    "skip_others",
    "usual_head",
]

if TYPE_CHECKING:
    from pi._speedups._automaton import Automaton
    from pi._speedups._ignore import Rules
    from pi._speedups._jsonl import skip_others, usual_head
    from pi._speedups._names import Names
    from pi._speedups._rows import TreeRows
    from pi._speedups._scan import search_bytes, search_file
    from pi._speedups._search import TreeSearch
    from pi._speedups._sse import SseDecoder
    from pi._speedups._walk import Walker

COMPILED = not os.environ.get("PI_PURE")
if not TYPE_CHECKING:
    if COMPILED:
        try:
            from pi._speedups.jsonl import skip_others, usual_head
            from pi._speedups.sse import SseDecoder
        except ImportError:
            COMPILED = False
    if not COMPILED:
        from pi._speedups._jsonl import skip_others, usual_head
        from pi._speedups._sse import SseDecoder

_LATE = (
    {"TreeRows": "rows"},
    {"Names": "names"},
    {
        "Automaton": "automaton",
        "Rules": "ignore",
        "Walker": "walk",
        "TreeSearch": "search",
        "search_bytes": "scan",
        "search_file": "scan",
    },
)
"""Public names and the modules they are in; those of a group come together."""


def __getattr__(name: str) -> object:
    for group in _LATE:
        if name in group:
            break
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    for prefix in ("", "_") if COMPILED else ("_",):
        try:
            found = {
                public: getattr(import_module(f"{__name__}.{prefix}{module}"), public)
                for public, module in group.items()
            }
        except ImportError:
            if prefix:
                raise
            continue
        globals().update(found)
        return found[name]
    raise AssertionError("the twins are always there")
