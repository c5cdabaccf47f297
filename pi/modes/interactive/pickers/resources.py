"""`pi config`: extensions, skills, prompt templates and themes, switched on and off in place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pi.config.settings_write import Scope
from pi.errors import PiError
from pi.modes.interactive.pickers.select import Choice, ListPicker
from pi.modes.interactive.pickers.stage import Stage, key_label, paragraph, tabs
from pi.modes.interactive.view import Key

__all__ = ["ResourcePicker", "ResourceRow"]

_ALL = 200
"""Rows of a terminal: as many as there are."""


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """whence, kind: the headings it stands below. name: short. path: where the file is.

    on: whether it loads. word: what the scope's own settings say of it, None for nothing.
    without: whether it would load if they said nothing. inherited: of the person's, seen from a
    project.
    """

    whence: str
    kind: str
    name: str
    path: str
    on: bool
    word: bool | None = None
    without: bool = True
    inherited: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.path


class ResourcePicker(ListPicker[tuple[str, str], bool]):
    """What is switched is written at once; `done` is called with None when it is left.

    rows: what there is, by scope, asked anew after each change. switch: has settings of a scope
    enable or disable a row; None takes their word back. Raises PiError. files: the settings file
    of each scope there is. scope: where to start.
    """

    def __init__(
        self,
        stage: Stage,
        done: Callable[[bool | None], None],
        *,
        rows: Callable[[Scope], Sequence[ResourceRow]],
        switch: Callable[[Scope, ResourceRow, bool | None], None],
        files: Mapping[Scope, str],
        scope: Scope = "user",
    ) -> None:
        self._rows, self._switch = rows, switch
        self._files = dict(files)
        self._scope: Scope = scope
        self._by_key: dict[tuple[str, str], ResourceRow] = {}
        super().__init__(
            stage,
            done,
            self._listed(),
            title="Resources",
            empty="Nothing matches.",
            marks=False,
            most=_ALL,
        )
        if not self._choices:
            self.empty = "There are no resources."

    def _listed(self) -> list[Choice[tuple[str, str]]]:
        rows = self._rows(self._scope)
        self._by_key = {row.key: row for row in rows}
        return [
            Choice(
                row.key,
                f"    [{_mark(row)}] {row.name}",
                note=_note(row),
                detail=row.path,
                search=f"{row.name} {row.kind} {row.whence} {row.path}",
                faint=row.inherited and row.word is None,
            )
            for row in rows
        ]

    # What stands there

    def headings(self, choice: Choice[tuple[str, str]]) -> Sequence[str]:
        row = self._by_key[choice.value]
        return row.whence, row.kind

    def ranked(self, query: str) -> list[Choice[tuple[str, str]]]:
        """In their usual order, so that what belongs together stands together."""
        words = query.casefold().split()
        return [
            choice
            for choice in self._choices
            if all(word in choice.words.casefold() for word in words)
        ]

    def head(self, width: int) -> list[str]:
        names: dict[Scope, str] = {"user": "yours", "project": "this project's"}
        rows = []
        if len(self._files) > 1:
            rows.append(tabs(self.theme, width, list(names.values()), names[self._scope]))
        return [*rows, *paragraph(self.theme, self._files[self._scope], width, "dim")]

    def hints(self) -> list[tuple[str, str]]:
        cycle = "on, off, as yours" if self._scope == "project" else "on or off"
        return [
            (f"space/{key_label(self.stage, 'tui.select.confirm')}", cycle),
            (key_label(self.stage, "tui.input.tab") if len(self._files) > 1 else "", "scope"),
            (key_label(self.stage, "tui.select.cancel"), "close"),
        ]

    # Keys

    def more(self, key: Key, actions: Sequence[str]) -> bool:
        if "tui.input.tab" in actions and len(self._files) > 1:
            self._scope = "project" if self._scope == "user" else "user"
            self.note = ""
            self.put(self._listed())
            return True
        if key.name == "space":
            if self.current is not None:
                self.chosen(self.current)
            return True
        return False

    def chosen(self, choice: Choice[tuple[str, str]]) -> None:
        row = self._by_key[choice.value]
        try:
            self._switch(self._scope, row, self._next(row))
        except PiError as error:
            self.note = str(error)
            return
        self.note = ""
        self.put(self._listed())

    def _next(self, row: ResourceRow) -> bool | None:
        """In a project: the other way, the same way but said, then nothing said."""
        if self._scope == "user":
            return not row.on
        if row.word is None:
            return not row.without
        return row.without if row.word != row.without else None


def _mark(row: ResourceRow) -> str:
    if row.word is None:
        return "x" if row.on else " "
    return "+" if row.word else "-"


def _note(row: ResourceRow) -> str:
    if row.word is not None:
        return "on here" if row.word else "off here"
    return "yours" if row.inherited else ""
