"""The page as a file: its parts, and that nothing in a session can get out of its place."""

import base64
import hashlib
import html
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi.errors import SessionError
from pi.session.export import default_name, export_file, export_page
from pi.session.export.document import CHUNK
from pi.session.source import MemorySource
from tests.session.session_lines import (
    SESSION_ID,
    assistant,
    compaction,
    edit,
    entry,
    file_bytes,
    header,
    message,
    user,
    write,
)


class Parts(HTMLParser):
    """Scripts and styles of a page as a browser finds them, and the names of all elements."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.styles: list[str] = []
        self.names: list[str] = []
        self.attributes: list[str] = []
        self.texts: dict[str, str] = {}
        self._open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]
        self._open = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
        if tag == "style":
            self.styles.append("")
        if tag == "meta" and dict(attrs).get("http-equiv"):
            self.texts["policy"] = dict(attrs)["content"] or ""

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open == "script":
            attrs, text = self.scripts[-1]
            self.scripts[-1] = (attrs, text + data)
        elif self._open == "style":
            self.styles[-1] += data
        elif self._open in ("title", "h1"):
            self.texts[self._open] = self.texts.get(self._open, "") + data

    @property
    def entries(self) -> list[dict[str, Any]]:
        blocks = [text for attrs, text in self.scripts if attrs.get("class") == "entries"]
        return [json.loads(line) for block in blocks for line in block.splitlines()]

    @property
    def index(self) -> dict[str, Any]:
        (text,) = (text for attrs, text in self.scripts if attrs.get("id") == "index")
        return dict(json.loads(text))

    @property
    def programs(self) -> list[str]:
        return [text for attrs, text in self.scripts if "type" not in attrs]


def parse(page: Path) -> Parts:
    parts = Parts()
    parts.feed(page.read_text())
    return parts


def exported(folder: Path, *lines: Any) -> Parts:
    page = folder / "page.html"
    export_file(write(folder / "session.jsonl", *lines), page)
    return parse(page)


def test_entries_and_index(tmp_path: Path) -> None:
    usage = {"input": 10, "output": 5, "cacheRead": 2, "cacheWrite": 0, "cost": {"total": 0.25}}
    parts = exported(
        tmp_path,
        header(cwd="/home/me", parentSession="/old.jsonl"),
        user("u1", None, "first"),
        assistant("a1", "u1", usage=usage),
        entry("label", "l1", "a1", targetId="a1", label="good"),
        user("u2", "u1", "second"),
        edit("d1", "u2", "a1", None),
        entry("session_info", "n1", "d1", name="My work"),
    )
    assert [line["type"] for line in parts.entries] == [
        *("message", "message", "label", "message", "context_edit", "session_info")
    ]
    index = parts.index
    assert index["session"] == {
        "id": SESSION_ID,
        "timestamp": header()["timestamp"],
        "cwd": "/home/me",
        "parent": "/old.jsonl",
        "name": "My work",
    }
    assert index["kinds"] == "uagudn"
    assert index["parents"] == [0, 1, 1, 3, 1, 1]
    assert index["leaf"] == 5
    assert index["labels"] == [[1, "good"]]
    assert index["omitted"] == [1]
    assert index["spent"] == [1, 10, 5, 2, 0, 0.25]
    assert parts.texts["title"] == parts.texts["h1"] == "My work"


def test_sizes_say_where_each_entry_is_across_blocks(tmp_path: Path) -> None:
    big = "ü" * (CHUNK // 10)
    parts = exported(tmp_path, header(), *(user(f"u{n}", None, f"{n} {big}") for n in range(9)))
    blocks = [text for attrs, text in parts.scripts if attrs.get("class") == "entries"]
    index = parts.index
    assert len(blocks) == len(index["firsts"]) > 2
    for number, block in enumerate(blocks):
        first, *_ = index["firsts"][number : number + 1]
        last = [*index["firsts"], len(index["sizes"])][number + 1]
        at = 0
        for row in range(first, last):
            line = block[at : at + index["sizes"][row]]
            assert json.loads(line)["message"]["content"][0]["text"].startswith(f"{row} ü")
            at += index["sizes"][row]
        assert at == len(block)


def test_the_policy_allows_the_style_and_the_script_and_nothing_else(tmp_path: Path) -> None:
    parts = exported(tmp_path, header(), user("u1", None))
    (style,) = parts.styles
    (program,) = parts.programs

    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    rules = dict(rule.strip().split(" ", 1) for rule in parts.texts["policy"].split(";"))
    assert rules == {
        "default-src": "'none'",
        "script-src": f"'sha256-{digest(program)}'",
        "style-src": f"'sha256-{digest(style)}'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert not [name for name in parts.attributes if name.startswith("on") or name == "style"]
    assert not {"iframe", "object", "embed", "link", "base"} & set(parts.names)


def test_scripts_make_no_markup_of_strings(tmp_path: Path) -> None:
    (program,) = exported(tmp_path, header()).programs
    for way in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "fetch(",
    ):
        assert way not in program
    assert "http-equiv" not in program and "import(" not in program


HOSTILE = [
    "</script><script>document.title='pwned'</script>",
    "<!--<script>",
    "]]></style><svg onload=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "\u2028\u2029\u202e\ufeff\x00\x1b[31m",
    "[[style]][[policy]]",
    "&lt;b&gt; \\u003c \\",
]


@pytest.mark.parametrize("text", [*HOSTILE, "\ud83d alone"])
def test_hostile_text_stays_text(tmp_path: Path, text: str) -> None:
    plain = exported(tmp_path, header(), user("u1", None, "x"))
    lines = [
        header(id=f"s{text}", cwd=text, parentSession=text),
        user("u1", None, text),
        message("u2", "u1", text, text, **{text: text}),
        entry(text, text, "u2"),
        entry("label", "l1", text, targetId="u1", label=text),
        entry("session_info", "n1", "l1", name=text),
    ]
    parts = exported(tmp_path, *lines)
    assert parts.names.count("script") == plain.names.count("script")
    assert set(parts.names) == set(plain.names)
    assert parts.programs == plain.programs and parts.styles == plain.styles
    assert parts.texts["policy"] == plain.texts["policy"]
    assert len(parts.entries) == 5
    assert parts.entries[0]["message"]["content"][0]["text"] == text
    assert parts.index["session"]["cwd"] == text
    assert parts.index["labels"] == [[0, text]]


@given(st.text(max_size=60) | st.sampled_from(HOSTILE))
@settings(max_examples=60, deadline=None)
def test_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    page = tmp_path_factory.mktemp("any") / "page.html"
    export_page(MemorySource(file_bytes(header(), user("u1", None, text + "!"))), page)
    data = page.read_bytes()
    blocks = re.findall(rb'<script type="application/json"[^>]*>(.*?)</script>', data, re.DOTALL)
    assert all(block.isascii() and b"<" not in block for block in blocks)
    assert json.loads(blocks[0])["message"]["content"][0]["text"] == text + "!"


def test_a_title_is_the_first_prompt_without_what_has_no_look(tmp_path: Path) -> None:
    text = "Fix \u202ethe\n<b>bug</b> " + "long " * 40
    title = exported(tmp_path, header(), user("u1", None, text)).texts["title"]
    assert html.unescape(title).startswith("Fix the <b>bug</b> long")
    assert len(title) <= 80 and title.endswith("…")


def test_the_same_session_gives_the_same_bytes(tmp_path: Path) -> None:
    old = [header(version=None), *({"type": "message", "message": user("x", None)["message"]},) * 3]
    for number, lines in enumerate(([header(), user("u1", None), assistant("a1", "u1")], old)):
        session = write(tmp_path / f"{number}.jsonl", *lines)
        pages = [tmp_path / name for name in ("one.html", "two.html")]
        for page in pages:
            export_file(session, page)
        assert pages[0].read_bytes() == pages[1].read_bytes()


def test_a_session_of_version_1_is_exported_and_left_alone(tmp_path: Path) -> None:
    lines = [{"type": "message", "message": user(text, None)["message"]} for text in "abc"]
    session = write(tmp_path / "old.jsonl", header(version=None), *lines)
    before = session.read_bytes()
    export_file(session, tmp_path / "page.html")
    assert parse(tmp_path / "page.html").index["parents"] == [0, 1, 1]
    assert session.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["old.jsonl", "page.html"]


def test_damage_is_counted_and_what_follows_it_kept(tmp_path: Path) -> None:
    broken = b'{"type":"message","id":"u2","parentId":"u1","timestamp":"x","message":{"ro'
    session = tmp_path / "session.jsonl"
    session.write_bytes(
        file_bytes(header(), user("u1", None), b"garbage", broken + b"}", user("u3", "u2"))
    )
    done = export_file(session, tmp_path / "page.html")
    assert (done.entries, done.damaged) == (3, 2)
    parts = parse(tmp_path / "page.html")
    assert parts.index["damaged"] == 2
    assert parts.index["kinds"] == "u?u"
    assert parts.index["parents"] == [0, 1, 1]


def test_the_branch_that_is_shown_first(tmp_path: Path) -> None:
    data = file_bytes(header(), user("u1", None), user("u2", "u1"), user("u3", "u1"))
    for leaf, row in ((None, 2), ("u2", 1)):
        export_page(MemorySource(data), tmp_path / "page.html", leaf=leaf)
        assert parse(tmp_path / "page.html").index["leaf"] == row


@pytest.mark.parametrize("content", [b"", file_bytes(header())])
def test_a_session_without_entries(tmp_path: Path, content: bytes) -> None:
    session = tmp_path / "session.jsonl"
    session.write_bytes(content)
    assert export_file(session, tmp_path / "page.html").entries == 0
    index = parse(tmp_path / "page.html").index
    assert index["leaf"] is None and index["kinds"] == ""


def test_a_later_edit_or_label_counts(tmp_path: Path) -> None:
    def label(id: str, **fields: Any) -> dict[str, Any]:
        return entry("label", id, "u1", targetId="u1", **fields)

    parts = exported(
        tmp_path,
        header(),
        user("u1", None),
        compaction("c1", "u1", "u1"),
        label("l1", label="one"),
        label("l2"),
        entry("label", "l3", "u1", targetId="nowhere", label="lost"),
        edit("d1", "l3", "u1", None),
        edit("d2", "d1", "u1", {"content": "other"}),
        edit("d3", "d2", "c1", None),
    )
    assert parts.index["labels"] == []
    assert parts.index["omitted"] == [1]


def test_nothing_is_left_behind_when_it_fails(tmp_path: Path) -> None:
    session = write(tmp_path / "session.jsonl", header(), user("u1", None))
    garbage = write(tmp_path / "garbage.jsonl", b"garbage")
    kept = tmp_path / "kept.html"
    kept.write_text("before")
    folder = tmp_path / "folder"
    folder.mkdir()
    for source, target, reason in (
        (garbage, kept, "not a session file"),
        (session, session, "the session itself"),
        (session, folder, "it is a folder"),
        (session, folder / "no" / "page.html", "No such file"),
        (tmp_path / "none.jsonl", kept, "No such file"),
    ):
        with pytest.raises(SessionError, match=reason):
            export_file(source, target)
    assert kept.read_text() == "before"
    assert sorted(os.listdir(tmp_path)) == ["folder", "garbage.jsonl", "kept.html", "session.jsonl"]
    assert os.listdir(folder) == []


def test_a_link_to_a_page_stays_a_link(tmp_path: Path) -> None:
    session = write(tmp_path / "session.jsonl", header(), user("u1", None))
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.html"
    try:
        link.symlink_to(tmp_path / "real" / "page.html")
    except OSError as error:
        pytest.skip(f"no symbolic links here: {error}")
    export_file(session, link)
    assert link.is_symlink()
    assert parse(tmp_path / "real" / "page.html").index["kinds"] == "u"


def test_names() -> None:
    assert default_name(Path("/x/2026_ab.jsonl")) == "pi-session-2026_ab.html"
    assert default_name(Path("notes.txt")) == "pi-session-notes.txt.html"
