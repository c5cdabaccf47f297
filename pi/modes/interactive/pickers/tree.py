"""The tree navigator: every branch of a session, to go on from any place in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from pi.errors import PiError
from pi.modes.interactive.cells import cut, width
from pi.modes.interactive.keys import Mouse
from pi.modes.interactive.pickers.dialogs import EditorDialog, InputDialog, SelectDialog
from pi.modes.interactive.pickers.field import TextField
from pi.modes.interactive.pickers.scroll import Scroll
from pi.modes.interactive.pickers.stage import Picker, Stage, hint_rows, key_label, paragraph, rule
from pi.modes.interactive.pickers.tree_shape import Segment, Shape, make_shape
from pi.modes.interactive.pickers.tree_text import FILTERS, Filter, TreeEntries
from pi.modes.interactive.sanitize import clean_line
from pi.modes.interactive.view import Key
from pi.session.store import SessionStore

__all__ = ["TreeChoice", "TreePicker"]

SLICE = 0.012
"""Seconds that a search works before keys are heard again."""

SHOW = 0.15
"""Seconds between two looks at what a search has found so far."""

INDENT = 3

_FILTER_ACTIONS: dict[str, Filter] = {
    "app.tree.filter.default": "default",
    "app.tree.filter.noTools": "no-tools",
    "app.tree.filter.userOnly": "user-only",
    "app.tree.filter.labeledOnly": "labeled-only",
    "app.tree.filter.all": "all",
}


@dataclass(frozen=True, slots=True)
class TreeChoice:
    """Where to go on, and whether to tell there what was done on the branch that is left.

    instructions: for that summary, None for the usual ones.
    """

    entry_id: str
    summary: bool = False
    instructions: str | None = None


class TreePicker(Picker[TreeChoice]):
    """set_label: writes a label, None removes it; the store has the entry when it returns.

    copy: takes a text to the clipboard. ask: whether to ask for a summary. external: see
    EditorDialog.
    """

    def __init__(
        self,
        stage: Stage,
        done: Callable[[TreeChoice | None], None],
        store: SessionStore,
        *,
        set_label: Callable[[str, str | None], None],
        copy: Callable[[str], None],
        view: Filter = "default",
        ask: bool = True,
        external: Callable[[str, Callable[[str | None], None]], None] | None = None,
    ) -> None:
        super().__init__(stage, done)
        self._store = store
        self._set_label = set_label
        self._copy = copy
        self._ask = ask
        self._external = external
        self._filter: Filter = view
        self._times = False
        self._field = TextField()
        self._scroll = Scroll()
        self._folded: set[int] = set()
        self._note = ""
        self._found: bytearray | None = None
        self._looked = 0
        self._show_at = 0.0
        self._off: Callable[[], None] | None = None
        self._entries = TreeEntries(store.history)
        self._shape = Shape()
        self._now: int | None = None
        self._read_path()
        self._arrange(self._leaf)

    def close(self) -> None:
        if self._off is not None:
            self._off()
        super().close()

    @property
    def shape(self) -> Shape:
        return self._shape

    @property
    def current(self) -> str | None:
        """Id of the entry the cursor is on."""
        row = self._row
        return None if row is None else self._entries.index.id(row)

    @property
    def _row(self) -> int | None:
        return self._shape.rows[self._scroll.index] if self._shape.rows else None

    def _read_path(self) -> None:
        index = self._entries.index
        leaf = self._store.leaf_id
        self._leaf = None if leaf is None else index.row(leaf)
        self._active = set() if self._leaf is None else set(index.up(self._leaf))

    def _arrange(self, row: int | None) -> None:
        """Lay the tree out anew and go to a row, or the nearest above it that is shown."""
        visible = self._entries.visible(self._filter, self._leaf)
        if self._found is not None:
            both = int.from_bytes(visible, "big") & int.from_bytes(self._found, "big")
            visible = bytearray(both.to_bytes(len(visible), "big"))
        folded = self._folded if self._found is None else ()
        self._shape = make_shape(self._entries.index, visible, self._active, folded)
        place = self._shape.place
        self._now = self._shown_of(self._leaf)
        at = len(self._shape) - 1
        if row is not None:
            nearest = self._shown_of(row)
            at = place[nearest] if nearest is not None else 0 if self._found else at
        self._scroll.resize(len(self._shape), max(0, at))

    def _shown_of(self, row: int | None) -> int | None:
        """The row itself, or the nearest above it that is shown."""
        if row is None:
            return None
        place = self._shape.place
        return next((up for up in self._entries.index.up(row) if up in place), None)

    # Keys

    def act(self, key: Key, actions: Sequence[str]) -> bool:
        self._note = ""
        if self._scroll.act(actions) or self._move(key, actions):
            return True
        for action in actions:
            if self._command(action):
                return True
        before = self._field.text
        handled = self._field.act(key, actions)
        if self._field.text != before:
            self._search()
        return handled

    def point(self, event: Mouse) -> bool:
        self._note = ""
        did = self._scroll.point(event)
        if did == "chosen":
            self._choose()
        return did is not None

    def _move(self, key: Key, actions: Sequence[str]) -> bool:
        scroll = self._scroll
        if key.name == "left":
            scroll.go(scroll.index - scroll.page)
        elif key.name == "right":
            scroll.go(scroll.index + scroll.page)
        elif key.name == "home":
            scroll.go(0)
        elif key.name == "end":
            scroll.go(scroll.count - 1)
        elif "app.tree.foldOrUp" in actions:
            self._fold_or_up()
        elif "app.tree.unfoldOrDown" in actions:
            self._unfold_or_down()
        else:
            return False
        return True

    def _command(self, action: str) -> bool:
        match action:
            case "tui.select.cancel":
                if self._field.text:
                    self._field.text = ""
                    self._folded.clear()
                    self._search()
                else:
                    self.finish(None)
            case "tui.select.confirm":
                self._choose()
            case "app.tree.editLabel":
                self._edit_label()
            case "app.tree.toggleLabelTimestamp":
                self._times = not self._times
            case "app.tree.filter.cycleForward":
                self._look_through(FILTERS[(FILTERS.index(self._filter) + 1) % len(FILTERS)])
            case "app.tree.filter.cycleBackward":
                self._look_through(FILTERS[FILTERS.index(self._filter) - 1])
            case "app.message.copy":
                self._copy_text()
            case _ if (wanted := _FILTER_ACTIONS.get(action)) is not None:
                self._look_through("default" if wanted == self._filter else wanted)
            case _:
                return False
        return True

    def _look_through(self, view: Filter) -> None:
        self._filter = view
        self._folded.clear()
        self._arrange(self._row if self._row is not None else self._leaf)

    def _fold_or_up(self) -> None:
        row = self._row
        if row is None:
            return
        at = self._scroll.index
        shape = self._shape
        if shape.is_head(at) and row in shape.parents and row not in self._folded:
            self._folded.add(row)
            self._arrange(row)
        else:
            self._scroll.go(shape.before(at))

    def _unfold_or_down(self) -> None:
        row = self._row
        if row is None:
            return
        if row in self._folded:
            self._folded.discard(row)
            self._arrange(row)
        else:
            self._scroll.go(self._shape.after(self._scroll.index))

    def _copy_text(self) -> None:
        text = "" if self._row is None else self._entries.copied(self._row)
        if text.strip():
            self._copy(text)
            self._note = "Copied."
        else:
            self._note = "There is no text in this entry."

    def _edit_label(self) -> None:
        row = self._row
        if row is None:
            return
        entry_id = self._entries.index.id(row)
        label = self._entries.label(row)

        def labelled(text: str | None) -> None:
            if text is None:
                return
            text = " ".join(clean_line(text).split())
            if text != (label[0] if label else ""):
                try:
                    self._set_label(entry_id, text or None)
                except PiError as error:
                    self._note = str(error)
                self._entries.refresh()
                self._read_path()
                self._found = self._grown(self._found)
                self._arrange(row)

        what, text, _ = self._entries.describe(row)
        self.open(
            InputDialog(
                self.stage,
                labelled,
                "Label",
                about=cut(f"{what} {text}", 200),
                prefill=label[0] if label else "",
                placeholder="empty for no label",
            )
        )

    def _grown(self, found: bytearray | None) -> bytearray | None:
        return None if found is None else found + bytearray(len(self._entries) - len(found))

    # The choice

    def _choose(self) -> None:
        entry_id = self.current
        if entry_id is None:
            return
        if not self._ask or self._row == self._now:
            self.finish(TreeChoice(entry_id))
            return
        self._ask_summary(entry_id, 0)

    def _ask_summary(self, entry_id: str, current: int) -> None:
        def answered(index: int | None) -> None:
            if index == 2:
                self._ask_instructions(entry_id)
            elif index is not None:
                self.finish(TreeChoice(entry_id, summary=index == 1))

        self.open(
            SelectDialog(
                self.stage,
                answered,
                "Summarize the branch you leave?",
                ("No summary", "Summarize", "Summarize with instructions of your own"),
                about="The summary is put at the place where you go on.",
                current=current,
            )
        )

    def _ask_instructions(self, entry_id: str) -> None:
        def written(text: str | None) -> None:
            if text is None:
                self._ask_summary(entry_id, 2)
            else:
                self.finish(TreeChoice(entry_id, True, text.strip() or None))

        self.open(
            EditorDialog(
                self.stage,
                written,
                "Instructions for the summary",
                about="What it should be about.",
                external=self._external,
            )
        )

    # Search: in slices, since it decodes

    def _search(self) -> None:
        if self._off is not None:
            self._off()
            self._off = None
        if not self._field.text.strip():
            row, self._found = self._row, None
            self._arrange(row if row is not None else self._leaf)
            return
        self._found = bytearray(len(self._entries))
        self._looked = 0
        self._show_at = 0.0
        self._look_on()

    def _look_on(self) -> None:
        self._off = None
        if self._found is None or self.ended:
            return
        words = self._field.text.casefold().split()
        shown = self._entries.visible(self._filter, self._leaf)
        until = monotonic() + SLICE
        while self._looked < len(self._found) and monotonic() < until:
            row = self._looked
            self._looked += 1
            if shown[row]:
                text = self._entries.words(row)
                self._found[row] = all(word in text for word in words)
        ended = self._looked == len(self._found)
        if not ended:
            self._off = self.stage.later(0, self._look_on)
        if ended or monotonic() >= self._show_at:
            self._arrange(self._row)
            self._show_at = monotonic() + SHOW
            self.changed()

    @property
    def searching(self) -> bool:
        return self._off is not None

    # The look

    def draw(self, width_: int) -> list[str]:
        theme = self.theme
        rows = [rule(theme, width_, "Session tree")]
        text, at = self._field.draw(theme, width_ - 3)
        self.cursor = (len(rows), 2 + at)
        rows.append(theme.fg("accent", "> ") + text)
        below = self._below(width_)
        room = self.height - len(rows) - len(below) - 1
        if room < 1:
            below, room = [], max(1, self.height - len(rows) - 1)
        self._scroll.items = {}
        if self._shape.rows:
            window = self._scroll.window(room)
            self._scroll.items = dict(enumerate(window, len(rows)))
            rows += [self._line(place, width_) for place in window]
        else:
            empty = "Searching…" if self.searching else "No entry to show with this filter."
            rows += paragraph(theme, empty, width_, "dim")[:room]
        return [*rows, *below, rule(theme, width_)]

    def _below(self, width_: int) -> list[str]:
        theme = self.theme
        label = key_label
        state = f" {self._scroll.index + 1 if self._shape.rows else 0}/{len(self._shape)}"
        state += f" · {self._filter}" + (" · label times" if self._times else "")
        state += " · searching…" if self.searching else ""
        rows = [theme.fg("muted", cut(state, width_))]
        if self._note:
            rows += paragraph(theme, self._note, width_, "success")[:1]
        filters = [label(self.stage, action) for action in _FILTER_ACTIONS]
        hints = [
            ("←→", "page"),
            (label(self.stage, "app.tree.foldOrUp", "app.tree.unfoldOrDown"), "branch, fold"),
            (label(self.stage, "app.tree.editLabel"), "label"),
            (label(self.stage, "app.tree.toggleLabelTimestamp"), "label times"),
            (_joined(filters), "filters"),
            (label(self.stage, "app.tree.filter.cycleForward"), "next filter"),
            (label(self.stage, "app.message.copy"), "copy"),
        ]
        return rows + hint_rows(self.stage, width_, hints)

    def _line(self, at: int, width_: int) -> str:
        theme = self.theme
        row = self._shape.rows[at]
        here = at == self._scroll.index
        lead = self._lead(at, max(INDENT, width_ // 3))
        mark = "• " if row in self._active else ""
        what, text, token = self._entries.describe(row)
        label = self._entries.label(row)
        tag = ""
        if label is not None:
            time = f" {_clock(label[1])}" if self._times else ""
            tag = f"[{clean_line(label[0])}]{time} "
        tail = " ← now" if row == self._now else ""
        room = width_ - 2 - width(lead) - len(mark) - width(tail)
        tag = cut(tag, max(0, room))
        what = cut(what, max(0, room - width(tag)))
        text = cut(f" {text}" if text else "", max(0, room - width(tag) - width(what)))
        if here:
            what, text = theme.bold(what), theme.bold(text)
        line = "".join(
            (
                theme.fg("accent", "→ ") if here else "  ",
                theme.fg("dim", lead),
                theme.fg("accent", mark),
                theme.fg("warning", tag),
                theme.fg(token, what),
                text,
                theme.fg("dim", tail),
            )
        )
        return cut(line, width_)

    def _lead(self, at: int, most: int) -> str:
        """The lines that show which branch a row belongs to."""
        segment: Segment | None = self._shape.segments[at]
        row = self._shape.rows[at]
        pieces: list[str] = []
        while segment is not None and segment.depth:
            if segment.head == row and not pieces:
                fold = "▸" if row in self._folded else "▾" if row in self._shape.parents else "─"
                pieces.append(("└" if segment.last else "├") + fold + " ")
            else:
                pieces.append("   " if segment.last else "│  ")
            segment = segment.above
        lead = "".join(reversed(pieces))
        return lead if len(lead) <= most else "…" + lead[-(most - most % INDENT) + 1 :]


def _joined(keys: Sequence[str]) -> str:
    """ctrl+d/t/u/l/a where all have the same modifiers."""
    keys = [key for key in keys if key]
    heads = {key.rpartition("+")[0] for key in keys}
    if len(heads) == 1 and "" not in heads:
        return "/".join([keys[0], *(key.rpartition("+")[2] for key in keys[1:])])
    return "/".join(keys)


def _clock(timestamp: str) -> str:
    """Local time; with the day where that is another one."""
    try:
        moment = datetime.fromisoformat(timestamp).astimezone()
    except ValueError:
        return "?"
    today = datetime.now().astimezone().date()
    return f"{moment:%H:%M}" if moment.date() == today else f"{moment:%Y-%m-%d %H:%M}"
