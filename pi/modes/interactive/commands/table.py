"""The built-in commands. Source: docs/slash-commands.md."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from pi.modes.interactive.app import App

__all__ = ["COMMANDS", "Command", "find"]


class Command(NamedTuple):
    """arguments: how they are written, for the menu. place: module and function that run it.

    moves: afterwards another session is open, or this one elsewhere or with other commands: what
        is said before it is over is meant for what is there then.
    """

    name: str
    about: str
    place: str
    arguments: str = ""
    moves: bool = False

    def run(self, app: App, arguments: str) -> Coroutine[Any, Any, None]:
        """Carry it out. arguments: what follows the name, without blanks around it."""
        module, _, function = self.place.partition(":")
        place = import_module(f"pi.modes.interactive.commands.{module}")
        work: Coroutine[Any, Any, None] = getattr(place, function)(app, arguments)
        return work


COMMANDS: tuple[Command, ...] = (
    Command("settings", "Change settings", "settings:settings"),
    Command("model", "Choose the model", "models:model", "[provider/model]"),
    Command("tree", "Go to another point of this session", "sessions:tree", moves=True),
    Command("thinking", "Choose how hard the model thinks", "models:thinking", "[level]"),
    Command("scoped-models", "Choose the models to cycle through", "models:scoped"),
    Command("export", "Write the session as a page, or as JSONL", "output:export", "[path]"),
    Command("import", "Open a copy of a JSONL session", "sessions:import_session", "<path>", True),
    Command("share", "Put the session into a private GitHub gist", "output:share"),
    Command("copy", "Copy the last answer", "output:copy"),
    Command("name", "Name this session", "sessions:name", "[name]"),
    Command("session", "Show figures of this session", "info:session"),
    Command("changelog", "Show what has changed in pi", "info:changelog"),
    Command("hotkeys", "Show the keyboard shortcuts", "info:hotkeys"),
    Command("fork", "Start a new session from an earlier message", "sessions:fork", moves=True),
    Command("clone", "Go on in a copy of this session", "sessions:clone", moves=True),
    Command("trust", "Decide whether this project is trusted", "settings:trust"),
    Command("login", "Sign in, or store an API key", "login:login", "[provider]"),
    Command("logout", "Forget a sign-in or a key", "login:logout"),
    Command("new", "Start a new session", "sessions:new", moves=True),
    Command("compact", "Summarise what was said so far", "sessions:compact", "[instructions]"),
    Command("resume", "Open another session", "sessions:resume", moves=True),
    Command(
        "reload", "Read settings, keys, themes and the rest again", "settings:reload", moves=True
    ),
    Command("debug", "Write what is on the screen to a file", "info:debug"),
    Command("quit", "Leave pi", "info:leave"),
)

_NAMES = {command.name: command for command in COMMANDS}


def find(text: str) -> tuple[Command, str] | None:
    """The command that a line begins with, and its arguments."""
    name, _, arguments = text[1:].partition(" ")
    command = _NAMES.get(name)
    return None if command is None else (command, arguments.strip())
