"""From what a server said of a failure to one of pi.errors: kind, status, request id, wait.

Providers agree on little, so the text decides where the status does not: a full context, a spent
quota and a busy server all come as 400 from someone. The texts are matched in the raw body.
"""

import re
import time
from collections.abc import Mapping
from typing import Any

from pi.errors import (
    AuthenticationError,
    ContextOverflowError,
    InvalidRequestError,
    NetworkError,
    OverloadedError,
    ProviderError,
    RateLimitError,
    StreamFormatError,
)
from pi.wire.jsonio import dumps, loads

__all__ = [
    "failed_response",
    "failure_of",
    "is_overflow",
    "retry_after",
    "too_long_to_wait",
    "transient_status",
]

MAX_TEXT = 4000
"""Characters of an answer that are kept: an HTML error page says no more than its beginning."""

_TRANSIENT = {408, 421, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529}

# Compiled by `re` at their first use: most runs get by without.
_OVERFLOW = r"""(?ix)
      prompt\ is\ too\ long | prompt\ too\ long | prompt\ token\ count
    | (input|request|prompt|message)s?\ (is|are)\ too\ (long|large)\ for
    | input\ is\ too\ long | input\ length\ .{0,40}exceeds?
    | (maximum|max)\ (prompt|input|request|context)\ (token\ )?length
    | context[_ ]length[_ ]exceeded | context[_ ]window[_ ]exceed
    | exceeds?\ (the\ |your\ |this\ |its\ )?(model'?s?'?\ )?(maximum\ |available\ |allowed\ )?
        (context|input\ token|token\ limit|prompt\ length)
    | (exceeds?|exceeded|larger\ than|greater\ than)\ .{0,60}context\ (window|length|size)
    | input\ token\ count.{0,40}exceeds? | exceeded\ model\ token\ limit
    | reduce\ the\ length\ of\ (the\ )?(messages|prompt|input)
    | request_too_large | token\ limit\ exceeded | tokens?_limit_reached
    | too\ many\ (input\ )?tokens\ in
    """
_SPENT = (
    r"(?i)insufficient[_ ]quota|quota[_ ]exceeded|exceeded your current quota"
    r"|usage_?limit_?(?:error|reached|exceeded)|usage_not_included|available balance|billing"
)
_RATE = r"(?i)rate.?limit|too many requests"
_BUSY = (
    r"(?i)overloaded|service.?unavailable|server.?error|internal.?error|provider.?returned.?error"
)
_LOST = (
    r"(?i)fetch failed|network.?error|connection.?(error|refused|lost)|socket hang up|terminated"
    r"|time(d)?.?out|reset before headers|other side closed|upstream.?connect"
    r"|http2 request did not get a response|retry delay"
)
_WAIT_TEXT = (
    r"(?i)(?:try again|retry|reset|wait)[^.\d]{0,40}?\b((?:\d+(?:\.\d+)?\s*(?:ms|h|m|s)[a-z]*\s*)+)"
)
_SPAN = r"(?i)(\d+(?:\.\d+)?)\s*(ms|millis|h|m|s)"
_SECONDS = {"ms": 0.001, "millis": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_REQUEST_ID = ("request-id", "x-request-id", "x-amzn-requestid", "cf-ray")


def failed_response(
    status: int, headers: Mapping[str, str], body: bytes, *, whole_body: bool
) -> ProviderError:
    """The error for an answer that is no stream.

    whole_body: whether the text shows the JSON body entire (Anthropic) or its `error` (OpenAI).
    headers: names in lower case.
    """
    text = _body_text(status, body, whole_body=whole_body)
    if kind := headers.get("x-amzn-errortype"):
        text = f"{text} ({kind.partition(':')[0]})"
    if 300 <= status < 400 and (target := headers.get("location")):
        text = f"{status} the server redirects to {target}; name that address as baseUrl"
    return _classify(
        text,
        status,
        raw=body.decode("utf-8", "replace"),
        request_id=next((headers[name] for name in _REQUEST_ID if name in headers), None),
        wait=retry_after(headers, body),
    )


def failure_of(text: str, *, data: Any = None, status: int | None = None) -> ProviderError:
    """The error for a failure told inside a stream. data: the event, for a wait or a kind in it."""
    raw = text if data is None else dumps(data).decode("utf-8", "replace")
    wait = retry_after({}, raw.encode("utf-8", "replace"))
    return _classify(text, status, raw=raw, request_id=None, wait=wait)


def is_overflow(text: str) -> bool:
    """Whether a provider's text says that the request does not fit the model's context window."""
    return bool(re.search(_OVERFLOW, text)) and not re.search(_RATE, text)


def transient_status(status: int) -> bool:
    """Whether asking again may help, by the status alone."""
    return status in _TRANSIENT or status == 409


def retry_after(headers: Mapping[str, str], body: bytes = b"") -> float | None:
    """Seconds that the server asks to wait, from its headers or else its body; None if it does not.

    Forms: `retry-after-ms`, `retry-after` in seconds or as an HTTP date, Google's
    `"retryDelay": "20s"`, and sentences such as "try again in 1m30s".
    """
    try:
        if (value := headers.get("retry-after-ms")) is not None:
            return max(0.0, float(value) / 1000)
    except ValueError:
        pass  # the other forms may still be right
    if (value := headers.get("retry-after")) is not None:
        try:
            return max(0.0, float(value))
        except ValueError:
            pass  # then it is a date
        from email.utils import parsedate_to_datetime  # noqa: PLC0415  (rare, and 2.5 ms to load)

        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
        except (ValueError, OverflowError):
            pass  # neither: look into the body
    text = body[:MAX_TEXT].decode("utf-8", "replace")
    found = re.search(r'"retryDelay"\s*:\s*"([^"]+)"', text) or re.search(_WAIT_TEXT, text)
    if found is None:
        return None
    spans = re.findall(_SPAN, found[1])
    return sum(float(count) * _SECONDS[unit.lower()] for count, unit in spans) if spans else None


def too_long_to_wait(error: ProviderError, limit: float) -> ProviderError:
    """The same failure, told as a wait that nobody agreed to."""
    asked = error.retry_after or 0.0
    refused = type(error)(
        f"the server asks for a wait of {asked:g}s, over the limit of {limit:g}s: {error}",
        status=error.status,
        request_id=error.request_id,
        retry_after=error.retry_after,
        hint=error.hint,
    )
    refused.retryable = error.retryable
    return refused


def _body_text(status: int, body: bytes, *, whole_body: bool) -> str:
    """`529 {…}` or `529: {…}`: status first, then the JSON on one line, or the plain text."""
    try:
        data = loads(body)
    except ValueError:
        plain = body.decode("utf-8", "replace").strip()
        return f"{status} {plain[:MAX_TEXT] or '(an empty answer)'}"
    if not isinstance(data, dict):
        return f"{status} {_json(data)}"
    if whole_body:
        message = data.get("message")
        return f"{status} {message if isinstance(message, str) else _json(data)}"
    if data.get("error"):
        return f"{status}: {_json(data['error'])}"
    return f"{status}: {_json(data)}" if "message" in data else f"{status} {_json(data)}"


def _json(value: Any) -> str:
    return dumps(value).decode("utf-8", "replace")[:MAX_TEXT]


def _classify(
    text: str, status: int | None, *, raw: str, request_id: str | None, wait: float | None
) -> ProviderError:
    kind, retryable, hint = _kind(status, raw)
    error = kind(text, status=status, request_id=request_id, retry_after=wait, hint=hint)
    error.retryable = retryable
    return error


def _kind(status: int | None, raw: str) -> tuple[type[ProviderError], bool, str | None]:
    """Class, whether the same request may succeed, and what to do."""
    if status in (401, 403):
        return AuthenticationError, False, "check the API key of this provider"
    # Some servers refuse a full context with nothing but the status.
    if status == 413 or (status != 429 and is_overflow(raw)):
        return ContextOverflowError, False, None
    if re.search(_SPENT, raw):
        return RateLimitError, False, "check the plan and balance of this account"
    if status == 429 or re.search(_RATE, raw):
        return RateLimitError, True, None
    if status in (408, 421):
        return NetworkError, True, None
    if (status is not None and transient_status(status) and status != 409) or re.search(_BUSY, raw):
        return OverloadedError, True, None
    if re.search(_LOST, raw):
        return NetworkError, True, None
    if status is None:
        return StreamFormatError, False, None
    return (OverloadedError if status >= 500 else InvalidRequestError), False, None
