"""Who listens to events, and how they are called: in order, timed, their faults told.

Those who subscribed are called one after the other, in the order in which extensions were loaded,
then in which they subscribed. What their answers mean is the matter of who asks, see hooks.py.
"""

import asyncio
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pi.agent import hook_events as ev
from pi.agent.abort import Abort, Aborted, is_cancelled
from pi.agent.answers import answer_problem
from pi.agent.checks import shown
from pi.agent.faults import HookFailure, is_fault, text_of_error

__all__ = ["BLOCKING", "SLOW", "Dispatch", "Undecided"]

SLOW = 5.0
"""Seconds after which a handler that has not answered is named, unless it waits for the person."""

BLOCKING = 0.5
"""Seconds in which a handler may keep everything else from going on before it is named."""

Handler = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Listener:
    rank: int
    owner: str
    call: Handler


@dataclass(slots=True)
class Dispatch:
    """report: is told what goes wrong.

    waiting: how many dialogs wait for the person: handlers are not slow then.
    """

    report: Callable[[HookFailure], None]
    waiting: int = 0
    abort: Abort | None = None
    """Of the run under way: it ends handlers that wait."""
    _listeners: dict[str, tuple[_Listener, ...]] = field(default_factory=dict)
    _posted: asyncio.Task[None] | None = None
    _background: set["asyncio.Task[None]"] = field(default_factory=set)
    _awaited: dict["asyncio.Task[None]", float] = field(default_factory=dict)

    # Who listens

    def on(self, event: str, call: Handler, *, owner: str, rank: int = 0) -> Callable[[], None]:
        """Subscribe; the returned function ends that. A dispatch under way is not changed.

        rank: the order among owners. Raises ValueError for an event that does not exist.
        """
        if event not in ev.EVENTS:
            raise ValueError(_unknown(event))
        listener = _Listener(rank, owner, call)
        # sorted is stable: of one rank, who came first stays first
        known = (*self._listeners.get(event, ()), listener)
        self._listeners[event] = tuple(sorted(known, key=lambda each: each.rank))

        def off() -> None:
            left = tuple(each for each in self._listeners.get(event, ()) if each is not listener)
            self._set(event, left)

        return off

    def drop(self, owner: str) -> None:
        """Forget all that one extension subscribed to."""
        for event, listeners in list(self._listeners.items()):
            self._set(event, tuple(each for each in listeners if each.owner != owner))

    def wants(self, event: str) -> bool:
        """Whether anybody listens."""
        return event in self._listeners

    def _set(self, event: str, listeners: tuple[_Listener, ...]) -> None:
        if listeners:
            self._listeners[event] = listeners
        else:
            self._listeners.pop(event, None)

    # Dispatch

    async def notify(self, event: ev.Event) -> None:
        """Tell everybody; answers do not count."""
        for listener in self._listeners.get(event.name, ()):
            await self._ask(listener, event)

    def post(self, event: ev.Event) -> None:
        """Tell everybody soon, in the order of the posts, from where nothing can be awaited."""
        if not self.wants(event.name):
            return
        before = self._posted

        async def told() -> None:
            if before is not None and not before.done():
                await asyncio.wait([before])
            await self.notify(event)

        self._posted = asyncio.get_running_loop().create_task(told())

    def keep(self, task: "asyncio.Task[None]", grace: float = 0) -> None:
        """Hold on to something that goes on in the background; it ends with the session.

        grace: seconds that it may still take then.
        """
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        if grace > 0:
            self._awaited[task] = grace
            task.add_done_callback(self._awaited.pop)

    async def finish(self) -> None:
        """Wait for what goes on in the background, as long as each may still take."""
        ends = time.monotonic()
        for task, grace in sorted(self._awaited.items(), key=lambda each: each[1]):
            if task is not asyncio.current_task() and not task.done():
                await asyncio.wait([task], timeout=max(0, ends + grace - time.monotonic()))

    def close(self) -> None:
        """End what goes on in the background, but for who closes it."""
        for task in self._background - {asyncio.current_task()}:
            task.cancel()

    async def posted(self) -> None:
        """Wait until everything posted so far was told."""
        if self._posted is not None and self._posted is not asyncio.current_task():
            await asyncio.wait([self._posted])

    async def _answers(
        self,
        event: ev.Event,
        *kinds: type,
        take: Callable[[Any], bool],
        check: Callable[[Any], str | None] = answer_problem,
        closed: bool = False,
    ) -> None:
        """Give `take` each answer of these kinds, until it returns True.

        check: why an answer of these kinds is of no use.
        closed: a failure raises Undecided instead of leaving it to the others.
        """
        for listener in self._listeners.get(event.name, ()):
            answer = await self._ask(listener, event, closed=closed)
            if answer is None:
                continue
            problem = self.usable(listener.owner, event, answer, kinds, check)
            if problem is None:
                if take(answer):
                    return
            elif closed:
                raise Undecided(problem)

    def usable(
        self,
        owner: str,
        event: ev.Event,
        answer: object,
        kinds: tuple[type, ...],
        check: Callable[[Any], str | None] = answer_problem,
    ) -> str | None:
        """Why an answer is passed over, once that is reported; None for one that counts."""
        if isinstance(answer, kinds):
            problem = check(answer)
        else:
            wanted = " or ".join(kind.__name__ for kind in kinds)
            problem = f"an answer to {event.name} is {wanted}, not {shown(answer)}"
        if problem is not None:
            self.report(HookFailure(owner, event.name, problem, TypeError(problem)))
        return problem

    async def _first(self, event: ev.Event, *kinds: type, closed: bool = False) -> Any:
        """The first answer of these kinds."""
        found: list[Any] = []

        def take(answer: Any) -> bool:
            found.append(answer)
            return True

        await self._answers(event, *kinds, take=take, closed=closed)
        return found[0] if found else None

    async def _last_unless_cancelled(self, event: ev.Event, kind: type) -> Any:
        found: list[Any] = [None]

        def take(answer: Any) -> bool:
            found.append(answer)
            return isinstance(answer, ev.Cancel)

        await self._answers(event, ev.Cancel, kind, take=take)
        return found[-1]

    async def _ask(self, listener: _Listener, event: ev.Event, *, closed: bool = False) -> Any:
        began = time.monotonic()
        try:
            answer = listener.call(event)
            took = time.monotonic() - began
            if took > BLOCKING:
                text = f"kept everything waiting for {took:.1f} s"
                self.report(HookFailure(listener.owner, event.name, text))
            if answer is None or not inspect.isawaitable(answer):
                return answer
            watch = self._watch(listener, event.name)
            ending: asyncio.Timeout | None = None
            try:
                if self.abort is None or not inspect.iscoroutine(answer):
                    return await answer
                if not self.abort.triggered:
                    return await self.abort.wait(answer)
                async with asyncio.timeout(SLOW) as ending:  # what ends is told, but not for ever
                    return await answer
            except Aborted:
                return None
            except TimeoutError:
                if ending is None or not ending.expired():
                    raise
                text = f"was ended {SLOW:g} s after the run was aborted"
                self.report(HookFailure(listener.owner, event.name, text))
                return None
            finally:
                watch.cancel()
        except asyncio.CancelledError as error:
            if is_cancelled():
                raise
            # Nobody cancelled the run: the handler waited for something that was cancelled.
            self.report(HookFailure(listener.owner, event.name, text_of_error(error), error))
            if closed:
                raise Undecided(text_of_error(error)) from error
            return None
        except BaseException as error:
            if not is_fault(error):
                raise
            self.report(HookFailure(listener.owner, event.name, text_of_error(error), error))
            if closed:
                raise Undecided(text_of_error(error)) from error
            return None

    def _watch(self, listener: _Listener, name: str) -> asyncio.TimerHandle:
        loop = asyncio.get_running_loop()

        def slow() -> None:
            if self.waiting == 0:
                text = f"has not answered for {SLOW:g} s; pi waits for it"
                self.report(HookFailure(listener.owner, name, text))

        return loop.call_later(SLOW, slow)

    def fault(self, event: str, error: BaseException, owner: str | None = None) -> None:
        """Report an answer that turned out to be of no use.

        owner: where it is not known, the only one who listens is named.
        """
        if owner is None:
            owners = {each.owner for each in self._listeners.get(event, ())}
            owner = owners.pop() if len(owners) == 1 else ""
        self.report(HookFailure(owner, event, text_of_error(error), error))


def _unknown(event: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  (a slip of the keyboard)

    near = get_close_matches(event, ev.EVENTS, 1)
    return f"there is no event {event!r}" + (f", but there is {near[0]!r}" if near else "")


class Undecided(Exception):
    """A handler failed whose answer decides."""
