"""Signing in through a browser: the redirect arrives at the loopback server, or is pasted."""

import errno
import queue
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

from pi.auth.oauth.base import Person, SignInCancelled, SignInRefused, Surroundings
from pi.auth.oauth.loopback import Callback, LoopbackServer, loopback_of
from pi.auth.oauth.pkce import challenge_of, new_token
from pi.errors import AuthError, PiError

__all__ = ["Authorization", "Redirect", "authorize", "not_here", "read_pasted"]

_Query = Mapping[str, str]
_Answer = _Query | BaseException
_PASTE = (
    "Sign in there. If the browser cannot come back to this machine, paste the address it ends at "
    "(or the code) here: "
)

_TICK = 0.2
"""Seconds between two looks at whether the person pressed Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where the browser comes back to. path: as the redirect address has it, also "". port: 0 for
    any. host: as the address names it, with or without the brackets of an IPv6 one.

    any_port: another port will do when this one is taken. secret_path: a part of the path that
    nobody can guess, for servers that pass no state.
    """

    path: str
    port: int = 0
    host: str = "localhost"
    any_port: bool = False
    secret_path: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Authorization:
    """A code and what goes with it. query: all that came with the code."""

    code: str
    verifier: str
    state: str
    redirect_uri: str
    query: Mapping[str, str] = field(default_factory=dict)


def authorize(
    who: str,
    endpoint: str,
    parameters: Mapping[str, str],
    person: Person,
    around: Surroundings,
    redirect: Redirect | str,
    *,
    redirect_name: str = "redirect_uri",
    with_state: bool = True,
) -> Authorization:
    """A code, from a person in a browser.

    parameters: the request's own, without challenge, state and redirect. redirect: a Redirect, or
    the address of a page that shows the code for pasting. Raises SignInRefused, SignInCancelled,
    AuthError.
    """
    verifier, state = new_token(), new_token()

    def ask(uri: str) -> str:
        query = {**parameters, redirect_name: uri, "code_challenge": challenge_of(verifier)}
        query["code_challenge_method"] = "S256"
        if with_state:
            query["state"] = state
        return f"{endpoint}?{urlencode(query)}"

    def accept(query: Mapping[str, str]) -> str | None:
        if with_state and query.get("state") != state:
            return "This address belongs to another attempt to sign in."
        return None if query.get("code") or "error" in query else "The address holds no code."

    if isinstance(redirect, str):
        person.show_address(ask(redirect), note="Sign in there; then a code is shown.")
        query: _Query = read_pasted(person.ask("Paste the code here: "))
        uri = redirect
    else:
        path = f"{redirect.path}/{secrets.token_urlsafe(24)}" if redirect.secret_path else ""
        query, uri = _wait(who, redirect, path or redirect.path, ask, accept, person, around)
    _check(who, query, state if with_state else None)
    return Authorization(query["code"], verifier, state, uri, query)


def read_pasted(text: str) -> dict[str, str]:
    """The query in what a person pasted: an address, `code=…&state=…`, `code#state` or a code."""
    text = text.strip()
    if "://" in text:
        parts = urlsplit(text)
        return dict(parse_qsl(parts.query or parts.fragment, keep_blank_values=True))
    if "code=" in text or "error=" in text:
        return dict(parse_qsl(text.lstrip("?#"), keep_blank_values=True))
    code, mark, state = text.partition("#")
    return {"code": code, "state": state} if mark else {"code": code}


def _check(who: str, query: Mapping[str, str], state: str | None) -> None:
    # A bare code brings no state: the person took it from the page that this attempt opened.
    if state is not None and query.get("state", state) != state:
        raise AuthError(
            f"{who}: the answer belongs to another attempt to sign in (its state is not ours)",
            hint="Start again, and use the page that opens then.",
        )
    if "error" in query:
        reason = query.get("error_description") or query["error"]
        shown = "".join(char if char.isprintable() else " " for char in reason)[:200]
        raise SignInRefused(f"{who}: the sign-in was refused: {shown}")
    if not query.get("code"):
        raise AuthError(f"{who}: there is no code in what was pasted")


def _wait(
    who: str,
    redirect: Redirect,
    path: str,
    address: Callable[[str], str],
    accept: Callable[[_Query], str | None],
    person: Person,
    around: Surroundings,
) -> tuple[Mapping[str, str], str]:
    """The query of the redirect, however it came, and the redirect address."""
    answers: queue.Queue[_Answer] = queue.Queue()

    def deliver(callback: Callback) -> None:
        answers.put(callback.query)

    server = _serve(who, redirect, path, accept, deliver, around.callback_host)
    stop = threading.Event()
    try:
        uri = f"http://{_in_address(redirect.host)}:{server.port}{path}"
        person.show_address(address(uri), note="Sign in there.")

        def read() -> None:
            try:
                line = person.paste(_PASTE, stop)
            except (PiError, OSError) as error:
                answers.put(error)
                return
            if line is not None:
                answers.put(read_pasted(line) if line.strip() else SignInCancelled())

        # A daemon: where a terminal cannot be waited for with a limit, it ends with the process.
        reader = threading.Thread(target=read, name="pi-paste", daemon=True)
        reader.start()
        try:
            found = _first(answers, around.timeout)
        except queue.Empty:
            raise AuthError(
                f"{who}: nobody signed in within {around.timeout / 60:g} minutes"
            ) from None
        finally:
            stop.set()
            reader.join(1)
        if isinstance(found, BaseException):
            raise found
        return found, uri
    finally:
        server.close()


def _first(answers: "queue.Queue[_Answer]", seconds: float) -> _Answer:
    """The first answer. Raises queue.Empty.

    A signal that arrives just before a wait for a lock begins does not end it, and the one that
    asks the person lets another thread run at that very moment: hence many short waits.
    """
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > _TICK:
        with suppress(queue.Empty):
            return answers.get(timeout=_TICK)
    return answers.get(timeout=max(left, 0))


def _serve(
    who: str,
    redirect: Redirect,
    path: str,
    accept: Callable[[_Query], str | None],
    deliver: Callable[[Callback], None],
    chosen: str,
) -> LoopbackServer:
    host = chosen.strip("[]") or loopback_of(redirect.host)
    ports = [redirect.port, 0] if redirect.any_port and redirect.port else [redirect.port]
    for port in ports:
        try:
            return LoopbackServer(host, port, path or "/", accept=accept, deliver=deliver)
        except OSError as error:
            if port == ports[-1]:
                taken = error.errno in (errno.EADDRINUSE, errno.EACCES)
                if not (taken or chosen):
                    raise not_here(who, host, error) from None
                raise AuthError(
                    f"{who}: cannot listen on {_in_address(host)}:{port}: "
                    f"{error.strerror or error}",
                    hint="Another sign-in may be waiting: finish or cancel it first."
                    if taken
                    else "Check PI_OAUTH_CALLBACK_HOST.",
                ) from None
    raise AssertionError("unreachable")


def not_here(who: str, host: str, error: OSError) -> AuthError:
    """The address that a redirect names is none of this machine's: it may have no IPv6."""
    return AuthError(
        f"{who}: cannot listen on {host}: {error.strerror or error}",
        hint="Have the callback address name 127.0.0.1, if the service allows that.",
    )


def _in_address(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
