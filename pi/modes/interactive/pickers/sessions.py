"""The session picker: all sessions of this folder or of all, found by a few letters.

The list comes from the index, in a thread; names, first messages and folders are searched at each
key, what was said in them a moment later, when the thread has it.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from pi.errors import PiError
from pi.modes.interactive.cells import cut, width
from pi.modes.interactive.keys import Mouse
from pi.modes.interactive.pickers.dialogs import InputDialog
from pi.modes.interactive.pickers.field import TextField
from pi.modes.interactive.pickers.scroll import Scroll
from pi.modes.interactive.pickers.session_library import (
    Found,
    Listing,
    SessionLibrary,
    delete_session,
    rename_session,
)
from pi.modes.interactive.pickers.session_query import (
    SessionQuery,
    parse_session_query,
    summary_text,
)
from pi.modes.interactive.pickers.session_rows import (
    Columns,
    Row,
    Sort,
    by_use,
    session_row,
    threads,
)
from pi.modes.interactive.pickers.stage import Picker, Stage, hint_rows, key_label, paragraph, rule
from pi.modes.interactive.sanitize import clean_line
from pi.modes.interactive.view import Key
from pi.session.index.catalog import Listed

__all__ = ["SessionPicker"]

NEWS = 4.0
"""Seconds that a message stays."""

PAUSE = 0.15
"""Seconds without a key before everything that was said is searched."""

_SORTS: tuple[Sort, ...] = get_args(Sort)


class SessionPicker(Picker[Path]):
    """Gives the session's file.

    library: closed with the picker. is_here: whether a session belongs to this folder. current:
    the session that is open, which cannot be deleted. rename: raises PiError; by default the
    session is opened for it. now: Unix seconds.
    """

    def __init__(
        self,
        stage: Stage,
        done: Callable[[Path | None], None],
        library: SessionLibrary,
        *,
        is_here: Callable[[Listed], bool],
        home: Path,
        current: Path | None = None,
        rename: Callable[[Path, str], None] = rename_session,
        delete: Callable[[Path], str] = delete_session,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(stage, done)
        self._library = library
        self._is_here = is_here
        self._home = home
        self._current = current
        self._rename = rename
        self._delete = delete
        self._now = now
        self._field = TextField()
        self._scroll = Scroll()
        self._everywhere = False
        self._named = False
        self._paths = False
        self._sort: Sort = "threaded"
        self._listing: Listing | None = None
        self._found = Found("")
        self._rows: list[Row] = []
        self._percent = 0
        self._condemned: Path | None = None
        self._news = ""
        self._bad_news = False
        self._off: Callable[[], None] | None = None
        self._search_off: Callable[[], None] | None = None
        self._texts: dict[Path, str] = {}
        self._scored: tuple[SessionQuery, dict[Path, float]] = (SessionQuery(""), {})
        library.list(self._take)

    def close(self) -> None:
        for off in (self._off, self._search_off):
            if off is not None:
                off()
        self._library.close()
        super().close()

    @property
    def current(self) -> Listed | None:
        return self._rows[self._scroll.index].session if self._rows else None

    @property
    def rows(self) -> Sequence[Row]:
        return self._rows

    @property
    def complete(self) -> bool:
        """Whether everything is there that was asked for."""
        listed = self._listing is not None and self._listing.complete
        return listed and self._found.query == self._wanted.text

    # What is listed

    def _take(self, listing: Listing) -> None:
        if self.ended:
            return
        first = self._listing is None
        self._list(listing)
        if listing.notices:
            self._tell(listing.notices[0], bad=True)
        here = any(self._is_here(one) for one in listing.sessions)
        if first and not here and listing.sessions and listing.complete:
            self._tell("No sessions in this folder yet: these are of all folders.")
            self._everywhere = True
        self._arrange()
        self.changed()

    def _list(self, listing: Listing) -> None:
        self._listing = listing
        self._texts = {one.path: summary_text(one) for one in listing.sessions}
        self._scored = (SessionQuery(""), {})

    def _take_found(self, found: Found) -> None:
        if self.ended or found.query != self._wanted.text:
            return
        self._found = found
        self._percent = 0
        if found.problem:
            self._tell(found.problem, bad=True)
        self._arrange()
        self.changed()

    def _take_progress(self, percent: int) -> None:
        if not self.ended:
            self._percent = percent
            self.changed()

    @property
    def _wanted(self) -> SessionQuery:
        return parse_session_query(self._field.text)

    def _arrange(self, *, stay: bool = True) -> None:
        """Sort and filter anew. stay: at the session, else go to the first."""
        place = self.current.path if stay and self.current is not None else None
        sessions = [] if self._listing is None else self._listing.sessions
        sessions = [
            one
            for one in sessions
            if (self._everywhere or self._is_here(one)) and (one.summary.name or not self._named)
        ]
        query = self._wanted
        if query.text:
            self._rows = self._matching(sessions, query)
        elif self._sort == "threaded":
            self._rows = threads(sessions)
        else:
            self._rows = by_use(sessions)
        at = next((i for i, row in enumerate(self._rows) if row.session.path == place), 0)
        self._scroll.resize(len(self._rows), at)

    def _matching(self, sessions: Sequence[Listed], query: SessionQuery) -> list[Row]:
        """Those whose summary matches, and those in which something was found."""
        found = self._found if self._found.query == query.text else Found("")
        scored: list[tuple[float, float, Listed]] = []
        scores = self._scores(query)
        for one in sessions:
            score = scores.get(one.path)
            hit = found.hits.get(one.path)
            if score is not None:
                scored.append((1, score, one))
            elif hit is not None:
                scored.append((0, hit.score, one))
            elif one.path in found.paths:
                scored.append((0, 0, one))
        if self._sort == "relevance":
            scored.sort(key=lambda item: (-item[0], -item[1], -item[2].used))
            return [Row(one) for _, _, one in scored]
        return by_use([one for _, _, one in scored])

    def _scores(self, query: SessionQuery) -> dict[Path, float]:
        before, known = self._scored
        if before.text == query.text:
            return known
        paths: Iterable[Path] = self._texts
        if (
            before.words
            and query.words
            and query.text.startswith(before.text)
            and not query.phrases
        ):
            paths = known  # one more letter: what did not match before does not now
        found = {p: score for p in paths if (score := query.score(self._texts[p])) is not None}
        self._scored = (query, found)
        return found

    # Keys

    def act(self, key: Key, actions: Sequence[str]) -> bool:
        if self._condemned is not None:
            if "tui.select.confirm" in actions:
                self._delete_now(self._condemned)
            elif "tui.select.cancel" not in actions:
                return True  # it is a question: nothing else is heard
            self._condemned = None
            return True
        if self._scroll.act(actions):
            return True
        for action in actions:
            match action:
                case "tui.select.cancel":
                    self.finish(None)
                case "tui.select.confirm":
                    if self.current is not None:
                        self.finish(self.current.path)
                case "tui.input.tab":
                    self._everywhere = not self._everywhere
                    self._arrange()
                case "app.session.toggleSort":
                    self._sort = _SORTS[(_SORTS.index(self._sort) + 1) % len(_SORTS)]
                    self._arrange()
                case "app.session.toggleNamedFilter":
                    self._named = not self._named
                    self._arrange()
                case "app.session.togglePath":
                    self._paths = not self._paths
                case "app.session.rename":
                    self._ask_name()
                case "app.session.delete":
                    self._ask_delete()
                case "app.session.deleteNoninvasive" if not self._field.text:
                    self._ask_delete()
                case _:
                    continue
            return True
        before = self._field.text
        handled = self._field.act(key, actions)
        if self._field.text != before:
            self._search_later(self._wanted)
            self._arrange(stay=False)
        return handled

    def point(self, event: Mouse) -> bool:
        if self._condemned is not None:
            return True
        did = self._scroll.point(event)
        if did == "chosen" and self.current is not None:
            self.finish(self.current.path)
        return did is not None

    def _search_later(self, query: SessionQuery) -> None:
        if self._search_off is not None:
            self._search_off()
            self._search_off = None
        if query.text and not query.problem:
            self._search_off = self.stage.later(
                PAUSE, lambda: self._library.search(query, self._take_found, self._take_progress)
            )
        else:
            self._found = Found(query.text)

    def _ask_name(self) -> None:
        if (one := self.current) is None:
            return

        def named(name: str | None) -> None:
            if name is None:
                return
            try:
                self._rename(one.path, name)
            except PiError as error:
                self._tell(str(error), bad=True)
                return
            name = " ".join(clean_line(name).split())
            summary = replace(one.summary, name=name or None)
            self._replace(one.path, replace(one, summary=summary))

        name = one.summary.name or ""
        self.open(
            InputDialog(
                self.stage,
                named,
                "Rename session",
                about=clean_line(one.title),
                prefill=name,
                placeholder="empty for no name",
            )
        )

    def _ask_delete(self) -> None:
        if (one := self.current) is None:
            return
        if one.path == self._current:
            self._tell("This session is open: it cannot be deleted.", bad=True)
            return
        self._condemned = one.path

    def _delete_now(self, path: Path) -> None:
        def deleted(text: str, worked: bool) -> None:
            if self.ended:
                return
            self._tell(text, bad=not worked)
            if worked:
                self._replace(path, None)
            self.changed()

        self._library.run(lambda: self._delete(path), deleted)

    def _replace(self, path: Path, by: Listed | None) -> None:
        if self._listing is not None:
            sessions = [by if one.path == path else one for one in self._listing.sessions]
            kept = [one for one in sessions if one is not None]
            at = self._scroll.index
            self._list(replace(self._listing, sessions=kept))
            self._arrange()
            if by is None:
                self._scroll.go(at)

    def _tell(self, text: str, *, bad: bool = False) -> None:
        self._news, self._bad_news = text, bad
        if self._off is not None:
            self._off()

        def forget() -> None:
            self._news = ""
            self._off = None
            self.changed()

        self._off = self.stage.later(NEWS, forget)

    # The look

    def draw(self, width_: int) -> list[str]:
        theme = self.theme
        rows = [rule(theme, width_, "Resume session"), self._state(width_)]
        text, at = self._field.draw(theme, width_ - 3)
        self.cursor = (len(rows), 2 + at)
        rows.append(theme.fg("accent", "> ") + text)
        below = self._below(width_)
        room = self.height - len(rows) - len(below) - 1
        if room < 1:
            below, room = [], max(1, self.height - len(rows) - 1)
        if self._condemned is not None:
            self.cursor = None
        window = self._scroll.window(room) if self._rows else range(0)
        self._scroll.items = dict(enumerate(window, len(rows)))
        rows += self._rows_shown(width_, room, window)
        return [*rows, *below, rule(theme, width_)]

    def _rows_shown(self, width_: int, room: int, window: range) -> list[str]:
        if not self._rows:
            return paragraph(self.theme, self._why_empty(), width_, "dim")[:room]
        columns = Columns(self._home, self._now(), self._everywhere, self._paths)
        return [
            session_row(
                self._rows[at],
                columns,
                width_,
                self.theme,
                selected=at == self._scroll.index,
                open_here=self._rows[at].session.path == self._current,
            )
            for at in window
        ]

    def _why_empty(self) -> str:
        if self._listing is None:
            return "Reading sessions…"
        problem = self._wanted.problem
        if problem:
            return f"No expression: {problem}"
        if self._wanted.text:
            return "Searching…" if not self.complete else "No session matches."
        if self._named:
            return "No session has a name here."
        if not self._everywhere:
            return f"No sessions in this folder. {key_label(self.stage, 'tui.input.tab')}: all."
        return "No sessions."

    def _state(self, width_: int) -> str:
        theme = self.theme
        parts = [
            "all folders" if self._everywhere else "this folder",
            *(("named",) if self._named else ()),
            self._sort,
            f"{self._scroll.index + 1 if self._rows else 0}/{len(self._rows)}",
        ]
        if self._listing is not None and not self._listing.complete:
            parts.append("reading the others…")
        elif self._wanted.text and not self.complete:
            parts.append(f"reading, {self._percent} %…" if self._percent else "searching…")
        row = " "
        for part in parts:
            gap = " · " if width(row) > 1 else ""
            if width(row) + width(gap) + width(part) > width_:
                break
            row += theme.fg("dim", gap) + theme.fg("accent" if gap == "" else "muted", part)
        return cut(row, width_)

    def _below(self, width_: int) -> list[str]:
        theme = self.theme
        label = key_label
        if self._condemned is not None:
            question = theme.fg("error", "Delete this session?")
            keys = [
                (label(self.stage, "tui.select.confirm"), "delete"),
                (label(self.stage, "tui.select.cancel"), "keep"),
            ]
            return [" " + cut(question, width_ - 2), *hint_rows(self.stage, width_, keys)]
        rows = []
        if self._news:
            token = "error" if self._bad_news else "success"
            rows += paragraph(theme, self._news, width_, token)[:2]
        elif (excerpt := self._excerpt()) and self.height >= 8:
            rows.append(" " + theme.fg("dim", cut(excerpt, width_ - 2)))
        hints = [
            (label(self.stage, "tui.input.tab"), "this/all folders"),
            (label(self.stage, "app.session.toggleSort"), "sort"),
            (label(self.stage, "app.session.toggleNamedFilter"), "named"),
            (label(self.stage, "app.session.togglePath"), "path"),
            (label(self.stage, "app.session.rename"), "rename"),
            (label(self.stage, "app.session.delete"), "delete"),
            ('"words"', "phrase"),
            ("re:", "expression"),
        ]
        return rows + hint_rows(self.stage, width_, hints)

    def _excerpt(self) -> str:
        one = self.current
        hit = self._found.hits.get(one.path) if one is not None else None
        if hit is None or not hit.excerpt.text or self._found.query != self._wanted.text:
            return ""
        return f"{hit.excerpt.role}: {clean_line(hit.excerpt.text)}"
