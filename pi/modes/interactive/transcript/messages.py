"""The parts of the transcript that are words: prompts, answers, thinking, summaries, notices."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pi.modes.interactive.cells import wrap, wrap_rows
from pi.modes.interactive.keys import Mouse
from pi.modes.interactive.sanitize import clean, clean_line
from pi.modes.interactive.transcript.look import Block, Kept, Look
from pi.modes.interactive.transcript.tools import image_lines
from pi.modes.interactive.view import Lines
from pi.wire.messages import CustomMessage, text_of

if TYPE_CHECKING:
    from pi.modes.interactive.markdown import Drawing, Markdown
    from pi.modes.interactive.markdown_shaped import Shaped
    from pi.runtime.looks import MarkdownPlace

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
_WITH_DIAGRAMS = ("user", "assistant", "summary")
_SKILL = re.compile(
    r'<skill name="([^"\n]+)" location="[^"\n]+">\n(.*?)\n</skill>(?:\n\n(.*))?', re.DOTALL
)


class UserBlock(Block):
    """What the person said. marked: fullscreen mode jumps from one to the next."""

    marked = True

    def __init__(
        self, look: Look, content: str | Sequence[Any], entry_id: str | None = None
    ) -> None:
        super().__init__(look)
        self._content = content
        self._entry_id = entry_id
        text = text_of(content if isinstance(content, str) else list(content))
        self.foldable = text.startswith("<skill ")

    def draw(self, width: int) -> list[str]:
        look, theme = self.look, self.look.theme
        content = self._content
        text = clean(text_of(content if isinstance(content, str) else list(content))).strip("\n")
        skill = _SKILL.fullmatch(text)
        note: list[str] = []
        room = max(1, width - 4)
        if skill:
            text = skill[3] or ""
            note = [theme.fg("customMessageLabel", f"skill {skill[1]}")]
            if self.expanded:
                note += markdown_rows(look, "custom", skill[2], room, "text", self._entry_id)
            else:
                note[0] += theme.fg("dim", f" ({look.expand_key})")
        rows = [*note, *self._words(text, room)] if text else note
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

    def _words(self, text: str, room: int) -> list[str]:
        """As they were typed; as Markdown where somebody has changed them, or drawn a diagram."""
        look, style = self.look, "userMessageText"
        transform = look.renderers.markdown("user", self._entry_id)
        shown = text if transform is None else transform(text, False, room)
        if shown == text and not (look.diagrams != "off" and "```mermaid" in text):
            return [look.theme.fg(style, line) for line in wrap_rows(text, room)]
        drawing = _drawing(look, "user", self.redraw)
        markdown = _markdown(look, style, indent="", above=0, drawing=drawing)
        markdown.finish(shown)
        return markdown.rows(room)


class TextBlock(Block):
    """An answer, or thinking: markdown that is drawn while it arrives."""

    style = "text"
    italic = False
    place: "MarkdownPlace" = "assistant"

    def __init__(self, look: Look, text: str | None = None, entry_id: str | None = None) -> None:
        """text: all of it; None when it is still to come. entry_id: where it was read from."""
        super().__init__(look)
        self.settled_rows = 0
        self._finished = False
        self._entry_id = entry_id
        self._markdown: Markdown | Shaped = self._drawer()
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
        diagrams = self._drawn_with.diagrams
        if diagrams is not None and diagrams.pending:
            self.settled_rows = 0
        return rows

    def invalidate(self) -> None:
        drawer = self._drawer()
        drawer.append(self._markdown.text)
        if self._finished:
            drawer.finish()
        self._markdown = drawer

    def _drawer(self) -> "Markdown | Shaped":
        look = self.look
        self._drawn_with = _drawing(look, self.place, self.redraw)
        markdown = _markdown(look, self.style, self.italic, drawing=self._drawn_with)
        transform = look.renderers.markdown(self.place, self._entry_id)
        if transform is None:
            return markdown
        # Few extensions change what is drawn.
        from pi.modes.interactive.markdown_shaped import Shaped  # noqa: PLC0415

        return Shaped(markdown, transform)


class ThinkingBlock(TextBlock):
    """Thinking, shown or folded to a line. redacted: there is nothing to be shown."""

    style = "thinkingText"
    italic = True
    place = "assistant-thinking"

    def __init__(
        self,
        look: Look,
        text: str | None = None,
        entry_id: str | None = None,
        *,
        redacted: bool = False,
    ) -> None:
        super().__init__(look, text, entry_id)
        self._redacted = redacted
        self.foldable = not redacted
        self._folded: tuple[tuple[bool, bool], list[str]] | None = None

    def render(self, width: int) -> Lines:
        if self.expanded and not self._redacted:
            return super().render(width)
        self.settled_rows = None if self._finished else 0
        state = (self._finished, bool(self.text.strip()) or self._redacted)
        if self._folded is None or self._folded[0] != state:
            self._folded = state, self._fold(*state)
        return self._folded[1]

    @property
    def expanded(self) -> bool:
        return not self.look.thinking_hidden if self._expanded is None else self._expanded

    def fold(self, expanded: bool | None) -> None:
        self._expanded, self._folded = expanded, None

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

    foldable = True

    def __init__(self, look: Look, title: str, summary: str, entry_id: str | None = None) -> None:
        super().__init__(look)
        self._title, self._summary, self._entry_id = title, summary, entry_id

    def draw(self, width: int) -> list[str]:
        look, theme = self.look, self.look.theme
        left = " " * look.pad
        title = theme.style(f"◇ {self._title}", fg="customMessageLabel", bold=True)
        room = max(1, width - 2 * look.pad)
        if not self.expanded:
            title += theme.fg("dim", f" ({look.expand_key})")
        rows = wrap(title, room)
        if self.expanded:
            more = markdown_rows(
                look, "summary", self._summary, room, "text", self._entry_id, self.redraw
            )
            rows += ["", *more]
        return ["", *(left + row if row else row for row in rows)]


class _Drawn(Block):
    """What an extension may draw. slot: as what."""

    slot = ""

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self._kept = Kept(self.redraw)

    def mouse(self, event: Mouse) -> bool:
        """One row further down than what is drawn: above it is a blank one."""
        return self.look.renderers.mouse(self._kept, self.slot, event._replace(y=event.y - 1))


class CustomBlock(_Drawn):
    """A message that an extension put into the conversation."""

    slot = "message"

    def __init__(self, look: Look, message: CustomMessage, entry_id: str | None = None) -> None:
        super().__init__(look)
        self._message, self._entry_id = message, entry_id

    def draw(self, width: int) -> list[str]:
        look, theme, message = self.look, self.look.theme, self._message
        drawn = look.renderers.message(message, self._kept, width)
        if drawn is not None:
            return ["", *drawn] if drawn else []
        content = message["content"]
        room = max(1, width - 4)
        label = theme.style(clean_line(message["customType"]), fg="customMessageLabel", bold=True)
        style = "customMessageText"
        text = text_of(content)
        rows = [label, *markdown_rows(look, "custom", text, room, style, self._entry_id)]
        if not isinstance(content, str):
            rows += image_lines(content, room, look)
        rows = [f"  {row}" if row else row for row in rows]
        if theme.has_background("customMessageBg"):
            rows = [theme.bar("customMessageBg", row, width) for row in rows]
        return ["", *rows]


class EntryBlock(_Drawn):
    """An entry of an extension that only people see: nothing, where no extension draws it."""

    slot = "entry"

    def __init__(self, look: Look, entry: Any) -> None:
        super().__init__(look)
        self._entry = entry

    def draw(self, width: int) -> list[str]:
        rows = self.look.renderers.entry(self._entry, self._kept, width)
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


def markdown_rows(
    look: Look,
    place: "MarkdownPlace",
    text: str,
    room: int,
    style: str,
    entry_id: str | None = None,
    ready: Callable[[], None] | None = None,
) -> list[str]:
    """A text that is complete, in so many cells. place: for extensions that change it.

    ready: called when it is to be drawn again, for a diagram that took long.
    """
    transform = look.renderers.markdown(place, entry_id)
    drawing = _drawing(look, place, ready)
    markdown = _markdown(look, style, indent="", above=0, drawing=drawing)
    markdown.finish(text if transform is None else transform(text, False, room))
    return markdown.rows(room)


# A seam in both of these: the first answer loads the parser, not the start of the program.


def _markdown(
    look: Look,
    style: str,
    italic: bool = False,
    *,
    drawing: "Drawing",
    indent: str | None = None,
    above: int = 1,
) -> "Markdown":
    """indent: the margin unless given."""
    from pi.modes.interactive.markdown import Markdown  # noqa: PLC0415  (see above)

    indent = " " * look.pad if indent is None else indent
    return Markdown(drawing, style, italic=italic, indent=indent, above=above)


def _drawing(look: Look, place: "MarkdownPlace", ready: Callable[[], None] | None) -> "Drawing":
    """How to draw Markdown at a place. ready: as in markdown_rows; without it, no diagrams."""
    from pi.modes.interactive.diagrams import Diagrams  # noqa: PLC0415  (see above)
    from pi.modes.interactive.markdown import Drawing  # noqa: PLC0415  (see above)

    diagrams = None
    if look.diagrams != "off" and ready is not None and place in _WITH_DIAGRAMS:
        diagrams = Diagrams(look.diagrams, ready)
    return Drawing(look.theme, look.code_indent, look.links, diagrams)
