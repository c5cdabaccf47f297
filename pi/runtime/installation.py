"""How this pi was installed, and what brings it up to date.

Only an installer that is known to have put it there is asked to change it: anything else might
break what a person or a system's package manager looks after.
"""

import os
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pi.wire import jsonio

__all__ = ["NAME", "Installation", "find_installation"]

NAME = "pi-coding-agent-py"
"""The distribution's, at an index."""

_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml")


@dataclass(frozen=True, slots=True)
class Installation:
    """update, reinstall: commands, `{installSpec}` in them stands for NAME==VERSION.

    advice: what a person does where there are none. released: whether newer versions at an index
    concern it.
    """

    advice: str = ""
    update: tuple[str, ...] = ()
    reinstall: tuple[str, ...] = ()
    released: bool = True


def find_installation(variables: Mapping[str, str]) -> Installation:
    """variables: the environment."""
    from importlib import metadata  # noqa: PLC0415  (nothing else on the way needs it)

    from pi.resources.packages.programs import find_program  # noqa: PLC0415  (as above)

    prefix = Path(sys.prefix)
    try:
        distribution = metadata.distribution(NAME)
    except metadata.PackageNotFoundError:
        return Installation("It runs from files that no installer knows of.", released=False)
    origin = _json(distribution.read_text("direct_url.json"))
    url = str(origin.get("url", ""))
    if "dir_info" in origin:
        place = unquote(urlsplit(url).path)
        return Installation(f"It runs from {place}: update what is there.", released=False)
    if url:
        return Installation(f"It was installed from {url}: install it from there again.")
    if (prefix / "uv-receipt.toml").exists():
        return _tool("uv", ("tool", "upgrade", NAME), ("tool", "upgrade", "--reinstall", NAME),
                     find_program("uv", variables))  # fmt: skip
    if (prefix / "pipx_metadata.json").exists():
        return _tool("pipx", ("upgrade", NAME), ("reinstall", NAME),
                     find_program("pipx", variables))  # fmt: skip
    installer = (distribution.read_text("INSTALLER") or "").strip()
    if {"archive-v0", "environments-v2"} & set(prefix.parts):
        return Installation(f"uv runs it from its cache: uvx --refresh --from {NAME} pi")
    if installer not in ("pip", "uv") or (prefix / "conda-meta").is_dir():
        return Installation(f"Update {NAME} with {installer or 'what you installed it with'}.")
    if any((prefix.parent / name).exists() for name in _LOCKS):
        return Installation(f"It belongs to the project in {prefix.parent}: update it there.")
    location = Path(str(distribution.locate_file("")))
    return _in_place(installer, location, find_program("uv", variables))


def _in_place(installer: str, location: Path, uv: str | None) -> Installation:
    """In an environment, or beside the Python of a person or a system."""
    from importlib.util import find_spec  # noqa: PLC0415  (as in find_installation)

    where: tuple[str, ...] = ()
    if sys.prefix == sys.base_prefix:
        if Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED").exists():
            return Installation(
                f"It is part of the system's Python: update {NAME} as you installed it there."
            )
        if not location.is_relative_to(sys.prefix):
            where = ("--user",)
    if find_spec("pip") is not None and installer == "pip":
        command = (sys.executable, "-m", "pip", "install", "--upgrade", *where)
        again: tuple[str, ...] = ("--force-reinstall", "--no-deps")
    elif uv is not None:
        command = (uv, "pip", "install", "--python", sys.executable, "--upgrade")
        again = ("--reinstall-package", NAME)
    else:
        return Installation(f"Update {NAME} with {installer}, for {sys.executable}.")
    update = (*command, "{installSpec}")
    if os.name == "nt" or not os.access(location, os.W_OK):
        # A program that runs cannot be replaced there, or we may not.
        why = "pi cannot replace itself while it runs" if os.name == "nt" else "pi may not write"
        return Installation(f"{why}: {location}. Run: {' '.join((*command, NAME))}")
    return Installation(update=update, reinstall=(*command, *again, "{installSpec}"))


def _tool(
    name: str, update: tuple[str, ...], reinstall: tuple[str, ...], program: str | None
) -> Installation:
    if program is None:
        return Installation(f"It was installed with {name}. Run: {' '.join((name, *update))}")
    return Installation(update=(program, *update), reinstall=(program, *reinstall))


def _json(text: str | None) -> dict[str, Any]:
    try:
        value = jsonio.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
