"""The device flow (RFC 8628): show a code, then ask until the person has entered it elsewhere."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pi.auth.oauth.base import Person, SignInRefused, Surroundings
from pi.auth.oauth.tokens import Answer
from pi.errors import AuthError

__all__ = ["SLOW_DOWN", "DeviceCode", "Wait", "next_step", "poll", "read_code"]

_DEFAULT_INTERVAL = 5.0
SLOW_DOWN = 5.0
"""Seconds added to the interval when the server asks for it without saying by how much."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, repr=False)
class DeviceCode:
    """What the server gave. url: with the code filled in, if it offers that. Seconds."""

    device_code: str
    user_code: str
    url: str
    interval: float = _DEFAULT_INTERVAL
    lifetime: float | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet. interval: what the server wants from now on; slower: more than so far."""

    interval: float | None = None
    slower: bool = False


def read_code(answer: Answer) -> DeviceCode:
    """The answer to the first request, in the RFC's own names. Raises AuthError."""
    doing = "start the sign-in"
    url = answer.fields.get("verification_uri_complete")
    if not isinstance(url, str) or not url:
        url = answer.text("verification_uri", doing)
    if not url.startswith(("https://", "http://")):
        raise AuthError(f"{answer.who}: the address to sign in at is not a web address")
    return DeviceCode(
        answer.text("device_code", doing),
        answer.text("user_code", doing),
        url,
        interval=answer.number("interval") or _DEFAULT_INTERVAL,
        lifetime=answer.number("expires_in"),
    )


def poll(
    code: DeviceCode,
    person: Person,
    around: Surroundings,
    step: Callable[[], T | Wait],
    *,
    at_once: bool = False,
) -> T:
    """What `step` gives in the end. at_once: ask before the first wait.

    Raises SignInRefused when the code expires.
    """
    person.show_address(code.url, note=f"Enter the code: {code.user_code}")
    person.say("Waiting until you have confirmed there…")
    ends = math.inf if code.lifetime is None else around.now() + code.lifetime * 1000
    interval = max(1.0, code.interval)
    pause = 0.0 if at_once else interval
    while (left := (ends - around.now()) / 1000) > 0:
        if pause:
            around.sleep(min(pause, left))
        result = step()
        if not isinstance(result, Wait):
            return result
        interval += SLOW_DOWN if result.slower and result.interval is None else 0.0
        interval = pause = max(1.0, result.interval or interval)
    raise SignInRefused(
        "the sign-in code expired before it was entered",
        hint="Start again, and enter the code in time.",
    )


def next_step(answer: Answer) -> Wait | None:
    """What a token answer means for the loop: wait, or None for tokens. Raises for a refusal."""
    error = answer.error
    if error == "authorization_pending":
        return Wait()
    if error == "slow_down":
        return Wait(answer.number("interval"), slower=True)
    if error in ("access_denied", "authorization_denied"):
        raise SignInRefused(f"{answer.who}: the sign-in was denied")
    if error in ("expired_token", "token_expired"):
        raise SignInRefused(
            f"{answer.who}: the sign-in code expired before it was entered",
            hint="Start again, and enter the code in time.",
        )
    if error or not answer.ok:
        raise answer.failure("sign in")
    return None
