"""The person, as extensions reach them: questions, notices, and what is shown at the editor.

`UI` itself is a mode with nobody at it: questions have their default answer at once, the rest goes
nowhere. RPC overrides what a client can show (docs/rpc-extension-ui.md), the terminal everything.
"""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from pi.agent.hooks import HookFailure
    from pi.runtime.looks import Theme
    from pi.runtime.overlay import Overlay, OverlayHandle

__all__ = ["UI", "Blocked", "Mode", "Notice", "Placement"]

log = logging.getLogger(__name__)

Mode = Literal["tui", "rpc", "json", "print"]
Notice = Literal["info", "warning", "error"]
Placement = Literal["aboveEditor", "belowEditor"]
Blocked = Literal["question", "permission", "auth"]

# Compiled by `re` at its first use: every start loads this module.
_CONTROL = r"(?:\x07|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[P_^X](?:[^\x1b]|\x1b\x1b)*\x1b\\)+"
"""The bell, OSC, and DCS, APC, PM and SOS, each to its end: nothing that moves a cursor."""


class UI:
    """mode: what `ctx.mode` says. has_ui: whether anybody can answer.

    seconds: how long a question may wait; then its answer is the same as for one that is dismissed.
    Components are factories; which arguments they get is the terminal's matter:
    `(screen, theme, keys)` → a `pi.modes.interactive.view.Component`, and with `done` for `custom`.
    """

    mode: Mode = "print"
    has_ui: ClassVar[bool] = False

    def renew(self) -> None:
        """Other instances of extensions are there now, or none: what the old ones showed goes."""

    def redraw(self) -> None:
        """Extensions draw something in another way now."""

    # Questions

    async def select(
        self, title: str, options: Sequence[str], *, seconds: float | None = None
    ) -> str | None:
        """One of the options; None for none."""
        return None

    async def confirm(self, title: str, message: str, *, seconds: float | None = None) -> bool:
        return False

    async def input(
        self, title: str, placeholder: str | None = None, *, seconds: float | None = None
    ) -> str | None:
        """A line of text; None where it was dismissed."""
        return None

    async def editor(self, title: str, prefill: str | None = None) -> str | None:
        """Several lines of text."""
        return None

    async def custom(
        self,
        factory: Callable[..., Any],
        *,
        overlay: "Overlay | Callable[[], Overlay] | bool" = False,
        on_handle: "Callable[[OverlayHandle], Any] | None" = None,
        blocked: tuple[Blocked, str] | None = None,
    ) -> Any:
        """Show a panel in the editor's place, or over everything, until it is done with a value.

        factory: `(screen, theme, keys, done)` → the panel, or a coroutine that gives it.
        overlay: where it floats; a function is asked anew for each frame; True for the middle.
        on_handle: gets what hides, shows and focuses the overlay. blocked: for what the person is
        waited for, and a title: for terminals that show it.
        """
        return None

    def show_overlay(
        self,
        factory: Callable[..., Any],
        overlay: "Overlay | Callable[[], Overlay] | None" = None,
    ) -> "OverlayHandle | None":
        """Show something over everything without waiting for it; None where it cannot be shown.

        factory: `(screen, theme, keys)`.
        """
        return None

    # Notices

    def notify(self, message: str, kind: Notice = "info") -> None:
        """Say something, and go on."""

    def report(self, failure: "HookFailure") -> None:
        """Tell of an extension that failed, or is slow."""
        where = failure.place or failure.owner
        log.warning("extension %s, in %s: %s", where, failure.event, failure.text)

    # What stays on the screen; None takes it away

    def set_status(self, key: str, text: str | None) -> None:
        """A text in the footer."""

    def set_widget(
        self,
        key: str,
        lines: Sequence[str] | None,
        placement: Placement | None = None,
    ) -> None:
        """Lines at the editor."""

    def set_widget_component(
        self, key: str, factory: Callable[..., Any], placement: Placement | None = None
    ) -> None:
        """A component at the editor; `set_widget` with None takes it away."""

    def set_footer(self, factory: Callable[..., Any] | None) -> None:
        """A component in place of the footer; its factory gets what the footer knows, too."""

    def set_header(self, factory: Callable[..., Any] | None) -> None:
        """A component in place of what stands above the conversation."""

    def set_title(self, title: str) -> None:
        """The terminal's title."""

    def write_terminal(self, sequences: str) -> None:
        """Send bells and control strings (OSC, DCS, APC) to the terminal: notifications, progress,
        the clipboard, marks. What is printed does not get there. Raises ValueError for anything
        else, which would disturb the screen.
        """
        if re.fullmatch(_CONTROL, sequences) is None:
            raise ValueError(f"not only whole control strings: {sequences!r:.80}")

    def set_working_message(self, text: str | None) -> None:
        """What stands beside the spinner."""

    def set_working_visible(self, visible: bool) -> None: ...

    def set_working_indicator(
        self, frames: Sequence[str] | None, interval: float | None = None
    ) -> None:
        """frames: drawn as they are, none to hide it. interval: seconds."""

    def set_hidden_thinking_label(self, text: str | None) -> None: ...

    # The editor

    def set_editor_text(self, text: str) -> None: ...

    def get_editor_text(self) -> str:
        return ""

    def paste_to_editor(self, text: str) -> None:
        """As if it was pasted: folded where it is long."""
        self.set_editor_text(text)

    def set_editor_component(self, factory: Callable[..., Any] | None) -> None:
        """A panel in place of the editor."""

    def get_editor_component(self) -> Callable[..., Any] | None:
        return None

    def add_completion(self, provider: Any, *, triggers: str | None = None) -> None:
        """Complete more, before what pi completes by itself and what was added before.

        provider: `(text before the caret)` → a list of (value, description), or None; it may be a
        coroutine. Or an object that can do more, see docs/extensions.md. triggers: characters one
        of which must be in the line for it to be asked.
        """

    def on_terminal_input(self, listener: Callable[[str], Any]) -> Callable[[], None]:
        """See raw input first. The returned function ends that.

        listener: gets what the terminal sent for one key; True swallows it, a text is taken in its
        place, None lets it pass.
        """
        return lambda: None

    # Looks

    @property
    def tools_expanded(self) -> bool:
        return False

    def set_tools_expanded(self, expanded: bool) -> None: ...

    @property
    def theme(self) -> "Theme":
        """Styles text, `fg(token, text)`, `bg(token, text)`, `bold(text)`; here it does not."""
        return _PLAIN

    def themes(self) -> list[tuple[str, str | None]]:
        """Name and file of each theme."""
        return []

    def get_theme(self, name: str) -> "Theme | None":
        """A theme, without using it; None where there is none of that name, or it is faulty."""
        return None

    def set_theme(self, theme: "Theme | str") -> str | None:
        """Use another theme: one of `get_theme` for now, a name for good, as in /settings.

        Gives why it could not be done, if it could not.
        """
        return f"There are no themes in {self.mode} mode"


class _Plain:
    """A theme without colours."""

    appearance: Literal["dark", "light"] = "dark"
    colors: Mapping[str, str] = MappingProxyType({})

    def fg(self, token: str, text: str) -> str:
        return text

    def bg(self, token: str, text: str) -> str:
        return text

    def bold(self, text: str) -> str:
        return text

    italic = underline = strikethrough = bold

    def style(self, text: str, **style: Any) -> str:
        return text


_PLAIN = _Plain()
