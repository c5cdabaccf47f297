"""Choosing the model: one for now, those that cycling goes through, and how much to think."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pi.models.listing import short_count
from pi.modes.interactive.pickers.fuzzy import fuzzy_filter
from pi.modes.interactive.pickers.select import Choice, ListPicker
from pi.modes.interactive.pickers.stage import Stage, key_label, paragraph, tabs
from pi.modes.interactive.view import Key
from pi.wire.messages import ThinkingLevel

__all__ = ["ModelChoice", "ModelPicker", "ModelRow", "ThinkingChoice", "ThinkingPicker"]


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model as pickers show it.

    usable: there is a credential. window: tokens, 0 where nobody knows. levels: of thinking.
    """

    provider: str
    id: str
    name: str = ""
    usable: bool = True
    window: int = 0
    images: bool = False
    levels: tuple[ThinkingLevel, ...] = ("off",)

    @property
    def reference(self) -> str:
        return f"{self.provider}/{self.id}"

    @property
    def words(self) -> str:
        """What searches look at: as one may write it, provider before or behind."""
        name = f" {self.name}" if self.name else ""
        return f"{self.id} {self.provider} {self.reference} {self.provider} {self.id}{name}"

    def detail(self) -> str:
        parts = [self.name or self.id]
        if self.window:
            parts.append(f"{short_count(self.window)} context")
        if self.levels != ("off",):
            parts.append("thinks")
        if self.images:
            parts.append("takes images")
        return " · ".join(parts)


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """default: make it the model that new sessions start with, too."""

    row: ModelRow
    default: bool = False


class ModelPicker(ListPicker[str, ModelChoice]):
    """All models, or those in scope; Tab changes between the two.

    scoped: references in their order, None or empty where there is no scope. current, default:
    references. A model without a credential is found by searching, and says how to get one.
    """

    def __init__(
        self,
        stage: Stage,
        done: Callable[[ModelChoice | None], None],
        rows: Sequence[ModelRow],
        *,
        current: str | None = None,
        default: str | None = None,
        scoped: Sequence[str] | None = None,
        query: str = "",
    ) -> None:
        self._rows = {row.reference: row for row in rows}
        self._current = current
        self._default = default
        self._scoped = [name for name in scoped or () if name in self._rows]
        self._tab: Literal["all", "scoped"] = "scoped" if self._scoped else "all"
        super().__init__(
            stage,
            done,
            self._listed(),
            title="Model",
            marks=True,
            current=current,
            empty="No model matches."
            if any(row.usable for row in rows)
            else "No model can be used yet. Sign in with /login, or describe one in models.json.",
        )
        if query and self.field is not None:
            self.field.text = query
            self._filter(None)

    def replace(self, rows: Sequence[ModelRow]) -> None:
        """Other models, such as after the catalogue was refreshed."""
        self._rows = {row.reference: row for row in rows}
        self._scoped = [name for name in self._scoped if name in self._rows]
        self.put(self._listed())
        self.changed()

    def _listed(self) -> list[Choice[str]]:
        rows = list(self._rows.values())
        if self._tab == "scoped":
            rows = [self._rows[name] for name in self._scoped]
        else:
            rows.sort(key=lambda row: (not row.usable, row.reference != self._current))
        return [
            Choice(
                row.reference,
                row.id + (f" ({row.name})" if row.name and row.name != row.id else ""),
                note=row.provider
                + (" · default" if row.reference == self._default else "")
                + ("" if row.usable else " · no key"),
                detail=row.detail()
                if row.usable
                else f"No key for {row.provider}. Sign in or store one: /login {row.provider}",
                checked=row.reference == self._current,
                search=row.words,
            )
            for row in rows
        ]

    def browsed(self) -> list[Choice[str]]:
        return [choice for choice in self._choices if self._rows[choice.value].usable]

    def ranked(self, query: str) -> list[Choice[str]]:
        found = fuzzy_filter(self._choices, query, lambda choice: choice.words)
        # Whatever matches best, what cannot be used now does not go before what can.
        return sorted(found, key=lambda choice: not self._rows[choice.value].usable)

    def head(self, width: int) -> list[str]:
        if not self._scoped:
            more = len(self._choices) - len(self.browsed())
            if self.query or not more:
                return []
            what = "1 more model is" if more == 1 else f"{more:,} more models are"
            text = f"{what} found by searching, without a key yet."
            return paragraph(self.theme, text, width, "dim")
        return [tabs(self.theme, width, ("all", "scoped"), self._tab)]

    def hints(self) -> list[tuple[str, str]]:
        label = key_label
        return [
            (label(self.stage, "tui.select.confirm"), "select"),
            (label(self.stage, "tui.select.cancel"), "cancel"),
            (label(self.stage, "app.models.save"), "select, make default"),
            (label(self.stage, "tui.input.tab") if self._scoped else "", "all/scoped"),
        ]

    def more(self, key: Key, actions: Sequence[str]) -> bool:
        if "tui.input.tab" in actions and self._scoped:
            self._tab = "all" if self._tab == "scoped" else "scoped"
            self.put(self._listed())
            return True
        if "app.models.save" in actions:
            if self.current is not None:
                self._choose(self.current, default=True)
            return True
        return False

    def chosen(self, choice: Choice[str]) -> None:
        self._choose(choice, default=False)

    def _choose(self, choice: Choice[str], *, default: bool) -> None:
        row = self._rows[choice.value]
        if row.usable:
            self.finish(ModelChoice(row, default))
        else:
            self.note = choice.detail


_LEVELS: Mapping[ThinkingLevel, str] = {
    "off": "answers at once",
    "minimal": "a moment",
    "low": "a little",
    "medium": "for most work",
    "high": "for hard problems",
    "xhigh": "for very hard ones",
    "max": "as long as it takes",
}


@dataclass(frozen=True, slots=True)
class ThinkingChoice:
    """default: keep it in the settings, too."""

    level: ThinkingLevel
    default: bool = False


class ThinkingPicker(ListPicker[ThinkingLevel, ThinkingChoice]):
    """levels: those the model has. budgets: tokens, for levels that have one.

    can_save: with a key that makes it the default. marked: instead of the current one, else.
    """

    def __init__(
        self,
        stage: Stage,
        done: Callable[[ThinkingChoice | None], None],
        levels: Sequence[ThinkingLevel],
        *,
        current: ThinkingLevel,
        default: ThinkingLevel | None = None,
        budgets: Mapping[str, int] | None = None,
        marked: ThinkingLevel | None = None,
        title: str = "Thinking level",
        about: str = "",
        can_save: bool = True,
    ) -> None:
        self._can_save = can_save
        if can_save and not about and (keys := key_label(stage, "app.thinking.cycle")):
            about = f"{keys} goes to the next level without this list."
        if tuple(levels) == ("off",):
            about = "This model does not think before it answers."
        super().__init__(
            stage,
            done,
            [
                Choice(
                    level,
                    level,
                    note=_LEVELS[level]
                    + (f" (~{short_count(n)} tokens)" if (n := (budgets or {}).get(level)) else "")
                    + (" · default" if level == default else ""),
                    checked=level == (current if can_save else marked),
                )
                for level in levels
            ],
            title=title,
            about=about,
            marks=True,
            current=current,
        )

    def hints(self) -> list[tuple[str, str]]:
        save = key_label(self.stage, "app.thinking.save") if self._can_save else ""
        confirm, cancel = super().hints()
        return [confirm, cancel, (save, "select, make default")]

    def more(self, key: Key, actions: Sequence[str]) -> bool:
        if self._can_save and "app.thinking.save" in actions:
            if self.current is not None:
                self.finish(ThinkingChoice(self.current.value, default=True))
            return True
        return False

    def chosen(self, choice: Choice[ThinkingLevel]) -> None:
        self.finish(ThinkingChoice(choice.value))
