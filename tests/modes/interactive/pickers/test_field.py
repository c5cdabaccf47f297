from pi.modes.interactive.keymap import Keymap
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.pickers.field import TextArea, TextField
from pi.modes.interactive.view import Key
from pi.resources.themes import builtin_theme

THEME = Theme.of(builtin_theme("dark"), "none")
KEYS = Keymap()


def act(field: TextField, *names: str) -> bool:
    handled = False
    for name in names:
        text = name if len(name) == 1 else ""
        handled = field.act(Key(name, name, text), KEYS.actions(name))
    return handled


def shown(field: TextField, cells: int = 20) -> str:
    text, at = field.draw(THEME, cells)
    return text[:at] + "|" + text[at:]


def test_every_key_of_a_line() -> None:
    field = TextField("one two")
    assert act(field, "left") and shown(field) == "one tw|o"
    assert act(field, "ctrl+b", "ctrl+f", "right") and shown(field) == "one two|"
    assert act(field, "alt+left") and shown(field) == "one |two"
    assert act(field, "ctrl+a") and shown(field) == "|one two"
    assert act(field, "alt+right") and shown(field) == "one| two"
    assert act(field, "end", "home", "ctrl+e", "backspace") and shown(field) == "one tw|"
    assert act(field, "ctrl+-") and shown(field) == "one two|"
    assert act(field, "ctrl+w") and shown(field) == "one |"
    assert act(field, "ctrl+y") and shown(field) == "one two|"
    assert act(field, "home", "alt+d") and shown(field) == "| two"
    assert act(field, "delete", "ctrl+k") and shown(field) == "|"
    assert act(field, "ctrl+y", "x", "ctrl+u") and shown(field) == "|"
    assert not act(field, "up") and not act(field, "f1")


def test_nothing_to_delete_does_nothing() -> None:
    field = TextField()
    for key in ("backspace", "delete", "ctrl+w", "alt+d", "ctrl+u", "ctrl+k", "ctrl+y", "ctrl+-"):
        assert act(field, key)
    assert field.text == ""


def test_wide_characters_and_clusters_move_as_one() -> None:
    field = TextField("a李e\u0301👨‍👩‍👧")
    act(field, "backspace")
    assert field.text == "a李e\u0301"
    act(field, "left")
    assert field.draw(THEME, 20)[1] == 3
    act(field, "left", "left", "delete")
    assert field.text == "李e\u0301"


def test_a_long_text_is_scrolled_to_the_cursor() -> None:
    field = TextField("abcdefghij")
    assert shown(field, 5) == "ghij|"
    act(field, "home")
    assert shown(field, 5) == "|abcde"
    act(field, *["right"] * 5)
    assert shown(field, 5) == "bcde|f"
    for cells in (1, 0):
        field.draw(THEME, cells)


def test_control_characters_do_not_get_in() -> None:
    field = TextField("a\x1b[31mb\nc")
    assert field.text == "ab c"
    field.act(Key("paste", "", "\x1b]0;x\x07d\ne"), ())
    assert field.text == "ab cd e"


def test_secrets_and_placeholders() -> None:
    assert shown(TextField("key", secret=True)) == "•••|"
    assert shown(TextField(placeholder="type here")) == f"|{THEME.fg('dim', 'type here')}"


def test_several_lines() -> None:
    area = TextArea("one\ntwo")
    act(area, "up")
    assert area.rows(20, 5) == (["one", "two"], (0, 3))
    act(area, "shift+enter", "x", "ctrl+j")
    assert area.text == "one\nx\n\ntwo"
    act(area, "down", "down")
    assert area.rows(20, 5)[1][0] == 3


def test_long_lines_wrap_without_losing_a_character() -> None:
    text = "the quick  brown fox jumps 李子李子 over   the lazy dog " * 3
    for cells in (3, 4, 7, 12, 30, 200):
        area = TextArea(text)
        act(area, "home")
        for _ in range(len(text) + 1):
            rows, (row, column) = area.rows(cells, 1000)
            assert "".join(rows).replace(" ", "") == text.replace(" ", "")
            assert cells < 7 or "".join(rows) == text
            assert row < len(rows) and column < cells
            act(area, "right")


def test_many_lines_scroll() -> None:
    area = TextArea("\n".join(map(str, range(50))))
    rows, cursor = area.rows(10, 5)
    assert rows == ["45", "46", "47", "48", "49"] and cursor == (4, 2)
    act(area, *["up"] * 10)
    rows, cursor = area.rows(10, 5)
    assert rows[cursor[0]] == "39"
