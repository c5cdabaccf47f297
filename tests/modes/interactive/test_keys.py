import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.modes.interactive.keys import (
    KeyDecoder,
    Mouse,
    Reply,
    canonical,
    decode_mouse,
    is_key_name,
)
from pi.modes.interactive.view import Key


def names(events):
    return [event.name if isinstance(event, Key) else event for event in events]


def decode(*pieces):
    """Everything that comes out, with the time-outs at the end."""
    decoder = KeyDecoder()
    out = [event for piece in pieces for event in decoder.feed(piece)]
    return out + decoder.flush() + decoder.flush(give_up=True)


LEGACY = {
    "a": "a",
    "A": "A",
    "é": "é",
    "漢": "漢",
    " ": "space",
    "\r": "enter",
    "\n": "ctrl+j",
    "\t": "tab",
    "\x7f": "backspace",
    "\x08": "backspace",
    "\x00": "ctrl+space",
    "\x01": "ctrl+a",
    "\x03": "ctrl+c",
    "\x1a": "ctrl+z",
    "\x1b": "escape",
    "\x1c": "ctrl+\\",
    "\x1d": "ctrl+]",
    "\x1e": "ctrl+^",
    "\x1f": "ctrl+-",
    "\x1b[A": "up",
    "\x1bOA": "up",
    "\x1b[1;2A": "shift+up",
    "\x1b[1;3A": "alt+up",
    "\x1b[1;5D": "ctrl+left",
    "\x1b[1;6B": "ctrl+shift+down",
    "\x1b[1;7C": "ctrl+alt+right",
    "\x1b[1;9C": "super+right",
    "\x1b[H": "home",
    "\x1b[F": "end",
    "\x1b[1~": "home",
    "\x1b[4~": "end",
    "\x1b[7~": "home",
    "\x1b[8~": "end",
    "\x1b[2~": "insert",
    "\x1b[3~": "delete",
    "\x1b[3;3~": "alt+delete",
    "\x1b[5~": "pageUp",
    "\x1b[6;5~": "ctrl+pageDown",
    "\x1b[1;5H": "ctrl+home",
    "\x1b[Z": "shift+tab",
    "\x1b\t": "shift+tab",
    "\x1bOP": "f1",
    "\x1b[1;2P": "shift+f1",
    "\x1b[11~": "f1",
    "\x1b[[B": "f2",
    "\x1b[1;2R": "shift+f3",
    "\x1b[15~": "f5",
    "\x1b[24~": "f12",
    "\x1b[3$": "shift+delete",
    "\x1b[3^": "ctrl+delete",
    "\x1b[3@": "ctrl+shift+delete",
    "\x1b[a": "shift+up",
    "\x1bOc": "ctrl+right",
    "\x1bOM": "enter",
    "\x1bOq": "1",
    "\x1bb": "alt+b",
    "\x1bB": "shift+alt+b",
    "\x1b.": "alt+.",
    "\x1b\r": "alt+enter",
    "\x1b\n": "ctrl+alt+j",
    "\x1b\x7f": "alt+backspace",
    "\x1b\x1d": "ctrl+alt+]",
    "\x1b ": "alt+space",
    "\x1b[": "alt+[",
    "\x1b]": "alt+]",
    "\x1bO": "shift+alt+o",
    "\x1bP": "shift+alt+p",
    "\x1b_": "alt+_",
    "\x1b\x1b[A": "alt+up",
    "\x1b\x1bOA": "alt+up",
    "\x1b[I": "focusIn",
    "\x1b[O": "focusOut",
}
EXTENDED = {
    # modifyOtherKeys, both formats
    "\x1b[27;2;13~": "shift+enter",
    "\x1b[27;5;13~": "ctrl+enter",
    "\x1b[27;3;13~": "alt+enter",
    "\x1b[27;5;127~": "ctrl+backspace",
    "\x1b[27;6;80~": "ctrl+shift+p",
    "\x1b[27;5;45~": "ctrl+-",
    "\x1b[27;5;9~": "ctrl+tab",
    "\x1b[27;2;32~": "shift+space",
    "\x1b[80;6u": "ctrl+shift+p",
    # kitty
    "\x1b[13;2u": "shift+enter",
    "\x1b[13;5u": "ctrl+enter",
    "\x1b[27u": "escape",
    "\x1b[27;1:1u": "escape",
    "\x1b[97;5u": "ctrl+a",
    "\x1b[97;6u": "ctrl+shift+a",
    "\x1b[97:65;6u": "ctrl+shift+a",
    "\x1b[97;9u": "super+a",
    "\x1b[97;13u": "ctrl+super+a",
    "\x1b[97;69u": "ctrl+a",  # caps lock
    "\x1b[97;17u": "hyper+a",
    "\x1b[1089::99;5u": "ctrl+c",  # Cyrillic с where c is
    "\x1b[49:33;6u": "ctrl+!",
    "\x1b[49;6u": "ctrl+!",
    "\x1b[45;5u": "ctrl+-",
    "\x1b[93;7u": "ctrl+alt+]",
    "\x1b[57414u": "enter",
    "\x1b[57400u": "1",
    "\x1b[57421;5u": "ctrl+pageUp",
    "\x1b[57376u": "f13",
    "\x1b[1;1:2A": "up",  # repeated
    "\x1b[3;5:1~": "ctrl+delete",
}


@pytest.mark.parametrize(("data", "name"), [*LEGACY.items(), *EXTENDED.items()])
def test_a_key_has_its_name_wherever_it_is_cut(data, name):
    whole = decode(data)
    assert names(whole) == [name]
    assert whole[0].data == data
    for at in range(1, len(data)):
        assert decode(data[:at], data[at:]) == whole
    assert decode(*data) == whole
    if data not in ("\x1b", "\x1b[", "\x1bO"):  # the beginnings of others
        assert names(decode(data, "x")) == [name, "x"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("a", "a"),
        (" ", " "),
        ("ß", "ß"),
        ("\x1b[97;2u", "A"),
        ("\x1b[97:65;2u", "A"),
        ("\x1b[49:33;2u", "!"),
        ("\x1b[49;2u", "!"),
        ("\x1b[32;2u", " "),
        ("\x1b[27;2;32~", " "),
        ("\x1b[228;2u", "Ä"),
        ("\x1b[97;1;229u", "å"),
        ("\x1b[57402u", "3"),
        ("\x1bOl", ","),
        ("\x1b[97;5u", ""),
        ("\x1b[13;2u", ""),
        ("\x1ba", ""),
        ("\x1b[A", ""),
    ],
)
def test_what_a_key_types(data, text):
    (key,) = decode(data)
    assert key.text == text


@pytest.mark.parametrize(
    "data",
    [
        "\x1b[97;1:3u",  # released
        "\x1b[1;1:3A",
        "\x1b[3;1:3~",
        "\x1b[57441;2u",  # a modifier alone
        "\x1b[57428u",
        "\x1b[M !!",  # X10 mouse
        "\x1b[35;10;10M",  # urxvt mouse
        "\x1b[999~",
        "\x1b[1;2x",
        "\x1b[201~",
        "\x1b[99999999u",
        "\x1b[65;30;97;1;0;1_",  # win32 input
        "\x9b",
        "\x85",
    ],
)
def test_what_is_no_key_types_nothing(data):
    assert decode(data) == []
    assert decode(*data) == []
    assert names(decode(data, "x"))[-1:] == ["x"]


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        ("\x1b[?62;22c", Reply("csi", "?62;22c")),
        ("\x1b[>41;390;0c", Reply("csi", ">41;390;0c")),
        ("\x1b[?1u", Reply("csi", "?1u")),
        ("\x1b[?2026;2$y", Reply("csi", "?2026;2$y")),
        ("\x1b[?997;1n", Reply("csi", "?997;1n")),
        ("\x1b[0n", Reply("csi", "0n")),
        ("\x1b[24;80R", Reply("csi", "24;80R")),
        ("\x1b[1;80R", Reply("csi", "1;80R")),
        ("\x1b[6;18;9t", Reply("csi", "6;18;9t")),
        (
            "\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\",
            Reply("osc", "11;rgb:1e1e/1e1e/2e2e"),
        ),
        ("\x1b]11;rgb:1e1e/1e1e/2e2e\x07", Reply("osc", "11;rgb:1e1e/1e1e/2e2e")),
        ("\x1bP>|kitty(0.36.1)\x1b\\", Reply("dcs", ">|kitty(0.36.1)")),
        ("\x1b_Gi=1;OK\x1b\\", Reply("apc", "Gi=1;OK")),
    ],
)
def test_answers_are_no_text(data, reply):
    assert decode(data) == [reply]
    for at in range(1, len(data)):
        assert decode(data[:at], data[at:]) == [reply]
    assert decode("a" + data + "b") == [Key("a", "a", "a"), reply, Key("b", "b", "b")]
    # Slow lines: time passes in the middle.
    for at in range(3, len(data)):
        decoder = KeyDecoder()
        out = [*decoder.feed(data[:at]), *decoder.flush(), *decoder.feed(data[at:])]
        assert out == [reply]
    # Broken off: nothing of it is typed.
    for at in range(3, len(data)):
        assert names(decode(data[:at])) == []


def test_an_answer_that_never_ends_is_dropped():
    decoder = KeyDecoder()
    decoder.feed("\x1b]11;")
    for _ in range(80):
        decoder.feed("x" * 1000)
    assert not decoder.pending
    assert names(decoder.feed("\x1b[A")) == ["up"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("one", "one"),
        ("", ""),
        ("a\rb\r\nc\nd", "a\nb\nc\nd"),
        ("\x1b[31mred", "\x1b[31mred"),
        ("a\x1b[106;5ub\x1b[27;5;105~c", "a\nb\tc"),  # as tmux sends it
        ("\x1b[200~", "\x1b[200~"),
        ("漢\tx\x1b[20", "漢\tx\x1b[20"),
    ],
)
def test_a_paste_is_one_key(data, text):
    whole = f"\x1b[200~{data}\x1b[201~"
    expected = [Key("paste", data, text), Key("z", "z", "z")]
    assert decode(whole + "z") == expected
    for at in range(1, len(whole)):
        assert decode(whole[:at], whole[at:] + "z") == expected
    assert decode(*whole, "z") == expected
    decoder = KeyDecoder()  # no time-out ends it
    out = decoder.feed(whole[:6])
    for character in whole[6:]:
        out += [*decoder.feed(character), *decoder.flush(), *decoder.flush(give_up=True)]
        assert not decoder.pending
    assert out == expected[:1]


def test_a_paste_whose_end_was_lost_ends_with_ctrl_c():
    decoder = KeyDecoder()
    assert decoder.feed("\x1b[200~some text") == []
    assert names(decoder.feed("\x03")) == ["paste", "ctrl+c"]
    assert names(decoder.feed("x")) == ["x"]


def test_escapes_in_a_row_are_escapes():
    assert names(decode("\x1b\x1b")) == ["escape", "escape"]
    assert names(decode("\x1b", "\x1b")) == ["escape", "escape"]
    assert names(decode("\x1b\x1bx")) == ["escape", "alt+x"]
    assert names(decode("\x1b\x1b\x1b[A")) == ["escape", "alt+up"]


def test_bytes_that_are_no_text_are_shown_as_such():
    assert [key.text for key in decode("\udcff")] == ["\ufffd"]


def test_windows_terminal_says_control_backspace_with_control_h():
    assert names(KeyDecoder(control_h="ctrl+backspace").feed("\x08")) == ["ctrl+backspace"]


@pytest.mark.parametrize(
    ("data", "mouse"),
    [
        ("\x1b[<0;1;1M", Mouse("press", "left", 0, 0)),
        ("\x1b[<2;10;20m", Mouse("release", "right", 9, 19)),
        ("\x1b[<32;3;4M", Mouse("drag", "left", 2, 3)),
        ("\x1b[<35;3;4M", Mouse("move", "none", 2, 3)),
        ("\x1b[<64;3;4M", Mouse("press", "wheelUp", 2, 3)),
        ("\x1b[<73;3;4M", Mouse("press", "wheelDown", 2, 3, alt=True)),
        ("\x1b[<20;3;4M", Mouse("press", "left", 2, 3, shift=True, ctrl=True)),
        ("\x1b[<128;3;4M", None),
        ("\x1b[A", None),
    ],
)
def test_mouse(data, mouse):
    assert decode_mouse(data) == mouse
    if mouse is not None:
        assert names(decode(data)) == ["mouse"]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("shift+ctrl+p", "ctrl+shift+p"),
        ("alt+shift+ctrl+x", "ctrl+shift+alt+x"),
        ("shift+l", "L"),
        ("L", "L"),
        ("ctrl+shift+1", "ctrl+!"),
        ("shift+1", "!"),
        ("ctrl++", "ctrl++"),
        ("+", "+"),
        ("alt++", "alt++"),
        ("esc", "escape"),
        ("ctrl+return", "ctrl+enter"),
        ("super+k", "super+k"),
        ("shift+space", "shift+space"),
    ],
)
def test_one_name_for_a_key(written, name):
    assert canonical(written) == name
    assert canonical(name) == name


def test_names_that_keybindings_may_use():
    good = ["a", "9", "f12", "ctrl+shift+alt+super+x", "ctrl++", "-", "pageUp", "esc", "ctrl+|"]
    bad = ["", "A", "ctrl+", "f13", "pageup", "control+x", "ctrl+ctrl+x", "hyper+a", "é", "ctrl+xy"]
    assert [name for name in good if not is_key_name(name)] == []
    assert [name for name in bad if is_key_name(name)] == []


PIECES = st.lists(
    st.sampled_from([*LEGACY, *EXTENDED, "\x1b]11;rgb:1/2/3\x07", "\x1b[200~a\rb\x1b[201~", "hi"]),
    max_size=12,
)


@given(PIECES, st.data())
def test_cuts_change_nothing(pieces, data):
    whole = "".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    cut = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert decode(*(piece for piece in cut if piece != "\x03")) == decode(whole) or "\x03" in cut


@given(st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from("\x1b[]O;<?~uM_P\\")))
def test_anything_at_all_can_be_fed(text):
    decode(text)
    decode(*text)


def test_long_typed_text_is_quick_to_decode():
    keys = KeyDecoder().feed("x" * 100_000)
    assert len(keys) == 100_000
