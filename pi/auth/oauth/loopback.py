"""The small web server that a browser is sent back to. It answers one path, on one interface."""

import html
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

__all__ = ["Callback", "LoopbackServer", "free_port", "is_free", "loopback_of"]

_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>pi</title>'
    '<body style="font: 1.1em system-ui; margin: 4em auto; max-width: 34em">'
    "<h1>{title}</h1><p>{text}</p>"
)


@dataclass(frozen=True, slots=True, repr=False)
class Callback:
    """The query the browser came back with."""

    query: Mapping[str, str]


def loopback_of(host: str) -> str:
    """The address to listen at for a redirect to `host`. `localhost` is the IPv4 one."""
    bare = host.strip("[]")
    return bare if ":" in bare else "127.0.0.1"


def free_port(host: str) -> int:
    """One that nobody listens at now. Raises OSError for an address that is not this machine's."""
    with socket.socket(_family(host)) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(host: str, port: int) -> bool:
    try:
        with socket.socket(_family(host)) as probe:
            probe.bind((host, port))
    except OSError:
        return False
    return True


class LoopbackServer:
    """Serves from construction until `close`; use as a context manager.

    accept: looks at a request's query, in a thread of the server: None to take it, or what is
    wrong with it; then the browser is told and the wait goes on. Only one is taken. Raises OSError
    when the port is not to be had.
    """

    def __init__(
        self,
        host: str,
        port: int,
        path: str,
        *,
        accept: Callable[[Mapping[str, str]], str | None],
        deliver: Callable[[Callback], None],
    ) -> None:
        self._path = path
        self._accept = accept
        self._deliver = deliver
        self._taken = False
        self._lock = threading.Lock()
        serve = _Server6 if _family(host) == socket.AF_INET6 else _Server
        self._server = serve((host, port), _handler(self._answer))
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="pi-sign-in", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> "LoopbackServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, target: str) -> tuple[int, str, str]:
        """Status, title and text for a GET."""
        parts = urlsplit(target)
        if parts.path != self._path:
            return 404, "Nothing here", "This address only takes part in signing in to pi."
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        problem = self._accept(query)
        if problem is not None:
            return 400, "Not signed in", problem
        with self._lock:
            if self._taken:
                return 409, "Already done", "This sign-in was answered before."
            self._taken = True
        self._deliver(Callback(query))
        if "error" in query:
            return 400, "Not signed in", "You can close this page; the terminal says more."
        return 200, "Almost done", "You can close this page and go back to the terminal."


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # On Windows address reuse would let another program listen on the same port.
    allow_reuse_address = False

    def server_bind(self) -> None:
        """Without asking name servers what this machine is called."""
        TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away is no news."""


class _Server6(_Server):
    address_family = socket.AF_INET6


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _handler(answer: Callable[[str], tuple[int, str, str]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # seconds a silent connection may keep its thread

        def do_GET(self) -> None:
            status, title, text = answer(self.path)
            body = _PAGE.format(title=html.escape(title), text=html.escape(text)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            # The address bar holds the code: nothing may keep it or pass it on.
            self.send_header("Cache-Control", "no-store")
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Requests carry codes: they are not logged."""

    return Handler
