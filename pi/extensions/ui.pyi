"""What pi/extensions/ui.py resolves when it is used, for type checkers and editors."""

from typing import TypeAlias

from pi.modes.interactive.cells import crop as crop
from pi.modes.interactive.cells import cut as cut
from pi.modes.interactive.cells import pad as pad
from pi.modes.interactive.cells import plain as plain
from pi.modes.interactive.cells import width as width
from pi.modes.interactive.cells import wrap as wrap
from pi.modes.interactive.completion.base import Found as Found
from pi.modes.interactive.completion.base import Item as Item
from pi.modes.interactive.components.controls import Input as Input
from pi.modes.interactive.components.controls import Loader as Loader
from pi.modes.interactive.components.controls import Option as Option
from pi.modes.interactive.components.controls import SelectList as SelectList
from pi.modes.interactive.components.controls import TextBox as TextBox
from pi.modes.interactive.components.layout import Box as Box
from pi.modes.interactive.components.layout import Columns as Columns
from pi.modes.interactive.components.layout import Rows as Rows
from pi.modes.interactive.components.layout import Scrolled as Scrolled
from pi.modes.interactive.components.part import Part as Part
from pi.modes.interactive.components.settings import Setting as Setting
from pi.modes.interactive.components.settings import SettingsList as SettingsList
from pi.modes.interactive.components.text import Line as Line
from pi.modes.interactive.components.text import Markdown as Markdown
from pi.modes.interactive.components.text import Spacer as Spacer
from pi.modes.interactive.components.text import Text as Text
from pi.modes.interactive.extension_screen import ExtensionScreen
from pi.modes.interactive.highlight import highlight as highlight
from pi.modes.interactive.highlight import language_of as language_of
from pi.modes.interactive.keymap import Keymap
from pi.modes.interactive.keys import Mouse as Mouse
from pi.modes.interactive.view import Component as Component
from pi.modes.interactive.view import Key as Key
from pi.modes.interactive.view import Panel as Panel
from pi.runtime.looks import Theme as Theme
from pi.runtime.overlay import Overlay as Overlay
from pi.runtime.overlay import OverlayHandle as OverlayHandle

Screen: TypeAlias = ExtensionScreen
Keys: TypeAlias = Keymap
