"""An MCP server over HTTP in a thread, whose answers a test scripts; with OAuth if it is wanted."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

RESULTS: dict[str, Any] = {
    "initialize": {
        "protocolVersion": "2025-06-18",
        "capabilities": {"tools": {}, "resources": {}},
        "serverInfo": {"name": "h", "version": "1"},
    },
    "tools/list": {"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]},
    "tools/call": {"content": [{"type": "text", "text": "ok"}]},
    "resources/list": {"resources": []},
}


@dataclass
class Seen:
    """method: GET, POST or DELETE. body: a message, or a form's fields as a dict."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any = None


@dataclass
class Web:
    """statuses: what the next POSTs are answered with instead. override: answers one itself, as
    bytes on the connection, when it returns True.

    sse: answer with event streams. get: the body of the server's own stream. token: the one that
    is accepted; None for all. metadata: more of the authorisation server's document.
    """

    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    statuses: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)
    override: Callable[[BaseHTTPRequestHandler, dict[str, Any]], bool] | None = None
    sse: bool = False
    get: list[bytes] = field(default_factory=list)
    session: str | None = "s1"
    token: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    resource: dict[str, Any] = field(default_factory=dict)
    expires_in: int = 3600
    issued: int = 0
    iss: str = ""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/mcp"

    def posted(self, method: str = "") -> list[Seen]:
        found = [each for each in self.seen if each.method == "POST" and each.path == "/mcp"]
        return [each for each in found if not method or each.body.get("method") == method]

    def at(self, path: str) -> list[Seen]:
        return [each for each in self.seen if urlsplit(each.path).path == path]


@contextmanager
def serve() -> Iterator[Web]:
    web = Web()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(web))
    server.daemon_threads = True
    web.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(web: Web) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing to say."""

        def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for name, value in {"Content_Type": "application/json", **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def answer_json(self, status: int, value: Any) -> None:
            self.answer(status, json.dumps(value).encode())

        def note(self, body: Any = None) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            web.seen.append(Seen(self.command, self.path, headers, body))

        def do_DELETE(self) -> None:
            self.note()
            self.answer(200)

        def do_GET(self) -> None:
            self.note()
            parts = urlsplit(self.path)
            if parts.path == "/mcp":
                if not web.get:
                    self.answer(405)
                else:
                    self.answer(200, web.get.pop(0), Content_Type="text/event-stream")
            elif parts.path == "/.well-known/oauth-protected-resource/mcp":
                self.answer_json(
                    200,
                    {
                        "resource": web.url,
                        "authorization_servers": [f"{web.origin}/as"],
                        "scopes_supported": ["a", "b"],
                        **web.resource,
                    },
                )
            elif parts.path == "/.well-known/oauth-authorization-server/as":
                self.answer_json(
                    200,
                    {
                        "issuer": f"{web.origin}/as",
                        "authorization_endpoint": f"{web.origin}/authorize",
                        "token_endpoint": f"{web.origin}/token",
                        "registration_endpoint": f"{web.origin}/register",
                        "code_challenge_methods_supported": ["S256"],
                        "token_endpoint_auth_methods_supported": ["none", "client_secret_post"],
                        **web.metadata,
                    },
                )
            elif parts.path == "/authorize":
                asked = dict(parse_qsl(parts.query))
                back = {"code": "CODE", "state": asked["state"]}
                if web.iss:
                    back["iss"] = web.iss
                self.answer(302, Location=f"{asked['redirect_uri']}?{urlencode(back)}")
            else:
                self.answer(404)

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["content-length"]))
            if self.path == "/token":
                self.note(dict(parse_qsl(data.decode())))
                web.issued += 1
                web.token = f"at-{web.issued}"
                self.answer_json(
                    200,
                    {
                        "access_token": web.token,
                        "token_type": "Bearer",
                        "expires_in": web.expires_in,
                        "refresh_token": f"rt-{web.issued}",
                        "scope": "",
                    },
                )
                return
            body = json.loads(data)
            self.note(body)
            if self.path == "/register":
                self.answer_json(201, {**body, "client_id": "registered", "client_secret": None})
                return
            if web.statuses:
                status, text, headers = web.statuses.pop(0)
                self.answer(status, text, **headers)
                return
            if web.token is not None and self.headers.get("authorization") != f"Bearer {web.token}":
                where = f"{web.origin}/.well-known/oauth-protected-resource/mcp"
                self.answer(401, WWW_Authenticate=f'Bearer resource_metadata="{where}", scope="a"')
                return
            if web.override is not None and web.override(self, body):
                return
            if "id" not in body or "method" not in body:
                self.answer(202)
                return
            reply = {"jsonrpc": "2.0", "id": body["id"], "result": RESULTS[body["method"]]}
            more: dict[str, str] = {}
            if body["method"] == "initialize" and web.session is not None:
                more["Mcp_Session_Id"] = web.session
            content = json.dumps(reply).encode()
            if web.sse:
                content = b"event: message\rid: 1\rdata: " + content + b"\r\r"
                more["Content_Type"] = "text/event-stream"
            self.answer(200, content, **more)

    return Handler
