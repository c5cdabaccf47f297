"""What an entry of `mcpServers` may hold. Source: docs/mcp.md."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pi.config.shapes import (
    BOOLEAN,
    STRING,
    TEXT,
    Leaf,
    ListOf,
    MapOf,
    Record,
    Shape,
    choice,
    describe,
    number,
)

__all__ = ["EXPOSURES", "METADATA_CALLBACK", "override_problem", "problem_of", "settled"]

EXPOSURES = ("codemode", "deferred", "direct", "hidden")

_ALIAS = {"codemode-deferred": "codemode"}
_EXPOSURE = Leaf(
    choice(*EXPOSURES).expected,
    lambda value: isinstance(value, str) and _ALIAS.get(value, value) in EXPOSURES,
    quoted=True,
)
_NAME = r"[A-Za-z0-9_-]+"
_OWN_HOSTS = ("localhost", "127.0.0.1", "::1")

METADATA_CALLBACK = ("localhost", "127.0.0.1")
"""Hosts that pi's client metadata document lists, with the path /callback and any port."""


def _is_http(value: Any) -> bool:
    parts = _parts(value)
    return parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname)


def _is_private_or_tls(value: Any) -> bool:
    """https, or http to this machine: a credential may travel there."""
    parts = _parts(value)
    if parts is None or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _OWN_HOSTS)


def _is_callback(value: Any) -> bool:
    parts = _parts(value)
    return (
        parts is not None
        and parts.scheme == "http"
        and parts.hostname in _OWN_HOSTS
        and not (parts.query or parts.fragment or "?" in value or "#" in value)
    )


def _parts(value: Any) -> Any:
    if not isinstance(value, str):
        return None
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises for one that is none
    except ValueError:
        return None
    return parts


_BASE: dict[str, Shape] = {
    "enabled": BOOLEAN,
    "exposure": _EXPOSURE,
    "toolExposure": MapOf(_EXPOSURE),
    "description": STRING,
    "timeout": number(above=0),
}
_STDIO = Record(
    {
        **_BASE,
        "command": STRING,
        "args": ListOf(STRING),
        "env": MapOf(STRING),
        "cwd": STRING,
    }
)
_HTTP = Record(
    {
        **_BASE,
        "url": Leaf("an http or https URL", _is_http),
        "headers": MapOf(STRING),
        "oauth": Record(
            {
                "clientId": STRING,
                "clientSecret": STRING,
                "scope": STRING,
                "clientName": TEXT,
                "clientRegistration": choice("auto", "dcr", "cimd"),
                "callbackPort": number(least=1, most=65535, integer=True),
                "callbackUrl": Leaf(
                    "an http address on localhost, 127.0.0.1 or [::1] without query and fragment",
                    _is_callback,
                ),
                "authServerMetadataUrl": Leaf(
                    "an https URL, or http on localhost, 127.0.0.1 or [::1]", _is_private_or_tls
                ),
            }
        ),
        "auth": Record({"provider": TEXT}, required=("provider",)),
    }
)
_OVERRIDE = Record(_BASE)


def problem_of(name: str, entry: Any) -> str | None:
    """Why this is no server, None when it is one. Says the key, never a value."""
    if not re.fullmatch(_NAME, name):
        return f'invalid server name "{name}": letters, digits, "_" and "-" only'
    where = f'server "{name}"'
    if not isinstance(entry, dict):
        return f"{where}: expected an object, found {describe(entry)}"
    kind = entry.get("type")
    if kind == "sse":
        return f"{where}: the old SSE transport is not supported; name the streamable HTTP URL"
    stdio = kind in (None, "stdio") and "command" in entry
    http = kind in (None, "http", "streamable-http") and "url" in entry
    if not (stdio or http):
        return f'{where}: needs "command" (stdio) or "url" (streamable HTTP) that fits its type'
    shape = _HTTP if http else _STDIO
    found = next(shape.problems(entry, ""), None)
    if found is None and http:
        found = _oauth_problem(entry)
    return None if found is None else f"{where}: {found}"


def override_problem(name: str, entry: Any) -> str | None:
    """The same for a project's entry that only changes a server of the user's."""
    found = next(_OVERRIDE.problems(entry, ""), None)
    return None if found is None else f'server "{name}": {found}'


def settled(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with aliases of exposures replaced by what they mean."""
    copy = dict(entry)
    if "exposure" in copy:
        copy["exposure"] = _ALIAS.get(copy["exposure"], copy["exposure"])
    if "toolExposure" in copy:
        copy["toolExposure"] = {
            tool: _ALIAS.get(value, value) for tool, value in copy["toolExposure"].items()
        }
    return copy


def _oauth_problem(entry: Mapping[str, Any]) -> str | None:
    if "auth" in entry and not _is_private_or_tls(entry["url"]):
        return "auth needs an https URL, or http on localhost, 127.0.0.1 or [::1]"
    oauth = entry.get("oauth", {})
    if oauth.get("clientRegistration") != "cimd":
        return None
    if "clientId" in oauth or "clientName" in oauth:
        return 'oauth.clientRegistration "cimd" goes with neither clientId nor clientName'
    callback = oauth.get("callbackUrl")
    if callback is not None:
        parts = urlsplit(callback)
        if parts.hostname not in METADATA_CALLBACK or parts.path != "/callback":
            return (
                'oauth.clientRegistration "cimd" needs a callbackUrl on localhost or 127.0.0.1 '
                "with the path /callback"
            )
    return None
