"""What extensions say: messages of their own, and prompts in the person's place."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pi.agent.checks import content_problem
from pi.agent.extended import custom_message
from pi.agent.hooks import HookFailure, Hooks
from pi.extensions.execution import Stage
from pi.wire.messages import ImageContent, UserContent, text_of

__all__ = ["Delivery", "Speaker"]

Delivery = Literal["steer", "followUp", "nextTurn"]


class Speaker:
    """Speaks in one session. What goes wrong in the background is reported as the owner's."""

    def __init__(self, stage: Stage, hooks: Hooks, owner: str) -> None:
        self._stage = stage
        self._hooks = hooks
        self._owner = owner

    def send(
        self,
        message: Mapping[str, Any],
        *,
        trigger_turn: bool | None = None,
        deliver_as: Delivery = "steer",
    ) -> None:
        """See Pi.send_message."""
        host = self._stage.host
        custom = custom_message(message)
        if deliver_as not in ("steer", "followUp", "nextTurn"):
            raise ValueError(f'deliver_as is "steer", "followUp" or "nextTurn", not {deliver_as!r}')
        session = host.session
        if deliver_as == "nextTurn":
            session.add_to_next(custom)
        elif session.is_busy and trigger_turn is not False:
            session.queues.put(custom, at_end=deliver_as == "followUp")
        elif trigger_turn and not session.is_busy:

            def begin() -> None:
                try:
                    host.extending.say_custom(custom)
                except Exception as error:  # noqa: BLE001  (nobody waits for it: it is reported)
                    self._report("send_message", error)

            host.extending.afterwards(begin)
        else:
            session.add_custom(custom)

    async def say(
        self,
        content: str | Sequence[UserContent],
        *,
        deliver_as: Literal["steer", "followUp"] | None = None,
        expand: bool = False,
    ) -> None:
        """See Pi.send_user_message. Raises BusyError during a run without deliver_as."""
        text, images = _parts(content)
        await self._stage.host.extending.say(text, images, while_running=deliver_as, expand=expand)

    def say_soon(
        self,
        content: str | Sequence[UserContent],
        *,
        deliver_as: Literal["steer", "followUp"] | None = None,
        expand: bool = False,
    ) -> None:
        """The same in the background; after the run, where one is just ending."""
        host = self._stage.host
        problem = content_problem(content, text=True)
        if problem is not None:
            raise ValueError(problem)
        if deliver_as not in (None, "steer", "followUp"):
            raise ValueError(f'deliver_as is "steer" or "followUp", not {deliver_as!r}')

        async def run() -> None:
            try:
                await self.say(content, deliver_as=deliver_as, expand=expand)
            except Exception as error:  # noqa: BLE001  (nobody waits for it: it is reported)
                self._report("send_user_message", error)

        def begin() -> None:
            self._hooks.keep(asyncio.create_task(run()))

        if host.session.is_busy or not host.is_running:
            begin()
        else:
            host.extending.afterwards(begin)

    def _report(self, what: str, error: Exception) -> None:
        self._hooks.report(HookFailure(self._owner, what, str(error), error))


def _parts(content: str | Sequence[UserContent]) -> tuple[str, list[ImageContent]]:
    if isinstance(content, str):
        return content, []
    blocks = list(content)
    images = [block for block in blocks if block["type"] == "image"]
    return text_of(blocks), images
