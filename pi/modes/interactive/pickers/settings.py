"""The settings editor: a list with the values beside it, changed where they stand."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from pi.config.settings_write import Scope
from pi.errors import PiError
from pi.modes.interactive.pickers.models import ModelRow, ThinkingChoice, ThinkingPicker
from pi.modes.interactive.pickers.select import Choice, ListPicker, SelectPicker
from pi.modes.interactive.pickers.settings_list import (
    SETTINGS,
    Setting,
    shown_value,
    value_at,
)
from pi.modes.interactive.pickers.stage import Stage, key_label, tabs
from pi.modes.interactive.pickers.themes import ThemePicker
from pi.modes.interactive.view import Key

__all__ = ["SettingsPicker"]

_THEME = ("theme",)
_THINKING = ("modelThinkingLevels",)


class SettingsPicker(ListPicker[str, bool]):
    """Changes take effect at once, through `write`.

    user, project: what the files hold; project is None where it is not trusted or there is none.
    write: (path in the file, value, scope), None for the value takes it out; raises PiError.
    models: for thinking levels of their own. themes: names, beside the built-in ones. preview:
    shows a theme setting, before it is chosen. without: keys that are not offered. defaults: where
    they are not the documented ones. `done` is called with None when it is left.
    """

    def __init__(
        self,
        stage: Stage,
        done: Callable[[bool | None], None],
        user: Mapping[str, Any],
        *,
        write: Callable[[tuple[str, ...], Any, Scope], None],
        project: Mapping[str, Any] | None = None,
        models: Sequence[ModelRow] = (),
        themes: Sequence[str] = (),
        preview: Callable[[str], None] = lambda _: None,
        without: Collection[str] = (),
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        self._documents: dict[Scope, dict[str, Any]] = {"user": dict(user)}
        if project is not None:
            self._documents["project"] = dict(project)
        self._scope: Scope = "user"
        self._write = write
        self._models = models
        self._themes = themes
        self._preview = preview
        self._defaults = defaults or {}
        self._settings = {s.key: s for s in SETTINGS if s.key not in without}
        super().__init__(
            stage, done, self._listed(), title="Settings", empty="No setting matches.", marks=False
        )

    # Values

    def _value(self, setting: Setting, scope: Scope) -> Any:
        """What counts in a scope: its own value, else what is below it."""
        value = value_at(self._documents[scope], setting.path)
        if value is None and scope == "project":
            return self._value(setting, "user")
        if value is None:
            return self._defaults.get(setting.key, setting.default)
        return value

    def _listed(self) -> list[Choice[str]]:
        document = self._documents[self._scope]
        theme = self._theme_of(self._scope)
        levels = value_at(document, _THINKING)
        count = len(levels) if isinstance(levels, Mapping) else 0
        rows = [
            Choice(
                "theme",
                "Theme",
                note=theme.replace("/", " in light, ") + " in dark" if "/" in theme else theme,
                detail="Colors: the terminal's own, or one of the themes; one for light and one "
                "for dark terminals if you like.",
                group="Screen",
            )
        ]
        if self._models:
            rows.append(
                Choice(
                    "modelThinkingLevels",
                    "Thinking of certain models",
                    note=f"{count} set" if count else "none",
                    detail="A level to start with, for models that should not take the usual one.",
                    group="Models and network",
                )
            )
        rows += [
            Choice(
                key,
                setting.label,
                note=shown_value(setting, self._value(setting, self._scope))
                + ("" if self._own(setting) else " (yours)" if self._scope == "project" else ""),
                detail=setting.about,
                group=setting.group,
                search=f"{setting.label} {key} {setting.about}",
            )
            for key, setting in self._settings.items()
            if not (self._scope == "project" and setting.everywhere)
        ]
        groups = list(dict.fromkeys(setting.group for setting in SETTINGS))
        return sorted(rows, key=lambda row: groups.index(row.group))

    def _own(self, setting: Setting) -> bool:
        return value_at(self._documents[self._scope], setting.path) is not None

    def _theme_of(self, scope: Scope) -> str:
        value = value_at(self._documents[scope], _THEME)
        if value is None and scope == "project":
            return self._theme_of("user")
        return value if isinstance(value, str) and value else "system"

    def ranked(self, query: str) -> list[Choice[str]]:
        # What a label says counts before what its explanation does.
        found = super().ranked(query)
        words = query.casefold().split()
        return sorted(
            found, key=lambda choice: not all(w in choice.label.casefold() for w in words)
        )

    # Keys

    def hints(self) -> list[tuple[str, str]]:
        label = key_label
        return [
            (f"{label(self.stage, 'tui.select.confirm')}/space", "change"),
            (label(self.stage, "tui.select.cancel"), "close"),
            ("←→", "through its values"),
            (label(self.stage, "tui.editor.deleteCharForward"), "default"),
            (label(self.stage, "tui.input.tab") if len(self._documents) > 1 else "", "scope"),
        ]

    def head(self, width: int) -> list[str]:
        if len(self._documents) == 1:
            return []
        names: dict[Scope, str] = {"user": "yours", "project": "this project's"}
        return [tabs(self.theme, width, list(names.values()), names[self._scope])]

    def more(self, key: Key, actions: Sequence[str]) -> bool:
        if self.current is None:
            return False
        if "tui.input.tab" in actions and len(self._documents) > 1:
            self._scope = "project" if self._scope == "user" else "user"
            self.put(self._listed())
            return True
        if self.query:
            return False
        if key.name in ("space", "right", "left"):
            self._step(self.current.value, -1 if key.name == "left" else 1)
            return True
        if "tui.editor.deleteCharForward" in actions:
            self._reset(self.current.value)
            return True
        return False

    def chosen(self, choice: Choice[str]) -> None:
        self._step(choice.value, 1)

    def _step(self, key: str, step: int) -> None:
        if key == "theme":
            self._choose_theme()
        elif key == "modelThinkingLevels":
            self._choose_model()
        else:
            setting = self._settings[key]
            value = self._value(setting, self._scope)
            # True is 1 to Python, and 1 is a value of its own here.
            kinds = [(type(known), known) for known in setting.values]
            at = (
                kinds.index((type(value), value))
                if (type(value), value) in kinds
                else -1
                if step > 0
                else 0
            )
            self._set(setting.path, setting.values[(at + step) % len(setting.values)])

    def _reset(self, key: str) -> None:
        path = tuple(key.split("."))
        if value_at(self._documents[self._scope], path) is not None:
            self._set(path, None)
            if key == "theme":
                self._preview(self._theme_of(self._scope))

    def _set(self, path: tuple[str, ...], value: Any) -> bool:
        try:
            self._write(path, value, self._scope)
        except PiError as error:
            self.note = str(error)
            return False
        self.note = ""
        _put(self._documents[self._scope], path, value)
        self.put(self._listed())
        return True

    # What has a list of its own

    def _choose_theme(self) -> None:
        before = self._theme_of(self._scope)

        def chosen(value: str | None) -> None:
            if value is None or not self._set(_THEME, value):
                self._preview(before)

        self.open(
            ThemePicker(self.stage, chosen, self._themes, current=before, preview=self._preview)
        )

    def _choose_model(self, current: str | None = None) -> None:
        levels = value_at(self._documents[self._scope], _THINKING)
        known = levels if isinstance(levels, Mapping) else {}
        rows = {row.reference: row for row in self._models if row.levels != ("off",)}

        def chosen(name: str | None) -> None:
            if name is not None:
                self._choose_level(rows[name], known.get(name))

        self.open(
            SelectPicker(
                self.stage,
                chosen,
                [
                    Choice(name, row.id, note=f"{row.provider} · {known.get(name, 'as usual')}",
                           checked=name in known, search=row.words)
                    for name, row in rows.items()
                ],
                title="Thinking of certain models",
                about="Which model?",
                current=current,
                empty="No model that thinks.",
            )
        )  # fmt: skip

    def _choose_level(self, row: ModelRow, level: Any) -> None:
        def chosen(choice: ThinkingChoice | None) -> None:
            if choice is not None:
                value = None if choice.level == level else choice.level
                self._set((*_THINKING, row.reference), value)
            self._choose_model(row.reference)

        known = next((known for known in row.levels if known == level), None)
        self.open(
            ThinkingPicker(
                self.stage,
                chosen,
                row.levels,
                current=known or row.levels[0],
                marked=known,
                title=f"Thinking of {row.id}",
                about="The marked level again: as usual." if known else "",
                can_save=False,
            )
        )


def _put(document: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for name in path[:-1]:
        inner = document.get(name)
        document[name] = dict(inner) if isinstance(inner, Mapping) else {}
        document = document[name]
    if value is None:
        document.pop(path[-1], None)
    else:
        document[path[-1]] = value
