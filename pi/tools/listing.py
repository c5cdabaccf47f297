"""A list of lines as the result of a tool: cut where it is too much, with what there is to say."""

from collections.abc import Sequence
from typing import Any

from pi.tools.base import ToolResult, text_result
from pi.tools.truncate import MAX_BYTES, NO_LINE_LIMIT, head, size_text

__all__ = ["listing"]


def listing(
    lines: Sequence[str],
    *,
    otherwise: str,
    stopped: tuple[str, int, str] | None = None,
    remarks: Sequence[tuple[str | None, str]] = (),
) -> ToolResult:
    """otherwise: the text where there are no lines.

    stopped: for a list that goes on behind its limit, the limit's key in the details, the limit,
    and what to say. remarks: further keys, each True in the details (None for none), and sentences.
    """
    kept = head("\n".join(lines), max_lines=NO_LINE_LIMIT)
    details: dict[str, Any] = {}
    notices = []
    if stopped is not None:
        key, limit, notice = stopped
        details[key] = limit
        notices.append(notice)
    if kept.truncated:
        details["truncation"] = kept.details()
        notices.append(f"cut at {size_text(MAX_BYTES)}")
    for name, remark in remarks:
        if name is not None:
            details[name] = True
        notices.append(remark)
    text = kept.content if lines else otherwise
    if notices:
        text += f"\n\n[{'. '.join(notices)}]"
    return text_result(text, details=details or None)
