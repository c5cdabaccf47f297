import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pi.modes.interactive.actions import ACTIONS
from pi.modes.interactive.cells import width
from pi.modes.interactive.editor.panel import Submission
from pi.modes.interactive.keymap import Keymap, load_keymap
from pi.modes.interactive.palette import Theme
from tests.modes.interactive.editor.typing import Desk
from tests.modes.interactive.test_keymap import LEGACY

UP, DOWN, RIGHT, LEFT = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"


# How it looks


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_empty(columns):
    desk = Desk()
    assert desk.shown(columns) == ["─" * columns, "| ", "─" * columns]
    assert desk.editor.cursor == (1, 0)


def test_golden_at_40_columns():
    desk = Desk().type("A line that is longer than forty columns are wide.", "\x1b[13;2u", "漢字 é")
    assert desk.shown(40) == [
        "─" * 40,
        "A line that is longer than forty ",
        "columns are wide.",
        "漢字 é| ",
        "─" * 40,
    ]
    assert desk.editor.cursor == (3, 6)
    assert desk.shown(80)[1:3] == ["A line that is longer than forty columns are wide.", "漢字 é| "]


def test_colors():
    theme = Theme("t", {"thinkingHigh": "#ff0000", "bashMode": "#00ff00", "accent": "#0000ff"})
    desk = Desk(theme=theme)
    desk.editor.thinking = "high"
    desk.type("x")
    border = "\x1b[38;2;255;0;0m" + "─" * 10 + "\x1b[39m"
    assert list(desk.editor.render(10)) == [border, "x\x1b[7m \x1b[27m", border]
    desk.type("\x01!")
    assert desk.editor.render(20)[0] == "\x1b[38;2;0;255;0m── shell " + "─" * 11 + "\x1b[39m"
    desk.type("!")
    assert "── shell, kept from the model ─" in desk.editor.render(40)[0]
    desk.editor.clear()
    desk.paste("x" * 1001)
    assert desk.editor.render(40)[1].startswith("\x1b[38;2;0;0;255m[paste #1 1001 chars]\x1b[39m")


def test_the_same_lines_while_nothing_changes():
    desk = Desk().type("abc")
    lines = desk.editor.render(40)
    assert desk.editor.render(40) is lines
    desk.editor.invalidate()
    assert desk.editor.render(40) is not lines
    lines = desk.editor.render(40)
    assert desk.type(LEFT).editor.render(40) is not lines
    desk.editor.focused = False
    assert desk.shown(40)[1] == "abc"


def test_padding_and_the_terminals_own_cursor():
    desk = Desk(padding=2, hardware_cursor=True).type("abc")
    assert desk.shown(9) == ["─" * 9, "  abc", "─" * 9]
    assert desk.editor.cursor == (1, 5)
    desk.type("de")
    assert desk.shown(9)[1] == "  abcde"
    assert desk.editor.cursor == (1, 7)
    desk.type("f")
    assert desk.shown(9)[1:3] == ["  abcde", "  f"]


def test_it_grows_and_then_scrolls():
    desk = Desk()
    desk.editor.height = 30
    desk.type("\n".join(f"line {n}" for n in range(20)))
    assert desk.shown() == [
        "─" * 27 + " ↑ 11 more ──",
        *(f"line {n}" for n in range(11, 19)),
        "line 19| ",
        "─" * 40,
    ]
    desk.type(UP * 9)
    assert desk.shown()[0] == "─" * 27 + " ↑ 10 more ──"
    assert desk.shown()[-1] == "─" * 28 + " ↓ 1 more ──"
    desk.type("\x1b[5~")
    assert desk.body()[0].replace("| ", "") == "line 1"
    desk.type("\x1b[6~")
    assert desk.text.index("|") == desk.text.index("line 10") + len("line 10")


@pytest.mark.parametrize("height", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("columns", [1, 2, 3, 20])
def test_small_screens(height, columns):
    desk = Desk(padding=3)
    desk.editor.height = height
    desk.paste("x" * 1200).type(" 漢字漢字 word", "\n\n\n", "tail", "!")
    lines = desk.editor.render(columns)
    assert len(lines) <= height
    assert max(map(width, lines)) <= columns
    assert desk.editor.cursor[0] < len(lines)
    assert desk.editor.cursor[1] < columns


# Every key


# action: text before and after, the caret a bar
EFFECTS = {
    "tui.editor.cursorUp": ("one\ntw|o", "on|e\ntwo"),
    "tui.editor.cursorDown": ("on|e\ntwo", "one\ntw|o"),
    "tui.editor.cursorLeft": ("a漢|b", "a|漢b"),
    "tui.editor.cursorRight": ("a|👨\u200d👩\u200d👧b", "a👨\u200d👩\u200d👧|b"),
    "tui.editor.cursorWordLeft": ("one two|", "one |two"),
    "tui.editor.cursorWordRight": ("|one two", "one| two"),
    "tui.editor.cursorLineStart": ("one\ntw|o", "one\n|two"),
    "tui.editor.cursorLineEnd": ("o|ne\ntwo", "one|\ntwo"),
    "tui.editor.deleteCharBackward": ("ae\u0301|b", "a|b"),
    "tui.editor.deleteCharForward": ("a|👨\u200d👩\u200d👧b", "a|b"),
    "tui.editor.deleteWordBackward": ("one two|", "one |"),
    "tui.editor.deleteWordForward": ("|one two", "| two"),
    "tui.editor.deleteToLineStart": ("one\ntw|o", "one\n|o"),
    "tui.editor.deleteToLineEnd": ("o|ne\ntwo", "o|\ntwo"),
    "tui.input.newLine": ("a|b", "a\n|b"),
}


def at(text):
    desk = Desk()
    desk.editor.text = text.replace("|", "")
    desk.editor._buffer.go(text.index("|"))
    return desk


@pytest.mark.parametrize(
    ("action", "key"),
    [(action, key) for action in EFFECTS for key in ACTIONS[action].keys],
)
def test_every_default_key_of_the_editor(action, key):
    before, after = EFFECTS[action]
    desk = at(before)
    desk.shown(40)
    desk.type(LEGACY[key])
    assert desk.text == after
    assert desk.left == []


def test_at_the_ends_of_lines_and_text():
    assert at("one\n|two").type("\x15").text == "one|two"  # the newline goes
    assert at("one|\ntwo").type("\x0b").text == "one|two"
    assert at("one|\ntwo").type("\x04").text == "one|two"
    assert at("one\n|two").type("\x7f").text == "one|two"
    assert at("|one").type("\x7f", LEFT, "\x17", "\x15").text == "|one"
    assert at("one|").type("\x1b[3~", RIGHT, "\x1bd", "\x0b").text == "one|"


def test_yank_and_yank_pop_by_key():
    desk = Desk().type("one two three", "\x17\x17", "x", "\x15")
    assert desk.text == "|"
    assert desk.type("\x19").text == "one x|"
    assert desk.type("\x1by").text == "two three|"
    assert desk.type("\x19").text == "two threetwo three|"


def test_undo_and_redo_by_key():
    desk = Desk().type("one two").type("\x17")
    assert desk.type("\x1f").text == "one two|"
    assert desk.type("\x1f").text == "one |"
    assert desk.type("\x1b-").text == "one two|"
    assert desk.type("\x1b-").text == "one |"


def test_jumping_to_a_character():
    desk = at("a|bc\nabc").type("\x1d")
    assert "jump to which character?" in desk.shown()[0]
    assert desk.type("b").text == "abc\na|bc"
    assert desk.type("\x1b\x1d", "c").text == "ab|c\nabc"
    assert desk.type("\x1d", "z").text == "ab|c\nabc"
    desk.type("\x1d", "\x1b")  # called off
    assert desk.type("x").text == "abx|c\nabc"
    assert desk.left == []
    assert desk.type("\x1d", LEFT).text == "ab|xc\nabc"


def test_the_cell_is_kept_on_the_way_up_and_down():
    desk = at("long line|\n漢\nlong line")
    desk.shown()
    assert desk.type(DOWN).text == "long line\n漢|\nlong line"
    assert desk.type(DOWN).text == "long line\n漢\nlong line|"
    desk = at("lo|ng\n漢字\nlong")
    assert desk.type(DOWN).text == "long\n漢|字\nlong"
    assert desk.type(DOWN).text == "long\n漢字\nlo|ng"


def test_up_and_down_go_by_rows_on_the_screen():
    desk = Desk().type("aaaa bbbb cccc")
    assert desk.body(11) == ["aaaa bbbb ", "cccc| "]
    assert desk.type(UP).text == "aaaa| bbbb cccc"
    assert desk.type(DOWN).text == "aaaa bbbb cccc|"


def test_keys_that_are_not_the_editors_are_left():
    desk = Desk().type("\x1b", "\x04", "\x03", "\x0c", "\x1b\r", "\x16", "\x07", "\x1b[I")
    keys = ["escape", "ctrl+d", "ctrl+c", "ctrl+l", "alt+enter", "ctrl+v", "ctrl+g", "focusIn"]
    assert desk.left == keys
    desk = Desk().type("x", "\x04", "\x03", "\x0f")
    assert desk.left == ["ctrl+c", "ctrl+o"]  # Ctrl+D deletes while there is text
    assert desk.text == "x|"


def test_keys_of_keybindings_json(tmp_path):
    path = tmp_path / "keybindings.json"
    path.write_text('{"tui.input.submit": "ctrl+s", "tui.input.newLine": "enter"}')
    desk = Desk(load_keymap(path)).type("one\rtwo")
    assert desk.text == "one\ntwo|"
    desk.type("\x13")
    assert desk.sent == [Submission("one\ntwo")]


# Sending


def test_enter_sends_and_empties():
    desk = Desk().type("  hello \r")
    assert desk.sent == [Submission("hello")]
    assert desk.text == "|"
    assert desk.type("\x1f").text == "|"  # what was sent is no longer to be undone
    desk.type("  \r")
    assert len(desk.sent) == 1


def test_new_lines():
    desk = Desk().type("one\\\rtwo\nthree\x1b[13;2ufour\x1b[27;2;13~five")
    assert desk.text == "one\ntwo\nthree\nfour\nfive|"
    assert desk.sent == []
    assert at("one\\|two").type("\r").text == "one\n|two"


def test_taking_the_text():
    desk = Desk().type("for later")
    assert desk.editor.take() == Submission("for later")
    assert desk.editor.is_empty
    desk.editor.text = "again\r\nand"
    assert desk.text == "again\nand|"
    assert desk.type("\x1f").text == "|"


@pytest.mark.parametrize(
    ("text", "mode"), [("", "prompt"), ("!ls", "shell"), ("!!ls", "quietShell"), (" !x", "shell")]
)
def test_modes(text, mode):
    desk = Desk()
    desk.editor.text = text
    assert desk.editor.mode == mode


# History


def test_history():
    desk = Desk()
    for prompt in ("first", "second", "second", "third\nof two lines"):
        desk.editor.remember(prompt)
    desk.type("draft")
    assert desk.type(UP).text == "|draft"
    assert desk.type(UP).text == "|third\nof two lines"
    assert desk.type(UP).text == "|second"
    assert desk.type(UP).text == "|first"
    assert desk.type(UP).text == "|first"
    assert desk.type(DOWN).text == "second|"
    assert desk.type(DOWN).text == "third\nof two lines|"
    assert desk.type(DOWN).text == "|draft"
    assert desk.type(DOWN).text == "draft|"
    assert desk.type(DOWN).text == "draft|"


def test_an_edited_prompt_is_a_draft_of_its_own():
    desk = Desk()
    desk.editor.remember("first")
    desk.editor.remember("second")
    assert desk.type(UP, "X").text == "X|second"
    assert desk.type(UP).text == "|Xsecond"
    assert desk.type(UP).text == "|second"
    assert desk.type(DOWN).text == "|Xsecond"


def test_what_was_sent_can_be_had_again():
    desk = Desk().type("one\r").paste("line\n" * 20).type("\r")
    assert desk.type(UP).text == "|" + "line\n" * 19 + "line"
    desk.type("\x1f", UP, UP)
    assert desk.text == "|one"


def test_history_keys(tmp_path):
    path = tmp_path / "keybindings.json"
    path.write_text('{"tui.editor.historyPrevious": "ctrl+p", "tui.editor.historyNext": "ctrl+n"}')
    desk = Desk(load_keymap(path))
    desk.editor.remember("one")
    desk.type("a\nb")
    assert desk.type("\x10").text == "|one"
    assert desk.type("\x0e").text == "a\nb|"
    assert desk.type("\x0e", "\x10", "\x10").left == []


def test_history_is_bounded_and_cleaned():
    desk = Desk()
    for number in range(300):
        desk.editor.remember(f"{number}\x1b[31m\x07")
    desk.type(UP * 300)
    assert desk.text == "|200"


# Pastes


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("\n".join("x" * 10), None),
        ("\n".join("x" * 11), "[paste #1 +11 lines]"),
        ("x" * 1000, None),
        ("x" * 1001, "[paste #1 1001 chars]"),
    ],
)
def test_long_pastes_are_markers(text, label):
    desk = Desk().paste(text)
    assert (desk.body() == [f"{label}| "]) == (label is not None)
    assert desk.editor.text == text
    desk.type("\r")
    assert desk.sent == [Submission(text)]


def test_markers_are_one_character():
    desk = Desk().type("a").paste("x\n" * 30).paste("y" * 2000).type("b")
    assert desk.body(60) == ["a[paste #1 +31 lines][paste #2 2000 chars]b| "]
    desk.type("\x7f\x7f")
    assert desk.body() == ["a[paste #1 +31 lines]| "]
    assert desk.type(LEFT).body() == ["a|[paste #1 +31 lines]"]
    desk.type("\x04")
    assert desk.body() == ["a| "]
    desk.type("\x1f")
    assert desk.body() == ["a[paste #1 +31 lines]| "] or desk.body() == ["a|[paste #1 +31 lines]"]
    assert desk.editor.text == "a" + "x\n" * 30


def test_a_paste_can_be_looked_into():
    desk = Desk().type("a").paste("\n".join(f"line {n}" for n in range(12)))
    assert desk.shown()[-1].startswith("── ctrl+o unfolds the paste ─")
    desk.type("\x0f")
    assert desk.body()[-1] == "line 11| "
    assert desk.left == []
    desk.type("\x1f")
    assert desk.body() == ["a[paste #1 +12 lines]| "]
    assert desk.type("b", "\x0f").left == ["ctrl+o"]


def test_text_that_looks_like_a_marker_is_text():
    text = "[paste #1 +31 lines] and \U00100000"
    desk = Desk().paste("x\n" * 30).paste(text)
    assert desk.editor.text == "x\n" * 30 + "[paste #1 +31 lines] and "


def test_what_a_paste_may_hold():
    desk = Desk().paste("a\tb\x07c\x1b[31md\x1b]0;title\x07\u202e\r\ne\rf")
    assert desk.text == "a\tbcd\ne\nf|"
    assert desk.body() == ["a    bcd", "e", "f| "]
    desk = Desk().paste("").paste("\x1b[31m")
    assert desk.text == "|"


def test_a_pasted_newline_does_not_send():
    assert Desk().paste("rm -rf /\r").sent == []


def test_a_path_is_kept_apart_from_the_word_before():
    assert Desk().type("see").paste("/etc/nothing").text == "see /etc/nothing|"
    assert Desk().type("see ").paste("/etc/nothing").text == "see /etc/nothing|"
    assert Desk().type("a").paste("b").text == "ab|"


# Dropped files


@pytest.fixture
def files(tmp_path):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "red pic.png")
    Image.new("RGB", (8, 8), "blue").save(tmp_path / "blue.png")
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "no image.png").write_text("text")
    return tmp_path


@pytest.mark.parametrize(
    "spelled",
    [
        "{}/red\\ pic.png",
        "'{}/red pic.png'",
        '"{}/red pic.png" ',
        "file://{}/red%20pic.png",
        "{}/red pic.png",
    ],
)
def test_a_dropped_image_is_attached(files, spelled):
    desk = Desk().type("see").paste(spelled.format(files)).type("x")
    assert re.fullmatch(r"see \[image #1 red pic.png\] ?x\| ", desk.body(60)[0])
    desk.type("\r")
    (sent,) = desk.sent
    assert sent.images == (files / "red pic.png",)
    assert sent.text.startswith(f"see {files}/red pic.png")


def test_several_files_at_once(files):
    desk = Desk().paste(f"{files}/blue.png {files}/notes.txt '{files}/no image.png' ")
    assert desk.editor.text == f'{files}/blue.png {files}/notes.txt "{files}/no image.png" '
    assert desk.body(500)[0].startswith("[image #1 blue.png] ")
    desk.paste(f"{files}/blue.png").type("\r")
    assert desk.sent[0].images == (files / "blue.png",)


def test_a_deleted_image_is_not_sent(files):
    desk = Desk().paste(f"{files}/blue.png").type("\x7f", "text\r")
    assert desk.sent == [Submission("text")]


def test_what_is_no_file_is_text(files):
    for text in (f"{files}/missing.png", f"{files}/blue.png and more", "/", "'", "~", "/a\x00b"):
        desk = Desk().paste(text)
        assert desk.editor.text == text.replace("\x00", "")
    desk = Desk(home=files).paste("~/blue.png")
    assert desk.body() == ["[image #1 blue.png]| "]


def test_in_a_shell_line_a_path_stays_as_it_is(files):
    desk = Desk().type("!file ").paste(f"{files}/red\\ pic.png")
    assert desk.editor.text == f"!file {files}/red\\ pic.png"


def test_attaching(files):
    desk = Desk().type("look:")
    desk.editor.attach(files / "blue.png")
    assert desk.body() == ["look:[image #1 blue.png]| "]


# Anything at all


KEYS = st.sampled_from(
    [
        *LEGACY.values(),
        "a",
        "word ",
        "漢",
        "e\u0301",
        "\x1b[200~pasted\ntext\x1b[201~",
        "!",
        "/",
        "@",
    ]
)


@settings(deadline=None, max_examples=60)
@given(st.lists(KEYS, max_size=40), st.integers(1, 60), st.integers(1, 30))
def test_any_keys(keys, columns, height):
    desk = Desk()
    desk.editor.remember("earlier\nprompt")
    desk.editor.height = height
    for key in keys:
        desk.type(key)
        lines = desk.editor.render(columns)
        assert len(lines) <= height
        assert max(map(width, lines)) <= columns
        row, column = desk.editor.cursor
        assert row < len(lines) and column < columns


def test_home_is_where_it_was_told(tmp_path):
    assert Desk(home=Path(tmp_path)).paste("~/nothing").editor.text == "~/nothing"


def test_the_keymap_can_be_replaced():
    desk = Desk()
    desk.editor.keymap = Keymap(chosen={"tui.editor.cursorLeft": ("ctrl+x",)})
    assert desk.type("ab\x18").text == "a|b"
