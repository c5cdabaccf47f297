"""mcp-auth.json: what signing in to servers gave, by server name and URL.

    {"mcp__docs|https://example.com/mcp": {"serverUrl": …, "discovery": {…},
     "clientInformation": {…}, "tokens": {"access_token": …, "refresh_token": …},
     "tokensExpireAt": 1700000000000}}

The file is private and shared with other processes; a token is renewed under a lock of its server.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pi.config.documents import read_document
from pi.config.locks import folder_lock, update_json
from pi.mcp.config import Server, folded

__all__ = ["Vault"]

_LOCK_WAIT, _LOCK_STALE = 25.0, 20.0
"""Seconds; what other programs on the same folder use."""


class Vault:
    """Reads and writes one server's state. Raises ConfigError for a file it cannot use."""

    def __init__(self, path: Path, server: Server) -> None:
        assert server.url is not None, "only servers over HTTP sign in"
        self.path = path
        self.url = server.url
        self.key = f"mcp__{folded(server.name)}|{server.url}"

    def load(self) -> dict[str, Any]:
        """{} where nothing is stored. What older versions stored by URL alone counts, too."""
        entries = read_document(self.path) or {}
        state = entries.get(self.key) or entries.get(self.url)
        return dict(state) if isinstance(state, dict) else {}

    def save(self, state: Mapping[str, Any]) -> None:
        def change(entries: dict[str, Any]) -> dict[str, Any]:
            kept = {key: value for key, value in entries.items() if key != self.url}
            return {**kept, self.key: {"serverUrl": self.url, **state}}

        update_json(self.path, change)

    def forget(self) -> bool:
        """Whether there was anything."""
        had = False

        def change(entries: dict[str, Any]) -> dict[str, Any]:
            nonlocal had
            had = self.key in entries or self.url in entries
            if not had:
                return entries
            return {k: v for k, v in entries.items() if k not in (self.key, self.url)}

        if self.path.exists():
            update_json(self.path, change)
        return had

    @contextmanager
    def renewing(self) -> Iterator[None]:
        """Keep other processes from using the refresh token meanwhile; it may work only once."""
        digest = hashlib.sha256(self.key.encode()).hexdigest()[:16]
        path = self.path.with_name(f"mcp-auth-refresh-{digest}")
        with folder_lock(path, wait=_LOCK_WAIT, stale=_LOCK_STALE):
            yield
