"""What flows are made of: the network, the person, the clock, and what goes wrong."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pi.errors import AuthError
from pi.wire.jsonio import JSONError, loads

__all__ = [
    "AddedFlow",
    "Entry",
    "Flow",
    "Method",
    "Person",
    "Reply",
    "Send",
    "SignInCancelled",
    "SignInRefused",
    "Surroundings",
    "now_ms",
    "real_sleep",
]

Entry = Mapping[str, Any]
"""An entry of auth.json, `{"type": "oauth", "access": …, "refresh": …, "expires": Unix ms, …}`."""

Method = Literal["browser", "headless"]
"""headless: the browser is on another machine, or there is none."""


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    status: int
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises AuthError for one that is none."""
        try:
            return loads(self.body)
        except JSONError:
            text = self.body[:200].decode("utf-8", "replace")
            raise AuthError(f"the service answered {self.status} with {text!r}") from None


class Send(Protocol):
    """One request. Redirects are not followed. Raises NetworkError when there is no answer."""

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes = b""
    ) -> Reply: ...


class Person(Protocol):
    """Who signs in. Each call may raise SignInCancelled."""

    def say(self, text: str) -> None: ...

    def show_address(self, url: str, *, note: str) -> None:
        """Show where to go on, and open a browser there unless that was declined."""

    def ask(self, question: str, *, secret: bool = False) -> str:
        """The answer, without blanks around it; "" for none. secret: not echoed."""

    def paste(self, question: str, stop: threading.Event) -> str | None:
        """A line, or None once `stop` is set: the answer came another way."""

    def choose(self, question: str, choices: Sequence[str]) -> int:
        """The index of the choice taken."""


def now_ms() -> float:
    """Unix time in milliseconds."""
    return time.time() * 1000


def real_sleep(seconds: float) -> None:
    time.sleep(seconds)


class Clock(Protocol):
    def __call__(self) -> float: ...


class Sleep(Protocol):
    def __call__(self, seconds: float, /) -> None: ...


@dataclass(frozen=True, slots=True, repr=False)
class Surroundings:
    """What a flow works with. now: Unix ms. device_id: this installation's, a UUID, where asked.

    callback_host: the address that the loopback server listens at (PI_OAUTH_CALLBACK_HOST); ""
        for the one that the redirect names.
    timeout: seconds a person has.
    """

    send: Send
    now: Clock = now_ms
    sleep: Sleep = real_sleep
    callback_host: str = ""
    timeout: float = 600.0
    device_id: str = field(default="")


class Flow(Protocol):
    """name: the provider's, for people. methods: ways to sign in, the usual one first."""

    @property
    def name(self) -> str: ...

    @property
    def methods(self) -> tuple[Method, ...]: ...

    def sign_in(self, person: Person, around: Surroundings, method: Method) -> Entry:
        """The entry to store. Raises AuthError, NetworkError, SignInCancelled."""

    def renew(self, entry: Entry, around: Surroundings) -> Entry:
        """The entry with a fresh access token.

        Raises SignInRefused when signing in again is the only way, NetworkError and AuthError for
        what may pass.
        """


class AddedFlow(Flow, Protocol):
    """One that an extension brings. subscription: whether requests are part of a plan."""

    @property
    def subscription(self) -> bool: ...

    def api_key(self, entry: Entry) -> str:
        """What requests send. Raises AuthError."""


class SignInRefused(AuthError):
    """The authorisation server said no: denied, revoked, expired."""


class SignInCancelled(AuthError):
    def __init__(self) -> None:
        super().__init__("sign-in cancelled; nothing was changed")
