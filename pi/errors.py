"""The hierarchy of errors a person may see: what failed, on what, what to do next.

PiError                 exit 1
  UsageError            exit 2: the command line itself is wrong
  ConfigError           a file a person edits is malformed: names file, line or key
  AuthError             no credential, or one that was refused
  ModelError            no such model, or an ambiguous pattern
  SessionError          a session that cannot be found, opened or written
  ToolError             a tool's failure: becomes an error result, never ends a run
  ProviderError         a model request failed
    RateLimitError      429
    OverloadedError     529, 5xx and their texts
    AuthenticationError 401, 403
    ContextOverflowError the request is larger than the model's context window
    InvalidRequestError other 4xx: retrying will not help
    NetworkError        no connection, reset, time-out
    StreamFormatError   the stream ended early or was not what the API promises
"""

from typing import Any

__all__ = [
    "AuthError",
    "AuthenticationError",
    "ConfigError",
    "ContextOverflowError",
    "InvalidRequestError",
    "ModelError",
    "NetworkError",
    "OverloadedError",
    "PiError",
    "ProviderError",
    "RateLimitError",
    "SessionError",
    "StreamFormatError",
    "ToolError",
    "UsageError",
]


class PiError(Exception):
    """One line on stderr. `hint` is a second line: what to do next."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint

    @property
    def told(self) -> str:
        """Both lines, for where an error is kept as a text; they may be shown as one."""
        text = str(self)
        if not self.hint:
            return text
        return f"{text if text.endswith(('.', '!', '?')) else f'{text}.'}\n{self.hint}"


class UsageError(PiError):
    exit_code = 2


class ConfigError(PiError):
    """A file a person edits is malformed. The message names the file and the place in it."""


class AuthError(PiError):
    """There is no credential, or it was refused."""


class ModelError(PiError):
    """There is no such model, or more than one."""


class SessionError(PiError):
    """A session cannot be found, opened or written."""


class ToolError(PiError):
    """Text for the model; `details` is stored beside it in the tool result."""

    def __init__(self, message: str, *, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.details = {} if details is None else details


class ProviderError(PiError):
    """A model request failed.

    status: HTTP status, None when there was no answer. request_id: the provider's own, for support.
    retry_after: seconds the server asked to wait. retryable: whether the same request may succeed.
    advised: the server's own word on that, if it gave one. usage: what an answer that is of no use
    has cost (see pi.wire.messages.Usage).
    """

    retryable = False
    advised: bool | None = None
    usage: Any = None

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after


class RateLimitError(ProviderError):
    retryable = True


class OverloadedError(ProviderError):
    retryable = True


class AuthenticationError(ProviderError):
    pass


class ContextOverflowError(ProviderError):
    pass


class InvalidRequestError(ProviderError):
    pass


class NetworkError(ProviderError):
    retryable = True


class StreamFormatError(ProviderError):
    retryable = True
