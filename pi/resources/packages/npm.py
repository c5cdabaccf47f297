"""Packages from npm: one tree for all, as npm wants it, with a mark on what is being changed.

npm works in place. A package that bears the mark is half there, and counts as missing.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pi.resources.manifest import read_version
from pi.resources.packages.programs import PackageError, Programs
from pi.resources.packages.source import NpmSource
from pi.resources.packages.staging import own_root
from pi.wire import jsonio

__all__ = [
    "dependencies_command",
    "install",
    "installed_version",
    "is_current",
    "latest_version",
    "newer",
    "uninstall",
]

_MANAGERS = ("npm", "pnpm", "bun")


def is_current(source: NpmSource, root: Path) -> bool:
    """Whether the package is there, whole, in a version that the source allows."""
    version = installed_version(source, root)
    if version is None:
        return False
    if source.version is None or source.version == version:
        return True
    return _allows(source.version, version)


def installed_version(source: NpmSource, root: Path) -> str | None:
    """None for a package that is not there, or only half."""
    if os.path.exists(_mark(source, root)):
        return None
    return read_version(root / "node_modules" / source.name)


def install(source: NpmSource, root: Path, programs: Programs, *, latest: bool = False) -> None:
    """latest: the newest that the source allows, not what the tree has settled on.

    Raises PackageError.
    """
    spec = source.spec
    if latest and source.version is None:
        spec = f"{source.name}@latest"
    with own_root(root):
        if not latest and is_current(source, root):
            return  # another pi has seen to it meanwhile
        project = root / "package.json"
        if not project.exists():
            project.write_text('{\n  "name": "pi-extensions",\n  "private": true\n}')
        # npm writes wrong paths into its lock file when the folder is reached through a link.
        real = os.path.realpath(root)
        with _marked(source, root):
            programs.run([*programs.npm, *_install_arguments(spec, real, programs.npm)])
            if read_version(root / "node_modules" / source.name) is None:
                raise PackageError(f"npm installed {spec}, but not as {source.name}")


def uninstall(source: NpmSource, root: Path, programs: Programs) -> None:
    """Raises PackageError."""
    if not (root / "node_modules" / source.name).exists():
        return
    with own_root(root):
        real = os.path.realpath(root)
        place = ("--cwd", real) if _manager(programs.npm) == "bun" else ("--prefix", real)
        extra = ["--legacy-peer-deps", "--no-audit", "--no-fund"]
        if _manager(programs.npm) in ("bun", "pnpm"):
            extra = []
        with _marked(source, root):
            programs.run([*programs.npm, "uninstall", source.name, *place, *extra])


def latest_version(source: NpmSource, programs: Programs) -> str:
    """The newest version at the registry that the source allows. Raises PackageError."""
    answer = programs.read([*programs.npm, "view", source.spec, "version", "--json"])
    try:
        value = jsonio.loads(answer)
    except ValueError:
        value = None
    versions = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    versions = [item for item in versions if isinstance(item, str)]
    if not versions:
        raise PackageError(f"npm knows no version of {source.spec}")
    newest: str = versions[0]
    for version in versions[1:]:
        if newer(version, newest):
            newest = version
    return newest


def newer(one: str, other: str) -> bool:
    import nodesemver  # noqa: PLC0415  (npm's own rules for versions, for updates and ranges only)

    try:
        return bool(nodesemver.gt(one, other, loose=False))
    except ValueError:
        return one != other


def dependencies_command(npm: Sequence[str]) -> list[str]:
    """Installs what the package.json of the working folder asks for."""
    match _manager(npm):
        case "bun":
            extra = ["--omit=dev", "--omit=peer"]
        case "pnpm":
            extra = ["--prod", *_PNPM]
        case "npm":
            extra = ["--omit=dev", "--legacy-peer-deps", "--no-audit", "--no-fund"]
        case _:
            extra = []
    return [*npm, "install", *extra]


_PNPM = (
    "--config.auto-install-peers=false",
    "--config.strict-peer-dependencies=false",
    "--config.strict-dep-builds=false",
)


def _install_arguments(spec: str, root: str, npm: Sequence[str]) -> list[str]:
    """Without peers: those are pi itself, which is here already."""
    match _manager(npm):
        case "bun":
            return ["install", spec, "--cwd", root, "--omit=peer"]
        case "pnpm":
            return ["install", spec, "--prefix", root, *_PNPM]
        case _:
            arguments = ["install", spec, "--prefix", root, "--legacy-peer-deps"]
            return [*arguments, "--no-audit", "--no-fund"]


def _manager(npm: Sequence[str]) -> str:
    """npm, pnpm, bun or another; `npmCommand` may run it by way of something else.

    Raises PackageError where it may be either of two.
    """
    words = [Path(word).name.lower().removesuffix(".cmd").removesuffix(".exe") for word in npm]
    if "--" in words[1:-1]:
        return words[len(words) - words[::-1].index("--")]
    if words[0] in _MANAGERS:
        return words[0]
    named = list(dict.fromkeys(word for word in words if word in _MANAGERS))
    if len(named) > 1:
        raise PackageError(
            f"npmCommand names {' and '.join(named)}",
            hint='Put "--" before the one that is meant, with nothing else after it.',
        )
    return named[0] if named else words[0]


def _allows(wanted: str, version: str) -> bool:
    import nodesemver  # noqa: PLC0415  (see newer)

    try:
        nodesemver.make_range(wanted, loose=False)
    except ValueError:
        return True  # a tag such as "next": whatever it once meant
    return bool(nodesemver.satisfies(version, wanted, loose=False))


def _mark(source: NpmSource, root: Path) -> Path:
    return root / f".{source.name.replace('/', '+')}.incomplete"


@contextlib.contextmanager
def _marked(source: NpmSource, root: Path) -> Iterator[None]:
    """npm undoes what it fails at, if it can; what is killed in between leaves the mark.

    So does what was half there before, and still is.
    """
    before = installed_version(source, root)
    absent = not os.path.exists(root / "node_modules" / source.name)
    mark = _mark(source, root)
    mark.touch()
    try:
        yield
    except PackageError as error:
        place = root / "node_modules" / source.name
        undone = not os.path.exists(place) if absent else before is not None
        if undone and not error.killed and read_version(place) == before:
            mark.unlink(missing_ok=True)
        raise
    mark.unlink(missing_ok=True)
