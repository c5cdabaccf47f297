"""Signing in to servers, and the tokens afterwards."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from urllib.request import urlopen

import pytest

from pi.auth.oauth.base import SignInCancelled, Surroundings
from pi.auth.oauth.loopback import free_port, is_free, loopback_of
from pi.config.environment import read_environment
from pi.config.paths import find_paths
from pi.errors import AuthError, PiError
from pi.mcp.access import Access
from pi.mcp.config import Server, checked
from pi.mcp.connection import Connection
from pi.mcp.journal import Journal
from pi.mcp.reaching import Place
from pi.providers.http import HttpClient, HttpOptions
from pi.runtime.network import Sender
from tests.mcp.http_server import Web, serve
from tests.mcp.test_stdio import ignore

needs_ipv6 = pytest.mark.skipif(
    not (socket.has_ipv6 and is_free("::1", 0)), reason="this machine has no ::1"
)


class Person:
    """A browser that agrees to everything."""

    def __init__(self) -> None:
        self.address = ""

    def say(self, text: str) -> None:
        """Nobody listens."""

    def show_address(self, url: str, *, note: str) -> None:
        self.address = url
        threading.Thread(target=self.visit, args=(url,), daemon=True).start()

    def visit(self, url: str) -> None:
        with urlopen(url) as page:
            page.read()

    def ask(self, question: str, *, secret: bool = False) -> str:
        raise SignInCancelled

    def paste(self, question: str, stop: threading.Event) -> str | None:
        stop.wait(20)
        return None

    def choose(self, question: str, choices: Sequence[str]) -> int:
        raise SignInCancelled

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.address).query))


@pytest.fixture
def web() -> Iterator[Web]:
    with serve() as made:
        made.token = "nobody has it"
        yield made


@pytest.fixture
def access(tmp_path: Path) -> Access:
    paths = find_paths(read_environment(), tmp_path)
    options = HttpOptions(idle_timeout=None)
    return Access(
        paths,
        Place(tmp_path, paths.home, {"SECRET": "hush"}),
        HttpClient(options),
        Surroundings(Sender(options)),
        Journal(tmp_path / "mcp.log"),
        lambda provider: f"token of {provider}",
    )


def stored(access: Access) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((access.paths.agent / "mcp-auth.json").read_text())
    return data


def signed_in(
    access: Access, web: Web, person: Person, name: str = "docs", **oauth: Any
) -> Connection:
    server = Server(name, checked(name, {"url": web.url, "oauth": oauth}))
    connection = access.connection(server)

    async def main() -> None:
        try:
            with pytest.raises(PiError, match="sign in"):
                await connection.connect()
            assert connection.state == "needs-auth"
            await access.sign_in(connection, person, 20)
            await connection.reconnect()
            assert connection.state == "connected"
        finally:
            await connection.close()
            await access.close()

    asyncio.run(main())
    return connection


def test_signing_in_registers_a_client(access: Access, web: Web) -> None:
    person = Person()
    signed_in(access, web, person)
    redirect = person.query["redirect_uri"]
    (registered,) = web.at("/register")
    assert registered.body == {
        "client_name": "pi",
        "redirect_uris": [redirect],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
        "scope": "a",
    }
    assert redirect.startswith("http://127.0.0.1:") and redirect.endswith("/callback")
    assert person.query["resource"] == web.url
    assert person.query["code_challenge_method"] == "S256"
    (token,) = web.at("/token")
    assert token.body["redirect_uri"] == redirect
    assert token.body["resource"] == web.url
    assert token.body["client_id"] == "registered"
    entry = stored(access)[f"mcp__docs|{web.url}"]
    assert entry["tokens"]["access_token"] == "at-1"
    assert "client_secret" not in entry["clientInformation"]
    assert entry["discovery"]["authorizationServerUrl"] == f"{web.origin}/as"
    assert (access.paths.agent / "mcp-auth.json").stat().st_mode & 0o777 == 0o600


def test_a_metadata_document_is_used_where_it_is_taken(access: Access, web: Web) -> None:
    web.metadata = {"client_id_metadata_document_supported": True}
    person = Person()
    signed_in(access, web, person)
    assert not web.at("/register")
    client = person.query["client_id"]
    mark = client.removeprefix("https://pi.dev/oauth/").removesuffix("/client.json")
    assert len(mark) == 12
    assert person.query["redirect_uri"].endswith(f"/callback/{mark}")


def test_one_document_for_all_where_the_answer_names_its_issuer(access: Access, web: Web) -> None:
    web.metadata = {
        "client_id_metadata_document_supported": True,
        "authorization_response_iss_parameter_supported": True,
    }
    web.iss = f"{web.origin}/as"
    person = Person()
    signed_in(access, web, person)
    assert person.query["client_id"] == "https://pi.dev/oauth/client.json"


def test_a_configured_client_and_its_secret(access: Access, web: Web) -> None:
    person = Person()
    signed_in(access, web, person, clientId="mine", clientSecret="${SECRET}", scope="x")
    assert not web.at("/register")
    (token,) = web.at("/token")
    assert (token.body["client_id"], token.body["client_secret"]) == ("mine", "hush")
    assert person.query["scope"] == "x a"
    assert "hush" not in (access.paths.agent / "mcp-auth.json").read_text()


@pytest.mark.parametrize(
    "callback",
    [
        "http://127.0.0.1/back",
        "http://localhost/back",
        "http://LocalHost:{port}/Back",
        "http://localhost:{port}",
        pytest.param("http://[::1]/back", marks=needs_ipv6),
        pytest.param("http://[::1]:{port}/back", marks=needs_ipv6),
        pytest.param("http://[::1]:{port}", marks=needs_ipv6),
    ],
)
def test_the_browser_comes_back_to_the_address_that_is_configured(
    access: Access, web: Web, callback: str
) -> None:
    exact = "{port}" in callback
    callback = callback.format(port=free_port(loopback_of(urlsplit(callback).hostname or "")))
    person = Person()
    signed_in(access, web, person, callbackUrl=callback)
    redirect = person.query["redirect_uri"]
    (registered,) = web.at("/register")
    assert registered.body["redirect_uris"] == [redirect]
    (token,) = web.at("/token")
    assert token.body["redirect_uri"] == redirect
    if exact:
        assert redirect == callback
    else:
        host, _, path = callback.removeprefix("http://").partition("/")
        assert redirect.startswith(f"http://{host}:") and redirect.endswith(f"/{path}")


@pytest.mark.parametrize(
    ("metadata", "oauth", "iss", "says"),
    [
        ({"issuer": "http://elsewhere/"}, {}, "", "another issuer"),
        ({}, {}, "http://elsewhere/", "another authorization server"),
        ({"authorization_endpoint": "file:///etc/passwd"}, {}, "", "unusable"),
        ({}, {"clientRegistration": "cimd"}, "", "no client metadata documents"),
        ({"code_challenge_methods_supported": ["plain"]}, {}, "", "PKCE"),
        ({"authorization_response_iss_parameter_supported": True}, {}, "", "does not say"),
    ],
)
def test_what_is_refused(
    access: Access, web: Web, metadata: Any, oauth: Any, iss: str, says: str
) -> None:
    web.metadata, web.iss = metadata, iss
    with pytest.raises(AuthError, match=says):
        signed_in(access, web, Person(), **oauth)
    assert not web.at("/token")


def test_an_expired_token_is_renewed_once_for_many(access: Access, web: Web) -> None:
    signed_in(access, web, Person())
    web.token = "ended meanwhile"
    connection = access.connection(Server("docs", {"url": web.url}))
    other = access.connection(Server("docs", {"url": web.url}))

    async def main() -> None:
        await asyncio.gather(connection.connect(), other.connect())
        await connection.call("echo", {}, ignore)
        await connection.close()
        await other.close()
        await access.close()

    asyncio.run(main())
    (_, renewed) = web.at("/token")
    assert renewed.body == {
        "grant_type": "refresh_token",
        "refresh_token": "rt-1",
        "resource": web.url,
        "client_id": "registered",
    }
    assert stored(access)[f"mcp__docs|{web.url}"]["tokens"]["refresh_token"] == "rt-2"


def test_want_of_scope_asks_for_a_sign_in_that_keeps_what_was_granted(
    access: Access, web: Web
) -> None:
    signed_in(access, web, Person())
    connection = access.connection(Server("docs", {"url": web.url}))
    person = Person()

    async def main() -> None:
        await connection.connect()
        more = 'Bearer error="insufficient_scope", scope="c"'
        web.statuses = [(403, b"", {"WWW_Authenticate": more})]
        with pytest.raises(PiError, match="sign-in"):
            await connection.call("echo", {}, ignore)
        assert connection.state == "needs-auth"
        await access.sign_in(connection, person, 20)
        await connection.close()
        await access.close()

    asyncio.run(main())
    assert person.query["scope"] == "c a"


def test_a_provider_s_token_goes_instead(access: Access, web: Web) -> None:
    web.token = "token of radius"
    entry = {"url": web.url, "auth": {"provider": "radius"}}
    connection = access.connection(Server("docs", checked("docs", entry)))

    async def main() -> None:
        await connection.connect()
        await connection.close()
        await access.close()

    asyncio.run(main())
    assert web.posted()[0].headers["authorization"] == "Bearer token of radius"


def test_two_names_sign_in_separately_and_are_forgotten_separately(
    access: Access, web: Web
) -> None:
    signed_in(access, web, Person(), "one")
    web.token = "nobody has it"
    signed_in(access, web, Person(), "two")
    assert len(stored(access)) == 2
    assert access.forget(Server("one", {"url": web.url}))
    assert not access.forget(Server("one", {"url": web.url}))
    assert list(stored(access)) == [f"mcp__two|{web.url}"]
