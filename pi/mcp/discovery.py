"""Finding a server's authorisation server: RFC 9728, then RFC 8414 or OpenID Connect.

Everything here blocks, and sends through `Surroundings.send`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pi.auth.oauth.base import Reply, Surroundings
from pi.errors import AuthError
from pi.mcp.client import PROTOCOL_VERSION

__all__ = ["Challenge", "Found", "discover", "found_in", "parse_challenge"]


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a refused request said. metadata: the address of the resource's metadata."""

    metadata: str = ""
    scope: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Found:
    """issuer: the authorisation server. metadata: its document, {} where there is none.

    resource: the document of the MCP server, {} where there is none; resource_url: where it lay.
    """

    issuer: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    resource: Mapping[str, Any] = field(default_factory=dict)
    resource_url: str = ""

    def endpoint(self, name: str, usual: str) -> str:
        """An endpoint; without metadata the usual path at the issuer's host."""
        value = self.metadata.get(name)
        if self.metadata and not value:
            raise AuthError(f"the authorization server {self.issuer} names no {name}")
        url = value if isinstance(value, str) else f"{_origin(self.issuer)}{usual}"
        return safe_url(url, name)

    def supports(self, name: str, value: str) -> bool:
        listed = self.metadata.get(name)
        return isinstance(listed, list) and value in listed

    def record(self) -> dict[str, Any]:
        """As mcp-auth.json keeps it."""
        kept: dict[str, Any] = {"authorizationServerUrl": self.issuer}
        if self.metadata:
            kept["authorizationServerMetadata"] = self.metadata
        if self.resource:
            kept["resourceMetadata"] = self.resource
        if self.resource_url:
            kept["resourceMetadataUrl"] = self.resource_url
        return kept


def found_in(record: Any) -> Found | None:
    """What `record` gave, read back."""
    if not isinstance(record, dict) or not isinstance(record.get("authorizationServerUrl"), str):
        return None

    def part(name: str) -> Mapping[str, Any]:
        value = record.get(name)
        return value if isinstance(value, dict) else {}

    return Found(
        record["authorizationServerUrl"],
        part("authorizationServerMetadata"),
        part("resourceMetadata"),
    )


def parse_challenge(header: str) -> Challenge:
    """From WWW-Authenticate."""
    values = {
        match[1].lower(): match[2] if match[2] is not None else match[3]
        for match in re.finditer(r'([A-Za-z_]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))', header)
    }
    return Challenge(
        values.get("resource_metadata", ""), values.get("scope", ""), values.get("error", "")
    )


def discover(
    server_url: str, challenge: Challenge, around: Surroundings, configured: str = ""
) -> Found:
    """configured: the metadata document the person names, trusted as it is. Raises AuthError."""
    if configured:
        document = _fetch(configured, around)
        if document is None:
            raise AuthError(f"there is no authorization server metadata at {configured}")
        issuer = document.get("issuer")
        return Found(issuer if isinstance(issuer, str) else _origin(configured), document)
    resource, resource_url = _resource(server_url, challenge, around)
    issuer = _origin(server_url) + "/"
    servers = resource.get("authorization_servers")
    if isinstance(servers, list) and servers and isinstance(servers[0], str):
        issuer = safe_url(servers[0], "authorization server")
    for url in _metadata_places(issuer):
        document = _fetch(url, around)
        if document is None:
            continue
        named = document.get("issuer")
        if isinstance(named, str) and named.rstrip("/") != issuer.rstrip("/"):
            if not resource:
                continue  # the guess at the server's own host was none
            raise AuthError(
                f"the authorization server metadata at {url} is of another issuer: {named:.200}",
                hint="oauth.authServerMetadataUrl can name the right document.",
            )
        return Found(issuer, document, resource, resource_url)
    return Found(issuer, {}, resource, resource_url)


def safe_url(url: str, what: str) -> str:
    """What a server names may end up in a browser: only http and https may."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise AuthError(f"the server names an unusable {what}: {url!r:.200}")
    return url


def _resource(
    server_url: str, challenge: Challenge, around: Surroundings
) -> tuple[Mapping[str, Any], str]:
    places: list[str] = []
    if challenge.metadata:
        places.append(safe_url(challenge.metadata, "resource metadata"))
    else:
        base = f"{_origin(server_url)}/.well-known/oauth-protected-resource"
        path = urlsplit(server_url).path.rstrip("/")
        places += [f"{base}{path}", base] if path else [base]
    for place in places:
        document = _fetch(place, around)
        if document is None:
            continue
        resource = document.get("resource")
        if isinstance(resource, str) and not _covers(resource, server_url):
            raise AuthError(
                f"the resource metadata at {place} is of another server: {resource:.200}"
            )
        return document, place if challenge.metadata else ""
    return {}, ""


def _covers(resource: str, server_url: str) -> bool:
    mine, theirs = urlsplit(server_url), urlsplit(resource)
    if (mine.scheme, mine.netloc.lower()) != (theirs.scheme, theirs.netloc.lower()):
        return False
    under = theirs.path.rstrip("/")
    return mine.path.rstrip("/") == under or mine.path.startswith(f"{under}/")


def _metadata_places(issuer: str) -> Iterator[str]:
    origin, path = _origin(issuer), urlsplit(issuer).path.rstrip("/")
    yield f"{origin}/.well-known/oauth-authorization-server{path}"
    yield f"{origin}/.well-known/openid-configuration{path}"
    if path:
        yield f"{origin}{path}/.well-known/openid-configuration"


def _fetch(url: str, around: Surroundings) -> dict[str, Any] | None:
    """The JSON object there; None where there is none. Raises AuthError when the server fails."""
    headers = {"Accept": "application/json", "MCP-Protocol-Version": PROTOCOL_VERSION}
    reply: Reply = around.send("GET", url, headers)
    if reply.status >= 500:
        raise AuthError(f"{url} answered with HTTP status {reply.status}")
    if not 200 <= reply.status < 300:
        return None
    try:
        value = json.loads(reply.body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
