"""Colour notations, against values computed with another implementation."""

import time

import pytest

from pi.resources.colors import hex_of, indexed_rgb, lightness_of, parse_color


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#0af", "#00aaff"),
        ("#00AAff", "#00aaff"),
        ("oklch(62% 0.1 200)", "#1c989e"),
        ("OKLCH( .62 1e-1 -160deg )", "#1c989e"),
        ("oklch(0% 0 0)", "#000000"),
        ("oklch(1 0 0)", "#ffffff"),
        ("okhsl(250 60% 55%)", "#4e88c2"),
        ("okhsl(610deg 0.6 .55)", "#4e88c2"),
        ("okhsl(234 3% 89%)", "#dee0e1"),
        ("okhsl(20 100% 100%)", "#ffffff"),
        ("okhsl(20 100% 0%)", "#000000"),
        ("okhsl(0 0% 50%)", "#777777"),
    ],
)
def test_parse(text: str, expected: str) -> None:
    color = parse_color(text)
    assert color is not None
    assert hex_of(color) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "#", "#12", "#12345", "#gggggg", "red", "#0af ", "rgb(1 2 3)"),
        *("oklch(62%, 0.1, 200)", "oklch(62% 0.1)", "oklch(101% 0 0)", "oklch(50% -1 0)"),
        *("oklch(50% 0.1 200 / 50%)", "okhsl(1 101% 5%)", "okhsl(1 2 3", "oklch(1e999 0 0)"),
    ],
)
def test_not_a_color(text: str) -> None:
    assert parse_color(text) is None


def test_a_number_without_end_is_no_trap() -> None:
    """Anybody's theme is read at the start; the time for it grows with its length alone."""
    began = time.process_time()
    assert parse_color("okhsl(" + "1" * 100_000) is None
    assert parse_color("oklch(" + "1" * 100_000 + " x") is None
    assert time.process_time() - began < 5


@pytest.mark.parametrize("hue", range(0, 360, 15))
def test_what_no_screen_shows_keeps_lightness(hue: int) -> None:
    color = parse_color(f"oklch(60% 0.5 {hue})")
    assert color is not None
    assert abs(lightness_of(color) - 0.6) < 0.01


@pytest.mark.parametrize(
    ("index", "expected"), [(0, "#000000"), (15, "#ffffff"), (39, "#00afff"), (244, "#808080")]
)
def test_indexed(index: int, expected: str) -> None:
    assert hex_of(indexed_rgb(index)) == expected
