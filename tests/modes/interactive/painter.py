"""Draws rows on the terminal it runs on, for test_screen_tmux.py.

python -m tests.modes.interactive.painter COMMANDS DONE

Commands are lines of the first file, read as it grows: `add N`, `wide N`, `bottom N`, `mode NAME`,
`end`. After each frame the second file says how many commands are done, and the terminal's size.
"""

import os
import sys
import termios
import time
import tty
from pathlib import Path
from typing import NamedTuple

from pi.modes.interactive.palette import Theme
from pi.modes.interactive.screen import Frame, Screen
from tests.modes.interactive.terminal import Block, Bottom


class Size(NamedTuple):
    columns: int
    rows: int


class Tty:
    def write_raw(self, data: str) -> None:
        sys.stdout.write(data)

    def flush(self) -> None:
        sys.stdout.flush()

    def get_size(self) -> Size:
        return Size(*os.get_terminal_size(1))


def main(commands: Path, done: Path) -> None:
    terminal = Tty()
    screen = Screen(terminal, Theme("t", {}))
    blocks: list[Block] = []
    bottom = Bottom(["> prompt", "footer"], (0, 8))
    count = number = 0
    with commands.open() as file:
        while True:
            screen.draw(Frame(blocks, [bottom], bottom))
            size = terminal.get_size()
            fresh = done.with_suffix(".new")
            fresh.write_text(f"{number} {size.columns} {size.rows}")
            fresh.replace(done)
            line = file.readline()
            if not line.endswith("\n"):
                time.sleep(0.01)
                continue
            number += 1
            kind, value = line.split()
            if kind in ("add", "wide"):
                rows = range(count, count + int(value))
                count = rows.stop
                blocks.append(Block([f"row {n}" + " x" * (40 * (kind == "wide")) for n in rows]))
            elif kind == "bottom":
                bottom.put(["> prompt", *(f"item {n}" for n in range(int(value))), "footer"])
            elif kind == "mode":
                screen.switch("fullscreen" if value == "fullscreen" else "regular")
            else:
                screen.close(["closed"], blocks)
                return


if __name__ == "__main__":
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
    print("the end")
    time.sleep(600)
