"""Requests to authorisation servers and what their answers say, with no secret in any message."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

from pi.auth.oauth.base import Reply, SignInRefused, Surroundings
from pi.errors import AuthError, NetworkError

__all__ = [
    "Answer",
    "ask",
    "expiry",
    "get",
    "grant",
    "post_form",
    "post_json",
    "renewed",
    "with_patience",
]

_ATTEMPTS = 3
_SHOWN = 200


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """fields: the JSON object that came, {} for anything else. sent: secrets of the request."""

    status: int
    fields: Mapping[str, Any]
    who: str
    sent: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def error(self) -> str:
        """The error code, "" for none: `error`, or `error.code`."""
        error = self.fields.get("error")
        if isinstance(error, Mapping):
            error = error.get("code") or error.get("type")
        return error if isinstance(error, str) else ""

    def failure(self, doing: str) -> AuthError:
        """The error for an answer that is of no use. doing: "exchange the code"."""
        reason = self._reason()
        if self.ok and not reason:
            return AuthError(f"{self.who}: cannot {doing}: the answer lacks what it should hold")
        text = f"{self.who}: cannot {doing} (HTTP {self.status}{': ' if reason else ''}{reason})"
        # 408, 425 and 429 are 4xx that pass by themselves; some servers refuse with 200.
        final = self.status < 500 and self.status not in (408, 425, 429)
        return SignInRefused(text) if final else AuthError(text)

    def text(self, name: str, doing: str) -> str:
        """A field that must be there. Raises AuthError."""
        value = self.fields.get(name)
        if not self.ok or not isinstance(value, str) or not value:
            raise self.failure(doing)
        return value

    def number(self, name: str) -> float | None:
        """A positive number, sent as one or as text; None for anything else."""
        value = self.fields.get(name)
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e12:
            return None
        return float(value)

    def _reason(self) -> str:
        error = self.fields.get("error")
        nested = error if isinstance(error, Mapping) else {}
        described = self.fields.get("error_description") or nested.get("message")
        parts = [part for part in (self.error, described) if isinstance(part, str) and part]
        text = " ".join(": ".join(dict.fromkeys(parts)).split())
        for secret in self.sent:  # a server may quote what it was sent
            text = text.replace(secret, "…").replace(quote_plus(secret), "…")
        text = "".join(char if char.isprintable() else " " for char in text)
        return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def post_form(
    around: Surroundings,
    who: str,
    url: str,
    fields: Mapping[str, str],
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """POST application/x-www-form-urlencoded. who: the provider, for messages."""
    kind = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    content = urlencode(fields).encode()
    return ask(around, who, "POST", url, {**kind, **(headers or {})}, content, _secrets(fields))


def post_json(
    around: Surroundings,
    who: str,
    url: str,
    fields: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
) -> Answer:
    kind = {"Accept": "application/json", "Content-Type": "application/json"}
    content = json.dumps(fields, separators=(",", ":")).encode()
    return ask(around, who, "POST", url, {**kind, **(headers or {})}, content, _secrets(fields))


def get(around: Surroundings, who: str, url: str, headers: Mapping[str, str]) -> Answer:
    return ask(around, who, "GET", url, {"Accept": "application/json", **headers})


def ask(
    around: Surroundings,
    who: str,
    method: str,
    url: str,
    headers: Mapping[str, str],
    content: bytes = b"",
    sent: tuple[str, ...] = (),
) -> Answer:
    reply = around.send(method, url, headers, content)
    bearer = [value.partition(" ")[2] for name, value in headers.items() if name == "Authorization"]
    return Answer(reply.status, _object(reply), who, (*sent, *bearer))


def grant(
    answer: Answer, around: Surroundings, *, margin: float, lifetime: float | None = None
) -> dict[str, Any]:
    """`access`, `refresh` and `expires` of a token answer, the entry's common part.

    margin: seconds before the real end at which the token counts as expired. lifetime: seconds,
    where the answer need not say. Raises AuthError for an answer that lacks one of the three.
    """
    doing = "get tokens"
    access = answer.text("access_token", doing)
    refresh = answer.text("refresh_token", doing)
    return {
        "type": "oauth",
        "access": access,
        "refresh": refresh,
        "expires": expiry(answer, around, margin=margin, lifetime=lifetime),
    }


def renewed(
    answer: Answer,
    around: Surroundings,
    old_refresh: str,
    *,
    margin: float,
    lifetime: float | None = None,
) -> dict[str, Any]:
    """As `grant`, for a renewal: a server that sends no new refresh token means the old one."""
    doing = "renew the sign-in"
    refresh = answer.fields.get("refresh_token")
    return {
        "access": answer.text("access_token", doing),
        "refresh": refresh if isinstance(refresh, str) and refresh else old_refresh,
        "expires": expiry(answer, around, margin=margin, lifetime=lifetime),
    }


def expiry(
    answer: Answer, around: Surroundings, *, margin: float, lifetime: float | None = None
) -> int:
    """Unix ms. Raises AuthError when the answer gives no lifetime and there is no usual one."""
    seconds = answer.number("expires_in") or lifetime
    if seconds is None:
        raise answer.failure("get tokens")
    return int(around.now() + (seconds - margin) * 1000)


def with_patience(around: Surroundings, request: Callable[[], Answer]) -> Answer:
    """`request()`, again after a second and two when the network or the server fails."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            answer = request()
        except NetworkError:
            if attempt == _ATTEMPTS:
                raise
        else:
            if answer.status < 500 and answer.status != 429:
                return answer
            if attempt == _ATTEMPTS:
                return answer
        around.sleep(2 ** (attempt - 1))
    raise AssertionError("unreachable")


def _secrets(fields: Mapping[str, Any]) -> tuple[str, ...]:
    names = ("code", "code_verifier", "refresh_token", "device_code", "device_auth_id", "assertion")
    return tuple(fields[name] for name in names if fields.get(name))


def _object(reply: Reply) -> Mapping[str, Any]:
    try:
        value = json.loads(reply.body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
