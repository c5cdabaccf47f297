"""auth.json: one stored credential a provider.

    {"groq": {"type": "api_key", "key": "$NAME or !command or literal", "env": {...}},
     "anthropic": {"type": "oauth", "access": "...", "refresh": "...", "expires": 1700000000000}}

`env` goes before the process environment for that provider; `expires` is Unix milliseconds. The
file is private (0600) and written under its lock; entries of kinds we do not know are kept.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pi.config.documents import read_document
from pi.config.locks import update_json
from pi.config.shapes import STRING, Leaf, MapOf, Record, number
from pi.errors import ConfigError

__all__ = ["AuthStore", "Stored"]

_KIND = Leaf('"api_key" or "oauth"', lambda value: value in ("api_key", "oauth"))
_ENTRY = Record({"type": _KIND, "env": MapOf(STRING)}, required=("type",))
_API_KEY = Record({"key": STRING})
_OAUTH = Record({"access": STRING, "refresh": STRING, "expires": number()})


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Stored:
    """An entry. key: unresolved, None when absent. access: an OAuth token; expires: Unix ms.

    entry: a sign-in as it is stored, with the keys that its provider added.
    """

    key: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    oauth: bool = False
    access: str | None = None
    expires: float | None = None
    entry: Mapping[str, Any] = field(default_factory=dict)


class AuthStore:
    """The file, read when first asked for and then kept for the life of the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries: dict[str, Any] | None = None

    def get(self, provider: str) -> Stored | None:
        """The provider's entry, None without one. Raises ConfigError for one we cannot use."""
        entry = self._read().get(provider)
        if entry is None:
            return None
        problem = self._problem(provider, entry)
        if problem is not None:
            raise ConfigError(problem, hint="Correct the entry or remove it.")
        env = entry.get("env", {})
        if entry["type"] == "oauth":
            return Stored(
                env=env,
                oauth=True,
                access=entry.get("access") or None,
                expires=entry.get("expires"),
                entry=entry,
            )
        return Stored(key=entry.get("key") or None, env=env)

    def entry(self, provider: str) -> Mapping[str, Any]:
        """A sign-in as it is stored. Raises ConfigError when there is none we can use."""
        stored = self.get(provider)
        if stored is None or not stored.oauth:
            raise ConfigError(f'{self.path}: "{provider}" holds no sign-in')
        return stored.entry

    def providers(self) -> tuple[str, ...]:
        return tuple(self._read())

    def readable(self) -> bool:
        """Whether the file as a whole can be used; a missing one can."""
        try:
            self._read()
        except ConfigError:
            return False
        return True

    def diagnostics(self) -> tuple[str, ...]:
        """A file or entries that cannot be used, and a file that others may read."""
        try:
            entries = self._read()
        except ConfigError as error:
            return (str(error),)
        problems = (self._problem(provider, entry) for provider, entry in entries.items())
        found = [problem for problem in problems if problem is not None]
        if os.name != "nt":
            try:
                mode = self.path.stat().st_mode
            except OSError:
                mode = 0
            if mode & 0o077:
                found.append(f"{self.path} can be read by other users; run chmod 600 on it")
        return tuple(found)

    def change(
        self, provider: str, change: Callable[[Mapping[str, Any] | None], Mapping[str, Any] | None]
    ) -> None:
        """Replace an entry by what `change` makes of it, None removing it, under the file's lock.

        `change` gets the entry as the file holds it then, which another process may have written
        meanwhile. When it gives the same object back, or raises, nothing is written.
        """

        def changed(entries: dict[str, Any]) -> dict[str, Any]:
            old = entries.get(provider)
            new = change(old)
            if new is old:
                return entries
            others = {name: entry for name, entry in entries.items() if name != provider}
            if new is None:
                return others
            return {**entries, provider: dict(new)}

        self._entries = update_json(self.path, changed)

    def remember(self, provider: str, entry: Mapping[str, Any]) -> None:
        """Use this entry for the rest of the process, without storing it."""
        self._entries = {**self._read(), provider: dict(entry)}

    def reread(self) -> None:
        """Read the file again when next asked."""
        self._entries = None

    def put(self, provider: str, entry: Mapping[str, Any]) -> None:
        """Store or replace an entry (wire keys)."""
        self.change(provider, lambda _: entry)

    def remove(self, provider: str) -> bool:
        """Forget an entry; False, and nothing is written, when there is none."""
        if provider not in self._read():
            return False
        self.change(provider, lambda _: None)
        return True

    def _read(self) -> dict[str, Any]:
        if self._entries is None:
            self._entries = read_document(self.path) or {}
        return self._entries

    def _problem(self, provider: str, entry: Any) -> str | None:
        found = next(_ENTRY.problems(entry, provider), None)
        if found is None:
            shape = _OAUTH if entry["type"] == "oauth" else _API_KEY
            found = next(shape.problems(entry, provider), None)
        return None if found is None else f"{self.path}: {found}"
