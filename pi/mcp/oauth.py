"""Tokens for a server: sending and renewing them, and signing in with a person at hand.

A connection only uses and renews what is stored. Signing in (`sign_in`) opens a browser: with pi's
client metadata document where the authorisation server takes one, else as a client that is
registered or configured. The flow blocks; callers on an event loop use a thread.
"""

import asyncio
import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit

from pi.auth.oauth.base import Person, SignInRefused, Surroundings
from pi.auth.oauth.browser import Authorization as Code
from pi.auth.oauth.browser import Redirect, authorize, not_here
from pi.auth.oauth.loopback import free_port, is_free, loopback_of
from pi.auth.oauth.tokens import Answer, post_form, post_json
from pi.config.values import resolve_value
from pi.errors import AuthError, ConfigError
from pi.mcp.config import Server
from pi.mcp.discovery import Found, discover, found_in, parse_challenge
from pi.mcp.shapes import METADATA_CALLBACK
from pi.mcp.vault import Vault

__all__ = ["OAuth", "ProviderToken", "sign_in"]

_CLIENT_NAME = "pi"
_DOCUMENTS = "https://pi.dev/oauth"
_EARLY = 30.0
"""Seconds before its end at which a token is renewed."""

_WHO = "MCP server"


@dataclass(frozen=True, slots=True, repr=False)
class _Settings:
    """`oauth` of the server's entry, its secret resolved."""

    client_id: str = ""
    secret: str = ""
    scope: str = ""
    client_name: str = ""
    registration: str = "auto"
    port: int = 0
    callback: str = ""
    metadata_url: str = ""


def _settings(server: Server, variables: Mapping[str, str]) -> _Settings:
    entry: Mapping[str, Any] = server.entry.get("oauth", {})
    secret = entry.get("clientSecret", "")
    if secret:
        what = f'oauth.clientSecret of MCP server "{server.name}"'
        secret = resolve_value(secret, variables, what=what)
    return _Settings(
        client_id=entry.get("clientId", ""),
        secret=secret,
        scope=entry.get("scope", ""),
        client_name=entry.get("clientName", ""),
        registration=entry.get("clientRegistration", "auto"),
        port=int(entry.get("callbackPort", 0)),
        callback=entry.get("callbackUrl", ""),
        metadata_url=entry.get("authServerMetadataUrl", ""),
    )


class OAuth:
    """A server's stored tokens, on its requests. See `pi.mcp.http.Authorization`."""

    def __init__(
        self, server: Server, path: Path, variables: Mapping[str, str], around: Surroundings
    ) -> None:
        self._server = server
        self._vault = Vault(path, server)
        self._variables = variables
        self._around = around
        self._known = asyncio.Lock()

    async def headers(self) -> Mapping[str, str]:
        state = self._vault.load()
        token = _token(state)
        if token is None:
            return {}
        expires = state.get("tokensExpireAt")
        soon = isinstance(expires, int | float) and (expires - _EARLY * 1000 <= self._around.now())
        if soon and _refreshable(state) and await self._renew(token):
            token = _token(self._vault.load()) or token
        return {"authorization": f"Bearer {token}"}

    async def rejected(self, challenge: str, used: Mapping[str, str]) -> bool:
        if parse_challenge(challenge).error == "insufficient_scope":
            return False
        token = used.get("authorization", "").removeprefix("Bearer ")
        return bool(token) and await self._renew(token)

    def token(self) -> str | None:
        """The stored one, whether or not it still is good."""
        return _token(self._vault.load())

    async def _renew(self, used: str) -> bool:
        """Whether there is another token now than the one used."""
        async with self._known:
            try:
                return await asyncio.to_thread(self._renew_blocking, used)
            except (AuthError, ConfigError):
                return False

    def _renew_blocking(self, used: str) -> bool:
        with self._vault.renewing():
            state = self._vault.load()
            current = _token(state)
            if current is not None and current != used:
                return True  # another process was faster
            settings = _settings(self._server, self._variables)
            renewed = _refresh(self._vault, state, settings, self._around)
            return renewed is not None


class ProviderToken:
    """What is in use for a provider, as it is at each request.

    get: blocks while it is renewed; None where there is nothing.
    """

    def __init__(self, get: Callable[[], str | None]) -> None:
        self._get = get

    async def headers(self) -> Mapping[str, str]:
        token = await asyncio.to_thread(self._get)
        return {"authorization": f"Bearer {token}"} if token else {}

    async def rejected(self, challenge: str, used: Mapping[str, str]) -> bool:
        return False


def sign_in(
    server: Server,
    path: Path,
    variables: Mapping[str, str],
    challenge: str,
    person: Person,
    around: Surroundings,
) -> None:
    """Get tokens and store them; the stored refresh token is tried first. Blocks.

    challenge: the WWW-Authenticate that the server answered with. Raises AuthError, NetworkError,
    ConfigError, SignInCancelled.
    """
    vault = Vault(path, server)
    settings = _settings(server, variables)
    asked = parse_challenge(challenge)
    state = vault.load()
    if asked.error != "insufficient_scope" and _refreshable(state):
        with vault.renewing():
            try:
                if _refresh(vault, vault.load(), settings, around) is not None:
                    return
            except SignInRefused:
                pass  # then with the person
    found = discover(vault.url, asked, around, settings.metadata_url)
    scope = _scope(settings, asked.scope, found, state)
    who = f'{_WHO} "{server.name}"'
    redirect, uri = _redirect(who, settings)
    client, redirect, uri = _client(vault, found, settings, scope, state, redirect, uri, around)
    parameters = {"response_type": "code", "client_id": client["client_id"]}
    if scope:
        parameters["scope"] = scope
    parameters["resource"] = vault.url
    endpoint = found.endpoint("authorization_endpoint", "/authorize")
    methods = found.metadata.get("code_challenge_methods_supported")
    if isinstance(methods, list) and "S256" not in methods:
        raise AuthError(f"the authorization server {found.issuer} does not support PKCE with S256")
    code = authorize(who, endpoint, parameters, person, around, redirect)
    _check_issuer(who, code, found)
    answer = _ask_token(
        found,
        client,
        {
            "grant_type": "authorization_code",
            "code": code.code,
            "code_verifier": code.verifier,
            "redirect_uri": uri,
            "resource": vault.url,
        },
        around,
        who,
    )
    kept: dict[str, Any] = {"discovery": found.record()}
    if not client.get("_document") and not settings.client_id:
        kept["clientInformation"] = {k: v for k, v in client.items() if not k.startswith("_")}
    _store(vault, kept, answer, around, scope)


def _scope(settings: _Settings, asked: str, found: Found, state: Mapping[str, Any]) -> str:
    """What to ask for: the configured and the asked for, with what was granted before."""
    wanted = settings.scope.split()
    if asked:
        wanted += asked.split()
        granted = _tokens(state).get("scope")
        wanted += granted.split() if isinstance(granted, str) else []
    elif not wanted:
        listed = found.resource.get("scopes_supported")
        wanted = [each for each in listed if isinstance(each, str)] if listed else []
    return " ".join(dict.fromkeys(wanted))


def _redirect(who: str, settings: _Settings) -> tuple[Redirect, str]:
    """Where the browser comes back to; the port is settled, since it is registered with it."""
    if not settings.callback:
        port = settings.port or free_port("127.0.0.1")
        redirect = Redirect("/callback", port, "127.0.0.1")
        return redirect, f"http://127.0.0.1:{port}/callback"
    parts = urlsplit(settings.callback)
    host = parts.netloc.rpartition(":")[0] if parts.port is not None else parts.netloc
    port = parts.port or settings.port or _free_port(who, loopback_of(host))
    # With a port it is sent exactly as it is written.
    uri = settings.callback if parts.port is not None else f"http://{host}:{port}{parts.path}"
    return Redirect(parts.path, port, host), uri


def _client(
    vault: Vault,
    found: Found,
    settings: _Settings,
    scope: str,
    state: Mapping[str, Any],
    redirect: Redirect,
    uri: str,
    around: Surroundings,
) -> tuple[dict[str, Any], Redirect, str]:
    """Who pi is to the authorisation server, and where the browser comes back to then.

    `_document`: whether it is pi's metadata document.
    """
    if (client := _configured(settings)) is not None:
        return client, redirect, uri
    if (known := _registered(state)) is not None:
        again = _same_redirect(settings, known.get("redirect_uris"), uri)
        if again is not None:
            port = urlsplit(again).port or redirect.port
            return known, replace(redirect, port=port), again
    takes_documents = found.metadata.get("client_id_metadata_document_supported") is True and (
        found.supports("token_endpoint_auth_methods_supported", "none")
        or "token_endpoint_auth_methods_supported" not in found.metadata
    )
    parts = urlsplit(uri)
    fits = parts.hostname in METADATA_CALLBACK and parts.path == "/callback"
    if settings.registration == "cimd" and not takes_documents:
        raise AuthError(
            f"the authorization server {found.issuer} takes no client metadata documents",
            hint='Leave out oauth.clientRegistration "cimd", or set oauth.clientId.',
        )
    if settings.registration != "dcr" and takes_documents and fits and not settings.client_name:
        mark = _mark(vault, found)
        document = {"client_id": f"{_DOCUMENTS}{mark}/client.json", "_document": True}
        return document, replace(redirect, path=f"{redirect.path}{mark}"), f"{uri}{mark}"
    return _register(found, settings, scope, uri, around), redirect, uri


def _configured(settings: _Settings) -> dict[str, Any] | None:
    if not settings.client_id:
        return None
    client = {"client_id": settings.client_id}
    if settings.secret:
        client["client_secret"] = settings.secret
    return client


def _registered(state: Mapping[str, Any]) -> dict[str, Any] | None:
    known = state.get("clientInformation")
    return known if isinstance(known, dict) and isinstance(known.get("client_id"), str) else None


def _mark(vault: Vault, found: Found) -> str:
    """What the addresses of pi's document and of the way back have in them for this server.

    Without `iss` in an answer, one of another authorisation server is told by its address.
    """
    if _names_issuer(found):
        return ""
    digest = hashlib.sha256(vault.url.encode()).digest()
    return f"/{base64.urlsafe_b64encode(digest).decode()[:12]}"


def _names_issuer(found: Found) -> bool:
    """Whether the authorisation server says in its answers that they are from it (RFC 9207)."""
    return found.metadata.get("authorization_response_iss_parameter_supported") is True


def _same_redirect(settings: _Settings, uris: Any, uri: str) -> str | None:
    """The registered address to come back to, if it still is what would be asked for."""
    if not isinstance(uris, list):
        return None
    if uri in uris:
        return uri
    if settings.port or urlsplit(settings.callback).port is not None:
        return None
    for known in uris:
        if isinstance(known, str):
            parts, wanted = urlsplit(known), urlsplit(uri)
            same = (parts.hostname, parts.path) == (wanted.hostname, wanted.path)
            here = loopback_of(parts.hostname or "")
            if same and parts.port and is_free(here, parts.port):
                return known
    return None


def _register(
    found: Found, settings: _Settings, scope: str, uri: str, around: Surroundings
) -> dict[str, Any]:
    """RFC 7591."""
    wish: dict[str, Any] = {
        "client_name": settings.client_name or _CLIENT_NAME,
        "redirect_uris": [uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
    }
    if scope:
        wish["scope"] = scope
    hint = "Set oauth.clientId of a client that you registered there."
    if found.metadata and "registration_endpoint" not in found.metadata:
        raise AuthError(
            f"the authorization server {found.issuer} lets no clients register", hint=hint
        )
    url = found.endpoint("registration_endpoint", "/register")
    answer = post_json(around, _WHO, url, wish)
    try:
        answer.text("client_id", "register as a client")
    except AuthError as failure:
        failure.hint = hint
        raise
    return {**wish, **{key: value for key, value in answer.fields.items() if value is not None}}


def _check_issuer(who: str, code: Code, found: Found) -> None:
    """RFC 9207: an answer of another authorisation server must not be exchanged at this one."""
    named = code.query.get("iss")
    if named is None:
        # A code that was pasted alone comes without; its state was not checked either.
        if _names_issuer(found) and "state" in code.query:
            raise AuthError(f"{who}: the answer does not say which authorization server it is from")
        return
    if named != found.metadata.get("issuer"):
        raise AuthError(f"{who}: the answer is from another authorization server: {named:.200}")


def _refresh(
    vault: Vault, state: dict[str, Any], settings: _Settings, around: Surroundings
) -> str | None:
    """A new access token, stored; None where it cannot be had. Raises AuthError, NetworkError."""
    refresh = _tokens(state).get("refresh_token")
    if not isinstance(refresh, str):
        return None
    found = found_in(state.get("discovery"))
    if found is None:
        found = discover(vault.url, parse_challenge(""), around, settings.metadata_url)
    client = _configured(settings) or _registered(state)
    if client is None:
        if found.metadata.get("client_id_metadata_document_supported") is not True:
            return None
        client = {"client_id": f"{_DOCUMENTS}{_mark(vault, found)}/client.json"}
    fields = {"grant_type": "refresh_token", "refresh_token": refresh, "resource": vault.url}
    answer = _ask_token(found, client, fields, around, _WHO)
    return _store(vault, state, answer, around, "", refresh)


def _ask_token(
    found: Found, client: Mapping[str, Any], fields: dict[str, str], around: Surroundings, who: str
) -> Answer:
    """Raises SignInRefused for a refusal, AuthError, NetworkError."""
    headers: dict[str, str] = {}
    secret = client.get("client_secret")
    method = client.get("token_endpoint_auth_method")
    if not isinstance(method, str) or (method == "none" and secret):
        method = "none"
        if secret:
            posts = found.supports("token_endpoint_auth_methods_supported", "client_secret_post")
            basic = found.supports("token_endpoint_auth_methods_supported", "client_secret_basic")
            method = "client_secret_basic" if basic or not posts else "client_secret_post"
    if secret and method == "client_secret_basic":
        pair = f"{quote_plus(client['client_id'])}:{quote_plus(secret)}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        fields = {**fields, "client_id": client["client_id"]}
        if secret:
            fields["client_secret"] = secret
    url = found.endpoint("token_endpoint", "/token")
    answer = post_form(around, who, url, fields, headers)
    answer.text("access_token", "get tokens")
    return answer


def _store(
    vault: Vault,
    state: Mapping[str, Any],
    answer: Answer,
    around: Surroundings,
    scope: str,
    refresh: str = "",
) -> str:
    tokens = {key: value for key, value in answer.fields.items() if value not in (None, "")}
    if refresh and "refresh_token" not in tokens:
        tokens["refresh_token"] = refresh
    if scope and "scope" not in tokens:
        tokens["scope"] = scope
    kept = {key: value for key, value in state.items() if key not in ("tokens", "tokensExpireAt")}
    kept["tokens"] = tokens
    seconds = answer.number("expires_in")
    if seconds is not None:
        kept["tokensExpireAt"] = int(around.now() + seconds * 1000)
    vault.save(kept)
    token: str = tokens["access_token"]
    return token


def _tokens(state: Mapping[str, Any]) -> Mapping[str, Any]:
    tokens = state.get("tokens")
    return tokens if isinstance(tokens, dict) else {}


def _token(state: Mapping[str, Any]) -> str | None:
    token = _tokens(state).get("access_token")
    return token if isinstance(token, str) and token else None


def _refreshable(state: Mapping[str, Any]) -> bool:
    return isinstance(_tokens(state).get("refresh_token"), str)


def _free_port(who: str, host: str) -> int:
    try:
        return free_port(host)
    except OSError as error:
        raise not_here(who, host, error) from None
