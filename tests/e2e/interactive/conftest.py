"""`pi` in a terminal, with a scripted model behind it and a person's hands on the keys."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from tests.e2e.conftest import COMMAND, Machine, Scripted, ScriptedFactory
from tests.e2e.interactive.tmux import TMUX, Screen
from tests.scripted_provider import Turn

HI: Turn = {"blocks": [{"text": "Hello from the model."}]}
READY = "0.0%"
"""In the footer once it is there."""


class Sitting:
    """Starts pi on a screen; everything is gone when the test ends."""

    def __init__(self, machine: Machine, factory: ScriptedFactory, stack: ExitStack) -> None:
        self.machine = machine
        self._factory = factory
        self._stack = stack
        self.script: Scripted | None = None

    def settings(self, **settings: Any) -> None:
        path = self.machine.agent / "settings.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        self.machine.write("settings.json", {**known, **settings})

    def serve(self, turns: Sequence[Turn | Callable[..., Turn]] = (HI,), **options: Any) -> None:
        if self.script is None:
            self.script = self._factory(turns, **options)  # type: ignore[arg-type]

    def __call__(
        self,
        *arguments: str,
        turns: Sequence[Turn | Callable[..., Turn]] = (HI,),
        columns: int = 80,
        rows: int = 30,
        ready: str = READY,
        **env: str,
    ) -> Screen:
        """ready: what to wait for; "" for nothing."""
        self.serve(turns)
        assert self.script is not None
        screen = Screen(
            [*COMMAND, *self.script.options, *arguments],
            cwd=self.machine.project,
            env={**self.machine.environment, "LANG": "C.UTF-8", **env},
            columns=columns,
            rows=rows,
        )
        self._stack.enter_context(screen)
        if ready:
            screen.wait(ready)
        return screen


@pytest.fixture
def sit(machine: Machine, scripted: ScriptedFactory) -> Iterator[Sitting]:
    if TMUX is None:
        pytest.skip("no tmux here")
    with ExitStack() as stack:
        yield Sitting(machine, scripted, stack)
