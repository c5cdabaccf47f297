"""What components of extensions have of the screen: its looks, its size, timers, overlays."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from pi.agent.faults import is_fault
from pi.modes.interactive.extension_parts import GuardedPanel, Report, failure_of
from pi.modes.interactive.keymap import Keymap
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.screen import ScreenMode
from pi.runtime.overlay import Overlay, OverlayHandle

if TYPE_CHECKING:
    from pi.modes.interactive.desk import Desk

__all__ = ["ExtensionScreen", "LiveTheme"]

Options = Overlay | Callable[[], Overlay]


class LiveTheme:
    """The theme that is on, also after another has been chosen: it may be kept.

    It has what a Theme has: `fg(token, text)`, `bg`, `bold`, `style`, `colors`, `appearance`…
    """

    def __init__(self, now: Callable[[], Theme]) -> None:
        self._now = now

    @property
    def now(self) -> Theme:
        return self._now()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._now(), name)


class ExtensionScreen:
    """The first thing that every factory of an extension gets. Stands for a Stage, too."""

    def __init__(self, desk: "Desk", report: Report) -> None:
        self._desk, self._report = desk, report
        self.theme = LiveTheme(lambda: desk.stage.theme)

    @property
    def keymap(self) -> Keymap:
        return self._desk.stage.keymap

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the terminal."""
        return self._desk.screen.size

    @property
    def mode(self) -> ScreenMode:
        return self._desk.screen.mode

    def redraw(self) -> None:
        """Something is to be seen differently. Many calls make one frame."""
        self._desk.refresh()

    def later(self, seconds: float, call: Callable[[], Any]) -> Callable[[], None]:
        """Have something called once; the function given back calls it off."""
        return self._desk.stage.later(seconds, lambda: self._guarded(call))

    def post(self, call: Callable[[], Any]) -> None:
        """Have something called soon, from any thread."""
        self._desk.stage.post(lambda: self._guarded(call))

    def overlay(self, component: Any, options: Options | None = None) -> OverlayHandle:
        """Show a component over everything, without waiting for it; see `ui.custom`."""
        panel = GuardedPanel(component, self._report, "overlay", lambda value: layer.close(value))
        layer = self._desk.lay_over(
            panel,
            self.options(options or True),
            lambda value: panel.close(),
        )
        return layer

    def options(self, given: Options | Literal[True]) -> Callable[[], Overlay]:
        """What an extension says of an overlay, asked anew for each frame."""
        return _guarded_options(Overlay() if given is True else given, self._report)

    def _guarded(self, call: Callable[[], Any]) -> None:
        try:
            call()
        except BaseException as error:  # code of others, on the loop
            if not is_fault(error):
                raise
            self._report(failure_of("timer", error))


def _guarded_options(given: Options, report: Report) -> Callable[[], Overlay]:
    """What an extension says of an overlay, asked for each frame: a fault keeps what it was."""
    told = False

    def fail(error: BaseException) -> None:
        nonlocal told
        if not told:
            told = True
            report(failure_of("overlay", error))

    last = Overlay()

    def options() -> Overlay:
        nonlocal last
        if isinstance(given, Overlay):
            asked = given
        else:
            try:
                asked = given()
                if not isinstance(asked, Overlay):
                    raise TypeError(f"options of an overlay must be an Overlay, not {asked!r}")
            except BaseException as error:  # code of others, in the middle of a frame
                if not is_fault(error):
                    raise
                fail(error)
                return last
        if (wanted := asked.visible) is not None:

            def visible(columns: int, rows: int) -> bool:
                try:
                    return bool(wanted(columns, rows))
                except BaseException as error:  # as above
                    if not is_fault(error):
                        raise
                    fail(error)
                    return True

            asked = replace(asked, visible=visible)
        last = asked
        return asked

    return options
