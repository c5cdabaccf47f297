"""The compiled modules, each beside its pure twin, and the one place that picks.

COMPILED says which are in use. PI_PURE=1 picks the twins at run time, as PI_NO_EXTENSIONS=1 does
in the build. Nothing else in the program imports a compiled module or its twin by name.
"""

import os
from typing import TYPE_CHECKING

__all__ = ["COMPILED", "SseDecoder", "TreeRows", "skip_others", "usual_head"]

if TYPE_CHECKING:
    from pi._speedups._jsonl import TreeRows, skip_others, usual_head
    from pi._speedups._sse import SseDecoder

COMPILED = not os.environ.get("PI_PURE")
if not TYPE_CHECKING:
    if COMPILED:
        try:
            from pi._speedups.jsonl import TreeRows, skip_others, usual_head
            from pi._speedups.sse import SseDecoder
        except ImportError:
            COMPILED = False
    if not COMPILED:
        from pi._speedups._jsonl import TreeRows, skip_others, usual_head
        from pi._speedups._sse import SseDecoder
