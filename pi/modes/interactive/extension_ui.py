"""Extensions on the terminal: their questions, what they show, their keys, how they draw."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

from pi.agent.faults import is_fault
from pi.errors import ConfigError
from pi.modes.interactive.app import App
from pi.modes.interactive.extension_parts import (
    Guarded,
    GuardedPanel,
    WidgetLines,
    built,
    component_of,
    failure_of,
    made,
)
from pi.modes.interactive.keys import canonical, is_key_name, keys_of
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.sanitize import clean_line
from pi.modes.interactive.transcript.look import Renderers
from pi.modes.interactive.view import Component, Key
from pi.runtime.ui import UI, Blocked, Mode, Notice, Placement

if TYPE_CHECKING:
    from pi.agent.hooks import HookFailure
    from pi.modes.interactive.completion.base import Provider
    from pi.modes.interactive.extension_screen import ExtensionScreen
    from pi.runtime.overlay import Overlay, OverlayHandle

__all__ = ["TerminalUI", "plug_in", "renderers_of"]


def plug_in(app: App) -> None:
    """Let the extensions of an app's host reach its person."""
    ui = TerminalUI(app)
    app.host.ui = ui
    app.host.on_shutdown = app.quit
    app.desk.on_key.append(ui.shortcut)


class TerminalUI(UI):
    """See UI. What extensions put on the screen goes with the session that they belong to."""

    mode: Mode = "tui"
    has_ui: ClassVar[bool] = True

    def __init__(self, app: App) -> None:
        self.app = app
        self._screen: ExtensionScreen | None = None
        self._added: list[Provider] = []  # completions
        self._statuses: dict[str, str] = {}
        self._widgets: dict[str, tuple[Guarded | WidgetLines, Placement]] = {}
        self._header: Component | None = None  # pi's own, while another is in its place
        self._editor: Callable[..., Any] | None = None

    @property
    def screen(self) -> "ExtensionScreen":
        """What factories get of the screen."""
        if self._screen is None:
            # With the first component of an extension, not when pi starts.
            from pi.modes.interactive.extension_screen import ExtensionScreen  # noqa: PLC0415

            self._screen = ExtensionScreen(self.app.desk, self.fault)
        return self._screen

    def renew(self) -> None:
        app = self.app
        additions = app.host.additions
        if additions is not None:
            for key, named in additions.shortcuts.items():
                if not is_key_name(key):
                    app.say(f"{named.owner}: there is no key {key!r}", "warning")
            for key, owner in additions.taken_keys.items():
                if (shortcut := additions.shortcuts.get(key)) is not None:
                    app.say(f"{shortcut.owner} takes the key {key} from {owner}", "warning")
        self._statuses.clear()
        for component, _ in self._widgets.values():
            component.close()
        self._widgets.clear()
        self._place_widgets()
        if app.desk.overlays is not None:
            app.desk.overlays.clear()
        self.set_header(None)
        self.set_footer(None)
        self.set_editor_component(None)
        app.on_input.clear()
        completer = app.editor.completer
        completer.providers = [each for each in completer.providers if each not in self._added]
        self._added.clear()
        look = app.transcript.look
        look.thinking_label = ""
        app.status.usual()
        look.renderers = renderers_of(app)
        app.transcript.invalidate()

    def redraw(self) -> None:
        self.app.transcript.invalidate()
        self.app.refresh()

    # Questions

    async def select(
        self, title: str, options: Sequence[str], *, seconds: float | None = None
    ) -> str | None:
        first, _, rest = title.partition("\n")
        with self.app.blocked("question", first):
            index = await self.app.ask(
                _dialogs().SelectDialog, first, options, about=rest.strip("\n"), timeout=seconds
            )
        return None if index is None else options[index]

    async def confirm(self, title: str, message: str, *, seconds: float | None = None) -> bool:
        with self.app.blocked("permission", title):
            dialog = _dialogs().ConfirmDialog
            return bool(await self.app.ask(dialog, title, message, timeout=seconds))

    async def input(
        self, title: str, placeholder: str | None = None, *, seconds: float | None = None
    ) -> str | None:
        with self.app.blocked("question", title):
            return await self.app.ask(
                _dialogs().InputDialog, title, placeholder=placeholder or "", timeout=seconds
            )

    async def editor(self, title: str, prefill: str | None = None) -> str | None:
        with self.app.blocked("question", title):
            return await self.app.ask(_dialogs().EditorDialog, title, prefill=prefill or "")

    async def custom(
        self,
        factory: Callable[..., Any],
        *,
        overlay: "Overlay | Callable[[], Overlay] | bool" = False,
        on_handle: "Callable[[OverlayHandle], Any] | None" = None,
        blocked: tuple[Blocked, str] | None = None,
    ) -> Any:
        ended: list[Any] = []  # should the factory be done before there is a panel
        end = ended.append
        screen = self.screen
        inner = await made(
            factory, screen, screen.theme, screen.keymap, lambda value=None: end(value)
        )
        panel: GuardedPanel | None = None

        def make(done: Callable[[Any], None]) -> GuardedPanel:
            nonlocal panel, end
            end = done
            panel = GuardedPanel(inner, self.fault, "custom", done)
            for value in ended:
                done(value)
            return panel

        waiting = nullcontext() if blocked is None else self.app.blocked(*blocked)
        try:
            with waiting:
                if overlay is False:
                    return await self.app.desk.open(make)
                return await self.app.desk.open_over(
                    make, screen.options(overlay), on_handle or (lambda handle: None)
                )
        finally:
            if panel is not None:
                panel.close()

    def show_overlay(
        self,
        factory: Callable[..., Any],
        overlay: "Overlay | Callable[[], Overlay] | None" = None,
    ) -> "OverlayHandle | None":
        component = built(factory, self.screen, self.fault, "overlay")
        return None if component is None else self.screen.overlay(component, overlay)

    # Notices

    def notify(self, message: str, kind: Notice = "info") -> None:
        self.app.say(message, kind)

    def fault(self, failure: "HookFailure") -> None:
        """A fault on the screen: whose it is, the extensions' loader finds out."""
        additions = self.app.host.additions
        (self.report if additions is None else additions.hooks.report)(failure)

    def report(self, failure: "HookFailure") -> None:
        where = failure.place or failure.owner or "an extension"
        level: Notice = "warning" if failure.error is None else "error"
        self.app.say(f"{where}, in {failure.event}: {failure.text}", level)

    # What stays

    def set_status(self, key: str, text: str | None) -> None:
        if text is None:
            self._statuses.pop(key, None)
        else:
            self._statuses[key] = text
        figures = self.app.figures
        figures.statuses = dict(self._statuses)
        figures.invalidate()
        self.app.refresh()

    def set_widget(
        self,
        key: str,
        lines: Sequence[str] | None,
        placement: Placement | None = None,
    ) -> None:
        self._put_widget(key, None if lines is None else WidgetLines(lines), placement)

    def set_widget_component(
        self, key: str, factory: Callable[..., Any], placement: Placement | None = None
    ) -> None:
        component = component_of(factory, self.screen, self.fault, f"widget {key}")
        self._put_widget(key, component, placement)

    def _put_widget(
        self, key: str, component: Guarded | WidgetLines | None, placement: Placement | None
    ) -> None:
        before, _ = self._widgets.pop(key, (None, None))
        if before is not None:
            before.close()
        if component is not None:
            self._widgets[key] = (component, placement or "aboveEditor")
        self._place_widgets()

    def _place_widgets(self) -> None:
        placed = self._widgets.values()
        self.app.above[:] = [each for each, where in placed if where == "aboveEditor"]
        self.app.below[:] = [each for each, where in placed if where == "belowEditor"]
        self.app.refresh()

    def set_footer(self, factory: Callable[..., Any] | None) -> None:
        app = self.app
        made: Component | None = None
        if factory is not None:
            made = component_of(factory, self.screen, self.fault, "footer", app.figures)
        if isinstance(app.footer, Guarded):
            app.footer.close()
        app.footer = app.figures if made is None else made
        app.refresh()

    def set_header(self, factory: Callable[..., Any] | None) -> None:
        app = self.app
        shown = app.header if isinstance(app.header, Guarded) else None
        if factory is None:
            if shown is None:
                return
            after = self._header
        else:
            after = component_of(factory, self.screen, self.fault, "header")
            if after is None:
                return
            if shown is None:
                self._header = app.header
        parts = app.transcript.components
        if app.header is not None and app.header in parts:
            at = parts.index(app.header)
            if after is not None:
                parts[at] = after
            elif not app.desk.screen.committed:
                del parts[at]
        elif after is not None and not app.desk.screen.committed:
            parts.insert(0, after)  # with quietStartup there is none of pi's
        app.header = after
        if shown is not None:
            shown.close()
        app.refresh()

    def set_title(self, title: str) -> None:
        self.app.terminal.set_title(title)

    def write_terminal(self, sequences: str) -> None:
        super().write_terminal(sequences)
        self.app.terminal.write(sequences)

    def set_working_message(self, text: str | None) -> None:
        self.app.status.message = text
        self.app.refresh()

    def set_working_visible(self, visible: bool) -> None:
        self.app.status.visible = visible
        self.app.refresh()

    def set_working_indicator(
        self, frames: Sequence[str] | None, interval: float | None = None
    ) -> None:
        self.app.status.animate(frames, interval)
        self.app.refresh()

    def set_hidden_thinking_label(self, text: str | None) -> None:
        self.app.transcript.look.thinking_label = clean_line(text or "")
        self.app.transcript.invalidate()
        self.app.refresh()

    # The editor

    def set_editor_text(self, text: str) -> None:
        self.app.editor.text = text
        self.app.refresh()

    def get_editor_text(self) -> str:
        return self.app.editor.text

    def paste_to_editor(self, text: str) -> None:
        self.app.editor.insert(text)
        self.app.refresh()

    def set_editor_component(self, factory: Callable[..., Any] | None) -> None:
        """factory: gets pi's own editor last, to wrap it: what it does not draw or handle."""
        app = self.app
        shown = app.desk.home
        inner = None
        if factory is not None:
            inner = built(factory, self.screen, self.fault, "editor", app.editor)
        if inner is None:
            self._editor, app.desk.home = None, app.editor
        else:
            back = lambda value: self.set_editor_component(None)  # noqa: E731
            self._editor = factory
            app.desk.home = _EditorPanel(inner, self.fault, "editor", back)
        if isinstance(shown, _EditorPanel):
            shown.close()
        app.refresh()

    def get_editor_component(self) -> Callable[..., Any] | None:
        return self._editor

    def add_completion(self, provider: Any, *, triggers: str | None = None) -> None:
        # With the first one of an extension, not when pi starts.
        from pi.modes.interactive.extension_completion import AddedCompletion  # noqa: PLC0415

        completer = self.app.editor.completer
        added = AddedCompletion(provider, self.fault, completer, triggers)
        self._added.append(added)
        completer.providers.insert(0, added)

    def on_terminal_input(self, listener: Callable[[str], Any]) -> Callable[[], None]:
        listeners = self.app.on_input

        def heard(data: str) -> bool:
            try:
                answer = listener(data)
            except BaseException as error:  # code of others, at a key press
                if not is_fault(error):
                    raise
                self.fault(failure_of("terminal input", error))
                end()
                return False
            if isinstance(answer, str):
                for key in keys_of(answer):
                    self.app.desk.key(key)
                return True
            return bool(answer)

        def end() -> None:
            if heard in listeners:
                listeners.remove(heard)

        listeners.append(heard)
        return end

    # Looks

    @property
    def tools_expanded(self) -> bool:
        return self.app.transcript.look.expanded

    def set_tools_expanded(self, expanded: bool) -> None:
        self.app.transcript.set_expanded(expanded)
        self.app.refresh()

    @property
    def theme(self) -> Theme:
        return self.app.theme

    def themes(self) -> list[tuple[str, str | None]]:
        files = self.app.looks.files(self.app.host.services.resources)
        return [(name, None if path is None else str(path)) for name, path in files.items()]

    def get_theme(self, name: str) -> Theme | None:
        app = self.app
        return app.looks.find(name, app.host.services)

    def set_theme(self, theme: Any) -> str | None:
        if isinstance(theme, str):
            if theme not in dict(self.themes()):
                return f"There is no theme {theme!r}"
            self.app.use_theme(theme)
            return self.app.looks.problem or self._keep_theme(theme)
        theme = getattr(theme, "now", theme)  # a LiveTheme stands for another
        if not isinstance(theme, Theme):
            return f"A theme is a name or an object of `get_theme`, not {theme!r}"
        self.app.wear(theme)
        return None

    def _keep_theme(self, name: str) -> str | None:
        """Into the settings, as if the person had chosen it; why that failed."""
        # As an extension does it, not when pi starts.
        from pi.config.settings_write import write_setting  # noqa: PLC0415

        host = self.app.host
        try:
            write_setting(host.paths, "user", "theme", name)
        except ConfigError as error:
            return f"The theme is on, and could not be kept: {error}"
        host.take_settings()
        return None

    # Keys

    def shortcut(self, key: Key) -> bool:
        """Run what an extension has for a key that nobody else took."""
        additions = self.app.host.additions
        if additions is None:
            return False
        found = additions.shortcuts.get(key.name) or next(
            (each for name, each in additions.shortcuts.items() if canonical(name) == key.name),
            None,
        )
        if found is None:
            return False
        shortcut, report = found, additions.hooks.report

        async def run() -> None:
            try:
                await self.app.host.extending.told()
                await shortcut.run()
            except BaseException as error:  # whatever it is, pi goes on
                if not is_fault(error):
                    raise
                report(failure_of(f"key {shortcut.key}", error, shortcut.owner))

        self.app.begin(run())
        return True


class _EditorPanel(GuardedPanel):
    """An extension's editor: keys it leaves go on to the application."""

    def handle(self, key: Key) -> bool:
        self._drawn = None
        try:
            return bool(self.inner.handle(key))
        except BaseException as error:  # code of others, at a key press
            if not is_fault(error):
                raise
            self.fail(error)
            self._done(None)
            return False


def _dialogs() -> Any:
    # When something is asked, not when pi starts.
    from pi.modes.interactive.pickers import dialogs  # noqa: PLC0415

    return dialogs


def renderers_of(app: App) -> Renderers:
    """How the extensions that are loaded draw."""
    additions = app.host.additions
    if additions is None:
        return Renderers()
    # Loaded with extensions, not when pi starts.
    from pi.modes.interactive.extension_drawing import ExtensionDrawing  # noqa: PLC0415

    def written_at(entry_id: str) -> str | None:
        entry = app.host.store.get(entry_id)
        return None if entry is None else entry["timestamp"]

    return ExtensionDrawing(
        additions,
        app.transcript.look,
        additions.hooks.report,
        lambda action: app.keymap.keys_of(action),
        written_at,
    )
