"""Theme files: what they mean, and what is said of broken ones."""

import json
from pathlib import Path
from typing import Any

import pytest

from pi.errors import ConfigError
from pi.resources.colors import Rgb
from pi.resources.themes import (
    BACKGROUNDS,
    BUILTIN,
    FALLBACKS,
    TOKENS,
    Theme,
    builtin_theme,
    load_theme,
    rgb_of,
    theme_setting,
)

REQUIRED = {name: "" for name in TOKENS if name not in FALLBACKS}


def load(tmp_path: Path, document: Any) -> Theme:
    path = tmp_path / "theme.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return load_theme(path)


def test_every_form_of_a_color(tmp_path: Path) -> None:
    theme = load(
        tmp_path,
        {
            "$schema": "s",
            "name": "mine",
            "vars": {"a": "b", "b": "okhsl(250 60% 55%)", "n": 39},
            "colors": {**REQUIRED, "accent": "a", "border": "n", "error": "#0aF", "text": 7},
            "export": {"pageBg": "oklch(62% 0.1 200)"},
        },
    )
    assert theme.name == "mine"
    assert theme.path == tmp_path / "theme.json"
    assert (theme.colors["accent"], theme.colors["border"]) == ("#4e88c2", 39)
    assert (theme.colors["error"], theme.colors["muted"]) == ("#00aaff", "")
    assert theme.colors["scrollbarThumb"] == 7
    assert theme.export == {"pageBg": "#1c989e"}
    assert list(theme.colors) == list(TOKENS)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"name": None}, "name: expected a name"),
        ({"name": "a/b"}, 'name: expected a name without "/" that is not "system", found "a/b"'),
        ({"name": "system"}, 'found "system"'),
        ({"author": "me"}, "author: a theme has no such key"),
        ({"appearance": "grey"}, 'appearance: expected "dark" or "light", found "grey"'),
        ({"vars": {"x": 256}}, "vars.x: expected a color"),
        ({"vars": []}, "vars: expected an object"),
        ({"colors": {}}, "colors: missing accent, border,"),
        ({"colors": 5}, "colors: expected an object"),
        ({"colors": {**REQUIRED, "mine": ""}}, "colors.mine: no such color"),
        ({"colors": {**REQUIRED, "accent": 1.5}}, "colors.accent: expected a color"),
        ({"colors": {**REQUIRED, "accent": True}}, "colors.accent: expected a color"),
        ({"colors": {**REQUIRED, "accent": "#12"}}, 'colors.accent: "#12" is not a color'),
        ({"colors": {**REQUIRED, "accent": "red"}}, 'colors.accent: no "red" in vars'),
        ({"colors": {**REQUIRED, "accent": "x"}}, "vars go in a circle: x → y → x"),
        ({"export": {"bg": ""}}, "export.bg: no such color"),
    ],
)
def test_wrong(tmp_path: Path, change: dict[str, Any], place: str) -> None:
    document = {"name": "mine", "vars": {"x": "y", "y": "x"}, "colors": REQUIRED, **change}
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, document)
    assert str(caught.value).startswith(f"{tmp_path / 'theme.json'}: ")
    assert place in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\ufeff"])
def test_no_theme_at_all(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"theme\.json"):
        load(tmp_path, text)


def test_a_message_stays_readable(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"and \d\d more") as caught:
        load(tmp_path, {"name": "x", "colors": dict.fromkeys(TOKENS, -1) | {"mine": 1}})
    assert len(str(caught.value)) < 1000


def test_appearance_is_seen(tmp_path: Path) -> None:
    dark = {"name": "d", "colors": {**REQUIRED, "text": "#dddddd", "userMessageBg": "#222222"}}
    light = {"name": "l", "colors": {**REQUIRED, "text": "#222222", "userMessageBg": "#dddddd"}}
    assert load(tmp_path, dark).appearance == "dark"
    assert load(tmp_path, light).appearance == "light"
    assert load(tmp_path, {"name": "n", "colors": REQUIRED}).appearance == "dark"


@pytest.mark.parametrize("name", BUILTIN)
def test_built_in_themes_can_be_read(name: str) -> None:
    """By eyes too: WCAG contrast on the page and on every panel text of that kind lies on."""
    theme = builtin_theme(name)
    assert (theme.name, theme.appearance, theme.path) == (name, name, None)
    page = rgb_of(theme.export["pageBg"])
    panels = [rgb_of(theme.colors[token]) for token in BACKGROUNDS - {"searchMatchBg"}]
    borders = {"line", "edge"}
    document = json.loads(
        (Path(load_theme.__code__.co_filename).with_name("data") / f"{name}.json").read_text()
    )
    for token in TOKENS:
        if token in BACKGROUNDS or document["colors"][token] in borders:
            continue
        for behind in (page, *(panels if token in ("text", "muted", "toolOutput") else ())):
            assert contrast(rgb_of(theme.colors[token]), behind) >= 4.5, token


def contrast(one: Rgb | None, other: Rgb | None) -> float:
    assert one is not None
    assert other is not None
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(color: Rgb) -> float:
    parts = [
        part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in color
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("dark", ("dark", "dark")),
        ("sun/moon", ("sun", "moon")),
        (" sun / moon ", ("sun", "moon")),
        ("a/b/c", None),
        ("a/", None),
        ("", None),
    ],
)
def test_setting(value: str, expected: Any) -> None:
    assert theme_setting(value) == expected
