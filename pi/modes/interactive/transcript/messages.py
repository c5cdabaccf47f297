"""The parts of the transcript that are words: prompts, answers, thinking, summaries, notices."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pi.modes.interactive.cells import wrap, wrap_rows
from pi.modes.interactive.sanitize import clean, clean_line
from pi.modes.interactive.transcript.look import Block, Look, drawn_by
from pi.modes.interactive.transcript.tools import image_lines
from pi.modes.interactive.view import Lines
from pi.wire.messages import CustomMessage, text_of

if TYPE_CHECKING:
    from pi.modes.interactive.markdown import Markdown

__all__ = [
    "CustomBlock",
    "EntryBlock",
    "NoticeBlock",
    "NoticeKind",
    "SummaryBlock",
    "TextBlock",
    "ThinkingBlock",
    "UserBlock",
]

NoticeKind = Literal["info", "success", "warning", "error"]

_SIGNS: dict[NoticeKind, tuple[str, str]] = {
    "info": ("·", "muted"),
    "success": ("✓", "success"),
    "warning": ("!", "warning"),
    "error": ("✗", "error"),
}
_PROMPT = "❯"
_SKILL = re.compile(
    r'<skill name="([^"\n]+)" location="[^"\n]+">\n(.*?)\n</skill>(?:\n\n(.*))?', re.DOTALL
)


class UserBlock(Block):
    """What the person said. marked: fullscreen mode jumps from one to the next."""

    marked = True

    def __init__(self, look: Look, content: str | Sequence[Any]) -> None:
        super().__init__(look)
        self._content = content

    def draw(self, width: int) -> list[str]:
        look, theme = self.look, self.look.theme
        content = self._content
        text = clean(text_of(content if isinstance(content, str) else list(content))).strip("\n")
        skill = _SKILL.fullmatch(text)
        note: list[str] = []
        if skill:
            text = skill[3] or ""
            note = [theme.fg("customMessageLabel", f"skill {skill[1]}")]
            if look.expanded:
                note += wrap_rows(skill[2], width - 4)
            else:
                note[0] += theme.fg("dim", f" ({look.expand_key})")
        room = max(1, width - 4)
        lines = wrap_rows(text, room) if text else []
        rows = [*note, *(theme.fg("userMessageText", line) for line in lines)]
        if not isinstance(content, str):
            rows += image_lines(content, room, look)
        sign = theme.style(_PROMPT, fg="accent", bold=True)
        drawn = [f" {sign} {row}" if at == 0 else f"   {row}" for at, row in enumerate(rows)]
        if theme.has_background("userMessageBg"):
            drawn = [
                row
                if "\x1b_G" in row or "\x1b]1337" in row
                else theme.bar("userMessageBg", row, width)
                for row in drawn
            ]
        return ["", *drawn] if drawn else []


class TextBlock(Block):
    """An answer, or thinking: markdown that is drawn while it arrives."""

    style = "text"
    italic = False

    def __init__(self, look: Look, text: str | None = None) -> None:
        """text: all of it; None when it is still to come."""
        super().__init__(look)
        self.settled_rows = 0
        self._finished = False
        self._markdown = _markdown(look, self.style, self.italic)
        if text is not None:
            self.finish(text)

    @property
    def text(self) -> str:
        return self._markdown.text

    def append(self, text: str) -> None:
        self._markdown.append(text)

    def finish(self, text: str | None = None) -> None:
        """text: all of it, as the finished message has it."""
        self._finished = True
        self._markdown.finish(text)

    def render(self, width: int) -> Lines:
        rows = self._markdown.rows(width)
        self.settled_rows = None if self._finished else self._markdown.settled
        return rows

    def invalidate(self) -> None:
        look = self.look
        self._markdown.restyle(look.theme, look.code_indent, look.links, " " * look.pad)


class ThinkingBlock(TextBlock):
    """Thinking, shown or folded to a line. redacted: there is nothing to be shown."""

    style = "thinkingText"
    italic = True

    def __init__(self, look: Look, text: str | None = None, *, redacted: bool = False) -> None:
        super().__init__(look, text)
        self._redacted = redacted
        self._folded: tuple[tuple[bool, bool], list[str]] | None = None

    def render(self, width: int) -> Lines:
        if not self.look.thinking_hidden and not self._redacted:
            return super().render(width)
        self.settled_rows = None if self._finished else 0
        state = (self._finished, bool(self.text.strip()) or self._redacted)
        if self._folded is None or self._folded[0] != state:
            self._folded = state, self._fold(*state)
        return self._folded[1]

    def _fold(self, finished: bool, said: bool) -> list[str]:
        if not said and finished:
            return []
        theme = self.look.theme
        if self._redacted:
            label = "Thought, kept back by the provider"
        elif self.look.thinking_label:
            label = self.look.thinking_label
        elif finished:
            label = f"Thought ({self.look.thinking_key})"
        else:
            label = f"Thinking … ({self.look.thinking_key})"
        return ["", " " * self.look.pad + theme.style(label, fg="thinkingText", italic=True)]

    def invalidate(self) -> None:
        self._folded = None
        super().invalidate()


class SummaryBlock(Block):
    """What stands for a part of the conversation that the model no longer sees."""

    def __init__(self, look: Look, title: str, summary: str) -> None:
        super().__init__(look)
        self._title, self._summary = title, summary

    def draw(self, width: int) -> list[str]:
        look, theme = self.look, self.look.theme
        left = " " * look.pad
        title = theme.style(f"◇ {self._title}", fg="customMessageLabel", bold=True)
        if not look.expanded:
            title += theme.fg("dim", f" ({look.expand_key})")
        rows = [left + row for row in wrap(title, max(1, width - 2 * look.pad))]
        more = TextBlock(look, self._summary).render(width) if look.expanded else []
        return ["", *rows, *more]


class CustomBlock(Block):
    """A message that an extension put into the conversation."""

    def __init__(self, look: Look, message: CustomMessage) -> None:
        super().__init__(look)
        self._message = message

    def draw(self, width: int) -> list[str]:
        look, theme, message = self.look, self.look.theme, self._message
        renderer = look.renderers.messages.get(message["customType"])
        if renderer is not None:
            make = renderer
            return ["", *drawn_by(lambda: make(message, look.expanded, theme), width, look)]
        content = message["content"]
        text = clean(text_of(content))
        room = max(1, width - 4)
        label = theme.style(clean_line(message["customType"]), fg="customMessageLabel", bold=True)
        rows = [label, *(theme.fg("customMessageText", row) for row in wrap_rows(text, room))]
        if not isinstance(content, str):
            rows += image_lines(content, room, look)
        rows = [f"  {row}" if row else row for row in rows]
        if theme.has_background("customMessageBg"):
            rows = [theme.bar("customMessageBg", row, width) for row in rows]
        return ["", *rows]


class EntryBlock(Block):
    """An entry of an extension that only people see, drawn by the extension."""

    def __init__(self, look: Look, entry: Any) -> None:
        super().__init__(look)
        self._entry = entry

    def draw(self, width: int) -> list[str]:
        look = self.look
        renderer = look.renderers.entries.get(self._entry.get("customType", ""))
        if renderer is None:
            return []
        make = renderer
        rows = drawn_by(lambda: make(self._entry, look.expanded, look.theme), width, look)
        return ["", *rows] if rows else []


class NoticeBlock(Block):
    """A line from the program itself. live: it will still change (see `say`)."""

    def __init__(self, look: Look, kind: NoticeKind, text: str, *, live: bool = False) -> None:
        super().__init__(look)
        self._kind, self._text = kind, text
        self.settled_rows = 0 if live else None

    def say(self, text: str, kind: NoticeKind | None = None, *, live: bool = False) -> None:
        """Another text; "" makes it vanish."""
        self._text, self._kind = text, kind or self._kind
        self.settled_rows = 0 if live else None
        self.invalidate()

    def draw(self, width: int) -> list[str]:
        if not self._text:
            return []
        look = self.look
        sign, color = _SIGNS[self._kind]
        room = max(4, width - 2 * look.pad - 2)
        rows = wrap_rows(clean(self._text), room)
        left = " " * look.pad
        return [
            "",
            *(
                left + look.theme.fg(color, f"{sign} {row}" if at == 0 else f"  {row}")
                for at, row in enumerate(rows)
            ),
        ]


def _markdown(look: Look, style: str, italic: bool) -> "Markdown":
    # A seam: the first answer loads the parser, not the start of the program.
    from pi.modes.interactive.markdown import Drawing, Markdown  # noqa: PLC0415

    drawing = Drawing(look.theme, look.code_indent, look.links)
    return Markdown(drawing, style, italic=italic, indent=" " * look.pad, above=1)
