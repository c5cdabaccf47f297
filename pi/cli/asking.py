"""Questions that commands ask a person at the terminal, in panels."""

import asyncio

from pi.config.environment import Environment
from pi.config.paths import Paths
from pi.modes.interactive.alone import alone
from pi.modes.interactive.desk import Desk
from pi.modes.interactive.lobby import Lobby
from pi.runtime.options import RunOptions

__all__ = ["ask_trust"]


def ask_trust(environment: Environment, paths: Paths) -> bool:
    """Whether the project's own settings count; the answer is kept where it says so."""

    async def ask(desk: Desk) -> bool:
        options = await Lobby(desk, environment).trust(RunOptions(), paths)
        return options.trust_of(paths.cwd) is True

    return asyncio.run(alone(environment, ask))
