"""Which key does what: the defaults, and keybindings.json over them. Source: docs/keybindings.md.

A wrong file or entry never stops a run: it is left out and reported in `problems`.
"""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pi.config.documents import read_document
from pi.config.shapes import describe
from pi.errors import ConfigError
from pi.modes.interactive.actions import ACTIONS, OLD_NAMES, Platform
from pi.modes.interactive.keys import canonical, is_key_name
from pi.modes.interactive.view import Key

__all__ = ["Keymap", "load_keymap"]

_TWINS = {"ctrl+_": "ctrl+-", "ctrl+/": "ctrl+-", "ctrl+6": "ctrl+^", "ctrl+~": "ctrl+^"}
"""Keys that send, without an extended protocol, what is named after another key."""


class Keymap:
    """chosen: keys of actions, instead of their defaults.

    problems: what is wrong with the file, or questionable, one line each.
    """

    def __init__(
        self,
        platform: Platform = "linux",
        chosen: Mapping[str, tuple[str, ...]] | None = None,
        problems: tuple[str, ...] = (),
    ) -> None:
        chosen = chosen or {}
        self._keys: dict[str, tuple[str, ...]] = {
            name: chosen.get(name, action.keys_on(platform)) for name, action in ACTIONS.items()
        }
        actions: defaultdict[str, list[str]] = defaultdict(list)
        for name, keys in self._keys.items():
            for key in dict.fromkeys(map(canonical, keys)):
                actions[key].append(name)
        for key, twin in _TWINS.items():
            if key in actions and twin not in actions:
                actions[twin] = actions[key]
        self._actions = {key: tuple(names) for key, names in actions.items()}
        self.problems = problems

    def actions(self, key: Key | str) -> tuple[str, ...]:
        """All actions on this key, wherever they are heard."""
        name = key if isinstance(key, str) else key.name
        return self._actions.get(name) or self._actions.get(canonical(name), ())

    def matches(self, key: Key | str, action: str) -> bool:
        return action in self.actions(key)

    def keys_of(self, action: str) -> tuple[str, ...]:
        """Names of keys, as one would write them; for hints. KeyError for no action."""
        return self._keys[action]


def load_keymap(path: Path, platform: Platform = "linux") -> Keymap:
    """The keymap with the user's file, which need not exist. Never raises."""
    try:
        document = read_document(path)
    except ConfigError as error:
        return Keymap(platform, problems=(f"{error}; using the default keys",))
    if document is None:
        return Keymap(platform)
    problems: list[str] = []
    chosen = _chosen(document, path, problems)
    problems.extend(_conflicts(chosen, path, platform))
    return Keymap(platform, chosen, tuple(problems))


def _chosen(
    document: Mapping[str, Any], path: Path, problems: list[str]
) -> dict[str, tuple[str, ...]]:
    chosen: dict[str, tuple[str, ...]] = {}
    for written, value in document.items():
        if written == "$schema":
            continue
        name = OLD_NAMES.get(written, written)
        if name != written and name in document:
            continue  # the present name wins
        if name not in ACTIONS:
            problems.append(f"{path}: there is no action {written!r}; ignored")
            continue
        keys = value if isinstance(value, list) else [value]
        strange = [key for key in keys if not isinstance(key, str)]
        if strange:
            problems.append(
                f"{path}: {written}: expected a key or a list of keys, "
                f"found {describe(strange[0])}; ignored"
            )
            continue
        wrong = next((key for key in keys if not is_key_name(key)), None)
        if wrong is not None:
            problems.append(f"{path}: {written}: there is no key {wrong!r}; ignored")
            continue
        chosen[name] = tuple(keys)
    return chosen


def _conflicts(chosen: Mapping[str, tuple[str, ...]], path: Path, platform: Platform) -> list[str]:
    """Keys of the user that mean two things in one place. The defaults may share keys."""
    found = []
    for name, keys in chosen.items():
        for key in keys:
            for other, action in ACTIONS.items():
                if other == name or action.place != ACTIONS[name].place:
                    continue
                if other in chosen and list(chosen).index(other) < list(chosen).index(name):
                    continue  # already told from its side
                theirs = chosen.get(other, action.keys_on(platform))
                default = canonical(key) in map(canonical, ACTIONS[name].keys_on(platform))
                if default and other not in chosen:
                    continue
                if canonical(key) in map(canonical, theirs):
                    found.append(f"{path}: {key} is both {name} and {other}")
    return found
