"""Two questions about folders: may this one's own settings load, and what if one is gone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pi.modes.interactive.cells import wrap
from pi.modes.interactive.pickers.select import Choice, SelectPicker
from pi.modes.interactive.pickers.stage import Stage
from pi.modes.interactive.sanitize import clean_line

__all__ = ["MissingFolderDialog", "TrustAnswer", "TrustDialog"]


@dataclass(frozen=True, slots=True)
class TrustAnswer:
    """trusted: in this run. folder: where to keep that, for it and all below; None to keep it
    nowhere."""

    trusted: bool
    folder: Path | None


class _FolderDialog(SelectPicker[int]):
    """Shows whole paths above the choices. Digits choose, too."""

    def __init__(
        self,
        stage: Stage,
        done: Callable[[int | None], None],
        title: str,
        lines: Sequence[tuple[str, str]],
        choices: Sequence[Choice[int]],
        *,
        marks: bool,
    ) -> None:
        """lines: texts and their tokens."""
        self._lines = lines
        super().__init__(stage, done, choices, title=title, searching=False, marks=marks)

    def head(self, width: int) -> list[str]:
        return [
            " " + self.theme.fg(token, row)
            for text, token in self._lines
            for row in wrap(clean_line(text), width - 2)
        ]


class TrustDialog(_FolderDialog):
    """folder: of the project. found: what of it would load. saved: the decision kept so far.

    At the start the answer may be for this run only; /trust (`later`) changes what is kept, and
    takes effect with the next start.
    """

    def __init__(
        self,
        stage: Stage,
        done: Callable[[TrustAnswer | None], None],
        folder: Path,
        *,
        found: Sequence[str] = (),
        later: bool = False,
        saved: bool | None = None,
        trusted: bool = False,
    ) -> None:
        parent = folder.parent
        answers = [("Trust this folder", TrustAnswer(True, folder), saved is True)]
        if parent != folder:
            answers.append((f"Trust all of {parent}", TrustAnswer(True, parent), False))
        if not later:
            answers.append(("Trust, this time only", TrustAnswer(True, None), False))
        answers.append(("Do not trust", TrustAnswer(False, folder), saved is False))
        if not later:
            answers.append(("Do not trust, this time only", TrustAnswer(False, None), False))

        def chosen(index: int | None) -> None:
            done(None if index is None else answers[index][1])

        lines = [(str(folder), "accent")]
        if later:
            kept = {True: "trusted", False: "not trusted", None: "nothing"}[saved]
            lines.append((f"Kept so far: {kept}. This run: {'' if trusted else 'not '}trusted.",
                          "muted"))  # fmt: skip
        else:
            lines.append(
                (
                    "It brings settings or resources of its own. If you trust it, they load: "
                    "extensions are programs and run with your rights.",
                    "muted",
                )
            )
            if found:
                lines.append((", ".join(found), "warning"))
        super().__init__(
            stage,
            chosen,
            "Project trust" if later else "Trust this folder?",
            lines,
            [Choice(at, label, checked=on) for at, (label, _, on) in enumerate(answers)],
            marks=later,
        )


class MissingFolderDialog(_FolderDialog):
    """A session's folder is gone. Gives "continue" (here, this time), "fork" (a copy that belongs
    here), or None."""

    def __init__(
        self,
        stage: Stage,
        done: Callable[[Literal["continue", "fork"] | None], None],
        missing: str,
        here: Path,
    ) -> None:
        answers: tuple[Literal["continue", "fork"] | None, ...] = ("continue", "fork", None)

        def chosen(index: int | None) -> None:
            done(None if index is None else answers[index])

        super().__init__(
            stage,
            chosen,
            "The session's folder is gone",
            [
                (missing, "warning"),
                ("The session could go on in this folder instead:", "muted"),
                (str(here), "accent"),
            ],
            [
                Choice(0, "Continue here", note="you are asked again the next time"),
                Choice(1, "Fork", note="a copy that belongs here; the session stays as it is"),
                Choice(2, "Cancel"),
            ],
            marks=False,
        )
