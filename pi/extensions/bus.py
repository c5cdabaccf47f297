"""Events between extensions."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

from pi.agent.faults import is_fault
from pi.extensions.checking import must_be_function, must_be_name

__all__ = ["BusEnd", "EventBus"]

Listener = Callable[[Any], Any]
F = TypeVar("F", bound=Callable[..., Any])


class EventBus:
    """Names are for extensions to agree on. report: is told of a listener that fails, by owner."""

    def __init__(
        self,
        report: Callable[[str, str, BaseException], None],
        later: Callable[[Awaitable[Any]], None],
    ) -> None:
        self._listeners: dict[str, list[tuple[str, Listener]]] = {}
        self._report = report
        self._later = later

    def on(self, name: str, listener: Listener, owner: str = "") -> Callable[[], None]:
        """Hear an event; the returned function ends that."""
        entry = (owner, listener)
        self._listeners.setdefault(name, []).append(entry)

        def off() -> None:
            if entry in self._listeners.get(name, ()):
                self._listeners[name].remove(entry)

        return off

    def emit(self, name: str, data: Any = None) -> None:
        """Tell everybody, in the order they came. Coroutines go on in the background."""
        for owner, listener in tuple(self._listeners.get(name, ())):
            try:
                answer = listener(data)
            except BaseException as error:
                # It is reported, and others hear it all the same.
                if not is_fault(error):
                    raise
                self._report(owner, name, error)
                continue
            if inspect.isawaitable(answer):
                self._later(self._heard(owner, name, answer))

    async def _heard(self, owner: str, name: str, answer: Awaitable[Any]) -> None:
        try:
            await answer
        except BaseException as error:
            if not is_fault(error):
                raise
            self._report(owner, name, error)

    def drop(self, owner: str) -> None:
        for name, entries in self._listeners.items():
            self._listeners[name] = [entry for entry in entries if entry[0] != owner]


class BusEnd:
    """One extension's end of the bus."""

    def __init__(self, bus: EventBus, owner: str) -> None:
        self._bus = bus
        self._owner = owner

    @overload
    def on(self, name: str) -> Callable[[F], F]: ...
    @overload
    def on(self, name: str, listener: Callable[[Any], Any]) -> Callable[[], None]: ...
    def on(self, name: str, listener: Callable[[Any], Any] | None = None) -> Any:
        """Hear an event: `@pi.events.on("my:event")`, or with the listener."""
        if listener is None:

            def decorate(function: F) -> F:
                self.on(name, function)
                return function

            return decorate
        must_be_name(name, "a listener", 'pi.events.on("my:event", listener)')
        must_be_function(listener, f"a listener of {name}")
        return self._bus.on(name, listener, self._owner)

    def emit(self, name: str, data: Any = None) -> None:
        """Tell all who listen, this extension included."""
        self._bus.emit(name, data)
