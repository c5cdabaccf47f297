"""Packages that bring along what pi provides: a second copy of it may come to run beside the first.

Source: docs/packages.md, "Declare dependencies".
"""

from pathlib import Path

from pi.resources.manifest import read_dependencies
from pi.resources.packages.distributions import requirements
from pi.resources.packages.programs import PackageError
from pi.resources.packages.source import PipSource, Source, distribution_name

__all__ = ["PYTHON", "host_problem"]

_SCOPES = ("@earendil-works", "@mariozechner")
_NPM = frozenset(
    (
        *(f"{scope}/pi-{part}" for scope in _SCOPES for part in ("agent-core", "ai", "tui")),
        *(f"{scope}/pi-coding-agent" for scope in _SCOPES),
        *("typebox", "@sinclair/typebox"),
    )
)
PYTHON = "pi-coding-agent-py"


def host_problem(source: Source, place: Path) -> str | None:
    """What is to be said of an installed package with extensions, in one line."""
    if isinstance(source, PipSource):
        try:
            needed = requirements(place, source.name)
        except PackageError as error:
            return str(error)
        if any(distribution_name(text) == PYTHON for text in needed if "extra ==" not in text):
            return f"it depends on {PYTHON}, which is here already, and has a copy of its own"
        return None
    npm, python = read_dependencies(place)
    named = sorted(_NPM.intersection(npm))
    if named:
        return (
            f"pi provides {', '.join(named)}: they belong into peerDependencies with the range "
            f'"*", not into dependencies ({place / "package.json"})'
        )
    if PYTHON in map(distribution_name, python):
        return f"pi provides {PYTHON}: leave it out of dependencies ({place / 'pyproject.toml'})"
    return None
