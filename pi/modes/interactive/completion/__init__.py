"""Completion in the editor: what can be completed, and the list it is chosen from."""

from pi.modes.interactive.completion.base import Answer, Found, Item, Provider
from pi.modes.interactive.completion.commands import CommandProvider, Offer
from pi.modes.interactive.completion.files import FileProvider
from pi.modes.interactive.completion.paths import PathProvider

__all__ = [
    "Answer",
    "CommandProvider",
    "FileProvider",
    "Found",
    "Item",
    "Offer",
    "PathProvider",
    "Provider",
]
