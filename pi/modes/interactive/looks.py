"""Which theme is on: by its name, on this terminal, and again when its file has changed."""

import os
from collections.abc import Mapping
from pathlib import Path

from pi.config.settings_types import Settings
from pi.errors import ConfigError
from pi.modes.interactive.palette import Theme, color_depth
from pi.modes.interactive.system_theme import TerminalColors, appearance_of, system_theme
from pi.modes.interactive.terminal import Colors
from pi.resources.loading import Resources
from pi.resources.themes import (
    BUILTIN,
    SYSTEM,
    builtin_theme,
    load_themes,
    named_theme,
    theme_setting,
)
from pi.runtime.services import Services

__all__ = ["Looks"]


class Looks:
    """The themes there are for a terminal. variables: the environment.

    problem: why the theme asked for last is not on, one line.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._colors = TerminalColors()
        self._file: Path | None = None
        self._stamp: tuple[int, int] | None = None
        self.problem: str | None = None

    def learn(self, colors: Colors) -> None:
        """What the terminal says of its colours."""
        self._colors = TerminalColors(colors.foreground, colors.background, dict(colors.ansi))

    def first(self, settings: Settings) -> Theme:
        """What to draw with before themes of others are looked for: pi's own, or the terminal's."""
        depth = color_depth(self._variables, settings.terminal.true_color)
        appearance = appearance_of(self._colors, None, self._variables.get("COLORFGBG", ""))
        pair = theme_setting(settings.theme)
        name = SYSTEM if pair is None else pair[appearance == "dark"]
        if name in BUILTIN:
            return Theme.of(builtin_theme(name), depth)
        return system_theme(self._colors, depth, appearance)

    def names(self, resources: Resources) -> list[str]:
        return list(self.files(resources))

    def files(self, resources: Resources) -> dict[str, Path | None]:
        """The themes there are by name, None for those without a file of a person's."""
        themes, _ = load_themes(resources.themes)
        found = dict.fromkeys((SYSTEM, *BUILTIN))
        return {**found, **{name: theme.path for name, theme in themes.items()}}

    def theme(self, wanted: str, services: Services) -> Theme:
        """The theme of a setting: a name, or names for light and dark terminals.

        One that is not there, or is faulty, is `problem`; the terminal's own is used instead.
        """
        depth = color_depth(self._variables, services.settings.terminal.true_color)
        appearance = appearance_of(self._colors, None, self._variables.get("COLORFGBG", ""))
        self.problem = None
        self._file = self._stamp = None
        pair = theme_setting(wanted)
        name = SYSTEM if pair is None else pair[appearance == "dark"]
        if name != SYSTEM:
            try:
                return self._named(name, services.resources, depth)
            except ConfigError as error:
                self.problem = f"{error}; using the terminal's own colours"
        return system_theme(self._colors, depth, appearance)

    def find(self, name: str, services: Services) -> Theme | None:
        """A theme by its name, without putting it on; None where it cannot be had."""
        depth = color_depth(self._variables, services.settings.terminal.true_color)
        if name == SYSTEM:
            appearance = appearance_of(self._colors, None, self._variables.get("COLORFGBG", ""))
            return system_theme(self._colors, depth, appearance)
        try:
            return Theme.of(named_theme(services.resources.themes, name), depth)
        except ConfigError:
            return None

    def _named(self, name: str, resources: Resources, depth: str) -> Theme:
        try:
            data = named_theme(resources.themes, name)
        except ConfigError:
            # Somebody is at work on it: the next state of the file may be better.
            for item in resources.themes:
                if item.path.stem == name:
                    self._file, self._stamp = item.path, _stamp(item.path)
            raise
        if data.path is not None:
            self._file, self._stamp = data.path, _stamp(data.path)
        return Theme.of(data, depth)  # type: ignore[arg-type]

    def faults(self, resources: Resources) -> list[str]:
        """What is wrong with theme files, but for that of `problem`; one line each."""
        if not resources.themes:
            return []
        _, said = load_themes(resources.themes)
        return [line for line in said if str(self._file) not in line or self.problem is None]

    @property
    def from_file(self) -> bool:
        """Whether the theme that is on may change with its file."""
        return self._file is not None

    def changed(self) -> bool:
        """Whether the file of the theme that is on is another one than when last asked."""
        if self._file is None:
            return False
        now = _stamp(self._file)
        if now is None or now == self._stamp:
            return False
        self._stamp = now
        return True


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        stat = os.stat(file)
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size
