"""Commands for settings, project trust, and reading everything again."""

import asyncio
from typing import Any

from pi.config.documents import read_document
from pi.config.settings_write import Scope, write_setting
from pi.config.trust import protected_resources, save_trust, saved_trust
from pi.modes.interactive.app import App
from pi.modes.interactive.commands.models import model_rows
from pi.modes.interactive.keymap import load_keymap
from pi.modes.interactive.pickers.settings import SettingsPicker
from pi.modes.interactive.pickers.trust import TrustDialog

__all__ = ["reload", "settings", "trust"]

NOT_HEARD = ("enableAnalytics", "sessionShareDestination")
"""Settings of the npm package that change nothing here: kept in the file, but not offered."""


async def settings(app: App, arguments: str) -> None:
    """Changes take effect as they are made."""
    host = app.host
    paths = host.paths

    def write(path: tuple[str, ...], value: Any, scope: Scope) -> None:
        write_setting(paths, scope, path, value)
        app.host.take_settings()
        app.apply_settings()

    user = read_document(paths.settings) or {}
    project = None
    if host.services.settings.trusted and paths.project_settings != paths.settings:
        project = read_document(paths.project_settings)
    await app.ask(
        SettingsPicker,
        user,
        write=write,
        project=project,
        models=[row for row in model_rows(app) if row.usable],
        themes=app.looks.names(host.services.resources),
        preview=app.use_theme,
        without=NOT_HEARD,
        defaults={
            "terminal.clearOnShrink": host.services.environment.clear_on_shrink,
            "showHardwareCursor": host.services.environment.hardware_cursor,
        },
    )


async def trust(app: App, arguments: str) -> None:
    host = app.host
    paths = host.paths
    answer = await app.ask(
        TrustDialog,
        paths.cwd,
        found=[str(path) for path in protected_resources(paths)],
        later=True,
        saved=saved_trust(paths),
        trusted=host.services.settings.trusted,
    )
    if answer is None or answer.folder is None:
        return
    await asyncio.to_thread(save_trust, paths, answer.folder, answer.trusted)
    kept = "trusted" if answer.trusted else "not trusted"
    app.say(f"{answer.folder} is {kept} from the next start on; /reload takes it up now.")


async def reload(app: App, arguments: str) -> None:
    if app.host.is_running or app.host.session.is_busy:
        stop = app.hint("app.interrupt", "stops it")
        app.say(
            f"pi is at work: /reload when that is over.{f' {stop}.' if stop else ''}", "warning"
        )
        return
    with app.working("Reading everything again"):
        await app.host.reload()
    keymap = load_keymap(app.host.paths.keybindings, app.platform)
    for problem in keymap.problems:
        app.say(problem, "warning")
    app.stage.keymap = app.editor.keymap = keymap
    app.apply_settings()
    for fault in app.looks.faults(app.host.services.resources):
        app.say(fault, "warning")
    app.say("Read settings, keys, models, themes, skills, prompts and instructions again.")
