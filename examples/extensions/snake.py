"""Something to do while the agent works: /snake. Arrows or h j k l steer, Escape leaves.

The game goes on where it was left; its best score is kept with the session.
"""

import random
from collections import deque
from collections.abc import Callable
from typing import Any

from pi.extensions import CommandContext, Pi
from pi.extensions.ui import Box, Key, Overlay, Part

COLUMNS, ROWS = 24, 12
STEP = 0.12
TURNS = {
    "up": (0, -1),
    "down": (0, 1),
    "left": (-1, 0),
    "right": (1, 0),
    "k": (0, -1),
    "j": (0, 1),
    "h": (-1, 0),
    "l": (1, 0),
}
KIND = "snake-best"


class Game:
    """Cells are (column, row). snake: its head first."""

    def __init__(self, best: int = 0) -> None:
        self.best = best
        self.restart()

    def restart(self) -> None:
        self.snake = deque((COLUMNS // 2 - n, ROWS // 2) for n in range(3))
        self.way = self.turn = (1, 0)
        self.over = False
        self.food = self.free()

    @property
    def score(self) -> int:
        return len(self.snake) - 3

    def free(self) -> tuple[int, int]:
        taken = set(self.snake)
        cells = [(x, y) for x in range(COLUMNS) for y in range(ROWS) if (x, y) not in taken]
        return random.choice(cells)

    def steer(self, way: tuple[int, int]) -> None:
        if way != (-self.way[0], -self.way[1]):  # not into itself
            self.turn = way

    def step(self) -> None:
        self.way = self.turn
        head = (self.snake[0][0] + self.way[0], self.snake[0][1] + self.way[1])
        inside = 0 <= head[0] < COLUMNS and 0 <= head[1] < ROWS
        if not inside or head in list(self.snake)[:-1]:
            self.over = True
            self.best = max(self.best, self.score)
            return
        self.snake.appendleft(head)
        if head == self.food:
            self.food = self.free()
        else:
            self.snake.pop()


class Board(Part):
    def __init__(self, game: Game, screen: Any, done: Callable[[], None]) -> None:
        self.game, self.screen, self.done = game, screen, done
        self.off = screen.later(STEP, self.tick)

    def tick(self) -> None:
        if not self.game.over:
            self.game.step()
        self.off = self.screen.later(STEP, self.tick)
        self.screen.redraw()

    def close(self) -> None:
        self.off()

    def handle(self, key: Key) -> bool:
        if key.name in TURNS:
            self.game.steer(TURNS[key.name])
        elif self.game.over and key.name in ("enter", "space"):
            self.game.restart()
        elif key.name in ("escape", "q"):
            self.done()
        else:
            return False
        return True

    def render(self, width: int) -> list[str]:
        game, theme = self.game, self.screen.theme
        wide = 2 if width >= 2 * COLUMNS else 1  # cells of the terminal for one of the game's
        body = {cell: theme.fg("success", "█" * wide) for cell in game.snake}
        body[game.snake[0]] = theme.fg("accent", "█" * wide)
        body[game.food] = theme.fg("error", "●".ljust(wide))
        empty = " " * wide
        rows = ["".join(body.get((x, y), empty) for x in range(COLUMNS)) for y in range(ROWS)]
        best = max(game.best, game.score)
        told = f"score {game.score} · best {best}"
        hint = "Enter plays again · " if game.over else ""
        rows.append(theme.fg("warning" if game.over else "muted", told))
        rows.append(theme.fg("dim", f"{hint}Esc leaves"))
        return rows


def extend(pi: Pi) -> None:
    game: Game | None = None

    @pi.command("snake", "Play while the agent works")
    async def snake(args: str, ctx: CommandContext) -> None:
        nonlocal game
        if ctx.mode != "tui":
            ctx.ui.notify("/snake is for the terminal", "error")
            return
        entries = ctx.session.entries()
        kept = [
            entry["data"]["best"]
            for entry in entries
            if entry["type"] == "custom" and entry["customType"] == KIND
        ]
        if game is None:
            game = Game(max(kept, default=0))
        play = game

        def make(screen: Any, theme: Any, keys: Any, done: Callable[..., None]) -> Box:
            return Box(screen, Board(play, screen, done), title="Snake", border="accent")

        await ctx.ui.custom(make, overlay=Overlay(width=2 * COLUMNS + 4))
        if play.best > max(kept, default=0):
            pi.append_entry(KIND, {"best": play.best})
