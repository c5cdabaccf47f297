"""The person, as extensions reach them: questions, notices, and what is shown at the editor.

`UI` itself is a mode with nobody at it: questions have their default answer at once, the rest goes
nowhere. RPC overrides what a client can show (docs/rpc-extension-ui.md), the terminal everything.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from pi.agent.hooks import HookFailure

__all__ = ["UI", "Mode", "Notice", "Placement"]

log = logging.getLogger(__name__)

Mode = Literal["tui", "rpc", "json", "print"]
Notice = Literal["info", "warning", "error"]
Placement = Literal["aboveEditor", "belowEditor"]


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
        overlay: bool = False,
        options: Mapping[str, Any] | None = None,
    ) -> Any:
        """Show a panel in the editor's place, or over everything, until it is done with a value.

        factory: `(screen, theme, keys, done)` → the panel, or a coroutine that gives it.
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

    def add_completion(self, provider: Callable[..., Any]) -> None:
        """Complete more, before what pi completes by itself.

        provider: `(text before the caret)` → a list of (value, description), or None; it may be a
        coroutine.
        """

    def on_terminal_input(self, listener: Callable[[str], Any]) -> Callable[[], None]:
        """See raw input first; True swallows it. The returned function ends that."""
        return lambda: None

    # Looks

    @property
    def tools_expanded(self) -> bool:
        return False

    def set_tools_expanded(self, expanded: bool) -> None: ...

    @property
    def theme(self) -> Any:
        """Styles text, `fg(token, text)`, `bg(token, text)`, `bold(text)`; here it does not."""
        return _PLAIN

    def themes(self) -> list[tuple[str, str | None]]:
        """Name and file of each theme."""
        return []

    def set_theme(self, name: str) -> str | None:
        """Use another theme; why it could not be done, if it could not."""
        return f"There are no themes in {self.mode} mode"


class _Plain:
    """A theme without colours."""

    appearance: Literal["dark", "light"] = "dark"

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
