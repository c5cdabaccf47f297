"""@files, images among them: what is stored and what is sent."""

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.conftest import Scripted, ScriptedFactory

OK = [{"blocks": [{"text": "ok"}]}]
SEES = {"input": ["text", "image"]}


def picture(path: Path, size: tuple[int, int] = (10, 10)) -> bytes:
    """The image written to `path`, in the format of its suffix."""
    Image.new("RGB", size, (200, 30, 30)).save(path)
    return path.read_bytes()


def attached(script: Scripted, *arguments: str) -> tuple[str, list[dict[str, str]]]:
    """Text and images of the user message that these arguments lead to."""
    result = script.run("-p", *arguments)
    assert (result.code, result.text, result.stderr) == (0, "ok\n", "")
    text, *images = script.machine.messages()[1]["content"]
    assert all(image["type"] == "image" for image in images)
    return text["text"], images


def size(image: dict[str, str]) -> tuple[int, int]:
    return Image.open(io.BytesIO(base64.b64decode(image["data"]))).size


@pytest.mark.parametrize("api", ["anthropic-messages", "openai-completions"])
@pytest.mark.parametrize("name", ["a.png", "a.jpeg", "a.gif", "a.webp"])
def test_a_small_image_goes_as_it_is(scripted: ScriptedFactory, api: str, name: str) -> None:
    script = scripted(OK, api=api, model=SEES)
    path = script.machine.project / name
    data = base64.b64encode(picture(path)).decode()
    text, (image,) = attached(script, f"@{name}", "look")
    assert text == f'<file name="{path}"></file>\nlook'
    assert image == {"type": "image", "data": data, "mimeType": f"image/{name[2:]}"}
    sent = script.bodies[0]["messages"][-1]["content"][1]
    if api == "anthropic-messages":
        assert sent["source"]["data"] == data
    else:
        assert sent["image_url"]["url"] == f"data:image/{name[2:]};base64,{data}"


def test_a_scaled_image_says_so_at_the_end(scripted: ScriptedFactory) -> None:
    script = scripted(OK, model=SEES)
    path = script.machine.project / "big.jpg"
    picture(path, (3000, 1500))
    text, (image,) = attached(script, "@big.jpg", "look")
    head, _, note = text.partition("\n\n")
    assert head == f'<file name="{path}"></file>\nlook'
    assert size(image) == (2000, 1000)
    assert all(fact in note for fact in ("3000x1500", "2000x1000", "1.50"))
    assert note.startswith("[") and note.endswith("]")


def test_a_converted_image_says_so_in_its_tag(scripted: ScriptedFactory) -> None:
    script = scripted(OK, model=SEES)
    small, big = (script.machine.project / name for name in ("a.bmp", "big.bmp"))
    picture(small)
    picture(big, (4000, 10))
    text, images = attached(script, "@a.bmp", "@big.bmp", "look")
    first, second, said, blank, note = text.split("\n")
    for line, path in ((first, small), (second, big)):
        assert line.startswith(f'<file name="{path}">[') and line.endswith("]</file>")
        assert "image/bmp" in line and "image/png" in line
    assert (said, blank) == ("look", "")
    assert "4000x10" in note and "2000x5" in note
    assert [image["mimeType"] for image in images] == ["image/png", "image/png"]
    assert [size(image) for image in images] == [(10, 10), (2000, 5)]


def test_a_damaged_image_is_left_out_with_a_reason(scripted: ScriptedFactory) -> None:
    script = scripted(OK, model=SEES)
    path = script.machine.project / "broken.png"
    path.write_bytes(picture(path)[:40])
    text, images = attached(script, "@broken.png", "look")
    assert images == []
    head, _, note = text.partition("\n\n")
    assert head == f'<file name="{path}"></file>\nlook'
    assert "left out" in note and "damaged" in note


def test_images_can_be_kept_at_their_size_or_out_of_requests(scripted: ScriptedFactory) -> None:
    script = scripted(OK, model=SEES)
    data = picture(script.machine.project / "big.png", (2500, 10))
    script.machine.write("settings.json", {"images": {"autoResize": False, "blockImages": True}})
    text, (image,) = attached(script, "@big.png", "look")
    assert text.endswith("\nlook")
    assert base64.b64decode(image["data"]) == data
    sent = str(script.bodies[0]["messages"])
    assert "base64" not in sent and "images.blockImages" in sent


def test_texts_images_and_stdin_together(scripted: ScriptedFactory) -> None:
    script = scripted(OK, model=SEES)
    project = script.machine.project
    (project / "t.txt").write_bytes(b"\xef\xbb\xbfone\xff\r\n")
    (project / "empty.txt").write_bytes(b"")
    picture(project / "a.png")
    result = script.run(
        "-p", "@t.txt", "@empty.txt", "@a.png", "go", "and then", stdin=b" \n piped \n"
    )
    assert result.code == 0, result.stderr
    text, image = script.machine.messages()[1]["content"]
    assert text["text"] == (
        f'piped<file name="{project}/t.txt">\none\ufffd\r\n\n</file>\n'
        f'<file name="{project}/a.png"></file>\ngo'
    )
    assert image["mimeType"] == "image/png"
    assert script.machine.messages()[3]["content"] == [{"type": "text", "text": "and then"}]


def test_an_image_read_by_a_tool(scripted: ScriptedFactory) -> None:
    call = {"tool": "read", "id": "c1", "args": {"path": "big.bmp"}}
    script = scripted([{"blocks": [call], "stop": "toolUse"}, *OK], model=SEES)
    picture(script.machine.project / "big.bmp", (2500, 5))
    assert script.run("-p", "look").code == 0
    text, image = script.machine.messages()[3]["content"]
    kind, conversion, scaling = text["text"].split("\n")
    assert "image/png" in kind and "image/bmp" in conversion and "2000x4" in scaling
    assert size(image) == (2000, 4)
    (result,) = script.bodies[1]["messages"][-1]["content"]
    assert [block["type"] for block in result["content"]] == ["text", "image"]
