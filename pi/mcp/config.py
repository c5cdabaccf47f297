"""mcp.json, the user's and a trusted project's: which servers there are, and changes to them.

    {"mcpServers": {"files": {"command": "npx", "args": ["-y", "server-files", "."]},
                    "docs": {"url": "https://example.com/mcp", "exposure": "direct"}},
     "autoEnableCodemode": false}

Entries that cannot be used are named and left out. A file is changed in place: what is not changed
keeps every character.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast

from pi.config.documents import parse_document, read_document
from pi.config.json_edit import remove_value, set_value
from pi.config.locks import update_file
from pi.config.paths import Paths
from pi.config.shapes import describe
from pi.errors import ConfigError
from pi.mcp.shapes import override_problem, problem_of, settled

__all__ = [
    "Exposure",
    "Scope",
    "Server",
    "Servers",
    "add_server",
    "change_server",
    "checked",
    "edit_servers",
    "folded",
    "load_servers",
    "project_file",
    "read_servers",
    "remove_server",
    "user_file",
]

Exposure = Literal["codemode", "deferred", "direct", "hidden"]
Scope = Literal["global", "project", "extension"]

DEFAULT_EXPOSURE: Exposure = "codemode"
DEFAULT_TIMEOUT = 60.0
"""Seconds for a request, counted anew at each sign of progress."""

_OVERRIDABLE = ("enabled", "exposure", "toolExposure")


@dataclass(frozen=True, slots=True)
class Server:
    """A server as it is configured. entry: its keys of mcp.json, checked.

    source: the file, or the extension, that says so. override: the project's file that changes it.
    """

    name: str
    entry: Mapping[str, Any] = field(repr=False)
    source: str = ""
    scope: Scope = "global"
    override: str | None = None

    @property
    def enabled(self) -> bool:
        return self.entry.get("enabled", True) is not False

    @property
    def exposure(self) -> Exposure:
        return cast(Exposure, self.entry.get("exposure", DEFAULT_EXPOSURE))

    @property
    def timeout(self) -> float:
        """Seconds."""
        return float(self.entry.get("timeout", DEFAULT_TIMEOUT))

    @property
    def description(self) -> str:
        return str(self.entry.get("description", ""))

    @property
    def url(self) -> str | None:
        """None for a server over stdio."""
        return str(self.entry["url"]) if self.is_http else None

    @property
    def is_http(self) -> bool:
        """An entry with both is one over HTTP, unless its type says otherwise."""
        return "url" in self.entry and self.entry.get("type") != "stdio"

    @property
    def provider(self) -> str | None:
        """The provider whose sign-in it uses."""
        return self.entry["auth"]["provider"] if self.is_http and "auth" in self.entry else None

    @property
    def uses_oauth(self) -> bool:
        if not self.is_http or self.provider is not None:
            return False
        return not any(name.lower() == "authorization" for name in self.entry.get("headers", ()))

    @property
    def transport(self) -> str:
        """Its URL or command line, for people."""
        if self.is_http:
            return str(self.entry["url"])
        return " ".join([self.entry["command"], *self.entry.get("args", ())])

    def exposure_of(self, tool: str) -> Exposure:
        """The tool's own: its exact name goes before patterns, of which the first counts."""
        chosen: Mapping[str, Exposure] = self.entry.get("toolExposure", {})
        if tool in chosen:
            return chosen[tool]
        for pattern, exposure in chosen.items():
            if "*" in pattern and _matches(pattern, tool):
                return exposure
        return self.exposure

    def any_exposed(self, *kinds: Exposure) -> bool:
        """Whether a tool of it may be exposed in one of these ways, before its tools are known."""
        return bool({self.exposure, *self.entry.get("toolExposure", {}).values()} & {*kinds})


@dataclass(frozen=True, slots=True)
class Servers:
    """errors: a line each for what is wrong, with the path of the file."""

    servers: tuple[Server, ...] = ()
    auto_codemode: bool = True
    errors: tuple[str, ...] = ()

    def find(self, name: str) -> Server | None:
        return next((each for each in self.servers if each.name == name), None)


def user_file(paths: Paths) -> Path:
    return paths.agent / "mcp.json"


def project_file(paths: Paths) -> Path:
    return paths.project / "mcp.json"


def load_servers(paths: Paths, *, trusted: bool) -> Servers:
    """All servers, disabled ones included, in the order of the files. trusted: the project."""
    found: dict[str, Server] = {}
    errors: list[str] = []
    auto = True
    files: list[tuple[Scope, Path]] = [("global", user_file(paths))]
    if trusted:
        files.append(("project", project_file(paths)))
    for scope, path in files:
        try:
            document = read_document(path)
        except ConfigError as error:
            errors.append(str(error))
            continue
        if document is None:
            continue
        wanted = document.get("autoEnableCodemode")
        if isinstance(wanted, bool):
            auto = wanted
        elif wanted is not None:
            text = f"autoEnableCodemode: expected true or false, found {describe(wanted)}"
            errors.append(f"{path}: {text}")
        entries = document.get("mcpServers")
        if entries is None:
            continue
        if not isinstance(entries, dict):
            errors.append(f"{path}: mcpServers: expected an object, found {describe(entries)}")
            continue
        own: set[str] = set()
        for name, entry in entries.items():
            problem = _take(found, own, name, entry, scope, str(path))
            if problem is not None:
                errors.append(f"{path}: {problem}")
    return Servers(tuple(found.values()), auto, tuple(errors))


def _take(
    found: dict[str, Server], own: set[str], name: str, entry: Any, scope: Scope, path: str
) -> str | None:
    """Add one entry to what was found, or say why not. own: names of this file so far."""
    twin = next((known for known in own if folded(known) == folded(name)), None)
    if scope == "project" and isinstance(entry, dict) and not _defines(entry):
        below = found.get(name)
        if below is None or name in own:
            return (
                f'server "{name}": needs "command" or "url", or a server of the user\'s to change'
            )
        if (problem := override_problem(name, entry)) is not None:
            return problem
        changes = {key: entry[key] for key in _OVERRIDABLE if key in entry}
        merged = settled({**below.entry, **changes})
        found[name] = replace(below, entry=merged, override=path)
        return None
    if (problem := problem_of(name, entry)) is not None:
        return problem
    if scope == "project" and "auth" in entry:
        # Else a repository could say where the credential of a provider goes.
        return f'server "{name}": auth is for the user\'s own mcp.json only'
    if twin is not None:
        return f'server "{name}" and server "{twin}" cannot be told apart'
    for known in [each for each in found if folded(each) == folded(name)]:
        del found[known]
    own.add(name)
    found[name] = Server(name, settled(entry), path, scope)
    return None


def checked(name: str, entry: Any) -> dict[str, Any]:
    """An entry as a Server takes it. Raises ConfigError."""
    problem = problem_of(name, entry)
    if problem is not None:
        raise ConfigError(problem)
    return settled(entry)


def folded(name: str) -> str:
    """What names of servers are compared by: tools are called alike for `-` and `_`."""
    return name.replace("-", "_")


def add_server(path: Path, name: str, entry: Mapping[str, Any]) -> bool:
    """Write an entry; True when it replaced one. Raises ConfigError."""
    return _edit(path, lambda text: set_value(text, ("mcpServers", name), dict(entry)), name)


def remove_server(path: Path, name: str) -> bool:
    """Take an entry out; False, and nothing is written, when there is none."""
    return _edit(path, lambda text: remove_value(text, ("mcpServers", name)), name)


def change_server(server: Server, changes: Mapping[str, Any], project: Path | None = None) -> None:
    """Write `enabled` or `exposure` where the server is defined, or overridden.

    project: the project's file, to write an override there. What is the usual value is taken out,
    but not of an override, which is there to go over another. Raises ConfigError.
    """
    override = project is not None or server.override is not None
    path = project or Path(server.override or server.source)
    usual: Mapping[str, Any] = {"enabled": True, "exposure": DEFAULT_EXPOSURE}

    def edit(text: str) -> str:
        for key, value in changes.items():
            place = ("mcpServers", server.name, key)
            if not override and value == usual[key]:
                text = remove_value(text, place)
            else:
                text = set_value(text, place, value)
        return text

    _edit(path, edit, server.name)


def read_servers(path: Path) -> Mapping[str, Any]:
    """The entries of a file by name, as they are in there. Raises ConfigError."""
    return _entries(read_document(path), path)


def edit_servers(path: Path, edit: Callable[[str, Mapping[str, Any]], str]) -> None:
    """Change a file's text, of which `edit` is given the entries too. Raises ConfigError."""

    def edited(data: bytes) -> bytes | None:
        entries = _entries(parse_document(data, path), path)
        text = data.decode()
        changed = edit(text, entries)
        if changed == text:
            return None
        return (changed if changed.endswith("\n") or text.strip() else f"{changed}\n").encode()

    update_file(path, edited, mode=None)


def _edit(path: Path, edit: Callable[[str], str], name: str) -> bool:
    """Whether the file had the server before."""
    had = False

    def noted(text: str, entries: Mapping[str, Any]) -> str:
        nonlocal had
        had = name in entries
        return edit(text)

    edit_servers(path, noted)
    return had


def _entries(document: Mapping[str, Any] | None, path: Path) -> Mapping[str, Any]:
    entries = (document or {}).get("mcpServers", {})
    if not isinstance(entries, dict):
        raise ConfigError(f"{path}: mcpServers: expected an object, found {describe(entries)}")
    return entries


def _defines(entry: Mapping[str, Any]) -> bool:
    return any(key in entry for key in ("command", "url", "type"))


def _matches(pattern: str, tool: str) -> bool:
    parts: Sequence[str] = [re.escape(part) for part in pattern.split("*")]
    return re.fullmatch(".*".join(parts), tool, re.DOTALL) is not None
