"""Themes: the reference's JSON files, checked and resolved into plain colours.

Here they are data. What a terminal can show of them, and the `system` theme that is derived from
the terminal's own colours, is the interactive mode's. Source: docs/themes.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pi.config.documents import read_document
from pi.config.shapes import STRING, Leaf, MapOf, Record, choice
from pi.errors import ConfigError
from pi.resources.colors import Rgb, hex_of, indexed_rgb, lightness_of, parse_color
from pi.resources.found import Found

__all__ = [
    "BACKGROUNDS",
    "BUILTIN",
    "EXPORT_TOKENS",
    "FALLBACKS",
    "SYSTEM",
    "TOKENS",
    "Color",
    "Theme",
    "builtin_theme",
    "load_theme",
    "load_themes",
    "named_theme",
    "rgb_of",
    "theme_setting",
]

Color = str | int
"""Resolved: "#rrggbb", one of a terminal's 256 colours, or "" for the terminal's own default."""

Appearance = Literal["dark", "light"]

BUILTIN = ("dark", "light")
SYSTEM = "system"
"""Reserved for the theme made of the terminal's colours."""

FALLBACKS: Mapping[str, str] = {
    "scrollbarTrack": "muted",
    "scrollbarThumb": "text",
    "searchMatchBg": "selectedBg",
    "searchMatchText": "text",
    "thinkingMax": "thinkingXhigh",
}
"""Tokens a theme may leave out, and whose colour they then take."""

TOKENS = (
    *("accent", "border", "borderAccent", "borderMuted", "success", "error", "warning", "muted"),
    *("dim", "text", "thinkingText", "scrollbarTrack", "scrollbarThumb", "selectedBg"),
    *("searchMatchBg", "searchMatchText", "userMessageBg", "userMessageText", "customMessageBg"),
    *("customMessageText", "customMessageLabel", "toolPendingBg", "toolSuccessBg", "toolErrorBg"),
    *("toolTitle", "toolOutput", "mdHeading", "mdLink", "mdLinkUrl", "mdCode", "mdCodeBlock"),
    *("mdCodeBlockBorder", "mdQuote", "mdQuoteBorder", "mdHr", "mdListBullet", "toolDiffAdded"),
    *("toolDiffRemoved", "toolDiffContext", "syntaxComment", "syntaxKeyword", "syntaxFunction"),
    *("syntaxVariable", "syntaxString", "syntaxNumber", "syntaxType", "syntaxOperator"),
    *("syntaxPunctuation", "thinkingOff", "thinkingMinimal", "thinkingLow", "thinkingMedium"),
    *("thinkingHigh", "thinkingXhigh", "thinkingMax", "bashMode"),
)
BACKGROUNDS = frozenset(
    {
        *("selectedBg", "searchMatchBg", "userMessageBg", "customMessageBg"),
        *("toolPendingBg", "toolSuccessBg", "toolErrorBg"),
    }
)
"""Tokens that colour what is behind text: "" there is the default background."""
EXPORT_TOKENS = ("pageBg", "cardBg", "infoBg")

_VALUE = Leaf(
    "a color: a string, or a whole number from 0 to 255",
    lambda value: (
        isinstance(value, str)
        or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255)
    ),
)
_NAME = Leaf(
    'a name without "/" that is not "system"',
    lambda value: isinstance(value, str) and value not in ("", SYSTEM) and "/" not in value,
    quoted=True,
)
_FILE = Record(
    {
        "$schema": STRING,
        "name": _NAME,
        "appearance": choice("dark", "light"),
        "vars": MapOf(_VALUE),
        "colors": Record(dict.fromkeys(TOKENS, _VALUE)),
        "export": Record(dict.fromkeys(EXPORT_TOKENS, _VALUE)),
    },
    required=("name", "colors"),
)
_SHOWN = 5
"""Problems that one message names."""


class Theme(NamedTuple):
    """colors: every token of TOKENS. appearance: the background it is made for.

    export: colours of exported pages, where the file gives any. path: None for a built-in theme.
    """

    name: str
    colors: Mapping[str, Color]
    appearance: Appearance
    export: Mapping[str, Color]
    path: Path | None = None


def load_theme(path: Path) -> Theme:
    """Raises ConfigError naming the file and each place in it that is wrong (the first few)."""
    document = read_document(path)
    if document is None:
        raise ConfigError(f"{path}: there is no theme in it")
    return _theme(document, path, path)


def load_themes(files: Sequence[Found]) -> tuple[dict[str, Theme], list[str]]:
    """The themes in these files by name, the first of each, over the built-in ones.

    And a line for each that cannot be used. The `system` theme is not among them.
    """
    themes: dict[str, Theme] = {}
    diagnostics: list[str] = []
    for item in files:
        try:
            theme = load_theme(item.path)
        except ConfigError as error:
            diagnostics.append(f"theme left out: {error}")
            continue
        first = themes.setdefault(theme.name, theme)
        if first is not theme:
            diagnostics.append(
                f"two themes are called {theme.name}: {first.path} counts, {theme.path} does not"
            )
    for name in BUILTIN:
        if name not in themes:
            themes[name] = builtin_theme(name)
    return themes, diagnostics


def named_theme(files: Sequence[Found], name: str) -> Theme:
    """The first theme of that name in these files, or else the built-in one.

    Raises ConfigError where there is none, or none that can be used.
    """
    problem: ConfigError | None = None
    for item in files:
        try:
            theme = load_theme(item.path)
        except ConfigError as error:
            # Whose it is to be is not known, but for a file that is called so.
            if item.path.stem == name:
                problem = error
            continue
        if theme.name == name:
            return theme
    if name in BUILTIN:
        return builtin_theme(name)
    raise problem or ConfigError(f"there is no theme {name!r}")


@cache
def builtin_theme(name: str) -> Theme:
    """One of BUILTIN."""
    path = Path(__file__).with_name("data") / f"{name}.json"
    document = read_document(path)
    if document is None:
        raise ConfigError(f"{path} is missing: pi is not installed completely")
    return _theme(document, path, None)


def theme_setting(value: str) -> tuple[str, str] | None:
    """The setting `theme` as names for (light, dark) terminals; None when it makes no sense."""
    if "/" not in value:
        return (value, value) if value else None
    light, _, dark = value.partition("/")
    light, dark = light.strip(), dark.strip()
    return (light, dark) if light and dark and "/" not in dark else None


def rgb_of(color: Color) -> Rgb | None:
    """None for the terminal's default, which only the terminal knows."""
    if isinstance(color, int):
        return indexed_rgb(color)
    return parse_color(color) if color else None


def _theme(document: Mapping[str, Any], file: Path, path: Path | None) -> Theme:
    problems = [*_unknown(document), *_FILE.problems(document, "")]
    colors: dict[str, Color] = {}
    export: dict[str, Color] = {}
    if not problems:
        variables = document.get("vars", {})
        for section, found in (("colors", colors), ("export", export)):
            for name, value in document.get(section, {}).items():
                try:
                    found[name] = _resolved(value, variables)
                except ValueError as error:
                    problems.append(f"{section}.{name}: {error}")
    if problems:
        shown = "; ".join(problems[:_SHOWN])
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise ConfigError(f"{file}: {shown}{more}")
    for name, other in FALLBACKS.items():
        colors.setdefault(name, colors[other])
    return Theme(
        name=document["name"],
        colors={name: colors[name] for name in TOKENS},
        appearance=document.get("appearance") or _appearance(colors),
        export=export,
        path=path,
    )


def _unknown(document: Mapping[str, Any]) -> Iterator[str]:
    """What a theme cannot have, and the colours it lacks."""
    for name in document:
        if name not in _FILE.fields:
            yield f"{name}: a theme has no such key"
    for section, known in (("colors", TOKENS), ("export", EXPORT_TOKENS)):
        given = document.get(section)
        if isinstance(given, dict):
            for name in given:
                if name not in known:
                    yield f"{section}.{name}: no such color; colors of your own go under vars"
    given = document.get("colors")
    if isinstance(given, dict):
        missing = [name for name in TOKENS if name not in given and name not in FALLBACKS]
        if missing:
            yield f"colors: missing {', '.join(missing)}"


def _resolved(value: Color, variables: Mapping[str, Color]) -> Color:
    """Raises ValueError saying what is wrong with it."""
    seen: list[str] = []
    while isinstance(value, str) and value:
        lowered = value.lower()
        if value.startswith("#") or lowered.startswith(("oklch(", "okhsl(")):
            rgb = parse_color(value)
            if rgb is None:
                raise ValueError(f'"{value}" is not a color')
            return hex_of(rgb)
        if value in seen:
            raise ValueError(f"vars go in a circle: {' → '.join((*seen, value))}")
        seen.append(value)
        if value not in variables:
            raise ValueError(f'no "{value}" in vars')
        value = variables[value]
    return value


def _appearance(colors: Mapping[str, Color]) -> Appearance:
    """Light text or dark panels speak for a dark background."""
    vote = 0.0
    for name, color in colors.items():
        rgb = rgb_of(color)
        if rgb is not None:
            lean = lightness_of(rgb) - 0.5
            vote += -lean if name in BACKGROUNDS else lean
    return "light" if vote < 0 else "dark"
