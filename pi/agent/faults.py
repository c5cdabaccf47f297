"""What goes wrong in code of others: what of it is a fault, and how it is told."""

import asyncio
from dataclasses import dataclass
from typing import Any, Self

from pi.agent.checks import json_problem, messages_problem

__all__ = [
    "NOT_WHOLE",
    "HookFailure",
    "Whole",
    "is_fault",
    "put_back",
    "text_of_error",
]

NOT_WHOLE = "a handler took parts out of what it was shown, or spoiled them; they were put back"

_LONGEST = 2000
"""Characters of an error that are told."""


@dataclass(frozen=True, slots=True)
class HookFailure:
    """What to tell the person. owner: file of the extension. error: None for a slow handler.

    place: where in the extension, `file:line`, as far as that is known.
    """

    owner: str
    event: str
    text: str
    error: BaseException | None = None
    place: str | None = None


class Whole:
    """Records that code of others is shown, and must leave whole: what it takes out comes back.

    broken: whether something was taken out, once it is left.
    """

    __slots__ = ("_before", "_records", "broken")

    def __init__(self, *records: Any) -> None:
        self._records: tuple[dict[str, Any], ...] = records
        self._before = [dict(record) for record in self._records]
        self.broken = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for record, before in zip(self._records, self._before, strict=True):
            self.broken |= put_back(record, before)


def put_back(record: dict[str, Any], before: dict[str, Any]) -> bool:
    """The same of one record. before: a copy; whether something was taken out since.

    A message that is none any more, or that JSON cannot hold, is put back as well.
    """
    if before.keys() <= record.keys() and ("role" not in record or _is_message(record)):
        return False
    record.clear()
    record.update(before)
    return True


def _is_message(record: dict[str, Any]) -> bool:
    return messages_problem([record]) is None and json_problem(record) is None


def is_fault(error: BaseException) -> bool:
    """Whether something that code of others raised is its own affair, sys.exit() and the like too.

    What is not, tells of the end of the task that it ran in.
    """
    return not isinstance(error, (asyncio.CancelledError, GeneratorExit))


def text_of_error(error: BaseException) -> str:
    try:
        said = str(error)
    except Exception:  # noqa: BLE001  (an error that cannot even say what it is)
        said = "(it cannot be shown)"
    if len(said) > _LONGEST:
        said = f"{said[:_LONGEST]}…"
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
