"""A theme on this terminal: its tokens as escape sequences, in the colours the terminal has.

The data comes from pi.resources.themes, or from what the terminal says of itself (system_theme.py).
Everything that is styled here closes what it opened with the sequence for that alone, so that
styled text can stand inside styled text.
"""

import colorsys
from collections.abc import Mapping
from typing import Literal

from pi.modes.interactive.cells import crop, width
from pi.resources.colors import Rgb, indexed_rgb
from pi.resources.themes import BACKGROUNDS, Appearance, Color, rgb_of
from pi.resources.themes import Theme as ThemeData

__all__ = ["Depth", "Theme", "color_depth"]

Depth = Literal["none", "16", "256", "truecolor"]

_LEVELS = (0, 95, 135, 175, 215, 255)
_TRUECOLOR_TERMS = ("kitty", "alacritty", "foot", "ghostty", "wezterm", "direct", "contour", "rio")
_TRUECOLOR_PROGRAMS = ("iTerm.app", "WezTerm", "ghostty", "vscode", "Hyper", "rio", "WarpTerminal")
# Where no shade can tell a selected row from the others, black and white change places.
_INVERSE = frozenset({"selectedBg", "searchMatchBg"})


class Theme:
    """Tokens to sequences. depth: the colours the terminal has.

    faint: tokens that are drawn faint as well, which serves where there is no grey to be had.
    """

    __slots__ = ("_bg", "_fg", "appearance", "colors", "depth", "name")

    def __init__(
        self,
        name: str,
        colors: Mapping[str, Color],
        appearance: Appearance = "dark",
        depth: Depth = "truecolor",
        faint: frozenset[str] = frozenset(),
    ) -> None:
        self.name = name
        self.colors = colors
        self.appearance: Appearance = appearance
        self.depth: Depth = depth
        if depth == "none":
            faint = frozenset({"muted", "dim", "thinkingText", "toolOutput", "toolDiffContext"})
        self._fg: dict[str, tuple[str, str]] = {}
        self._bg: dict[str, tuple[str, str]] = {}
        for token, color in colors.items():
            if token in BACKGROUNDS:
                self._bg[token] = self._background(token, color)
            else:
                code = self._code(color, 38)
                opening = ";".join(part for part in (code, "2" if token in faint else "") if part)
                closing = ";".join(("39",) * bool(code) + ("22",) * (token in faint))
                self._fg[token] = (f"\x1b[{opening}m", f"\x1b[{closing}m") if opening else ("", "")

    @classmethod
    def of(cls, data: ThemeData, depth: Depth = "truecolor") -> "Theme":
        """A theme from a file, on a terminal with so many colours."""
        return cls(data.name, data.colors, data.appearance, depth)

    def fg(self, token: str, text: str) -> str:
        """The text in a token's colour; a name that is no token changes nothing."""
        opening, closing = self._fg.get(token) or self._other(token, 38)
        if not opening or not text:
            return text
        if "\x1b" in text:
            text = text.replace(closing, opening).replace("\x1b[0m", "\x1b[0m" + opening)
        return f"{opening}{text}{closing}"

    def bg(self, token: str, text: str) -> str:
        """The text on a token's background."""
        opening, closing = self._bg.get(token) or self._other(token, 48)
        if not opening or not text:
            return text
        if "\x1b" in text:
            text = text.replace(closing, opening).replace("\x1b[0m", "\x1b[0m" + opening)
        return f"{opening}{text}{closing}"

    def bar(self, token: str, text: str, cells: int) -> str:
        """A row of exactly so many cells on a token's background."""
        missing = cells - width(text)
        return self.bg(token, text + " " * missing if missing >= 0 else crop(text, 0, cells))

    def style(
        self,
        text: str,
        *,
        fg: str = "",
        bg: str = "",
        bold: bool = False,
        italic: bool = False,
        underline: bool = False,
        strike: bool = False,
        inverse: bool = False,
    ) -> str:
        """Several at once. fg, bg: tokens, or colours as themes write them."""
        if fg:
            text = self.fg(fg, text)
        for wanted, on, off in (
            (bold, "1", "22"),
            (italic, "3", "23"),
            (underline, "4", "24"),
            (strike, "9", "29"),
            (inverse, "7", "27"),
        ):
            if wanted and text:
                closing = f"\x1b[{off}m"
                if closing in text:
                    text = text.replace(closing, f"\x1b[{off};{on}m")
                text = f"\x1b[{on}m{text}{closing}"
        return self.bg(bg, text) if bg else text

    def bold(self, text: str) -> str:
        return self.style(text, bold=True)

    def italic(self, text: str) -> str:
        return self.style(text, italic=True)

    def underline(self, text: str) -> str:
        return self.style(text, underline=True)

    def strikethrough(self, text: str) -> str:
        return self.style(text, strike=True)

    def opening(self, token: str) -> str:
        """What switches a foreground token on: "" where it is the terminal's own colour."""
        return self._fg.get(token, ("", ""))[0]

    def has_background(self, token: str) -> bool:
        """Whether a panel of this token can be told from what is around it."""
        return bool(self._bg.get(token, ("", ""))[0])

    def _background(self, token: str, color: Color) -> tuple[str, str]:
        if token in _INVERSE and (self.depth in ("none", "16") or color == ""):
            return "\x1b[7m", "\x1b[27m"
        if self.depth == "16" and not (isinstance(color, int) and color < 16):
            return "", ""  # the nearest of 16 colours would shout
        code = self._code(color, 48)
        return (f"\x1b[{code}m", "\x1b[49m") if code else ("", "")

    def _other(self, color: str, kind: int) -> tuple[str, str]:
        """A colour that is no token, and tokens of the other kind."""
        if color in self.colors:
            code = self._code(self.colors[color], kind)
        else:
            code = self._code(color, kind) if color.startswith("#") else ""
        return (f"\x1b[{code}m", f"\x1b[{kind + 1}m") if code else ("", "")

    def _code(self, color: Color, kind: int) -> str:
        """SGR parameters. kind: 38 for text, 48 for what is behind it."""
        if color == "" or self.depth == "none":
            return ""
        if isinstance(color, int):
            if color < 16:
                return _basic(color, kind)
            if self.depth != "16":
                return f"{kind};5;{color}"
        rgb = rgb_of(color)
        if rgb is None:
            return ""
        if self.depth == "truecolor":
            return f"{kind};2;{rgb[0]};{rgb[1]};{rgb[2]}"
        if self.depth == "256":
            return f"{kind};5;{_nearest_256(rgb)}"
        return _basic(_nearest_16(rgb, self.appearance), kind)


def color_depth(variables: Mapping[str, str], setting: bool | Literal["auto"] = "auto") -> Depth:
    """How many colours to use. variables: the environment. setting: terminal.trueColor."""
    if variables.get("NO_COLOR"):
        return "none"
    term = variables.get("TERM", "")
    if setting == "auto":
        forced = {"1": True, "0": False}.get(variables.get("PI_TRUE_COLOR", ""))
        setting = "auto" if forced is None else forced
    if setting is True:
        return "truecolor"
    if term == "dumb":
        return "none"
    if setting == "auto" and (
        variables.get("COLORTERM", "").lower() in ("truecolor", "24bit")
        or any(name in term for name in _TRUECOLOR_TERMS)
        or variables.get("TERM_PROGRAM") in _TRUECOLOR_PROGRAMS
        or "WT_SESSION" in variables
    ):
        return "truecolor"
    if "256color" in term or (setting is False and variables.get("COLORTERM")):
        return "256"
    return "16"


def _basic(index: int, kind: int) -> str:
    """One of the 16 colours: 30 to 37 and 90 to 97 for text, ten more behind it."""
    return str((30 if index < 8 else 82) + index + (10 if kind == 48 else 0))


def _nearest_256(rgb: Rgb) -> int:
    cube = [min(range(6), key=lambda step: abs(_LEVELS[step] - part)) for part in rgb]
    grey = max(0, min(23, round((sum(rgb) / 3 - 8) / 10)))
    choices = (16 + 36 * cube[0] + 6 * cube[1] + cube[2], 232 + grey)
    return min(choices, key=lambda index: _distance(rgb, indexed_rgb(index)))


def _distance(one: Rgb, other: Rgb) -> int:
    red, green, blue = (a - b for a, b in zip(one, other, strict=True))
    return 2 * red * red + 4 * green * green + 3 * blue * blue


def _nearest_16(rgb: Rgb, appearance: Appearance) -> int:
    """By hue, because by distance every soft colour would be white."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(part / 255 for part in rgb))
    if saturation < 0.22:
        if appearance == "light":
            return 0 if value < 0.3 else 8 if value < 0.8 else 7
        return 0 if value < 0.2 else 8 if value < 0.62 else 7 if value < 0.88 else 15
    color = (1, 3, 2, 6, 4, 5)[round(hue * 6) % 6]
    return color + 8 if appearance == "dark" and color in (1, 4, 5) else color
