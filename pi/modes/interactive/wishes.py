"""What the command line says about the terminal interface."""

from typing import NamedTuple

from pi.modes.interactive.screen import ScreenMode

__all__ = ["InteractiveOptions"]


class InteractiveOptions(NamedTuple):
    """pick_session: choose the session first. tui_mode, theme: over the settings."""

    pick_session: bool = False
    tui_mode: ScreenMode | None = None
    theme: str | None = None
