"""What commands only show: the keys, the session's figures, the changelog."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pi.modes.interactive.actions import ACTIONS, Place
from pi.modes.interactive.cells import cut, pad, width, wrap
from pi.modes.interactive.keymap import Keymap
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.pickers.stage import rule
from pi.modes.interactive.sanitize import clean_line
from pi.modes.interactive.view import Lines

if TYPE_CHECKING:
    from pi.agent.statistics import SessionStatistics
    from pi.modes.interactive.transcript import Look

__all__ = ["ChangelogScreen", "HotkeysScreen", "SessionInfoScreen"]

GAP = 2

_PLACES: Mapping[Place, str] = {
    "main": "Everywhere",
    "select": "In lists",
    "models": "In the list of models",
    "thinking": "In the list of thinking levels",
    "sessions": "In the list of sessions",
    "tree": "In the session tree",
    "fullscreen": "In fullscreen mode",
}
_TYPED = (
    ("/", "Commands"),
    ("@", "Files to mention"),
    ("!", "Run a command and let the model see it"),
    ("!!", "Run a command only for yourself"),
)

Section = tuple[str, Sequence[tuple[str, str]]]


class _Screen:
    """Rows that are made once a width."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self._drawn: tuple[int, list[str]] | None = None

    def invalidate(self) -> None:
        self._drawn = None

    def render(self, width: int) -> Lines:
        if self._drawn is None or self._drawn[0] != width:
            self._drawn = (width, self._rows(max(1, width)))
        return self._drawn[1]

    def _rows(self, columns: int) -> list[str]:
        raise NotImplementedError

    def _sections(self, title: str, sections: Sequence[Section], columns: int) -> list[str]:
        """Headings, and below each two columns: what, and what about it."""
        theme = self.theme
        rows = [rule(theme, columns, title)]
        names = [width(name) for _, lines in sections for name, _ in lines]
        first = min(max(names, default=0), max(1, columns // 2 - GAP))
        for heading, lines in sections:
            if not lines:
                continue
            rows.append("")
            rows.append(" " + theme.fg("mdHeading", theme.bold(cut(heading, columns - 1))))
            for name, text in lines:
                left = wrap(name, first)
                right = wrap(clean_line(text), max(1, columns - 2 - first - GAP))
                for at in range(max(len(left), len(right))):
                    what = pad(left[at] if at < len(left) else "", first)
                    about = right[at] if at < len(right) else ""
                    row = f" {theme.fg('accent', what)}{' ' * GAP}{about}"
                    rows.append(cut(row.rstrip(), columns))
        return rows


class HotkeysScreen(_Screen):
    """Every action that has a key, with the keys as they are set."""

    def __init__(self, theme: Theme, keymap: Keymap) -> None:
        super().__init__(theme)
        self._keymap = keymap

    def _rows(self, columns: int) -> list[str]:
        sections: list[Section] = [
            (
                heading,
                [
                    (", ".join(keys), action.about)
                    for name, action in ACTIONS.items()
                    if action.place == place and (keys := self._keymap.keys_of(name))
                ],
            )
            for place, heading in _PLACES.items()
        ]
        sections.insert(1, ("At the beginning of a line", _TYPED))
        return self._sections("Keys", sections, columns)


class SessionInfoScreen(_Screen):
    """more: further sections, such as what an extension or the cache has to tell."""

    def __init__(
        self,
        theme: Theme,
        statistics: "SessionStatistics",
        *,
        name: str | None,
        model: str = "",
        more: Sequence[Section] = (),
    ) -> None:
        super().__init__(theme)
        self._statistics = statistics
        self._name = name
        self._model = model
        self._more = more

    def _rows(self, columns: int) -> list[str]:
        counted = self._statistics
        tokens = counted["tokens"]
        session = [
            ("Name", self._name or "none; give it one with /name"),
            ("File", counted.get("sessionFile") or "none: it is gone when pi ends"),
            ("Id", counted["sessionId"]),
        ]
        if self._model:
            session.append(("Model", self._model))
        messages = [
            ("All", f"{counted['totalMessages']:,}"),
            ("Yours", f"{counted['userMessages']:,}"),
            ("Answers", f"{counted['assistantMessages']:,}"),
            ("Tools", f"{counted['toolCalls']:,} calls, {counted['toolResults']:,} results"),
        ]
        figures = [
            ("Input", tokens["input"]),
            ("Output", tokens["output"]),
            ("Cache read", tokens["cacheRead"]),
            ("Cache written", tokens["cacheWrite"]),
            ("All", tokens["total"]),
        ]
        spent = [(what, f"{count:,}") for what, count in figures if count or what == "All"]
        if counted["cost"]:
            spent.append(("Cost", f"${counted['cost']:,.4f}"))
        sections: list[Section] = [
            ("Session", session),
            ("Messages", messages),
            ("Tokens", spent),
            *self._more,
        ]
        usage = counted.get("contextUsage")
        if usage is not None:
            used, percent = usage["tokens"], usage["percent"]
            filled = (
                "not known until the next answer"
                if used is None or percent is None
                else f"{used:,} of {usage['contextWindow']:,} tokens ({percent:.1f} %)"
            )
            sections.insert(3, ("Context", [("Filled", filled)]))
        return self._sections("Session", sections, columns)


class ChangelogScreen(_Screen):
    """text: markdown, as CHANGELOG.md has it."""

    def __init__(self, look: "Look", text: str, *, title: str = "What's New") -> None:
        super().__init__(look.theme)
        self._look = look
        self._text = text
        self._title = title

    def _rows(self, columns: int) -> list[str]:
        # Only for this screen.
        from pi.modes.interactive.transcript.messages import markdown_rows  # noqa: PLC0415

        rows = [rule(self.theme, columns, self._title), ""]
        drawn = markdown_rows(self._look, "changelog", self._text, max(1, columns - 2), "text")
        rows += [" " + row if row else row for row in drawn]
        return [cut(row, columns) for row in rows]
