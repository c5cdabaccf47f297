"""Signing in to providers of extensions: what their authors write, and what they are handed.

Everything runs in a thread of its own, coroutine functions in an event loop of that thread: they
may wait as they like.
"""

import asyncio
import inspect
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pi.agent.checks import json_problem
from pi.auth.oauth.base import (
    Entry,
    Method,
    Person,
    Reply,
    SignInCancelled,
    Surroundings,
)
from pi.errors import AuthError, NetworkError, PiError
from pi.extensions.bound import bound
from pi.extensions.errors import fault_in
from pi.wire import jsonio

if TYPE_CHECKING:
    from pi.auth.oauth.browser import Authorization

__all__ = ["ExtensionFlow", "OAuth", "SignIn"]

_TICK = 0.2
"""Seconds between two looks at whether the person has left."""


@dataclass(frozen=True, slots=True)
class OAuth:
    """How to sign in to a provider. The functions may be coroutine functions.

    name: the provider's, for people. sign_in: takes a SignIn; gives {"access": …, "refresh": …,
    "expires": Unix ms}, further keys are kept with them. renew: takes that and, if it wants it, a
    SignIn without a person; gives what changes. pi holds the lock of auth.json meanwhile. Raise
    SignInRefused where signing in anew is the only way.
    api_key: what requests send, from what is stored; `access` unless given. modify_models: takes
    the provider's models, as models.json has them, and what is stored; gives those to offer.
    subscription: whether requests are part of a plan, so that their prices only tell their worth.
    """

    name: str
    sign_in: Callable[..., Any]
    renew: Callable[..., Any]
    api_key: Callable[[Mapping[str, Any]], str] | None = None
    modify_models: (
        Callable[[Sequence[Mapping[str, Any]], Mapping[str, Any]], Sequence[Mapping[str, Any]]]
        | None
    ) = None
    subscription: bool = False


class SignIn:
    """The person who signs in, and the network. Calls raise SignInCancelled when they leave."""

    def __init__(self, who: str, person: Person | None, around: Surroundings) -> None:
        self._who = who
        self._given = person
        self._around = around

    # The person

    @property
    def _person(self) -> Person:
        if self._given is None:
            raise AuthError(f"{self._who}: nobody is there to ask while a sign-in is renewed")
        return self._given

    def say(self, text: str) -> None:
        """Tell how far it is."""
        self._person.say(text)

    def show_address(self, url: str, note: str = "Sign in there.") -> None:
        """Show where to go on, and open a browser there unless that was declined."""
        self._person.show_address(url, note=note)

    def show_code(self, url: str, code: str) -> None:
        """Show a code of the device flow, and the address to enter it at."""
        self._person.show_address(url, note=f"Enter the code: {code}")

    def ask(self, question: str, *, secret: bool = False) -> str:
        """The answer, without blanks around it; "" for none. secret: not echoed."""
        return self._person.ask(f"{question.rstrip()} ", secret=secret)

    def choose(self, question: str, choices: Sequence[str]) -> int:
        """The index of the choice taken."""
        return self._person.choose(question, choices)

    def authorize(
        self,
        endpoint: str,
        parameters: Mapping[str, str],
        *,
        port: int = 0,
        path: str = "/callback",
        host: str = "localhost",
        page: str | None = None,
    ) -> "Authorization":
        """The authorization code flow with PKCE: a code, its verifier and the redirect address.

        parameters: of the first request, without challenge, state and redirect. The redirect comes
        to a server on this machine, port 0 being any; where it cannot, the person pastes the
        address. page: a page that shows the code instead, always to be pasted.
        Raises SignInRefused, AuthError.
        """
        # It brings a web server along, for few sign-ins.
        from pi.auth.oauth.browser import Redirect, authorize  # noqa: PLC0415

        redirect = page or Redirect(path, port, host)
        around = self._around
        return authorize(self._who, endpoint, parameters, self._person, around, redirect)

    # The network and the clock

    def fetch(
        self,
        url: str,
        *,
        method: str | None = None,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: Any = None,
    ) -> Reply:
        """One request by pi's proxies and certificates: its status and body.

        form, json: what to send, by POST unless said otherwise. Raises NetworkError.
        """
        sent = {"accept": "application/json", **(headers or {})}
        content = b""
        if form is not None:
            from urllib.parse import urlencode  # noqa: PLC0415  (loaded by the client in any case)

            content = urlencode(form).encode()
            sent = {"content-type": "application/x-www-form-urlencoded", **sent}
        elif json is not None:
            content = jsonio.dumps(json)
            sent = {"content-type": "application/json", **sent}
        usual = "POST" if form is not None or json is not None else "GET"
        send = self._around.send
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return send(method or usual, url, sent, content)
        # In a coroutine: the client has an event loop of its own, which needs a thread of its own.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(send, method or usual, url, sent, content).result()

    def wait(self, seconds: float) -> None:
        """Before the device flow asks again, say."""
        self._around.sleep(seconds)


@dataclass(frozen=True, slots=True)
class ExtensionFlow:
    """An OAuth as pi.auth takes it."""

    provider: str
    oauth: OAuth
    methods: tuple[Method, ...] = ("browser",)

    @property
    def name(self) -> str:
        return self.oauth.name

    @property
    def subscription(self) -> bool:
        return self.oauth.subscription

    def sign_in(self, person: Person, around: Surroundings, method: Method) -> Entry:
        sign = SignIn(self.name, person, around)
        given = self._call(self.oauth.sign_in, sign, gone=getattr(person, "gone", None))
        return self._entry({}, given, "sign_in")

    def renew(self, entry: Entry, around: Surroundings) -> Entry:
        given = self._call(self.oauth.renew, entry, SignIn(self.name, None, around))
        return self._entry(entry, given, "renew")

    def api_key(self, entry: Entry) -> str:
        if self.oauth.api_key is None:
            return str(entry["access"])
        key = self._call(self.oauth.api_key, entry)
        if not isinstance(key, str) or not key:
            raise AuthError(f"{self.name}: api_key gave no key, but {type(key).__name__}")
        return key

    def _entry(self, before: Entry, given: Any, what: str) -> Entry:
        entry = {**before, **given, "type": "oauth"} if isinstance(given, Mapping) else {}
        if not isinstance(entry.get("access"), str):
            raise AuthError(
                f'{self.name}: {what} gave no tokens: {{"access": …, "refresh": …, "expires": …}}'
            )
        if type(expires := entry.get("expires", 0)) not in (int, float):
            raise AuthError(f"{self.name}: {what} gave expires as {expires!r:.60}, no Unix ms")
        if (problem := json_problem(entry)) is not None:
            raise AuthError(f"{self.name}: what {what} gave cannot be kept: {problem}")
        return entry

    def _call(
        self,
        function: Callable[..., Any],
        argument: Any,
        more: Any = None,
        *,
        gone: threading.Event | None = None,
    ) -> Any:
        """What it gives. more: for those that take two. Raises AuthError and NetworkError alone."""
        try:
            answer = bound(function, more)(argument)
            if inspect.isawaitable(answer):
                answer = asyncio.run(_while_there(answer, gone))
            return answer
        except (AuthError, NetworkError):
            raise
        except PiError as error:
            raise AuthError(f"{self.name}: {error}", hint=error.hint) from error
        except (Exception, SystemExit) as error:  # Ctrl-C is the person's
            raise AuthError(f"{self.name}: {fault_in(function, error)}") from error


async def _while_there(answer: Any, gone: threading.Event | None) -> Any:
    """Wait for it, as long as somebody does."""
    working = asyncio.ensure_future(answer)
    while True:
        done, _ = await asyncio.wait([working], timeout=_TICK if gone is not None else None)
        if done:
            return working.result()
        if gone is not None and gone.is_set():
            working.cancel()
            await asyncio.wait([working])
            raise SignInCancelled
