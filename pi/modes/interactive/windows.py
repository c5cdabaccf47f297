"""Input of a Windows console as the sequences that a terminal would send.

prompt-toolkit reads the console and has parsed what it read; our own decoder takes it from here.
"""

from collections.abc import Iterable

from prompt_toolkit.input.ansi_escape_sequences import REVERSE_ANSI_SEQUENCES
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys

__all__ = ["sequences"]


def sequences(presses: Iterable[KeyPress]) -> str:
    parts = []
    whole = False  # the press before held all of a sequence that stands for several keys
    for press in presses:
        if press.key == Keys.BracketedPaste:
            parts.append(f"\x1b[200~{press.data}\x1b[201~")
        elif press.data:
            parts.append(press.data)
        elif not whole and isinstance(press.key, Keys):
            parts.append(REVERSE_ANSI_SEQUENCES.get(press.key, ""))
        whole = press.key == Keys.Escape and len(press.data) > 1
    return "".join(parts)
