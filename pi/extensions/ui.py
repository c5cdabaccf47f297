"""What extensions build on the terminal with: `from pi.extensions.ui import Box, Key, Text`.

Names are resolved when they are first used; `ui.pyi` tells type checkers what they are. They are
for the terminal: in other modes factories of components are not called, and nothing of this is
loaded unless an extension does it itself.
"""

from importlib import import_module

_TERMINAL = "pi.modes.interactive"
_NAMES = {
    f"{_TERMINAL}.cells": ("crop", "cut", "pad", "plain", "width", "wrap"),
    f"{_TERMINAL}.completion.base": ("Found", "Item"),
    f"{_TERMINAL}.components.controls": ("Input", "Loader", "Option", "SelectList", "TextBox"),
    f"{_TERMINAL}.components.layout": ("Box", "Columns", "Rows", "Scrolled"),
    f"{_TERMINAL}.components.part": ("Part",),
    f"{_TERMINAL}.components.settings": ("Setting", "SettingsList"),
    f"{_TERMINAL}.components.text": ("Line", "Markdown", "Spacer", "Text"),
    f"{_TERMINAL}.extension_screen": ("Screen:ExtensionScreen",),
    f"{_TERMINAL}.highlight": ("highlight", "language_of"),
    f"{_TERMINAL}.keymap": ("Keys:Keymap",),
    f"{_TERMINAL}.keys": ("Mouse",),
    f"{_TERMINAL}.view": ("Component", "Key", "Panel"),
    "pi.runtime.looks": ("Theme",),
    "pi.runtime.overlay": ("Overlay", "OverlayHandle"),
}
"""By module; "name:other" where it has another name there."""

_HOMES = {
    name.partition(":")[0]: (home, name.partition(":")[2] or name)
    for home, names in _NAMES.items()
    for name in names
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home, there = _HOMES[name]
    value: object = getattr(import_module(home), there)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
