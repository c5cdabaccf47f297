"""What a terminal sends, as keys: the decoder, the names of keys, mouse events and replies.

Understood are the legacy sequences (xterm, rxvt, the Linux console), xterm's modifyOtherKeys in
both formats, the kitty keyboard protocol, bracketed paste, focus and SGR mouse events. Whatever a
terminal answers to a question comes out as a Reply; nothing broken or unknown ever types text.
prompt-toolkit's own parser knows neither modifyOtherKeys nor kitty, and gives Alt as a key of its
own. Sources: xterm's ctlseqs, sw.kovidgoyal.net/kitty/keyboard-protocol.
"""

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeVar

from pi.modes.interactive.view import Key

__all__ = ["KeyDecoder", "Mouse", "Reply", "canonical", "decode_mouse", "is_key_name", "keys_of"]

ReplyKind = Literal["csi", "osc", "dcs", "apc"]


class Reply(NamedTuple):
    """What a terminal answered, or told unasked.

    body: between the introducer and the end: "?62;22c" (csi, with its last character),
        "11;rgb:1e1e/1e1e/2e2e" (osc), ">|kitty(0.36)" (dcs), "Gi=1;OK" (apc).
    """

    kind: ReplyKind
    body: str


MouseAction = Literal["press", "release", "drag", "move"]
MouseButton = Literal[
    "left", "middle", "right", "wheelUp", "wheelDown", "wheelLeft", "wheelRight", "none"
]


class Mouse(NamedTuple):
    """x, y: cells, from 0. button: "none" for a move. Wheel events are presses."""

    action: MouseAction
    button: MouseButton
    x: int
    y: int
    shift: bool = False
    alt: bool = False
    ctrl: bool = False


_Code = TypeVar("_Code")
_BUTTONS: tuple[MouseButton, ...] = ("left", "middle", "right", "none")
_WHEEL: tuple[MouseButton, ...] = ("wheelUp", "wheelDown", "wheelLeft", "wheelRight")

_MODIFIERS = ("ctrl", "shift", "alt", "super", "hyper", "meta")
_SHIFT, _CTRL = 1, 4
_BITS = {"ctrl": 4, "shift": 1, "alt": 2, "super": 8, "hyper": 16, "meta": 32}
_WANTED_BITS = 63  # without the lock keys

_NAMED = (
    *("escape", "enter", "tab", "space", "backspace", "delete", "insert", "clear", "home", "end"),
    *("pageUp", "pageDown", "up", "down", "left", "right"),
    *(f"f{n}" for n in range(1, 13)),
)
_SPELLINGS = {name.lower(): name for name in _NAMED} | {"esc": "escape", "return": "enter"}
_SYMBOLS = "`-=[]\\;',./!@#$%^&*()_+|~{}:<>?"
# The US layout: what a report of the unshifted key stands for where a terminal tells no better.
_SHIFTED = dict(zip("`1234567890-=[]\\;',./", '~!@#$%^&*()_+{}|:"<>?', strict=True))


def _table(keys: Iterable[_Code], names: str) -> dict[_Code, str]:
    return dict(zip(keys, names.split(), strict=True))


_LETTER_FINALS = _table("ABCDEFHPQRS", "up down right left clear end home f1 f2 f3 f4")
_TILDE_NUMBERS = _table(range(1, 9), "home insert delete end pageUp pageDown home end") | _table(
    (*range(11, 16), *range(17, 22), *range(23, 27), 28, 29, *range(31, 35)),
    " ".join(f"f{n}" for n in range(1, 21)),
)
_CONSOLE = _table("ABCDE", "f1 f2 f3 f4 f5")
_KEYPAD = _table("jklmnopqrstuvwxyX", "* + , - . / 0 1 2 3 4 5 6 7 8 9 =")
_KEYPAD |= _table("MI ", "enter tab space")
_RXVT_ARROWS = _table("abcd", "up down right left")
_KITTY_NAMED = _table((8, 9, 13, 27, 32, 127), "backspace tab enter escape space backspace")
_KITTY_NAMED |= _table(
    range(57417, 57428), "left right up down pageUp pageDown home end insert delete clear"
)
_KITTY_NAMED |= _table(range(57376, 57399), " ".join(f"f{n}" for n in range(13, 36)))
_KITTY_NAMED[57414] = "enter"
_KITTY_KEYPAD = _table((*range(57399, 57414), 57415, 57416), "0 1 2 3 4 5 6 7 8 9 . / * - + = ,")
_F3 = {str(n) for n in range(2, 17)}  # modifiers that F3 may have where it looks like a position
_PRIVATE = range(57344, 63744)  # kitty's codes for keys without a character

_CONTROL = {chr(n): f"ctrl+{chr(n + 96)}" for n in range(1, 27)} | _table(
    "\0\t\r\x1b\x1c\x1d\x1e\x1f\x7f",
    "ctrl+space tab enter escape ctrl+\\ ctrl+] ctrl+^ ctrl+- backspace",
)

_PASTE_END = "\x1b[201~"
_LONGEST_STRING = 1 << 16
"""Characters of an unfinished reply after which it is given up."""

_TYPED = re.compile(r"[^\x00-\x1f\x7f-\x9f]+")
_CSI = re.compile(r"\x1b\[(?:\[[A-E]|M[^\x1b]{3}|\d+\$|(?![M[])([0-?]*)([ -/]*)([@-~]))")
_ESCAPE = re.compile("\x1b")
_NO_PARAMETER = re.compile(r"[^ -?]")
_OSC_END = re.compile("[\x07\x1b\x9c]")
_STRING_END = re.compile("[\x1b\x9c]")
_CSI_SO_FAR = re.compile(r"\x1b\[(?:\[?|M[^\x1b]{0,2}|[0-?]*[ -/]*)\Z")
# What may follow ESC ], ESC P and ESC _ in an answer; anything else was Alt and that key.
_STRING_STARTS: dict[str, tuple[ReplyKind, str]] = {
    "]": ("osc", "0123456789lL"),
    "P": ("dcs", "0123456789>!$+=|"),
    "_": ("apc", "G"),
}
_KITTY = re.compile(r"(\d+)(?::(\d*))?(?::(\d*))?(?:;(\d*)(?::(\d*))?)?(?:;([\d:]*))?\Z", re.ASCII)
_MODIFIED = re.compile(r"(\d*)(?:;(\d*)(?::(\d*))?)?\Z", re.ASCII)
_MOUSE = re.compile(r"\x1b\[<(\d+);(\d+);(\d+)([Mm])\Z", re.ASCII)
# A multiplexer with extended keys may send the control characters of a paste as keys.
_PASTED_CONTROL = re.compile(r"\x1b\[(?:(\d+);5u|27;5;(\d+)~)", re.ASCII)

_PASTED_AS = {9: "\t", 10: "\n", 13: "\n"}


class KeyDecoder:
    """Feed what was read, cut anywhere; keys come out once they are complete.

    control_h: the name of the key that sends ^H; Windows Terminal sends it for Ctrl+Backspace.
    """

    def __init__(self, *, control_h: str = "backspace") -> None:
        self._control = _CONTROL | {"\b": control_h}
        self._rest = ""  # an unfinished sequence, without what a paste has brought
        self._pasted: list[str] | None = None

    @property
    def pending(self) -> bool:
        """Whether something waits for more input or for `flush`; a paste alone does not."""
        return bool(self._rest) and self._pasted is None

    def feed(self, data: str) -> list[Key | Reply]:
        """What is complete after `data`."""
        if self._pasted is not None and data == "\x03" and not self._rest:
            # Ctrl+C by itself: the end of the paste was lost, nobody shall be caught in it.
            return [*self._end_paste(), Key("ctrl+c", data)]
        data = self._rest + data
        self._rest = ""
        out: list[Key | Reply] = []
        at = 0
        while at < len(data):
            if self._pasted is not None:
                at = self._paste(data, at, out)
            elif (typed := _TYPED.match(data, at)) is not None:
                out.extend(map(_typed, typed[0]))
                at = typed.end()
            elif data[at] == "\x1b":
                end = self._escape(data, at, out)
                if end == at:
                    self._rest = data[at:]
                    break
                at = end
            else:
                name = self._control.get(data[at])
                if name is not None:  # the C1 controls are no keys
                    out.append(Key(name, data[at]))
                at += 1
        return out

    def flush(self, *, give_up: bool = False) -> list[Key | Reply]:
        """What waits, taken for complete because nothing followed for a while.

        An ESC becomes the key, ESC and one character Alt. The start of a longer sequence keeps
        waiting, as answers may come in pieces; with give_up it is dropped.
        """
        rest = self._rest
        if self._pasted is not None or not rest:
            return []
        if rest == "\x1b" or rest == "\x1b\x1b":
            self._rest = ""
            return [Key("escape", "\x1b") for _ in rest]
        if len(rest) == 2 or (len(rest) == 3 and rest.startswith("\x1b\x1b")):
            self._rest = ""
            lead = [Key("escape", "\x1b")] if len(rest) == 3 else []
            return [*lead, self._alt(rest[-1], rest[-2:])]
        if give_up:
            self._rest = ""
        return []

    def _paste(self, data: str, at: int, out: list[Key | Reply]) -> int:
        assert self._pasted is not None
        end = data.find(_PASTE_END, at)
        if end >= 0:
            self._pasted.append(data[at:end])
            out.extend(self._end_paste())
            return end + len(_PASTE_END)
        keep = next((n for n in range(5, 0, -1) if data.endswith(_PASTE_END[:n], at)), 0)
        self._pasted.append(data[at : len(data) - keep])
        self._rest = data[len(data) - keep :]
        return len(data)

    def _end_paste(self) -> list[Key | Reply]:
        data = "".join(self._pasted or ())
        self._pasted = None
        return [Key("paste", data, _pasted_text(data))]

    def _escape(self, data: str, at: int, out: list[Key | Reply]) -> int:
        """The end of the sequence that starts at `at`; `at` itself if it is not complete."""
        following = data[at + 1 : at + 2]
        if not following:
            return at
        if following == "[":
            return self._csi(data, at, out)
        if following == "O":
            if len(data) == at + 2:
                return at
            key = _ss3(data[at + 2], data[at : at + 3])
            if key is not None:
                out.append(key)
                return at + 3
        elif following in _STRING_STARTS:
            if len(data) == at + 2:
                return at
            if data[at + 2] in _STRING_STARTS[following][1]:
                return self._string(data, at, out)
        elif following == "\x1b":
            # Alt with a key that is a sequence itself, or Escape before anything else.
            if data[at + 2 : at + 3] not in ("[", "O"):
                if len(data) == at + 2:
                    return at
                out.append(Key("escape", "\x1b"))
                return at + 1
            inner: list[Key | Reply] = []
            end = self._escape(data, at + 1, inner)
            if end == at + 1:
                return at
            if self._pasted is None and len(inner) == 1 and isinstance(inner[0], Key):
                out.append(_with_alt(inner[0], data[at:end]))
            else:
                out.extend([Key("escape", "\x1b"), *inner])
            return end
        out.append(self._alt(following, data[at : at + 2]))
        return at + 2

    def _alt(self, character: str, data: str) -> Key:
        """ESC and one character."""
        if character == "\t":
            return Key(
                "shift+tab", data
            )  # so the Linux console; windows keep Alt+Tab to themselves
        name = self._control.get(character)
        return _with_alt(Key(name) if name is not None else _typed(character), data)

    def _csi(self, data: str, at: int, out: list[Key | Reply]) -> int:
        match = _CSI.match(data, at)
        if match is None:
            if _CSI_SO_FAR.match(data, at):
                return at
            if data[at + 2] == "\x1b":  # Alt+[, and another sequence behind it
                out.append(Key("alt+[", data[at : at + 2]))
                return at + 2
            # Broken or unknown: nothing of it is typed.
            if data[at + 2] == "[":
                return at + 4
            stop = (_ESCAPE if data[at + 2] == "M" else _NO_PARAMETER).search(data, at + 2)
            return len(data) if stop is None else stop.start()
        whole = match[0]
        parameters, between, final = match[1], match[2], match[3]
        if final is None:
            if whole[2] == "[":
                out.append(Key(_CONSOLE[whole[3]], whole))
            elif whole[-1] == "$" and (name := _TILDE_NUMBERS.get(int(whole[2:-1]))):
                out.append(Key(f"shift+{name}", whole))
        elif whole == "\x1b[200~":
            self._pasted = []
        elif between or parameters[:1] in ("?", ">", "="):
            out.append(Reply("csi", whole[2:]))
        elif parameters[:1] == "<":
            if final in "Mm":
                out.append(Key("mouse", whole))
        elif final in "nt" or (final == "R" and _is_position(parameters)):
            out.append(Reply("csi", whole[2:]))
        elif (key := _csi_key(parameters, final, whole)) is not None:
            out.append(key)
        return match.end()

    def _string(self, data: str, at: int, out: list[Key | Reply]) -> int:
        kind = _STRING_STARTS[data[at + 1]][0]
        at_body = at + 2
        end = (_OSC_END if kind == "osc" else _STRING_END).search(data, at_body)
        if end is None:
            return len(data) if len(data) - at > _LONGEST_STRING else at
        if end[0] == "\x1b":
            after = data[end.end() : end.end() + 1]
            if not after:
                return at
            if after != "\\":
                return end.start()  # broken off by another sequence
        out.append(Reply(kind, data[at_body : end.start()]))
        return end.end() + (end[0] == "\x1b")


def decode_mouse(data: str) -> Mouse | None:
    """The `data` of a key named "mouse"; None for what is no SGR report, or of an extra button."""
    match = _MOUSE.match(data)
    if match is None:
        return None
    code = int(match[1])
    button: MouseButton
    action: MouseAction
    if code & 128:
        return None
    if code & 64:
        button, action = _WHEEL[code & 3], "press"
    else:
        button = _BUTTONS[code & 3]
        if code & 32:
            action = "move" if button == "none" else "drag"
        else:
            action = "press" if match[4] == "M" else "release"
    return Mouse(
        action,
        button,
        max(0, int(match[2]) - 1),
        max(0, int(match[3]) - 1),
        shift=bool(code & 4),
        alt=bool(code & 8),
        ctrl=bool(code & 16),
    )


def canonical(name: str) -> str:
    """The one name of a key that may be written in several ways.

    Modifiers in the order ctrl, shift, alt, super; "esc" and "return" under their usual names;
    Shift and a letter as the capital if there is nothing else ("A"), Shift and a symbol as what
    the US layout has there ("ctrl+shift+1" is "ctrl+!").
    """
    modifiers, base = _split(name)
    base = _SPELLINGS.get(base.lower(), base)
    if len(base) == 1 and "shift" in modifiers and not base.isalpha():
        modifiers.discard("shift")
        base = _SHIFTED.get(base, base)
    if modifiers == {"shift"} and len(base) == 1 and len(base.upper()) == 1:
        return base.upper()
    if modifiers and len(base) == 1 and base.isalpha():
        base = base.lower() if len(base.lower()) == 1 else base
    return _joined(modifiers, base)


def keys_of(data: str) -> list[Key]:
    """The keys that a terminal which sends this has seen."""
    decoder = KeyDecoder()
    return [key for key in (*decoder.feed(data), *decoder.flush()) if isinstance(key, Key)]


def is_key_name(name: str) -> bool:
    """Whether keybindings.json may name a key so. Source: docs/keybindings.md, Key syntax."""
    modifiers, base = _split(name)
    if modifiers & {"hyper", "meta"} or len(modifiers) != name[: len(name) - len(base)].count("+"):
        return False
    return (
        base in _NAMED
        or base in ("esc", "return")
        or (len(base) == 1 and base.isascii() and (base.islower() or base.isdigit()))
        or (len(base) == 1 and base in _SYMBOLS)
    )


def _split(name: str) -> tuple[set[str], str]:
    modifiers: set[str] = set()
    while True:
        head, plus, tail = name.partition("+")
        if not plus or not tail or head not in _BITS:
            return modifiers, name
        modifiers.add(head)
        name = tail


def _joined(modifiers: set[str], base: str) -> str:
    return "+".join([*(name for name in _MODIFIERS if name in modifiers), base])


def _with_bits(base: str, bits: int) -> str:
    return _joined({name for name, bit in _BITS.items() if bits & bit}, base)


def _typed(character: str) -> Key:
    if character == " ":
        return Key("space", " ", " ")
    if "\ud800" <= character <= "\udfff":  # a byte that is no UTF-8
        character = "\ufffd"
    return Key(character, character, character)


def _with_alt(key: Key, data: str) -> Key:
    if key.name in ("paste", "mouse", "focusIn", "focusOut"):
        return key
    name = key.name
    modifiers, base = _split(name)
    if len(base) == 1 and base.isalpha() and base != base.lower() and len(base.lower()) == 1:
        modifiers.add("shift")
        base = base.lower()
    return Key(_joined(modifiers | {"alt"}, base), data)


def _ss3(final: str, data: str) -> Key | None:
    if name := _LETTER_FINALS.get(final):
        return Key(name, data)
    if name := _RXVT_ARROWS.get(final):
        return Key(f"ctrl+{name}", data)
    if name := _KEYPAD.get(final):
        return Key(name, data, " " if name == "space" else name if len(name) == 1 else "")
    return None


def _csi_key(parameters: str, final: str, data: str) -> Key | None:
    """The key of a CSI sequence; None for what is none, or its release."""
    if final == "u":
        return _kitty(parameters, data)
    if final == "~" and parameters.startswith("27;"):
        return _modify_other(parameters, data)
    if final in "IO" and not parameters:
        return Key("focusIn" if final == "I" else "focusOut", data)
    match = _MODIFIED.match(parameters)
    if match is None or match[3] == "3":
        return None
    bits = (int(match[2] or 1) - 1) & _WANTED_BITS
    name: str | None
    if final in "~^@":
        name = _TILDE_NUMBERS.get(int(match[1] or 0))
        bits |= {"~": 0, "^": _CTRL, "@": _CTRL | _SHIFT}[final]
    elif final == "Z":
        name, bits = "tab", bits | _SHIFT
    elif final in _RXVT_ARROWS:
        name, bits = _RXVT_ARROWS[final], bits | _SHIFT
    else:
        name = _LETTER_FINALS.get(final)
    return None if name is None else Key(_with_bits(name, bits), data)


def _kitty(parameters: str, data: str) -> Key | None:
    match = _KITTY.match(parameters)
    if match is None or match[5] == "3":
        return None
    code = int(match[1])
    shifted, base = int(match[2] or 0), int(match[3] or 0)
    text = "".join(map(_character, (match[6] or "").split(":"))) if match[6] else ""
    return _key(code, (int(match[4] or 1) - 1) & _WANTED_BITS, data, shifted, base, text)


def _modify_other(parameters: str, data: str) -> Key | None:
    """`27;modifiers;code`, the code being that of the character with Shift."""
    fields = parameters.split(";")
    if len(fields) != 3 or not (fields[1].isdecimal() and fields[2].isdecimal()):
        return None
    return _key(int(fields[2]), (int(fields[1]) - 1) & _WANTED_BITS, data)


def _key(
    code: int, bits: int, data: str, shifted: int = 0, base: int = 0, text: str = ""
) -> Key | None:
    """shifted: the code with Shift held; base: that of the key on the US layout; 0 if not told."""
    if name := _KITTY_NAMED.get(code):
        plain_space = name == "space" and not bits & ~_SHIFT
        return Key(_with_bits(name, bits), data, text or (" " if plain_space else ""))
    character = _KITTY_KEYPAD.get(code) or ("" if code in _PRIVATE else _character(code))
    if not character or character < " ":
        return None  # a modifier or media key by itself
    commanding = bits & ~_SHIFT
    if commanding and base and not character.isascii():
        # A shortcut is meant by its place on the keyboard where the layout has other letters.
        character, shifted = _character(base), 0
    if bits & _SHIFT and shifted and not character.isalpha():
        character, bits = _character(shifted), bits & ~_SHIFT
    if not commanding:
        typed = text or (_character(shifted) if bits & _SHIFT and shifted else "")
        if not typed:
            typed = canonical(f"shift+{character}") if bits & _SHIFT else character
        return Key("space" if typed == " " else typed, data, typed)
    return Key(
        canonical(_with_bits(character.lower(), bits | (character.isupper() * _SHIFT))), data
    )


def _character(code: int | str) -> str:
    """ "" for what is no code of a character."""
    try:
        return chr(int(code))
    except (ValueError, OverflowError):
        return ""


def _is_position(parameters: str) -> bool:
    """Whether `R` ends a cursor position and not F3: that one has row 1 and a small column."""
    fields = parameters.split(";")
    return len(fields) == 2 and not (fields[0] == "1" and fields[1][:2].rstrip(":") in _F3)


def _pasted_text(data: str) -> str:
    if "\x1b" in data:
        data = _PASTED_CONTROL.sub(
            lambda found: _PASTED_AS.get(int(found[1] or found[2]) & 31, ""), data
        )
    return data.replace("\r\n", "\n").replace("\r", "\n")
