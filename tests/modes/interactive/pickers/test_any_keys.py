"""Whatever is pressed, at whatever size: every panel draws, and ends at most once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi.modes.interactive.actions import ACTIONS
from pi.modes.interactive.keymap import Keymap
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.pickers.dialogs import (
    ConfirmDialog,
    EditorDialog,
    InputDialog,
    LoaderPanel,
    SelectDialog,
)
from pi.modes.interactive.pickers.forks import ForkPicker
from pi.modes.interactive.pickers.models import ModelPicker
from pi.modes.interactive.pickers.providers import LoginPicker, LogoutPicker
from pi.modes.interactive.pickers.resources import ResourcePicker
from pi.modes.interactive.pickers.scoped_models import ScopedModelsPicker
from pi.modes.interactive.pickers.settings import SettingsPicker
from pi.modes.interactive.pickers.stage import Picker, Stage
from pi.modes.interactive.pickers.themes import ThemePicker
from pi.modes.interactive.pickers.tree import TreePicker
from pi.modes.interactive.pickers.trust import MissingFolderDialog, TrustDialog
from pi.modes.interactive.view import Key
from pi.resources.themes import builtin_theme
from pi.session.history import History
from pi.session.source import MemorySource
from pi.session.store import SessionStore

from .conftest import Done, Loop, screen
from .test_login import ROWS as PROVIDERS
from .test_models import ROWS as MODELS
from .test_resources import Machine as Resources
from .test_tree import LINES

KEYS = sorted({key for action in ACTIONS.values() for key in action.keys})
PRESSED = st.lists(
    st.sampled_from([*KEYS, "space"]) | st.sampled_from('ab1239L李 "/re:') | st.just("paste"),
    max_size=25,
)
SIZES = st.tuples(st.integers(1, 130), st.integers(1, 40))


def session() -> SessionStore:
    lines = b"".join(json.dumps(line).encode() + b"\n" for line in LINES)
    return SessionStore(History(MemorySource(lines)))


def tree(stage: Stage, done: Any) -> Picker[Any]:
    store = session()
    return TreePicker(stage, done, store, set_label=store.append_label, copy=lambda text: None)


Make = Callable[[Stage, Any], Picker[Any]]
PANELS: dict[str, Make] = {
    "select": lambda s, d: SelectDialog(s, d, "Title", ["one", "two"], about="What?", timeout=9),
    "confirm": lambda s, d: ConfirmDialog(s, d, "Sure?", "Really?"),
    "input": lambda s, d: InputDialog(s, d, "Name", prefill="李子"),
    "editor": lambda s, d: EditorDialog(s, d, "Text", prefill="one\ntwo three"),
    "loader": lambda s, d: LoaderPanel(s, d, "Working"),
    "models": lambda s, d: ModelPicker(s, d, MODELS, scoped=["mock/m1"], current="mock/m1"),
    "scoped": lambda s, d: ScopedModelsPicker(
        s, d, MODELS, scope=None, changed_to=lambda _: None, save=lambda _: None
    ),
    "settings": lambda s, d: SettingsPicker(
        s, d, {}, write=lambda *_: None, project={}, models=MODELS, themes=["mine"]
    ),
    "themes": lambda s, d: ThemePicker(s, d, [], current="a/b", preview=lambda _: None),
    "login": lambda s, d: LoginPicker(s, d, PROVIDERS),
    "logout": lambda s, d: LogoutPicker(s, d, PROVIDERS),
    "forks": lambda s, d: ForkPicker(s, d, [("a", "one"), ("b", "two")]),
    "trust": lambda s, d: TrustDialog(s, d, Path("/a/b")),
    "missing": lambda s, d: MissingFolderDialog(s, d, "/a", Path("/b")),
    "resources": lambda s, d: ResourcePicker(
        s,
        d,
        rows=(machine := Resources()).rows,
        switch=machine.switch,
        files={"user": "~/a.json", "project": "b.json"},
    ),
    "tree": tree,
}


@pytest.mark.parametrize("name", PANELS)
@settings(max_examples=25, deadline=None)
@given(keys=PRESSED, size=SIZES)
def test_any_keys(name: str, keys: list[str], size: tuple[int, int]) -> None:
    loop, done = Loop(), Done()
    stage = Stage(
        Theme.of(builtin_theme("dark"), "256"), Keymap(), loop.redraw, loop.later, loop.post
    )
    panel = PANELS[name](stage, done)
    screen(panel, *size)
    for key in keys:
        text = {"space": " ", "paste": "two\nlines \x1b[2J"}.get(key, key if len(key) == 1 else "")
        panel.handle(Key(key, text, text))
        loop.run(0.05)
        screen(panel, *size)
    assert len(done.values) <= 1
    assert panel.ended == bool(done.values)
    panel.close()
    loop.run(20)
    assert loop.waiting == 0
    assert len(done.values) <= 1
