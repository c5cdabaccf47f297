import json
import re
from pathlib import Path

import pytest

from pi.modes.interactive.actions import ACTIONS, OLD_NAMES, platform_of
from pi.modes.interactive.keymap import Keymap, load_keymap
from pi.modes.interactive.keys import KeyDecoder, canonical, is_key_name
from pi.modes.interactive.view import Key


@pytest.fixture
def keybindings(tmp_path):
    path = tmp_path / "keybindings.json"

    def write(value):
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return load_keymap(path)

    write.path = path
    return write


def test_no_file_means_the_defaults(tmp_path):
    keymap = load_keymap(tmp_path / "keybindings.json")
    assert keymap.problems == ()
    assert keymap.actions("ctrl+l") == ("app.model.select", "app.tree.filter.labeledOnly")
    assert keymap.keys_of("tui.input.newLine") == ("shift+enter", "ctrl+j")
    assert keymap.actions("ctrl+shift+p") == ("app.model.cycleBackward",)
    assert keymap.matches(Key("L", "L", "L"), "app.tree.editLabel")
    assert keymap.actions("x") == ()


def test_every_default_is_a_key_and_every_action_is_described():
    for name, action in ACTIONS.items():
        assert re.fullmatch(r"(tui|app)(\.[a-zA-Z]+)+", name)
        assert action.about
        for platform in ("linux", "mac", "windows", "wsl"):
            assert all(is_key_name(key) for key in action.keys_on(platform))


def test_platforms_differ():
    assert Keymap("windows").keys_of("tui.editor.undo") == ("ctrl+z",)
    assert Keymap("wsl").keys_of("tui.editor.undo") == ("alt+z",)
    assert Keymap("windows").keys_of("app.suspend") == ()
    assert Keymap("wsl").keys_of("app.suspend") == ("ctrl+z",)
    assert Keymap("wsl").keys_of("app.message.followUp") == ("ctrl+q",)
    assert Keymap("mac").keys_of("app.tree.foldOrUp") == ("alt+left", "ctrl+left")
    assert platform_of("win32", {}) == "windows"
    assert platform_of("darwin", {}) == "mac"
    assert platform_of("linux", {}) == "linux"
    assert platform_of("linux", {"WSL_DISTRO_NAME": "Ubuntu"}) == "wsl"


def test_a_file_replaces_defaults(keybindings):
    keymap = keybindings(
        {
            "$schema": "https://example.org/schema.json",
            "app.session.new": "shift+ctrl+n",
            "tui.altScreen.pageUp": [],
            "app.session.tree": ["ctrl+shift+t", "alt+shift+t"],
        }
    )
    assert keymap.problems == ()
    assert keymap.actions("ctrl+shift+n") == ("app.session.new",)
    assert keymap.keys_of("app.session.new") == ("shift+ctrl+n",)
    assert keymap.keys_of("tui.altScreen.pageUp") == ()
    assert keymap.actions("pageUp") == ("tui.editor.pageUp", "tui.select.pageUp")
    assert keymap.actions("shift+alt+t") == ("app.session.tree",)


def test_old_names_still_count(keybindings):
    keymap = keybindings({"selectModel": "f2", "cursorUp": "f3", "tui.editor.cursorUp": "f4"})
    assert keymap.problems == ()
    assert keymap.keys_of("app.model.select") == ("f2",)
    assert keymap.keys_of("tui.editor.cursorUp") == ("f4",)
    assert set(OLD_NAMES.values()) <= set(ACTIONS)
    assert OLD_NAMES["selectPageUp"] == "tui.select.pageUp"
    assert OLD_NAMES["newLine"] == "tui.input.newLine"


def test_wrong_entries_are_named_and_left_out(keybindings):
    keymap = keybindings(
        {
            "app.nothing": "x",
            "app.exit": "ctl+d",
            "app.clear": 5,
            "app.suspend": [None],
            "tree": None,
        }
    )
    where = keybindings.path
    assert keymap.problems == (
        f"{where}: there is no action 'app.nothing'; ignored",
        f"{where}: app.exit: there is no key 'ctl+d'; ignored",
        f"{where}: app.clear: expected a key or a list of keys, found the number 5; ignored",
        f"{where}: app.suspend: expected a key or a list of keys, found null; ignored",
        f"{where}: tree: expected a key or a list of keys, found null; ignored",
    )
    assert keymap.keys_of("app.exit") == ("ctrl+d",)


@pytest.mark.parametrize("text", ["{", "[]", '"x"', "\x00", "null"])
def test_a_wrong_file_leaves_the_defaults(keybindings, text):
    keymap = keybindings(text)
    (problem,) = keymap.problems
    assert str(keybindings.path) in problem and problem.endswith("using the default keys")
    assert keymap.keys_of("app.exit") == ("ctrl+d",)


def test_an_empty_file_and_a_byte_order_mark(keybindings):
    assert keybindings("").problems == ()
    assert keybindings('\ufeff{"app.exit": "f4"}').keys_of("app.exit") == ("f4",)


def test_conflicts_are_told_once(keybindings):
    keymap = keybindings({"app.session.new": "ctrl+p", "app.session.tree": "f2", "app.exit": "f2"})
    where = keybindings.path
    assert keymap.problems == (
        f"{where}: ctrl+p is both app.session.new and app.model.cycleForward",
        f"{where}: f2 is both app.session.tree and app.exit",
    )
    # Defaults written down, and the same key elsewhere, are no conflict.
    assert keybindings({"app.exit": "ctrl+d", "app.session.rename": "ctrl+l"}).problems == ()


def test_keys_without_an_extended_protocol(keybindings):
    """Ctrl+/ and Ctrl+_ send what Ctrl+- sends."""
    keymap = keybindings({"tui.editor.undo": "ctrl+_"})
    assert keymap.actions("ctrl+-") == ("tui.editor.undo",)
    keymap = keybindings({"app.session.new": "ctrl+/"})
    assert keymap.actions("ctrl+-") == ("tui.editor.undo",)


LEGACY = {
    **{f"ctrl+{letter}": chr(ord(letter) - 96) for letter in "abdefgklnopqrstuvwxyz"},
    **{f"alt+{letter}": f"\x1b{letter}" for letter in "bdfpqyzv"},
    "ctrl+c": "\x03",
    "ctrl+j": "\n",
    "ctrl+]": "\x1d",
    "ctrl+alt+]": "\x1b\x1d",
    "ctrl+-": "\x1f",
    "alt+-": "\x1b-",
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "alt+enter": "\x1b\r",
    "backspace": "\x7f",
    "alt+backspace": "\x1b\x7f",
    "delete": "\x1b[3~",
    "alt+delete": "\x1b[3;3~",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageUp": "\x1b[5~",
    "pageDown": "\x1b[6~",
    "ctrl+pageUp": "\x1b[5;5~",
    "ctrl+pageDown": "\x1b[6;5~",
    "shift+tab": "\x1b[Z",
    "shift+enter": "\x1b[27;2;13~",
    "ctrl+home": "\x1b[1;5H",
    "ctrl+end": "\x1b[1;5F",
    "ctrl+backspace": "\x1b[27;5;127~",
    "L": "L",
    "T": "T",
    "ctrl+shift+p": "\x1b[27;6;80~",
    "ctrl+shift+o": "\x1b[27;6;79~",
    "ctrl+shift+f": "\x1b[27;6;70~",
    "ctrl+shift+g": "\x1b[27;6;71~",
    **{
        f"{modifier}{arrow}": f"\x1b[1;{number}{final}"
        for modifier, number in (("", 1), ("alt+", 3), ("ctrl+", 5), ("ctrl+shift+", 6))
        for arrow, final in (("up", "A"), ("down", "B"), ("right", "C"), ("left", "D"))
    },
}


@pytest.mark.parametrize("platform", ["linux", "mac", "windows", "wsl"])
@pytest.mark.parametrize("action", ACTIONS)
def test_every_default_key_arrives_at_its_action(action, platform):
    keymap = Keymap(platform)
    for key in keymap.keys_of(action):
        decoder = KeyDecoder()
        data = LEGACY[canonical(key)]
        (event,) = [*decoder.feed(data), *decoder.flush()]
        assert keymap.matches(event, action)


def test_the_documentation_has_every_action_and_its_keys():
    page = Path(__file__).parents[3] / "docs" / "keybindings.md"
    if not page.exists():
        pytest.skip("the package is tested without its repository")
    told = dict(re.findall(r"^\| `([\w.]+)` \| (.*)$", page.read_text(), re.MULTILINE))
    assert sorted(told) == sorted(ACTIONS)
    for name, action in ACTIONS.items():
        for platform in ("linux", "mac", "windows", "wsl"):
            assert all(f"`{key}`" in told[name] for key in action.keys_on(platform))
        assert action.about in told[name]
