"""Colours as themes write them: hexadecimal, OKLCH, OKHSL, and the 256 of a terminal.

Arithmetic only, because the one library that knows OKHSL costs more to import than everything else
an interactive start loads. Björn Ottosson's definitions: https://bottosson.github.io/posts/oklab/
and https://bottosson.github.io/posts/colorpicker/ (the constants are his).

An RGB colour is three numbers from 0 to 255; lightness, chroma and saturation run from 0 to 1, a
hue is in degrees.
"""

import math
import re
from functools import cache

__all__ = ["Rgb", "hex_of", "indexed_rgb", "lightness_of", "oklch_to_rgb", "parse_color"]

Rgb = tuple[int, int, int]

_NUMBER = r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)"
_HEX = r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})"
_OKLCH = rf"oklch\(\s*{_NUMBER}(%?)\s+{_NUMBER}\s+{_NUMBER}(?:deg)?\s*\)"
_OKHSL = rf"okhsl\(\s*{_NUMBER}(?:deg)?\s+{_NUMBER}(%?)\s+{_NUMBER}(%?)\s*\)"

_STEPS = 24
"""Halvings when looking for the edge of what a screen can show: far finer than its 8 bits."""

# Where a terminal's 6 × 6 × 6 cube and its first 16 colours usually are.
_CUBE = (0, 95, 135, 175, 215, 255)
_BASIC: tuple[Rgb, ...] = (
    (0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0),
    (0, 0, 128), (128, 0, 128), (0, 128, 128), (192, 192, 192),
    (128, 128, 128), (255, 0, 0), (0, 255, 0), (255, 255, 0),
    (0, 0, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255),
)  # fmt: skip


def parse_color(text: str) -> Rgb | None:
    """`#rgb`, `#rrggbb`, `oklch(L C H)` or `okhsl(H S L)`; None for anything else.

    An OKLCH colour that no screen can show gives up chroma until one can.
    """
    if text.startswith("#"):
        if not re.fullmatch(_HEX, text):
            return None
        digits = text[1:] if len(text) == 7 else "".join(digit * 2 for digit in text[1:])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if match := re.fullmatch(_OKLCH, text, re.IGNORECASE):
        light = float(match[1]) / (100 if match[2] else 1)
        chroma, hue = float(match[3]), float(match[4])
        if 0 <= light <= 1 and 0 <= chroma < math.inf and math.isfinite(hue):
            return oklch_to_rgb(light, chroma, hue)
    elif match := re.fullmatch(_OKHSL, text, re.IGNORECASE):
        saturation = float(match[2]) / (100 if match[3] else 1)
        light = float(match[4]) / (100 if match[5] else 1)
        if 0 <= saturation <= 1 and 0 <= light <= 1 and math.isfinite(float(match[1])):
            return _okhsl_to_rgb(float(match[1]), saturation, light)
    return None


def hex_of(color: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)


def indexed_rgb(index: int) -> Rgb:
    """What a terminal usually shows for one of its 256 colours; the first 16 are people's own."""
    if index < 16:
        return _BASIC[index]
    if index >= 232:
        grey = 8 + 10 * (index - 232)
        return grey, grey, grey
    index -= 16
    return _CUBE[index // 36], _CUBE[index // 6 % 6], _CUBE[index % 6]


def lightness_of(color: Rgb) -> float:
    """OKLab lightness: how light it looks."""
    red, green, blue = (_to_linear(part / 255) for part in color)
    return (
        0.2104542553 * math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
        + 0.7936177850 * math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
        - 0.0040720468 * math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    )


def oklch_to_rgb(light: float, chroma: float, hue: float) -> Rgb:
    a, b = _direction(hue)
    if not _shows(light, chroma * a, chroma * b):
        chroma = _most_chroma(light, a, b, chroma)
    return _to_screen(light, chroma * a, chroma * b)


def _okhsl_to_rgb(hue: float, saturation: float, lightness: float) -> Rgb:
    if lightness >= 1:
        return 255, 255, 255
    if lightness <= 0:
        return 0, 0, 0
    light = _toe_inverse(lightness)
    a, b = _direction(hue)
    least, middle, most = _chromas(light, a, b)
    if saturation < 0.8:
        part = 1.25 * saturation
        first = 0.8 * least
        chroma = part * first / (1 - (1 - first / middle) * part)
    else:
        part = (saturation - 0.8) / 0.2
        first = 0.2 * (middle * 1.25) ** 2 / least
        rest = most - middle
        chroma = middle + (part * first / (1 - (1 - first / rest) * part) if rest > 1e-9 else 0)
    return _to_screen(light, chroma * a, chroma * b)


def _direction(hue: float) -> tuple[float, float]:
    return math.cos(math.radians(hue)), math.sin(math.radians(hue))


def _toe_inverse(x: float) -> float:
    return (x * x + 0.206 * x) / (1.206 / 1.03 * (x + 0.03))


def _chromas(light: float, a: float, b: float) -> tuple[float, float, float]:
    """The three chromas OKHSL interpolates between, at saturation near 0, 0.8 and 1."""
    cusp_light, cusp_chroma = _cusp(a, b)
    most = _most_chroma(light, a, b, 0.5)
    scale = most / min(
        light * cusp_chroma / cusp_light, (1 - light) * cusp_chroma / (1 - cusp_light)
    )
    left = 0.11516993 + 1 / (
        7.44778970
        + 4.15901240 * b
        + a
        * (
            -2.19557347
            + 1.75198401 * b
            + a
            * (-2.13704948 - 10.02301043 * b + a * (-4.24894561 + 5.38770819 * b + 4.69891013 * a))
        )
    )
    right = 0.11239642 + 1 / (
        1.61320320
        - 0.68124379 * b
        + a
        * (
            0.40370612
            + 0.90148123 * b
            + a
            * (-0.27087943 + 0.61223990 * b + a * (0.00299215 - 0.45399568 * b - 0.14661872 * a))
        )
    )
    below, above = light * left, (1 - light) * right
    middle = 0.9 * scale * (1 / (1 / below**4 + 1 / above**4)) ** 0.25
    below, above = light * 0.4, (1 - light) * 0.8
    least = math.sqrt(1 / (1 / below**2 + 1 / above**2))
    return least, middle, most


@cache
def _cusp(a: float, b: float) -> tuple[float, float]:
    """Lightness and chroma of the most colourful colour of a hue that a screen can show.

    No channel may be negative there, whatever the lightness: that gives chroma over lightness.
    """
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if min(_linear_rgb(1, middle * a, middle * b)) >= 0:
            low = middle
        else:
            high = middle
    light = math.cbrt(1 / max(_linear_rgb(1, low * a, low * b)))
    return light, light * low


def _most_chroma(light: float, a: float, b: float, high: float) -> float:
    low = 0.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _shows(light, middle * a, middle * b):
            low = middle
        else:
            high = middle
    return low


def _shows(light: float, a: float, b: float) -> bool:
    return all(-1e-6 <= part <= 1 + 1e-6 for part in _linear_rgb(light, a, b))


def _linear_rgb(light: float, a: float, b: float) -> tuple[float, float, float]:
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _to_screen(light: float, a: float, b: float) -> Rgb:
    red, green, blue = (
        round(255 * _from_linear(min(max(part, 0.0), 1.0))) for part in _linear_rgb(light, a, b)
    )
    return red, green, blue


def _from_linear(part: float) -> float:
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


def _to_linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
