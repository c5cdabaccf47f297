"""Programs' changes to settings.json: one key at a time, everything else left as a person wrote it.

Each change reads, alters and replaces the file under its lock, so that two programs that change
two keys both succeed.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from pi.config.documents import parse_document
from pi.config.json_edit import remove_value, set_value
from pi.config.locks import update_file
from pi.config.paths import Paths
from pi.config.settings import GLOBAL_ONLY
from pi.config.settings_shapes import problems_of
from pi.errors import ConfigError

__all__ = ["Scope", "change_setting", "settings_file", "write_setting"]

Scope = Literal["user", "project"]


def settings_file(paths: Paths, scope: Scope) -> Path:
    return paths.settings if scope == "user" else paths.project_settings


def write_setting(paths: Paths, scope: Scope, key: str | Sequence[str], value: Any) -> None:
    """Set one value; None takes it out of the file.

    scope: whose file. Whether the project is trusted is the caller's to know: what is written to
    an untrusted one has no effect. key: "theme", ("terminal", "showImages"). value: in JSON's
    terms. Raises ConfigError, leaving the file as it was, for a value of the wrong type, a key that
    a project cannot set, and a file that cannot be understood, locked or written.
    """
    change_setting(paths, scope, key, lambda _present: value)


def change_setting(
    paths: Paths, scope: Scope, key: str | Sequence[str], change: Callable[[Any], Any]
) -> None:
    """`write_setting` with a value that depends on the present one.

    change: called under the lock with what the file holds at `key`, None for nothing. Giving that
    very value back writes nothing.
    """
    path = settings_file(paths, scope)
    names = (key,) if isinstance(key, str) else tuple(key)
    if scope == "project" and names[0] in GLOBAL_ONLY:
        raise ConfigError(f"{names[0]} can be set in {paths.settings} only, not for a project")

    def edited(data: bytes) -> bytes | None:
        document = parse_document(data, path) or {}
        present = _at(document, names)
        value = change(present)
        if value is present:
            return None
        text = data.decode()
        if value is None:
            return remove_value(text, names).encode()
        _check(names, value, path)
        old = document.get("skills")
        if names == ("skills",) and isinstance(old, dict) and "enableSkillCommands" in old:
            # Earlier versions kept two settings in one object.
            text = set_value(text, ("enableSkillCommands",), old["enableSkillCommands"])
        return set_value(text, names, value).encode()

    update_file(path, edited, mode=None)


def _at(document: Any, names: Sequence[str]) -> Any:
    for name in names:
        if not isinstance(document, dict):
            return None
        document = document.get(name)
    return document


def _check(names: Sequence[str], value: Any, path: Path) -> None:
    """As reading would: sections are looked into down to the value, then from there on."""
    where = names[0]
    for name in names[1:]:
        if problems_of(where, {}) is not None:
            break  # a map with names of the person's own: checked whole
        where += f".{name}"
    depth = where.count(".") + 1
    problems = _problems(where, _wrapped(names[depth:], value))
    if problems:
        raise ConfigError(f"{path}: {problems[0]}; not written")


def _problems(where: str, value: Any) -> list[str]:
    found = problems_of(where, value)
    if found is not None:
        return found
    return [text for key, item in value.items() for text in _problems(f"{where}.{key}", item)]


def _wrapped(names: Sequence[str], value: Any) -> Any:
    for name in reversed(names):
        value = {name: value}
    return value
