"""Extensions on the terminal: their questions, what they show, their keys, how they draw."""

import string
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pi.modes.interactive.app import App
from pi.modes.interactive.extension_parts import (
    AddedCompletion,
    Drawn,
    GuardedPanel,
    WidgetLines,
    component_of,
    failure_of,
    made,
)
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.sanitize import clean_line
from pi.modes.interactive.transcript.look import Renderers, ToolRenderer, ToolView
from pi.modes.interactive.view import Component, Key
from pi.runtime.ui import UI, Mode, Notice, Placement

if TYPE_CHECKING:
    from pi.agent.hooks import HookFailure
    from pi.runtime.additions import Additions, Drawing, Renderer

__all__ = ["TerminalUI", "plug_in"]


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
        self._statuses: dict[str, str] = {}
        self._widgets: dict[str, tuple[Component, Placement]] = {}
        self._editor: Callable[..., Any] | None = None

    def renew(self) -> None:
        app = self.app
        self._statuses.clear()
        self._widgets.clear()
        self._place_widgets()
        self.set_footer(None)
        self.set_editor_component(None)
        app.on_input.clear()
        completer = app.editor.completer
        completer.providers = [
            each for each in completer.providers if not isinstance(each, AddedCompletion)
        ]
        look = app.transcript.look
        look.thinking_label = ""
        look.renderers = Renderers() if app.host.additions is None else _renderers(app)
        app.transcript.invalidate()

    # Questions

    async def select(
        self, title: str, options: Sequence[str], *, seconds: float | None = None
    ) -> str | None:
        first, _, rest = title.partition("\n")
        index = await self.app.ask(
            _dialogs().SelectDialog, first, options, about=rest.strip("\n"), timeout=seconds
        )
        return None if index is None else options[index]

    async def confirm(self, title: str, message: str, *, seconds: float | None = None) -> bool:
        return bool(await self.app.ask(_dialogs().ConfirmDialog, title, message, timeout=seconds))

    async def input(
        self, title: str, placeholder: str | None = None, *, seconds: float | None = None
    ) -> str | None:
        return await self.app.ask(
            _dialogs().InputDialog, title, placeholder=placeholder or "", timeout=seconds
        )

    async def editor(self, title: str, prefill: str | None = None) -> str | None:
        return await self.app.ask(_dialogs().EditorDialog, title, prefill=prefill or "")

    async def custom(
        self,
        factory: Callable[..., Any],
        *,
        overlay: bool = False,
        options: Mapping[str, Any] | None = None,
    ) -> Any:
        stage = self.app.stage
        holder: dict[str, Callable[[Any], None]] = {}
        inner = await made(
            factory, stage, stage.theme, stage.keymap, lambda value=None: holder["done"](value)
        )

        def panel(done: Callable[[Any], None]) -> GuardedPanel:
            holder["done"] = done
            return GuardedPanel(inner, self.fault, "custom", done)

        return await self.app.desk.open(panel)

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
        if lines is None:
            self._widgets.pop(key, None)
        else:
            self._widgets[key] = (WidgetLines(lines), placement or "aboveEditor")
        self._place_widgets()

    def set_widget_component(
        self, key: str, factory: Callable[..., Any], placement: Placement | None = None
    ) -> None:
        component = component_of(factory, self.app.stage, self.fault, f"widget {key}")
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
            made = component_of(factory, app.stage, self.fault, "footer", app.figures)
        app.footer = app.figures if made is None else made
        app.refresh()

    def set_header(self, factory: Callable[..., Any] | None) -> None:
        app = self.app
        before = app.header
        if factory is None or before is None:
            return
        component = component_of(factory, app.stage, self.fault, "header")
        if component is not None and before in app.transcript.components:
            app.transcript.components[app.transcript.components.index(before)] = component
            app.header = component
            app.refresh()

    def set_title(self, title: str) -> None:
        self.app.terminal.set_title(title)

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
        self._editor = factory
        app.desk.home = app.editor
        if factory is not None:
            stage = app.stage
            try:
                inner = factory(stage, stage.theme, stage.keymap, app.editor)
            except Exception as error:  # noqa: BLE001  (code of others)
                self._editor = None
                self.fault(failure_of("editor", error))
            else:
                back = lambda value: self.set_editor_component(None)  # noqa: E731
                app.desk.home = _EditorPanel(inner, self.fault, "editor", back)
        app.refresh()

    def get_editor_component(self) -> Callable[..., Any] | None:
        return self._editor

    def add_completion(self, provider: Callable[..., Any]) -> None:
        triggers = getattr(provider, "triggers", string.ascii_letters + "#$@:")
        completer = self.app.editor.completer
        completer.providers.insert(0, AddedCompletion(provider, self.fault, triggers))

    def on_terminal_input(self, listener: Callable[[str], Any]) -> Callable[[], None]:
        listeners = self.app.on_input
        listeners.append(listener)
        return lambda: listeners.remove(listener) if listener in listeners else None

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

    def set_theme(self, name: str) -> str | None:
        if name not in dict(self.themes()):
            return f"There is no theme {name!r}"
        self.app.use_theme(name)
        return self.app.looks.problem

    # Keys

    def shortcut(self, key: Key) -> bool:
        """Run what an extension has for a key that nobody else took."""
        additions = self.app.host.additions
        found = None if additions is None else additions.shortcuts.get(key.name)
        if additions is None or found is None:
            return False
        shortcut, report = found, additions.hooks.report

        async def run() -> None:
            try:
                await shortcut.run()
            except Exception as error:  # noqa: BLE001  (whatever it is, pi goes on)
                report(failure_of(f"key {shortcut.key}", error, shortcut.owner))

        self.app.begin(run())
        return True


class _EditorPanel(GuardedPanel):
    """An extension's editor: keys it leaves go on to the application."""

    def handle(self, key: Key) -> bool:
        self._drawn = None
        try:
            return bool(self.inner.handle(key))
        except Exception as error:  # noqa: BLE001  (code of others, at a key press)
            self.fail(error)
            self._done(None)
            return False


def _dialogs() -> Any:
    # When something is asked, not when pi starts.
    from pi.modes.interactive.pickers import dialogs  # noqa: PLC0415

    return dialogs


def _renderers(app: App) -> Renderers:
    """How the extensions that are loaded draw."""
    additions = app.host.additions
    assert additions is not None, "asked before"
    found = Renderers(tool=lambda name: _tool_renderer(app, additions, name))
    for table, into in (
        (additions.message_renderers, found.messages),
        (additions.entry_renderers, found.entries),
    ):
        for kind, renderer in table.items():
            into[kind] = _drawing_of(app, renderer)
    return found


def _drawing_of(app: App, renderer: "Renderer") -> Callable[[Any, bool, Theme], Component]:
    from pi.runtime.additions import Drawing  # noqa: PLC0415  (loaded with extensions)

    def draw(shown: Any, expanded: bool, theme: Theme) -> Component:
        return Drawn(
            lambda width: renderer(
                shown, Drawing(expanded=expanded, width=width, key_text=app.hint), theme
            )
        )

    return draw


def _tool_renderer(app: App, additions: "Additions", name: str) -> ToolRenderer | None:
    """What the resolvers say of a tool, then the tool itself."""
    from pi.runtime.additions import Drawing  # noqa: PLC0415  (loaded with extensions)

    added = additions.tools.get(name)

    def following(at: int) -> Any:
        if at < len(additions.tool_renderers):
            return additions.tool_renderers[at](name, lambda: following(at + 1))
        return added

    try:
        chosen = following(0)
    except Exception:  # noqa: BLE001  (then it is drawn as usual)
        chosen = added
    if chosen is None:
        return None
    call, result = _slots(chosen)
    if call is None and result is None:
        return None

    def drawing(view: ToolView, expanded: bool, width: int) -> "Drawing":
        return Drawing(
            expanded=expanded,
            partial=view.state == "running",
            width=width,
            cwd=app.host.paths.cwd,
            args=view.args,
            is_error=view.state == "failed",
            duration_ms=None if view.elapsed is None else round(view.elapsed * 1000),
            key_text=app.hint,
        )

    def draw_call(view: ToolView, expanded: bool, theme: Theme) -> Component:
        assert call is not None, "only then it is used"
        return Drawn(lambda width: call(view.args, drawing(view, expanded, width), theme))

    def draw_result(view: ToolView, expanded: bool, theme: Theme) -> Component:
        assert result is not None, "only then it is used"
        shown = {"content": view.content, "details": view.details}
        return Drawn(lambda width: result(shown, drawing(view, expanded, width), theme))

    return ToolRenderer(
        None if call is None else draw_call, None if result is None else draw_result
    )


def _slots(chosen: Any) -> "tuple[Renderer | None, Renderer | None]":
    if isinstance(chosen, Mapping):
        return chosen.get("render_call"), chosen.get("render_result")
    return getattr(chosen, "render_call", None), getattr(chosen, "render_result", None)
