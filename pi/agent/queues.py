"""What the person says while the agent works: to be heard at the next turn, or after the last."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pi.wire.events import QueueUpdate
from pi.wire.messages import CustomMessage, UserContent, UserMessage, now_ms, text_of

__all__ = ["MessageQueues", "QueueMode", "user_message"]

QueueMode = Literal["all", "one-at-a-time"]
Said = UserMessage | CustomMessage


@dataclass(slots=True)
class MessageQueues:
    """Two queues, each delivered one message at a time or whole.

    steering: for the next turn. follow_up: for when the agent would stop.
    """

    steering_mode: QueueMode = "one-at-a-time"
    follow_up_mode: QueueMode = "one-at-a-time"
    _steering: deque[Said] = field(default_factory=deque)
    _follow_up: deque[Said] = field(default_factory=deque)

    def __len__(self) -> int:
        return len(self._steering) + len(self._follow_up)

    def steer(self, content: Sequence[UserContent]) -> QueueUpdate:
        self._steering.append(user_message(content))
        return self.state()

    def follow_up(self, content: Sequence[UserContent]) -> QueueUpdate:
        self._follow_up.append(user_message(content))
        return self.state()

    def put(self, message: CustomMessage, *, at_end: bool) -> None:
        """Let an extension's message wait. at_end: for when the agent would stop."""
        (self._follow_up if at_end else self._steering).append(message)

    def clear(self) -> QueueUpdate:
        """Empty both; returns what was in them."""
        before = self.state()
        self._steering.clear()
        self._follow_up.clear()
        return before

    def state(self) -> QueueUpdate:
        """The event that tells what is waiting."""
        return {
            "type": "queue_update",
            "steering": _texts(self._steering),
            "followUp": _texts(self._follow_up),
        }

    def waiting(self, *, at_end: bool) -> bool:
        """Whether there is something for the next turn. at_end: there is none without it."""
        return bool(self._steering or (at_end and self._follow_up))

    def take(self, *, at_end: bool) -> Iterator[Said]:
        """Remove, one by one, what the next turn is to begin with."""
        queue, mode = self._steering, self.steering_mode
        if not queue and at_end:
            queue, mode = self._follow_up, self.follow_up_mode
        for _ in range(len(queue) if mode == "all" else min(1, len(queue))):
            if queue:  # the reader of the events may have cleared it
                yield queue.popleft()


def _texts(queue: Iterable[Said]) -> list[str]:
    """What the person said; an extension's messages are its own affair."""
    return [text_of(message["content"]) for message in queue if message["role"] == "user"]


def user_message(content: Sequence[UserContent]) -> UserMessage:
    return {"role": "user", "content": list(content), "timestamp": now_ms()}
