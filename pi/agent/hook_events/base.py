"""What all events and answers have in common."""

from typing import Any, ClassVar, dataclass_transform

__all__ = [
    "Event",
    "Record",
    "UNCHANGED",
]


@dataclass_transform()
class Record:
    """Fields by annotation, in order, as a dataclass has them.

    Sixty dataclasses take 20 ms to make, which each start with an extension would pay.
    """

    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls._fields = tuple(name for name in cls.__annotations__ if name != "name")

    def __init__(self, *values: Any, **named: Any) -> None:
        fields = self._fields
        if not named and len(values) == len(fields):  # as for each delta of an answer
            self.__dict__.update(zip(fields, values, strict=True))
            return
        given = {**dict(zip(fields, values, strict=False)), **named}
        if len(values) > len(fields) or len(given) < len(values) + len(named):
            raise TypeError(f"{type(self).__name__}: too many values, or one twice")
        for name in fields:
            if name not in given and not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__}: {name} is missing")
        for name in given:
            if name not in fields:
                raise TypeError(f"{type(self).__name__} has no {name}")
        self.__dict__.update(given)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"{type(self).__name__}({shown})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(
            getattr(self, name) == getattr(other, name) for name in self._fields
        )

    __hash__ = None  # type: ignore[assignment]


class Event(Record):
    """Something that happens. `name` is what handlers subscribe to."""

    name: ClassVar[str]


class _Unchanged:
    def __repr__(self) -> str:
        return "UNCHANGED"


UNCHANGED: Any = _Unchanged()
"""Stands for what an answer leaves as it is."""
