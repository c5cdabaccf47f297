"""What can go wrong between pi and a server."""

from pi.errors import PiError

__all__ = [
    "ConnectionLost",
    "HttpStatus",
    "McpError",
    "NeedsSignIn",
    "ServerAnswer",
    "SessionExpired",
    "TimedOut",
]


class McpError(PiError):
    """A request to a server failed. Its text may go to the model."""


class ServerAnswer(McpError):
    """The server answered with an error of JSON-RPC. code: its number."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class TimedOut(McpError):
    """No answer, and no sign of progress, in time."""


class ConnectionLost(McpError):
    """The connection ended, or there never was one. The next call connects again."""


class HttpStatus(McpError):
    """An HTTP status that is no answer. transient: the same request may succeed."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status

    @property
    def transient(self) -> bool:
        return self.status in (408, 429) or self.status >= 500


class SessionExpired(ConnectionLost):
    """The server does not know the session any more."""


class NeedsSignIn(McpError):
    """401, or 403 for want of scope. challenge: the answer's WWW-Authenticate."""

    def __init__(self, message: str, challenge: str = "") -> None:
        super().__init__(message)
        self.challenge = challenge
