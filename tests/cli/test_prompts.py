"""Messages, @files and stdin, turned into prompts."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.cli.prompts import compose_prompts
from pi.errors import PiError, UsageError
from pi.runtime.attachments import AttachedImage
from pi.runtime.prompts import Prompt
from pi.wire.messages import ImageContent

PNG: ImageContent = {"type": "image", "data": "cG5n", "mimeType": "image/png"}


def load_image(data: bytes) -> AttachedImage | None:
    """A stand-in with a format of its own: `IMG:conversion:note`, `BROKEN:note`."""
    kind, *notes = data.decode("latin-1").split(":")
    if kind == "IMG":
        return AttachedImage(PNG, *notes)
    if kind == "BROKEN":
        return AttachedImage(None, note=notes[0])
    return None


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def compose(
    work: Path, messages: Sequence[str] = (), files: Sequence[str] = (), stdin: bytes | None = None
) -> list[Prompt]:
    return compose_prompts(
        messages, files, stdin, cwd=work, home=work.parent / "home", load_image=load_image
    )


def texts(prompts: list[Prompt]) -> list[str]:
    return [prompt.text for prompt in prompts]


@pytest.mark.parametrize(
    ("messages", "stdin", "expected"),
    [
        ([], None, []),
        ([], b"", []),
        ([], b"  \n\xef\xbb\xbf", []),
        ([""], None, []),
        ([" \n"], None, []),
        (["hi"], None, ["hi"]),
        (["  hi \n"], None, ["  hi \n"]),
        (["hi", "there"], None, ["hi", "there"]),
        (["a", "", " ", "b"], None, ["a", "b"]),
        (["hi"], b"IN\n", ["INhi"]),
        ([], b"\n IN\nmore  \n", ["IN\nmore"]),
        (["hi", "there"], b"IN", ["INhi", "there"]),
        (["", "x"], b"IN", ["IN", "x"]),
        (["hi"], b"\xef\xbb\xbfX\r\nY", ["X\r\nYhi"]),
        (["hi"], b"caf\xe9\n", ["caf\N{REPLACEMENT CHARACTER}hi"]),
        (["hi"], b"a\0b", ["a\0bhi"]),
        (["hi"], b"\x1c", ["\x1chi"]),
        (["/help"], None, ["/help"]),
        (["!ls"], None, ["!ls"]),
        (["caf\udce9"], None, ["caf\N{REPLACEMENT CHARACTER}"]),
    ],
)
def test_messages_and_stdin(
    work: Path, messages: list[str], stdin: bytes | None, expected: list[str]
) -> None:
    assert texts(compose(work, messages, stdin=stdin)) == expected


def test_files_stand_between_stdin_and_the_first_message(work: Path) -> None:
    (work / "a.txt").write_bytes(b"AAA\n")
    (work / "b c.txt").write_bytes(b"BBB")
    prompts = compose(work, ["hi", "yo"], ["a.txt", "b c.txt"], b"IN\n")
    assert texts(prompts) == [
        f'IN<file name="{work / "a.txt"}">\nAAA\n\n</file>\n'
        f'<file name="{work / "b c.txt"}">\nBBB\n</file>\nhi',
        "yo",
    ]
    assert prompts[1].content == [{"type": "text", "text": "yo"}]


def test_a_file_alone_is_a_prompt(work: Path) -> None:
    (work / "a.txt").write_bytes(b"AAA")
    assert texts(compose(work, files=["a.txt", "a.txt"])) == [
        f'<file name="{work / "a.txt"}">\nAAA\n</file>\n' * 2
    ]


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"a\r\nb\r\n", "a\r\nb\r\n"),
        (b"\xef\xbb\xbfX", "X"),
        (b"caf\xe9", "caf\N{REPLACEMENT CHARACTER}"),
        (b"\0\x01\xff", "\0\x01\N{REPLACEMENT CHARACTER}"),
        (b"<svg/>", "<svg/>"),
    ],
)
def test_file_contents_stay_as_they_are(work: Path, data: bytes, shown: str) -> None:
    (work / "f").write_bytes(data)
    assert texts(compose(work, ["hi"], ["f"])) == [
        f'<file name="{work / "f"}">\n{shown}\n</file>\nhi'
    ]


def test_an_empty_file_is_passed_over(work: Path) -> None:
    (work / "e").touch()
    assert compose(work, files=["e"]) == []
    assert texts(compose(work, ["hi"], ["e"])) == ["hi"]


def test_images_follow_the_text_and_notes_end_it(work: Path) -> None:
    (work / "big.png").write_bytes(b"IMG::[smaller]")
    (work / "odd.png").write_bytes(b"BROKEN:[left out]")
    (work / "x.bmp").write_bytes(b"IMG:[was bmp]:")
    (work / "a.txt").write_bytes(b"A")
    (prompt,) = compose(work, ["hi"], ["big.png", "odd.png", "x.bmp", "a.txt"])
    assert prompt.text == (
        f'<file name="{work / "big.png"}"></file>\n'
        f'<file name="{work / "odd.png"}"></file>\n'
        f'<file name="{work / "x.bmp"}">[was bmp]</file>\n'
        f'<file name="{work / "a.txt"}">\nA\n</file>\n'
        "hi\n\n[smaller]\n[left out]"
    )
    assert prompt.content == [{"type": "text", "text": prompt.text}, PNG, PNG]


def test_names_are_understood_as_they_are_typed_or_pasted(work: Path) -> None:
    home = work.parent / "home"
    home.mkdir()
    for path in (work / "a.txt", work / "b c.txt", work / "@at", home / "h.txt"):
        path.write_bytes(b"x")
    for typed, path in {
        "a.txt": work / "a.txt",
        "./sub/../a.txt": work / "a.txt",
        str(work / "a.txt"): work / "a.txt",
        "@a.txt": work / "a.txt",
        "@at": work / "@at",
        "b\N{NO-BREAK SPACE}c.txt": work / "b c.txt",
        "~/h.txt": home / "h.txt",
        (work / "b c.txt").as_uri(): work / "b c.txt",
    }.items():
        (text,) = texts(compose(work, files=[typed]))
        assert text.startswith(f'<file name="{path}">'), typed


@pytest.mark.parametrize("typed", ["nope", "nope/x", "~/nope", "@nope", "a\0b", ""])
def test_what_cannot_be_read_ends_the_run_with_one_line(work: Path, typed: str) -> None:
    with pytest.raises(PiError) as caught:
        compose(work, ["hi"], [typed])
    assert not isinstance(caught.value, UsageError)
    assert caught.value.exit_code == 1
    assert f"@{typed}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_is_refused(work: Path) -> None:
    (work / "d").mkdir()
    with pytest.raises(PiError, match="@d is a folder"):
        compose(work, ["hi"], ["d"])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_read_as_the_shells_process_substitution_makes_one(work: Path) -> None:
    reader, writer = os.pipe()
    try:
        os.write(writer, b"piped")
        os.close(writer)
        path = f"/dev/fd/{reader}"
        assert texts(compose(work, files=[path])) == [f'<file name="{path}">\npiped\n</file>\n']
    finally:
        os.close(reader)


@given(st.lists(st.text(st.characters(codec=None), max_size=6), max_size=4), st.binary(max_size=8))
def test_whatever_is_typed_or_piped_can_be_sent(messages: list[str], stdin: bytes) -> None:
    here = Path.cwd()
    prompts = compose_prompts(messages, [], stdin, cwd=here, home=here, load_image=load_image)
    for prompt in prompts:
        assert prompt.text.encode("utf-8").strip()
    assert len(prompts) <= max(1, len(messages))
