import base64
import io
import random

import pytest
from PIL import Image

from pi.tools.base import ImageLimits
from pi.tools.images import sniff


def picture(fmt: str, size=(10, 10), mode="RGB", **options) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 100 if mode == "L" else (200, 30, 30)).save(out, fmt, **options)
    return out.getvalue()


def decoded(block) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(block["data"])))


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "GIF", "WEBP"])
def test_small_images_go_as_they_are(run, put, fmt: str) -> None:
    data = picture(fmt)
    put("any-name", data)
    ran = run("read", path="any-name", offset=3)
    mime = f"image/{fmt.lower()}"
    assert base64.b64decode(ran.content[1]["data"]) == data
    assert ran.content[1]["mimeType"] == mime
    assert mime in ran.text
    assert ran.details is None
    assert ran.structured == {**ran.content[1], "note": ran.text}


@pytest.mark.parametrize(
    ("size", "shown", "factor"),
    [
        ((3000, 1000), (2000, 667), "1.50"),
        ((1000, 3000), (667, 2000), "1.50"),
        ((5000, 2), (2000, 1), "2.50"),
        ((2001, 2001), (2000, 2000), "1.00"),
    ],
)
def test_large_images_are_made_smaller_and_say_so(run, put, size, shown, factor) -> None:
    put("big.png", picture("PNG", size))
    ran = run("read", path="big.png")
    assert decoded(ran.content[1]).size == shown
    assert f"is {size[0]}x{size[1]} " in ran.text
    assert f"{shown[0]}x{shown[1]}" in ran.text
    assert f"times {factor} " in ran.text


def test_a_bitmap_becomes_png(run, put) -> None:
    put("a.bmp", picture("BMP"))
    ran = run("read", path="a.bmp")
    assert ran.content[1]["mimeType"] == "image/png"
    assert "file is image/bmp" in ran.text
    put("big.bmp", picture("BMP", (2500, 100)))
    text = run("read", path="big.bmp").text
    assert "file is image/bmp" in text
    assert "2000x80" in text


def test_an_animated_png_shows_its_first_picture(run, put) -> None:
    out = io.BytesIO()
    frames = [Image.new("RGB", (10, 10), (k * 50, 0, 0)) for k in range(3)]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    put("a.png", out.getvalue())
    ran = run("read", path="a.png")
    assert sniff(base64.b64decode(ran.content[1]["data"])) == "image/png"


def test_the_encoded_size_is_limited_too(run, put) -> None:
    noise = Image.frombytes("RGB", (300, 300), random.Random(1).randbytes(300 * 300 * 3))
    out = io.BytesIO()
    noise.save(out, "PNG")
    put("noise.png", out.getvalue())
    ran = run("read", path="noise.png", limits=ImageLimits(max_bytes=60_000))
    assert ran.content[1]["mimeType"] == "image/jpeg"
    assert len(ran.content[1]["data"]) <= 60_000
    ran = run("read", path="noise.png", limits=ImageLimits(max_bytes=8_000))
    assert len(ran.content[1]["data"]) <= 8_000
    assert decoded(ran.content[1]).width < 300


def test_what_cannot_be_made_to_fit_is_not_shown(run, put) -> None:
    put("a.png", picture("PNG", (50, 50)))
    ran = run("read", path="a.png", limits=ImageLimits(max_bytes=10))
    assert [block["type"] for block in ran.content] == ["text"]
    assert "image/png" in ran.text and "10 bytes" in ran.text


def test_a_turned_photo_is_shown_upright_when_encoded_again(run, put) -> None:
    image = Image.new("RGB", (3000, 1500), (1, 2, 3))
    exif = image.getexif()
    exif[274] = 6
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    put("turned.jpg", out.getvalue())
    ran = run("read", path="turned.jpg")
    assert decoded(ran.content[1]).size == (1000, 2000)
    assert "is 1500x3000 " in ran.text


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("cut.png", picture("PNG")[:40]),
        ("cut2.png", picture("PNG", (100, 100))[:-40]),
        ("cut.jpg", picture("JPEG", (200, 200))[:300]),
        ("junk.jpg", b"\xff\xd8\xff\xe0garbage"),
        ("junk.gif", b"GIF89a"),
        ("junk.webp", b"RIFF\0\0\0\0WEBPxx"),
    ],
)
def test_damaged_images_are_not_shown_and_say_why(run, put, name: str, data: bytes) -> None:
    put(name, data)
    ran = run("read", path=name)
    assert (ran.is_error, ran.structured) == (False, ran.text)
    assert [block["type"] for block in ran.content] == ["text"]
    assert "damaged" in ran.text
    assert ran.text.count("\n") == 1
    assert " object at " not in ran.text


def test_what_only_looks_like_an_image_is_text(run, put) -> None:
    put("fake.png", "not an image\n")
    put("a.svg", "<svg/>")
    put("bm.txt", "BM hello, this is a text that starts so\n")
    put("short", b"\x89PNG\r\n\x1a\n")
    assert run("read", path="fake.png").text == "not an image\n"
    assert run("read", path="a.svg").text == "<svg/>"
    assert run("read", path="bm.txt").text.startswith("BM hello")
    assert len(run("read", path="short").content) == 1


async def _read_with(run, path, **settings):
    return await run.call("read", {"path": path}, **settings)


def test_a_model_without_images_is_told(run, put) -> None:
    import asyncio

    put("a.png", picture("PNG"))
    ran = asyncio.run(_read_with(run, "a.png", images=None))
    assert "no images" in ran.text
    assert ran.content[1]["type"] == "image"


def test_resizing_can_be_switched_off(run, put) -> None:
    import asyncio

    data = picture("PNG", (2500, 10))
    put("a.png", data)
    ran = asyncio.run(_read_with(run, "a.png", resize_images=False))
    assert base64.b64decode(ran.content[1]["data"]) == data
