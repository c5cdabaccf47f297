"""A script on the terminal: what it says, the calls it makes, what it put out."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pi.extensions import Drawing
from pi.wire.messages import text_of

__all__ = ["draw_result", "draw_script"]

FEW = 8
"""Lines of a script, and calls, that are shown before details are asked for."""
OUTPUT = 5
"""The same for lines of output."""
ARGS = 80
"""Characters of a call's arguments that are shown by then."""

_SIGNS = {
    "running": ("●", "warning"),
    "ok": ("✓", "success"),
    "error": ("✗", "error"),
    "cancelled": ("■", "muted"),
}


def draw_script(args: Mapping[str, Any], drawing: Drawing, theme: Any) -> list[str]:
    # Loaded by the terminal by now, and there is no other use for them.
    from pi.modes.interactive.cells import cut  # noqa: PLC0415
    from pi.modes.interactive.highlight import highlight  # noqa: PLC0415
    from pi.modes.interactive.sanitize import clean_lines  # noqa: PLC0415

    code = args.get("code")
    lines = clean_lines(code.strip()) if isinstance(code, str) else []
    shown = lines if drawing.expanded or len(lines) <= FEW + 1 else lines[:FEW]
    time = _time(drawing.duration_ms or 0)
    rows = [theme.bold("codemode") + (theme.fg("dim", f"  {time}") if time else "")]
    if shown:
        styled = highlight("\n".join(shown), "javascript", theme)
        rows += [cut(f"  {line}", drawing.width) for line in styled]
    hidden = _hidden(len(lines) - len(shown), "more line", drawing, theme)
    return rows + [f"  {row}" for row in hidden]


def draw_result(result: Mapping[str, Any], drawing: Drawing, theme: Any) -> list[str]:
    """result: {"content", "details"}; while the script runs, there are only details."""
    details = result.get("details")
    calls = details.get("calls") if isinstance(details, dict) else None
    calls = [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    rows = _calls(calls, drawing, theme)
    if drawing.partial:
        return rows
    return rows + _output(result.get("content") or (), drawing, theme)


def _calls(calls: Sequence[Mapping[str, Any]], drawing: Drawing, theme: Any) -> list[str]:
    """The last ones, a row each, and what those of models cost."""
    shown = calls if drawing.expanded or len(calls) <= FEW + 1 else calls[-FEW:]
    rows = _hidden(len(calls) - len(shown), "earlier call", drawing, theme)
    for call in shown:
        rows += _call(call, drawing, theme)
    costs = [cost for call in calls if isinstance(cost := call.get("cost"), int | float) and cost]
    if len(costs) > 1:
        rows.append(theme.fg("dim", f"models: {_dollars(sum(costs))}"))
    return rows


def _call(call: Mapping[str, Any], drawing: Drawing, theme: Any) -> list[str]:
    from pi.modes.interactive.cells import cut, wrap  # noqa: PLC0415  (as above)
    from pi.modes.interactive.sanitize import clean_line, clean_lines  # noqa: PLC0415

    sign, color = _SIGNS.get(str(call.get("status")), ("○", "muted"))
    asked = clean_line(_arguments(str(call.get("args", ""))))
    parts = [theme.fg(color, sign), theme.fg("toolTitle", clean_line(str(call.get("name", ""))))]
    if asked:
        parts.append(theme.fg("muted", asked if drawing.expanded else cut(asked, ARGS)))
    error = call.get("error") if call.get("status") == "error" else None
    error = error if isinstance(error, str) else ""
    took, cost = call.get("durationMs"), call.get("cost")
    if isinstance(took, int | float) and (time := _time(took)):
        parts.append(theme.fg("dim", time))
    if isinstance(cost, int | float) and cost:
        parts.append(theme.fg("dim", _dollars(cost)))
    if error and not drawing.expanded:
        parts.append(theme.fg("error", clean_line(error)))
    row = " ".join(parts)
    if not drawing.expanded:
        return [cut(row, drawing.width)]
    rows = wrap(row, drawing.width)
    for line in clean_lines(error) if error else ():
        rows += [f"  {theme.fg('error', part)}" for part in wrap(line, max(4, drawing.width - 2))]
    return rows


def _arguments(text: str) -> str:
    """Arguments for people: `a.txt` instead of `{"path":"a.txt"}`."""
    try:
        args = json.loads(text)
    except ValueError:
        return text  # of a model, or cut
    if not isinstance(args, dict):
        return text
    told = {key: _value(value) for key, value in args.items()}
    if len(told) == 1:
        return next(iter(told.values()))
    return " ".join(f"{key}={value}" for key, value in told.items())


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _output(content: Sequence[Any], drawing: Drawing, theme: Any) -> list[str]:
    """What was put out, without the lines for the model above it."""
    from pi.modes.interactive.cells import wrap  # noqa: PLC0415  (as above)
    from pi.modes.interactive.sanitize import clean_lines  # noqa: PLC0415

    blocks = list(content)
    first = blocks[0].get("text", "") if blocks else ""
    if first.startswith(("Script completed\n", "Script failed\n")):
        del blocks[0]
    text = text_of(blocks).strip("\n")
    lines = clean_lines(text) if text else []
    color = "error" if drawing.is_error else "toolOutput"
    every = [theme.fg(color, row) for line in lines for row in wrap(line, drawing.width)]
    shown = every if drawing.expanded or len(every) <= OUTPUT + 1 else every[:OUTPUT]
    return shown + _hidden(len(every) - len(shown), "more line", drawing, theme)


def _hidden(count: int, what: str, drawing: Drawing, theme: Any) -> list[str]:
    if count == 0:
        return []
    plural = "" if count == 1 else "s"
    return [theme.fg("dim", f"… {count} {what}{plural} ({drawing.key_text('app.tools.expand')})")]


def _time(milliseconds: float) -> str:
    """How long something took, where that is worth a word."""
    if milliseconds < 100:
        return ""
    return f"{milliseconds / 1000:.1f} s"


def _dollars(cost: float) -> str:
    """$0.12, and of fractions of a cent the two figures that count: $0.000042."""
    if cost >= 0.01:
        return f"${cost:.2f}"
    places = f"{cost:.1e}".partition("e-")[2]
    return f"${cost:.{int(places or 0) + 1}f}"
