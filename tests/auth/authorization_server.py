"""An authorisation server on loopback, and a person who signs in to it.

Flows talk to fixed hosts: `Server.send` takes their requests to `/HOST/PATH` of this server, over a
real socket and through the program's own HTTP client.
"""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pi.auth.oauth.base import Reply, SignInCancelled, Surroundings
from pi.providers.http import HttpOptions
from pi.runtime.network import Sender

Answer = tuple[int, Any]


@dataclass
class Recorded:
    method: str
    path: str
    headers: dict[str, str]
    fields: dict[str, Any]


class Server:
    """answers: by path, a list of (status, body) of which the last repeats, or a function."""

    def __init__(
        self, answers: Mapping[str, list[Answer] | Callable[[Recorded], Answer]] | None = None
    ) -> None:
        self.answers = dict(answers or {})
        self.requests: list[Recorded] = []
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def rewrite(self, url: str) -> str:
        assert url.startswith("https://"), url
        return f"{self.address}/{url.removeprefix('https://')}"

    def send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes = b""
    ) -> Reply:
        return Sender(HttpOptions(idle_timeout=5))(method, self.rewrite(url), headers, content)

    def to(self, path: str) -> list[Recorded]:
        return [request for request in self.requests if request.path == path]

    def _answer(self, request: Recorded) -> Answer:
        with self._lock:
            self.requests.append(request)
            count = self._counts.get(request.path, 0)
            self._counts[request.path] = count + 1
        found = self.answers.get(request.path, [(404, {"error": "no such path"})])
        if callable(found):
            return found(request)
        return found[min(count, len(found) - 1)]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                content = self.rfile.read(length).decode()
                if "json" in self.headers.get("content-type", ""):
                    fields = json.loads(content)
                else:
                    fields = dict(parse_qsl(content))
                headers = {name.lower(): value for name, value in self.headers.items()}
                path = urlsplit(self.path).path
                status, body = server._answer(Recorded(self.command, path, headers, fields))
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = _serve

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


def fetch(url: str) -> tuple[int, str]:
    """As a browser would."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@dataclass
class Someone:
    """browse: what happens when an address is shown (in a thread of its own). pastes: a line.

    answers: to questions, in turn. A person without an answer cancels.
    """

    browse: Callable[[str], object] | None = None
    pastes: str | Callable[[str], str] | None = None
    answers: Sequence[str] = ()
    said: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.said.append(text)

    def show_address(self, url: str, *, note: str) -> None:
        self.urls.append(url)
        self.said.append(note)
        if self.browse is not None:
            threading.Thread(target=self.browse, args=(url,), daemon=True).start()

    def ask(self, question: str, *, secret: bool = False) -> str:
        self.asked.append(question)
        answers = list(self.answers)
        if len(answers) < len(self.asked):
            raise SignInCancelled
        answer = answers[len(self.asked) - 1]
        return answer.replace("{state}", self.query.get("state", "")) if self.urls else answer

    def paste(self, question: str, stop: threading.Event) -> str | None:
        if self.pastes is None:
            stop.wait(20)
            return None
        return self.pastes if isinstance(self.pastes, str) else self.pastes(self.urls[-1])

    def choose(self, question: str, choices: Sequence[str]) -> int:
        return int(self.ask(question))

    @property
    def query(self) -> dict[str, str]:
        """Of the last address shown."""
        return dict(parse_qsl(urlsplit(self.urls[-1]).query))


class FakeClock:
    """A clock that only sleeping moves."""

    def __init__(self, now: float = 1_700_000_000_000) -> None:
        self.time = now
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds * 1000


def around(server: Server, clock: FakeClock | None = None, **more: Any) -> Surroundings:
    clock = clock or FakeClock()
    return Surroundings(send=server.send, now=clock.now, sleep=clock.sleep, **more)


def comes_back(**query: str) -> Callable[[str], object]:
    """A browser that is sent back with this query, the right state unless it names one."""

    def browse(url: str) -> tuple[int, str]:
        asked = dict(parse_qsl(urlsplit(url).query))
        return fetch(redirect_of(asked, **query))

    return browse


def redirect_of(asked: Mapping[str, str], **query: str) -> str:
    from urllib.parse import urlencode

    target = asked.get("redirect_uri") or asked["callback_url"]
    state = {"state": asked["state"]} if "state" in asked else {}
    return f"{target}?{urlencode({**state, **query})}"
