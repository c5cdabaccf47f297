"""An App put together: its parts, and who tells whom."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from pi.modes.interactive.actions import Platform
from pi.modes.interactive.app import App
from pi.modes.interactive.bindings import Bindings
from pi.modes.interactive.completion.commands import CommandProvider
from pi.modes.interactive.completion.files import FileProvider
from pi.modes.interactive.completion.paths import PathProvider
from pi.modes.interactive.desk import Desk
from pi.modes.interactive.editor import Editor
from pi.modes.interactive.events import Follower
from pi.modes.interactive.extension_ui import plug_in, renderers_of
from pi.modes.interactive.footer import Footer
from pi.modes.interactive.header import Header
from pi.modes.interactive.images import image_protocol
from pi.modes.interactive.looks import Looks
from pi.modes.interactive.offers import offers
from pi.modes.interactive.pickers.stage import key_label
from pi.modes.interactive.talk import Talk
from pi.modes.interactive.terminal import Colors
from pi.modes.interactive.transcript import Look, Transcript
from pi.modes.interactive.wishes import InteractiveOptions
from pi.runtime.host import Host
from pi.runtime.prompts import Prompt
from pi.wire.messages import text_of

__all__ = ["assemble", "settle_in"]

QUIET = 0.3
"""Seconds after the start until modules for the first request are loaded."""

FIRST_STEPS = """\
No model can be used yet. To get one, do one of these:
/login signs in with an account, or stores an API key
a server of your own goes into models.json; see "pi --help" and the documentation
pi --provider demo shows what this is like, without a model and without a network"""


def assemble(
    host: Host, desk: Desk, looks: Looks, wishes: InteractiveOptions, platform: Platform
) -> App:
    """The application for a host, ready for its first frame."""
    settings = host.services.settings
    desk.stage.theme = looks.theme(wishes.theme or settings.theme, host.services)
    desk.screen.set_theme(desk.stage.theme)
    desk.screen.set_refill(host.services.clear_on_shrink)
    look = _look(host, desk)
    config = host.services.environment.variables.get("XDG_CONFIG_HOME")
    files = FileProvider(
        host.paths.cwd, home=host.paths.home, config_home=Path(config) if config else None
    )
    paths = PathProvider(host.paths.cwd, host.paths.home)
    editor = Editor(
        desk.stage.keymap,
        desk.stage.theme,
        on_submit=lambda submission: talk.submit(submission),
        changed=desk.refresh,
        providers=[CommandProvider(lambda: offers(host)), files, paths],
        home=host.paths.home,
        padding=settings.editor_padding_x,
        popup_rows=settings.autocomplete_max_visible,
        hardware_cursor=host.services.hardware_cursor,
    )
    footer = Footer(desk.stage.theme, host.paths.cwd, host.paths.home)
    app = App(host, desk, Transcript(look), editor, footer)
    app.looks, app.platform = looks, platform
    app.theme_name, app.tui_mode = wishes.theme, wishes.tui_mode
    talk = Talk(app)
    app.follower = Follower(app, talk)
    desk.on_key.append(Bindings(app, talk))
    host.subscribe(app.follower)

    def opened() -> None:
        """Another session is open, perhaps in another folder."""
        files.folder = paths.folder = look.cwd = host.paths.cwd
        desk.screen.restart()
        app.transcript.clear()
        show_session(app)

    host.on_replaced.append(opened)
    plug_in(app)
    show_session(app)
    return app


def show_session(app: App) -> None:
    """The conversation of the session that is open, and its figures."""
    host, transcript = app.host, app.transcript
    # Before anything is drawn: what goes into the scrollback stays as it is.
    transcript.look.renderers = renderers_of(app)
    settings = host.services.settings
    if settings.quiet_startup is not True:
        app.header = Header(app.stage, _loaded(host) if settings.quiet_startup is False else ())
        transcript.add(app.header)
    for message in app.load():
        if message["role"] == "user":
            app.editor.remember(text_of(message["content"]))
    app.follower.forget()
    app.follower.update()
    app.begin(app.follower.count())


async def learn_colors(app: App) -> None:
    """The terminal has other colours now."""
    app.looks.learn(await app.terminal.colors())
    app.use_theme(app.theme_name or app.host.services.settings.theme)


async def tell_status(app: App) -> None:
    """Tell the terminal from now on what pi is at, if it understands that or the person says so."""
    variables = app.host.services.environment.variables
    wanted = variables.get("PI_PROGRAM_STATUS", "")
    if wanted == "0" or (wanted != "1" and variables.get("TMUX")):
        return
    if wanted != "1":
        answers = await app.terminal.ask("\x1b]7501;?\x1b\\")
        if not any(reply.kind == "osc" and reply.body.startswith("7501;") for reply in answers):
            return
    from pi.modes.interactive.program_status import ProgramStatus  # noqa: PLC0415  (few have it)

    app.program = ProgramStatus(app.terminal.write, lambda: app.host.store.name)
    app.host.subscribe(app.program)


async def settle_in(app: App, colors: "asyncio.Task[Colors]", first: Sequence[Prompt]) -> None:
    """What can wait until the first frame is there."""
    host, looks = app.host, app.looks
    looks.learn(await colors)
    app.use_theme(app.theme_name or host.services.settings.theme)
    for fault in looks.faults(host.services.resources):
        app.say(fault, "warning")
    app.terminal.set_mode("themeReports", True)
    app.begin(tell_status(app))
    fresh = not host.session.transcript.messages
    await host.begin()
    if fresh:
        from pi.modes.interactive.news import tell_news  # noqa: PLC0415  (not before the first frame)

        app.begin(tell_news(app))
    if host.model is None:
        app.say(FIRST_STEPS)
    for prompt in first:
        await host.prompt(prompt.text, prompt.images)
        await host.settled()
    await asyncio.sleep(QUIET)
    await asyncio.to_thread(_preload, None if host.model is None else host.model.api)
    from pi.modes.interactive.updates import tell_updates  # noqa: PLC0415  (loaded by now)

    await tell_updates(app)


def _preload(api: str | None) -> None:
    """What the first request and its answer need; in a thread, so that no key waits for it."""
    import pi.modes.interactive.markdown  # noqa: PLC0415  (not before the first frame)
    from pi.modes.interactive.highlight import preload  # noqa: PLC0415  (as above)
    from pi.providers.http import warm_up  # noqa: PLC0415  (not before the first frame)
    from pi.providers.registry import APIS, stream_function  # noqa: PLC0415  (as above)

    warm_up()
    if api is not None and api in APIS:
        stream_function(api)
    preload()
    import pi.modes.interactive.updates  # noqa: F401, PLC0415  (what settle_in does next)


def _look(host: Host, desk: Desk) -> Look:
    settings, terminal = host.services.settings, host.services.settings.terminal
    variables = dict(host.services.environment.variables)
    stage = desk.stage
    return Look(
        stage.theme,
        thinking_hidden=settings.hide_thinking_block,
        pad=settings.output_pad,
        code_indent=settings.markdown.code_block_indent,
        links=_has_links(variables) if terminal.hyperlinks == "auto" else terminal.hyperlinks,
        images=image_protocol(variables, terminal.images) if terminal.show_images else None,
        image_columns=terminal.image_width_cells,
        cwd=host.paths.cwd,
        home=host.paths.home,
        expand_key=key_label(stage, "app.tools.expand"),
        thinking_key=key_label(stage, "app.thinking.toggle"),
        diagrams=settings.markdown.mermaid,
        refresh=desk.refresh,
    )


def _has_links(variables: Mapping[str, str]) -> bool:
    """Whether a link in the text (OSC 8) is one on the terminal, and not just text."""
    forced = {"1": True, "0": False}.get(variables.get("PI_HYPERLINKS", ""))
    if forced is not None:
        return forced
    term = variables.get("TERM", "")
    return not (variables.get("TMUX") or term.startswith(("screen", "linux", "dumb")))


def _loaded(host: Host) -> list[tuple[str, list[str]]]:
    """What was found for this folder, for the header."""
    resources, home = host.services.resources, host.paths.home
    files = [_short(file.path, home) for file in host.services.context_files().files]
    return [
        ("Context", files),
        ("Skills", [skill.name for skill in resources.skills]),
        ("Prompts", [f"/{prompt.name}" for prompt in resources.prompts]),
        ("Extensions", [file.found.path.name for file in resources.extensions]),
    ]


def _short(path: Path, home: Path) -> str:
    try:
        return os.path.join("~", path.relative_to(home))
    except ValueError:
        return str(path)
