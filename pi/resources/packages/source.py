"""Where a package comes from, as people write it: `npm:`, `git:`, a URL, `pip:`, or a path.

Names become folders and arguments of other programs, and a project may have written them: what
could leave its folder or pass for an option is refused. Source: docs/packages.md.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pi.config.paths import expand_home
from pi.errors import ConfigError

__all__ = [
    "GitSource",
    "LocalSource",
    "NpmSource",
    "PipSource",
    "Source",
    "distribution_name",
    "identity",
    "local_path",
    "parse_source",
]

# Compiled by `re` at their first use: most runs get by without.
_NPM_NAME = r"(?:@[A-Za-z0-9~][\w.~-]*/)?[A-Za-z0-9~][\w.~-]*"
_NPM = rf"({_NPM_NAME})(?:@(\S.*))?"
_LIMIT = r"(?:===|[=<>!~]=|[<>])\s*[\w.*+!-]+"
_PIP = (
    r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(\[[\w.,\s-]*\])?\s*"
    rf"((?:{_LIMIT}(?:\s*,\s*{_LIMIT})*)?)"
)
_EXACT = r"[=v\s]*\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?"
_SCP = r"([\w.-]+)@([^:/@]+):(.+)"
_PROTOCOL = r"(?:https?|ssh|git)://"


@dataclass(frozen=True, slots=True)
class NpmSource:
    """spec: for npm, `name@version` or less. version: a range or tag, None for the latest."""

    spec: str
    name: str
    version: str | None

    @property
    def pinned(self) -> bool:
        return self.version is not None and re.fullmatch(_EXACT, self.version) is not None


@dataclass(frozen=True, slots=True)
class GitSource:
    """repo: for git. host, path: where it is, without `.git`. ref: branch, tag or commit."""

    repo: str
    host: str
    path: str
    ref: str | None

    @property
    def pinned(self) -> bool:
        return self.ref is not None


@dataclass(frozen=True, slots=True)
class PipSource:
    """spec: a requirement, `name==version`. name: as indexes compare it. limits: "==1.2", ""."""

    spec: str
    name: str
    limits: str

    @property
    def pinned(self) -> bool:
        return re.fullmatch(r"={2,3}\s*[^*,\s]+", self.limits) is not None


@dataclass(frozen=True, slots=True)
class LocalSource:
    """path: as written."""

    path: str

    @property
    def pinned(self) -> bool:
        return True


Source = NpmSource | GitSource | PipSource | LocalSource


def parse_source(text: str) -> Source:
    """Raises ConfigError for what has a known beginning and makes no sense."""
    text = text.strip()
    if not text or "\0" in text:
        raise ConfigError("a package needs a source", hint=_FORMS)
    if text.startswith("npm:"):
        match = re.fullmatch(_NPM, text.removeprefix("npm:").strip())
        if match is None:
            raise ConfigError(f"{text}: not the name of an npm package", hint=_FORMS)
        return NpmSource(match[0], match[1], match[2])
    if text.startswith("pip:"):
        match = re.fullmatch(_PIP, text.removeprefix("pip:").strip())
        if match is None:
            raise ConfigError(
                f"{text}: not the name of a Python package", hint="Write: pip:name==1.2.3"
            )
        return PipSource(match[0], distribution_name(match[1]), match[3].strip())
    address = bool(re.match(_PROTOCOL, text, re.IGNORECASE))
    if address or text.startswith("git:"):
        source = _git(text if address else text.removeprefix("git:").strip())
        if source is None:
            raise ConfigError(f"{text}: not the address of a git repository", hint=_FORMS)
        return source
    return LocalSource(text)


def distribution_name(requirement: str) -> str:
    """As indexes compare names; "" for what names nothing."""
    match = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement.strip())
    return re.sub(r"[-_.]+", "-", match[0]).lower() if match else ""


_FORMS = (
    "Sources are npm:NAME, pip:NAME, git:HOST/OWNER/NAME, the URL of a git repository, and paths."
)


def local_path(source: LocalSource, base: Path, home: Path) -> Path:
    """Absolute; relative ones start at `base`."""
    path = source.path
    if path.startswith("file://"):
        path = unquote(urlsplit(path).path)
    return Path(os.path.normpath(base / expand_home(path, home)))


def identity(source: Source, base: Path, home: Path) -> str:
    """What makes two declarations the same package, whatever their versions."""
    match source:
        case NpmSource():
            return f"npm:{source.name}"
        case GitSource():
            return f"git:{source.host}/{source.path}"
        case PipSource():
            return f"pip:{source.name}"
        case LocalSource():
            return f"local:{os.path.normcase(local_path(source, base, home))}"


def _git(text: str) -> GitSource | None:
    repo, ref = text, None
    if "#" in text:
        repo, _, ref = text.partition("#")
    if match := re.fullmatch(_SCP, repo):
        # user@host:path, as ssh reads it
        path, _, at = match[3].partition("@")
        return _checked(f"{match[1]}@{match[2]}:{path}", match[2], path, ref or at or None)
    if re.match(_PROTOCOL, repo, re.IGNORECASE):
        try:
            parts = urlsplit(repo)
            host = parts.hostname or ""
        except ValueError:
            return None
        path, _, at = parts.path.lstrip("/").partition("@")
        if match := re.fullmatch(r"([^/]+/[^/]+)/(?:-/)?tree/(.+)", path):
            path, at = match[1], at or match[2]  # the page of a branch
        repo = parts._replace(path=f"/{path}", query="", fragment="").geturl()
        return _checked(repo.removesuffix("/"), host, path, ref or at or None)
    repo, _, at = repo.partition("@")
    host, _, path = repo.removeprefix("github:").partition("/")
    if repo.startswith("github:") or ("/" not in path and "." not in host):
        host, path = "github.com", f"{host}/{path}"  # owner/name
    if "." not in host and host != "localhost":
        return None
    return _checked(f"https://{host}/{path}", host, path, ref or at or None)


def _checked(repo: str, host: str, path: str, ref: str | None) -> GitSource | None:
    path = path.strip("/").removesuffix(".git")
    parts = path.split("/")
    unsafe = any(
        part in ("", ".", "..") or part.startswith("-") or "\\" in part or ":" in part
        for text in (path, unquote(path))
        for part in text.split("/")
    )
    least = 1 if host.startswith("gist.") else 2
    if len(parts) < least or unsafe or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]*", host):
        return None
    if ".." in host or repo.startswith("-") or (ref is not None and ref.startswith("-")):
        return None
    return GitSource(repo, host, path, ref)
