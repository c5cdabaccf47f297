"""What a value in a configuration file may be, and sentences for what it is instead.

Small on purpose: a JSON Schema engine would cost more start-up time than all our files together.
Numbers are finite by construction: the JSON parser lets nothing else in.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = [
    "BOOLEAN",
    "STRING",
    "TEXT",
    "Leaf",
    "ListOf",
    "MapOf",
    "Record",
    "Shape",
    "choice",
    "describe",
    "number",
]


class Shape:
    """What a value may be. Plain classes: dozens of these are made at every start."""

    __slots__ = ()

    def problems(self, value: Any, where: str) -> Iterator[str]:
        """One sentence for each thing wrong with `value`; `where` is its key path."""
        raise NotImplementedError


class Leaf(Shape):
    """A value without parts. expected: completes "expected …". quoted: no secret, may be shown."""

    __slots__ = ("accepts", "expected", "quoted")

    def __init__(
        self, expected: str, accepts: Callable[[Any], bool], *, quoted: bool = False
    ) -> None:
        self.expected = expected
        self.accepts = accepts
        self.quoted = quoted

    def problems(self, value: Any, where: str) -> Iterator[str]:
        if not self.accepts(value):
            shown = self.quoted and isinstance(value, str) and value and len(value) <= 40
            found = f'"{value}"' if shown else describe(value)
            yield f"{where}: expected {self.expected}, found {found}"


class ListOf(Shape):
    __slots__ = ("item",)

    def __init__(self, item: Shape) -> None:
        self.item = item

    def problems(self, value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{where}: expected a list, found {describe(value)}"
            return
        for index, item in enumerate(value):
            yield from self.item.problems(item, f"{where}[{index}]")


class MapOf(Shape):
    """An object with names of the person's own choosing."""

    __slots__ = ("item",)

    def __init__(self, item: Shape) -> None:
        self.item = item

    def problems(self, value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{where}: expected an object, found {describe(value)}"
            return
        for key, item in value.items():
            yield from self.item.problems(item, f"{where}.{key}" if where else key)


class Record(Shape):
    """An object with known keys; keys it does not know are nobody's business."""

    __slots__ = ("fields", "required")

    def __init__(self, fields: Mapping[str, Shape], *, required: tuple[str, ...] = ()) -> None:
        self.fields = fields
        self.required = required

    def problems(self, value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{where or 'the file'}: expected an object, found {describe(value)}"
            return
        prefix = f"{where}." if where else ""
        for key in self.required:
            if key not in value:
                yield f"{prefix}{key}: missing"
        for key, item in value.items():
            shape = self.fields.get(key)
            if shape is not None:
                yield from shape.problems(item, prefix + key)


def describe(value: Any) -> str:
    """What a person wrote, in JSON's terms. Strings are not repeated: one may be a secret."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value:g}" if abs(value) < 1e15 else "a number"
        case str():
            return "a string" if value else "an empty string"
        case list():
            return "a list"
        case _:
            return "an object"


BOOLEAN = Leaf("true or false", lambda value: isinstance(value, bool))
STRING = Leaf("a string", lambda value: isinstance(value, str))
TEXT = Leaf("a non-empty string", lambda value: isinstance(value, str) and value != "")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def number(
    *,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    integer: bool = False,
    words: tuple[str, ...] = (),
) -> Leaf:
    """A number with bounds; `words` are accepted in its place."""

    def accepts(value: Any) -> bool:
        if isinstance(value, str):
            return value in words
        return (
            _is_number(value)
            and (least is None or value >= least)
            and (most is None or value <= most)
            and (above is None or value > above)
            and not (integer and value != int(value))
        )

    kind = "a whole number" if integer else "a number"
    if least is not None and most is not None:
        kind += f" from {least:g} to {most:g}" if most < 1e12 else f" of {least:g} or more"
    elif least is not None:
        kind += f" of {least:g} or more"
    elif above is not None:
        kind += f" above {above:g}"
    return Leaf(" or ".join((kind, *(f'"{word}"' for word in words))), accepts)


def choice(*values: str | bool | int | None) -> Leaf:
    """One of these, and nothing that merely compares equal (1 is not true)."""
    named = [
        "null" if v is None else str(v).lower() if not isinstance(v, str) else f'"{v}"'
        for v in values
    ]
    expected = ", ".join(named[:-1]) + " or " + named[-1] if len(named) > 1 else named[0]
    return Leaf(
        expected,
        lambda value: any(
            value == known and isinstance(value, bool) is isinstance(known, bool)
            for known in values
        ),
        quoted=True,
    )
