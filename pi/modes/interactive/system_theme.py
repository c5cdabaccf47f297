"""The theme `system`: made of the colours the terminal reports about itself.

Each token takes its hue from one of the terminal's 16 colours, and the lightness at which it stands
out from the background by a least contrast (WCAG 2), so that any palette gives something readable.
A terminal that says nothing gets its own colour numbers and chooses itself.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from pi.modes.interactive.palette import Depth, Theme
from pi.resources.colors import Rgb, hex_of, oklch_to_rgb
from pi.resources.themes import SYSTEM, TOKENS, Appearance, Color

__all__ = ["TerminalColors", "appearance_of", "system_theme"]

_BODY = 4.5
"""Contrast of what is to be read, on the background and on every panel."""

_OWN_HUES = {1: 25.0, 2: 150.0, 3: 85.0, 4: 255.0, 5: 305.0, 6: 200.0}
_GREY = 0

# Token: which of the 16 colours gives its hue, and its contrast with the background.
_SPOKEN: Mapping[str, tuple[int, float]] = {
    "accent": (4, 5.5),
    "border": (4, 3.0),
    "borderAccent": (4, 5.0),
    "borderMuted": (_GREY, 1.8),
    "success": (2, 5.5),
    "error": (1, 5.5),
    "warning": (3, 5.5),
    "muted": (_GREY, 5.5),
    "dim": (_GREY, _BODY),
    "thinkingText": (_GREY, 5.0),
    "scrollbarTrack": (_GREY, 1.4),
    "scrollbarThumb": (_GREY, 3.0),
    "customMessageLabel": (5, 5.5),
    "toolOutput": (_GREY, 5.5),
    "mdHeading": (3, 6.0),
    "mdLink": (4, 5.5),
    "mdLinkUrl": (_GREY, _BODY),
    "mdCode": (6, 6.0),
    "mdCodeBlockBorder": (_GREY, 1.8),
    "mdQuote": (_GREY, 5.5),
    "mdQuoteBorder": (_GREY, 2.2),
    "mdHr": (_GREY, 2.2),
    "mdListBullet": (4, 5.0),
    "toolDiffAdded": (2, 5.5),
    "toolDiffRemoved": (1, 5.5),
    "toolDiffContext": (_GREY, 5.0),
    "syntaxComment": (_GREY, _BODY),
    "syntaxKeyword": (5, 5.5),
    "syntaxFunction": (4, 5.5),
    "syntaxVariable": (6, 5.5),
    "syntaxString": (2, 5.5),
    "syntaxNumber": (3, 5.5),
    "syntaxType": (6, 5.5),
    "syntaxOperator": (_GREY, 6.0),
    "syntaxPunctuation": (_GREY, 5.5),
    "thinkingOff": (_GREY, 2.0),
    "thinkingMinimal": (4, 2.5),
    "thinkingLow": (4, 4.0),
    "thinkingMedium": (6, _BODY),
    "thinkingHigh": (5, _BODY),
    "thinkingXhigh": (5, 6.0),
    "thinkingMax": (1, 6.0),
    "bashMode": (2, 5.0),
}
# Token: the hue of a panel, and how far its lightness is from the background's.
_PANELS: Mapping[str, tuple[int, float]] = {
    "selectedBg": (4, 0.11),
    "searchMatchBg": (3, 0.16),
    "userMessageBg": (4, 0.055),
    "customMessageBg": (5, 0.055),
    "toolPendingBg": (_GREY, 0.045),
    "toolSuccessBg": (2, 0.05),
    "toolErrorBg": (1, 0.06),
}
# For a terminal that says nothing: its own numbers. All else is its default colour.
_NUMBERS: Mapping[str, int] = {
    **dict.fromkeys(("accent", "border", "borderAccent", "mdLink", "mdListBullet"), 4),
    **dict.fromkeys(("success", "toolDiffAdded", "bashMode", "syntaxString"), 2),
    **dict.fromkeys(("error", "toolDiffRemoved", "thinkingMax"), 1),
    **dict.fromkeys(("warning", "mdHeading", "syntaxNumber"), 3),
    **dict.fromkeys(("customMessageLabel", "syntaxKeyword", "thinkingHigh"), 5),
    **dict.fromkeys(("mdCode", "syntaxType", "syntaxVariable", "thinkingMedium"), 6),
    "syntaxFunction": 4,
    "thinkingMinimal": 4,
    "thinkingLow": 4,
    "thinkingXhigh": 5,
}
_FAINT = frozenset(token for token, (hue, _) in _SPOKEN.items() if hue == _GREY)


class TerminalColors(NamedTuple):
    """What a terminal answered. ansi: its 16 colours, as many as it gave."""

    foreground: Rgb | None = None
    background: Rgb | None = None
    ansi: Mapping[int, Rgb] = MappingProxyType({})


def appearance_of(
    colors: TerminalColors, notified: Appearance | None = None, colorfgbg: str = ""
) -> Appearance:
    """Whether a terminal is dark or light.

    By the colours it reports, else what it notified (CSI ?997), else COLORFGBG, else dark.
    """
    if colors.background is not None:
        other = _luminance(colors.foreground) if colors.foreground is not None else 0.18
        return "light" if _luminance(colors.background) > other else "dark"
    if notified is not None:
        return notified
    last = colorfgbg.rpartition(";")[2]
    if last.isdigit():
        return "light" if int(last) in (7, *range(9, 16)) else "dark"
    return "dark"


def system_theme(
    colors: TerminalColors, depth: Depth = "truecolor", appearance: Appearance = "dark"
) -> Theme:
    """appearance: of a terminal that does not report its background."""
    if colors.background is None or depth in ("16", "none"):
        values: dict[str, Color] = {token: _NUMBERS.get(token, "") for token in TOKENS}
        return Theme(SYSTEM, values, appearance, depth, faint=_FAINT)
    appearance = appearance_of(colors)
    toward = 1 if appearance == "dark" else -1
    base, _, _ = _oklch(colors.background)
    hues = {index: _hue(index, colors) for index in (_GREY, *_OWN_HUES)}
    values = dict.fromkeys(TOKENS, "")
    darkest = colors.background
    for token, (index, step) in _PANELS.items():
        hue, chroma = hues[index]
        light = min(1.0, max(0.0, base + toward * step))
        panel = oklch_to_rgb(light, min(chroma, 0.3 * step + 0.015), hue)
        values[token] = hex_of(panel)
        if token not in ("selectedBg", "searchMatchBg"):
            darkest = max(darkest, panel, key=lambda rgb: toward * _luminance(rgb))
    for token, (index, contrast) in _SPOKEN.items():
        hue, chroma = hues[index]
        behind = darkest if contrast >= _BODY else colors.background
        values[token] = hex_of(_standing_out(hue, chroma, contrast, behind, toward))
    if colors.foreground is None or _contrast(colors.foreground, darkest) < _BODY:
        hue, chroma = hues[_GREY]
        text = hex_of(_standing_out(hue, chroma, 10.0, darkest, toward))
        for token in ("text", "userMessageText", "customMessageText", "toolTitle", "mdCodeBlock"):
            values[token] = text
    return Theme(SYSTEM, values, appearance, depth)


def _hue(index: int, colors: TerminalColors) -> tuple[float, float]:
    """Hue and chroma of one of the terminal's colours, or of ours in its place."""
    if index == _GREY:
        source = colors.foreground or colors.background or (0, 0, 0)
        _, chroma, hue = _oklch(source)
        return hue, min(chroma, 0.02)
    found = [rgb for rgb in (colors.ansi.get(index + 8), colors.ansi.get(index)) if rgb is not None]
    best = max((_oklch(rgb) for rgb in found), key=lambda lch: lch[1], default=None)
    if best is None or best[1] < 0.03:
        return (_OWN_HUES[index], 0.11) if best is None else (best[2], best[1])
    return best[2], min(best[1], 0.16)


def _standing_out(hue: float, chroma: float, contrast: float, behind: Rgb, toward: int) -> Rgb:
    """The colour of a hue nearest to the background that has this contrast with it."""
    near, far = _oklch(behind)[0], 1.0 if toward > 0 else 0.0
    if _contrast(oklch_to_rgb(far, 0, 0), behind) < contrast:
        return oklch_to_rgb(far, 0, 0)
    for _ in range(12):
        middle = (near + far) / 2
        if _contrast(oklch_to_rgb(middle, chroma, hue), behind) < contrast:
            near = middle
        else:
            far = middle
    return oklch_to_rgb(far, chroma, hue)


def _contrast(one: Rgb, other: Rgb) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: Rgb) -> float:
    red, green, blue = map(_linear, color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: int) -> float:
    value = part / 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _oklch(color: Rgb) -> tuple[float, float, float]:
    """Lightness, chroma and hue of a colour. https://bottosson.github.io/posts/oklab/"""
    red, green, blue = map(_linear, color)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    light = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return light, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360
