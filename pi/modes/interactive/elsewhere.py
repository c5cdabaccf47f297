"""What is written or comes from elsewhere: the person's own editor, the clipboard."""

from pathlib import Path

from pi.modes.interactive.app import App

__all__ = ["edited_outside", "paste_clipboard", "write_outside"]


async def write_outside(app: App) -> None:
    """Go on with the prompt in the person's own editor."""
    edited = await edited_outside(app, app.editor.text)
    if edited is not None:
        app.editor.text = edited


async def edited_outside(app: App, text: str) -> str | None:
    """What becomes of a text in the person's own editor; None, and a word, where it is to stay."""
    # Two seams: neither is needed before somebody presses the key.
    from pi.modes.interactive.editor.external import edit_outside, editor_command  # noqa: PLC0415

    services = app.host.services
    command = editor_command(services.settings.external_editor, services.environment.variables)
    edited = await edit_outside(app.terminal, text, command)
    if edited is None:
        app.say(f"{Path(command[0]).name} ended with an error; the text is as it was.", "warning")
    return edited


async def paste_clipboard(app: App) -> None:
    """Put in what the clipboard has: an image, files, or text."""
    from pi.modes.interactive.pasting import read_clipboard  # noqa: PLC0415

    clip = await read_clipboard(app.host.services.environment.variables, app.platform)
    if clip.image is not None:
        app.editor.attach(clip.image)
    elif clip.files:
        app.editor.insert(" ".join(f'"{file}"' for file in clip.files))
    elif clip.text:
        app.editor.insert(clip.text)
    else:
        app.say(f"Nothing was pasted: {clip.problem}.", "warning")
