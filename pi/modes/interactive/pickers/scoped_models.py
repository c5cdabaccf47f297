"""Which models cycling goes through, and in which order."""

from collections.abc import Callable, Sequence

from pi.modes.interactive.cells import cut
from pi.modes.interactive.pickers.models import ModelRow
from pi.modes.interactive.pickers.select import Choice, ListPicker
from pi.modes.interactive.pickers.stage import Stage, key_label
from pi.modes.interactive.view import Key

__all__ = ["ScopedModelsPicker"]

Scope = Sequence[str] | None


class ScopedModelsPicker(ListPicker[str, bool]):
    """Each change takes effect at once: `changed_to` is told the references, None for all models.

    scope: references in their order, None for all. save: writes them to the settings. `done` is
    called with None when it is left.
    """

    def __init__(
        self,
        stage: Stage,
        done: Callable[[bool | None], None],
        rows: Sequence[ModelRow],
        *,
        scope: Scope,
        changed_to: Callable[[list[str] | None], None],
        save: Callable[[list[str] | None], None],
    ) -> None:
        self._rows = {row.reference: row for row in rows}
        self._scope = None if scope is None else [name for name in scope if name in self._rows]
        self._tell = changed_to
        self._save = save
        self._unsaved = False
        super().__init__(
            stage,
            done,
            self._listed(),
            title="Models to cycle through",
            about=f"For this session; {key_label(stage, 'app.models.save')} keeps it.",
            marks=True,
            empty="No model matches." if rows else "No models. Sign in with /login.",
        )

    @property
    def scope(self) -> list[str] | None:
        return None if self._scope is None else list(self._scope)

    def _listed(self) -> list[Choice[str]]:
        """Those that are on first, in their order."""
        chosen = list(self._rows) if self._scope is None else self._scope
        on = set(chosen)
        names = [*chosen, *(name for name in self._rows if name not in on)]
        return [
            Choice(
                name,
                row.id + (f" ({row.name})" if row.name and row.name != row.id else ""),
                note=row.provider,
                detail=row.detail(),
                checked=name in on,
                search=row.words,
            )
            for name in names
            for row in (self._rows[name],)
        ]

    def head(self, width: int) -> list[str]:
        count = len(self._rows) if self._scope is None else len(self._scope)
        state = "all of them" if self._scope is None else f"{count} of {len(self._rows)}"
        unsaved = " · not saved" if self._unsaved else ""
        return [
            *super().head(width),
            " " + self.theme.fg("accent", cut(state + unsaved, width - 2)),
        ]

    def hints(self) -> list[tuple[str, str]]:
        label = key_label
        return [
            (label(self.stage, "tui.select.confirm"), "on/off"),
            (label(self.stage, "tui.select.cancel"), "close"),
            (label(self.stage, "app.models.enableAll"), "all"),
            (label(self.stage, "app.models.clearAll"), "none"),
            (label(self.stage, "app.models.toggleProvider"), "provider"),
            (label(self.stage, "app.models.reorderUp", "app.models.reorderDown"), "order"),
            (label(self.stage, "app.models.save"), "save"),
        ]

    def more(self, key: Key, actions: Sequence[str]) -> bool:
        for action in actions:
            match action:
                case "app.models.enableAll":
                    self._switch([choice.value for choice in self.shown], on=True)
                case "app.models.clearAll":
                    self._switch([choice.value for choice in self.shown], on=False)
                case "app.models.toggleProvider":
                    self._toggle_provider()
                case "app.models.reorderUp":
                    self._reorder(-1)
                case "app.models.reorderDown":
                    self._reorder(1)
                case "app.models.save":
                    self._save(self.scope)
                    self._unsaved = False
                case _:
                    continue
            return True
        return False

    def chosen(self, choice: Choice[str]) -> None:
        at = self._scroll.index
        self._switch([choice.value], on=not choice.checked)
        # The row goes elsewhere; the person goes on with what is in its place.
        self._scroll.go(at)

    def _switch(self, names: Sequence[str], *, on: bool) -> None:
        scope = list(self._rows) if self._scope is None else self._scope
        if on:
            known = set(scope)
            scope = [*scope, *(name for name in names if name not in known)]
        else:
            off = set(names)
            scope = [name for name in scope if name not in off]
        self._take(scope)

    def _toggle_provider(self) -> None:
        if self.current is None:
            return
        provider = self._rows[self.current.value].provider
        names = [name for name, row in self._rows.items() if row.provider == provider]
        on = set(self._rows if self._scope is None else self._scope)
        self._switch(names, on=not on.issuperset(names))

    def _reorder(self, step: int) -> None:
        if self.current is None or self.query:
            return
        scope = list(self._rows) if self._scope is None else self._scope
        name = self.current.value
        if name not in scope:
            return
        at = scope.index(name)
        if 0 <= at + step < len(scope):
            scope[at], scope[at + step] = scope[at + step], scope[at]
            self._take(scope, ordered=True)

    def _take(self, scope: list[str], *, ordered: bool = False) -> None:
        everything = len(scope) == len(self._rows)
        # All of them is no scope, unless somebody has put them in an order.
        in_order = scope == list(self._rows) or not (ordered or self._ordered)
        self._scope = None if everything and in_order else scope
        self._unsaved = True
        self.put(self._listed())
        self._tell(self.scope)

    @property
    def _ordered(self) -> bool:
        return self._scope is not None and len(self._scope) == len(self._rows)
