"""Choosing a theme, or one for light and one for dark terminals; each is shown as one goes by."""

from collections.abc import Callable, Sequence

from pi.modes.interactive.pickers.select import Choice, SelectPicker
from pi.modes.interactive.pickers.stage import Stage
from pi.resources.themes import BUILTIN, SYSTEM, theme_setting

__all__ = ["ThemePicker"]

_PAIR = "/"
"""Stands for "one each" in the list; no theme can be named so."""


class ThemePicker(SelectPicker[str]):
    """Gives the setting `theme`: a name, or "light/dark".

    names: of themes besides the built-in ones. preview: shows a setting; called with what is
    current at once, and for each that one moves to. Whoever opened it takes that back after None.
    """

    def __init__(
        self,
        stage: Stage,
        done: Callable[[str | None], None],
        names: Sequence[str],
        *,
        current: str,
        preview: Callable[[str], None],
        title: str = "Theme",
        pair: bool = True,
    ) -> None:
        self._preview = preview
        self._names = names
        self._before = current
        self._pair = theme_setting(current) or (SYSTEM, SYSTEM)
        self._is_pair = "/" in current
        about = {
            SYSTEM: "made of your terminal's colors",
            _PAIR: "one for light, one for dark terminals",
        }
        known = [SYSTEM, *([_PAIR] if pair else []), *BUILTIN]
        known += [name for name in names if name not in known]
        super().__init__(
            stage,
            done,
            [
                Choice(
                    name,
                    "automatic" if name == _PAIR else name,
                    note=about.get(name, ""),
                    checked=name == (_PAIR if self._is_pair else current),
                )
                for name in known
            ],
            title=title,
            marks=True,
            current=_PAIR if self._is_pair else current,
            empty="No theme matches.",
        )

    def moved(self) -> None:
        choice = self.current
        if choice is not None:
            pair = self._before if self._is_pair else f"{self._pair[0]}/{self._pair[1]}"
            self._preview(pair if choice.value == _PAIR else choice.value)

    def chosen(self, choice: Choice[str]) -> None:
        if choice.value != _PAIR:
            self.finish(choice.value)
            return
        self._ask(0, [])

    def _ask(self, at: int, names: list[str]) -> None:
        """For light terminals, then for dark ones; from there back to here."""

        def chosen(name: str | None) -> None:
            if name is None:
                self.moved()
            elif at:
                self.finish("/".join([*names, name]))
            else:
                self._ask(1, [name])

        self.open(
            ThemePicker(
                self.stage,
                chosen,
                self._names,
                current=self._pair[at],
                preview=self._preview,
                title="Theme in dark terminals" if at else "Theme in light terminals",
                pair=False,
            )
        )
