"""Themes at run time: depth, nesting, and colours derived from the terminal's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.modes.interactive.palette import Theme, color_depth
from pi.modes.interactive.system_theme import (
    TerminalColors,
    _contrast,
    appearance_of,
    system_theme,
)
from pi.resources.themes import TOKENS, builtin_theme, rgb_of

COLORS = {
    "accent": "#ff8800",
    "text": "",
    "error": 1,
    "muted": 245,
    "selectedBg": "#203040",
    "toolErrorBg": "#402020",
}


def theme(depth: str = "truecolor") -> Theme:
    return Theme("t", COLORS, "dark", depth)  # type: ignore[arg-type]


def test_sequences_for_each_depth() -> None:
    assert theme().fg("accent", "x") == "\x1b[38;2;255;136;0mx\x1b[39m"
    assert theme("256").fg("accent", "x") == "\x1b[38;5;208mx\x1b[39m"
    assert theme("16").fg("accent", "x") == "\x1b[33mx\x1b[39m"
    assert theme("none").fg("accent", "x") == "x"
    assert theme().fg("text", "x") == "x"
    assert theme().fg("error", "x") == "\x1b[31mx\x1b[39m"
    assert theme().fg("no such token", "x") == "x"
    assert theme().bg("toolErrorBg", "x") == "\x1b[48;2;64;32;32mx\x1b[49m"


def test_a_selected_row_is_seen_without_shades() -> None:
    for depth in ("16", "none"):
        assert theme(depth).bg("selectedBg", "x") == "\x1b[7mx\x1b[27m"
        assert theme(depth).bg("toolErrorBg", "x") == "x"


def test_styled_text_inside_styled_text() -> None:
    inner = theme().fg("error", "in")
    assert theme().fg("accent", f"a{inner}b").endswith("\x1b[38;2;255;136;0mb\x1b[39m")
    bold = theme().bold(f"a{theme().bold('b')}c")
    assert bold.endswith("\x1b[22;1mc\x1b[22m")
    assert theme().bar("selectedBg", "x\x1b[0m", 3) == (
        "\x1b[48;2;32;48;64mx\x1b[0m\x1b[48;2;32;48;64m  \x1b[49m"
    )


def test_style_takes_tokens_and_colors() -> None:
    assert theme().style("x", fg="#010203") == "\x1b[38;2;1;2;3mx\x1b[39m"
    assert theme().style("x", fg="selectedBg") == "\x1b[38;2;32;48;64mx\x1b[39m"
    assert theme().style("x", bold=True, underline=True) == "\x1b[4m\x1b[1mx\x1b[22m\x1b[24m"


@pytest.mark.parametrize(
    ("variables", "setting", "expected"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "auto", "truecolor"),
        ({"TERM": "xterm-256color"}, "auto", "256"),
        ({"TERM": "xterm-kitty"}, "auto", "truecolor"),
        ({"TERM": "linux"}, "auto", "16"),
        ({"TERM": "dumb"}, "auto", "none"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, True, "none"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, False, "256"),
        ({"TERM": "xterm-256color", "PI_TRUE_COLOR": "1"}, "auto", "truecolor"),
        ({"TERM": "xterm-256color", "PI_TRUE_COLOR": "1"}, False, "256"),
        ({}, "auto", "16"),
    ],
)
def test_color_depth(variables: dict[str, str], setting: bool | str, expected: str) -> None:
    assert color_depth(variables, setting) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["dark", "light"])
@pytest.mark.parametrize("depth", ["none", "16", "256", "truecolor"])
def test_built_in_themes_have_every_token(name: str, depth: str) -> None:
    made = Theme.of(builtin_theme(name), depth)  # type: ignore[arg-type]
    for token in TOKENS:
        drawn = made.bg(token, "x") if token.endswith("Bg") else made.fg(token, "x")
        assert "x" in drawn
        assert (drawn == "x") or "\x1b" in drawn


rgb = st.tuples(*[st.integers(0, 255)] * 3)


@given(rgb, rgb, st.dictionaries(st.integers(0, 15), rgb))
def test_any_terminal_gets_readable_text(
    foreground: tuple[int, int, int],
    background: tuple[int, int, int],
    ansi: dict[int, tuple[int, int, int]],
) -> None:
    made = system_theme(TerminalColors(foreground, background, ansi))
    assert set(made.colors) == set(TOKENS)
    best = max(_contrast((0, 0, 0), background), _contrast((255, 255, 255), background))
    for token in ("accent", "error", "success", "warning", "muted", "dim", "mdCode"):
        color = rgb_of(made.colors[token])
        assert color is not None
        toward = _contrast((255,) * 3 if made.appearance == "dark" else (0,) * 3, background)
        assert _contrast(color, background) >= min(4.5, 0.9 * toward, best) - 0.05


def test_a_terminal_that_says_nothing_gets_its_own_numbers() -> None:
    made = system_theme(TerminalColors())
    assert made.colors["error"] == 1
    assert made.fg("muted", "x") == "\x1b[2mx\x1b[22m"
    assert not made.has_background("userMessageBg")


def test_appearance() -> None:
    assert appearance_of(TerminalColors(background=(255, 255, 255))) == "light"
    assert appearance_of(TerminalColors(background=(20, 20, 20))) == "dark"
    assert appearance_of(TerminalColors(), "light") == "light"
    assert appearance_of(TerminalColors(), None, "0;15") == "light"
    assert appearance_of(TerminalColors(), None, "15;0") == "dark"
    assert appearance_of(TerminalColors()) == "dark"
