"""Choosing the message of the user that a fork begins before."""

from collections.abc import Callable, Sequence

from pi.modes.interactive.pickers.select import Choice, SelectPicker
from pi.modes.interactive.pickers.stage import Stage, key_label

__all__ = ["ForkPicker"]

BEGINNING = 500
"""Characters of a message that are shown and searched."""


class ForkPicker(SelectPicker[str]):
    """Gives an entry's id. points: of session.fork.fork_points, the last of which is current."""

    def __init__(
        self,
        stage: Stage,
        done: Callable[[str | None], None],
        points: Sequence[tuple[str, str]],
    ) -> None:
        choices = [
            Choice(entry_id, " ".join(text[:BEGINNING].split())) for entry_id, text in points
        ]
        super().__init__(
            stage,
            done,
            choices,
            title="Fork before a message",
            about="A new session is made of what came before it; the message is yours to edit.",
            current=points[-1][0] if points else None,
            empty="No message matches." if points else "There is no message to fork before yet.",
        )

    def hints(self) -> list[tuple[str, str]]:
        return [
            (key_label(self.stage, "tui.select.confirm"), "fork"),
            (key_label(self.stage, "tui.select.cancel"), "cancel"),
        ]
