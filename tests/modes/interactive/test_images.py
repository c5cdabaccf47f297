"""Images: sizes by their first bytes, and the sequences that show them."""

import base64
import io
import re

import pytest
from PIL import Image

from pi.modes.interactive.cells import width
from pi.modes.interactive.images import image_protocol, image_rows, image_size, placeholder


def picture(kind: str, wide: int = 30, high: int = 20) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (wide, high), "red").save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_size(kind: str) -> None:
    assert image_size(picture(kind)) == (30, 20)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_size_of_cut_files_is_none_or_right(kind: str) -> None:
    data = picture(kind)
    for end in range(min(len(data), 200)):
        assert image_size(data[:end]) in (None, (30, 20))


def test_lossless_webp() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (31, 17), (1, 2, 3, 4)).save(out, "WEBP", lossless=True)
    assert image_size(out.getvalue()) == (31, 17)


def test_kitty_draws_from_the_last_row_in_chunks() -> None:
    noise = Image.effect_noise((180, 90), 90)
    out = io.BytesIO()
    noise.save(out, "PNG")
    data = base64.b64encode(out.getvalue()).decode()
    rows = image_rows(data, "kitty", 60, (9, 18))
    assert rows is not None
    assert rows[:-1] == [""] * 4
    assert rows[-1].startswith("\x1b[4A\x1b_Ga=T,f=100,i=")
    assert rows[-1].endswith("\x1b\\\x1b[4B")
    assert "c=20,r=5" in rows[-1]
    chunks = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", rows[-1])
    assert "".join(chunk for _, chunk in chunks) == data
    assert all(len(chunk) <= 4096 for _, chunk in chunks)
    assert chunks[-1][0].endswith("m=0")
    assert all(head.endswith("m=1") for head, _ in chunks[:-1])
    assert width(rows[-1]) == 0


def test_kitty_gets_png_whatever_the_format() -> None:
    rows = image_rows(base64.b64encode(picture("JPEG")).decode(), "kitty", 60)
    assert rows is not None
    data = re.search(r";([^\x1b]*)\x1b", rows[-1])
    assert data is not None
    assert base64.b64decode(data[1]).startswith(b"\x89PNG")


def test_iterm2() -> None:
    data = base64.b64encode(picture("PNG", 90, 36)).decode()
    rows = image_rows(data, "iterm2", 60, (9, 18))
    assert rows == [
        "",
        f"\x1b[1A\x1b7\x1b]1337;File=inline=1;width=10;height=2;preserveAspectRatio=0:{data}\x07\x1b8"
        "\x1b[1B",
    ]


def test_wide_and_tall_images_are_made_to_fit() -> None:
    wide = image_rows(base64.b64encode(picture("PNG", 2000, 100)).decode(), "iterm2", 60)
    assert wide is not None
    assert "width=60" in wide[-1]
    tall = image_rows(base64.b64encode(picture("PNG", 100, 4000)).decode(), "iterm2", 60)
    assert tall is not None
    assert len(tall) == 30


@pytest.mark.parametrize(
    "data", ["", "not base64!", base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()]
)
def test_what_is_no_image_is_not_shown(data: str) -> None:
    assert image_rows(data, "kitty", 60) is None
    assert placeholder(data, "image/png") == "[png image]"


def test_placeholder() -> None:
    assert (
        placeholder(base64.b64encode(picture("PNG")).decode(), "image/png") == "[png image 30×20]"
    )


@pytest.mark.parametrize(
    ("variables", "setting", "expected"),
    [
        ({"TERM": "xterm-kitty"}, "auto", "kitty"),
        ({"TERM_PROGRAM": "ghostty"}, "auto", "kitty"),
        ({"TERM_PROGRAM": "iTerm.app"}, "auto", "iterm2"),
        ({"TERM": "xterm-256color"}, "auto", None),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/x"}, "auto", None),
        ({"PI_IMAGE_PROTOCOL": "iterm2"}, "auto", "iterm2"),
        ({"PI_IMAGE_PROTOCOL": "none", "TERM": "xterm-kitty"}, "auto", None),
        ({"PI_IMAGE_PROTOCOL": "none"}, "kitty", "kitty"),
        ({"TERM": "xterm-kitty"}, False, None),
    ],
)
def test_protocol(variables: dict[str, str], setting: object, expected: str | None) -> None:
    assert image_protocol(variables, setting) == expected  # type: ignore[arg-type]
