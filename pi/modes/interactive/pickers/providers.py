"""Which provider to sign in to and how, and which to sign out of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pi.modes.interactive.pickers.dialogs import SelectDialog
from pi.modes.interactive.pickers.select import Choice, ListPicker, SelectPicker
from pi.modes.interactive.pickers.stage import Stage

__all__ = ["LoginChoice", "LoginPicker", "LogoutPicker", "ProviderRow"]

How = Literal["account", "key"]


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """name: for people. account: one can sign in; headless: also where there is no browser.

    key: it takes keys. stored: what auth.json has for it. status: in a few words, whatever the
    credentials come from; empty for none.
    """

    id: str
    name: str = ""
    account: bool = False
    headless: bool = False
    key: bool = True
    stored: How | None = None
    status: str = ""


@dataclass(frozen=True, slots=True)
class LoginChoice:
    """headless: the browser is on another machine."""

    provider: str
    how: How
    headless: bool = False


class LoginPicker(ListPicker[tuple[str, How], LoginChoice]):
    """Accounts first, then keys. provider: only this one's, such as `/login anthropic` wants."""

    def __init__(
        self,
        stage: Stage,
        done: Callable[[LoginChoice | None], None],
        rows: Sequence[ProviderRow],
        *,
        provider: str | None = None,
    ) -> None:
        rows = [row for row in rows if provider in (None, row.id)]
        self._rows = {row.id: row for row in rows}
        ways: list[tuple[How, str, list[ProviderRow]]] = [
            ("account", "Sign in with an account", [row for row in rows if row.account]),
            ("key", "Store an API key", [row for row in rows if row.key]),
        ]
        super().__init__(
            stage,
            done,
            [
                Choice(
                    (row.id, how),
                    row.name or row.id,
                    note=" · ".join(
                        part
                        for part in (
                            row.id if row.name else "",
                            row.status if row.stored in (None, how) else "",
                        )
                        if part
                    ),
                    group=heading,
                    checked=row.stored == how,
                    search=f"{row.name} {row.id} {how} {heading}",
                )
                for how, heading, ones in ways
                for row in ones
            ],
            title="Log in",
            about="Credentials are kept in auth.json, readable by you only.",
            marks=True,
            empty="No provider matches.",
        )

    def chosen(self, choice: Choice[tuple[str, How]]) -> None:
        provider, how = choice.value
        row = self._rows[provider]
        if how == "key" or not row.headless:
            self.finish(LoginChoice(provider, how))
            return

        def answered(index: int | None) -> None:
            if index is not None:
                self.finish(LoginChoice(provider, how, headless=index == 1))

        self.open(
            SelectDialog(
                self.stage,
                answered,
                f"Log in to {row.name or row.id}",
                ("With a browser on this machine", "With a browser elsewhere, and a code"),
            )
        )


class LogoutPicker(SelectPicker[str]):
    """Gives the id of a provider with a stored credential. rows: all others are left out."""

    def __init__(
        self,
        stage: Stage,
        done: Callable[[str | None], None],
        rows: Sequence[ProviderRow],
    ) -> None:
        super().__init__(
            stage,
            done,
            [
                Choice(
                    row.id,
                    row.name or row.id,
                    note="signed in" if row.stored == "account" else "API key",
                    search=f"{row.name} {row.id}",
                )
                for row in rows
                if row.stored is not None
            ],
            title="Log out",
            about="Forgets what auth.json has. Variables and models.json stay as they are.",
            empty="Nothing is stored in auth.json.",
        )
