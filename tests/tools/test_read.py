import os
import sys
from pathlib import Path

import pytest

from pi.tools.paths import resolve


def test_text_comes_as_it_is(run, put) -> None:
    put("a", b"\xef\xbb\xbfhi\r\nyo\xff\r\n")
    ran = run("read", path="a")
    assert ran.text == "\ufeffhi\r\nyo\ufffd\r\n"
    assert ran.details is None
    assert ran.structured == ran.text


@pytest.mark.parametrize(
    ("offset", "text"),
    [
        (2, "two\nthree"),
        (3, "three"),
        (0, "one\ntwo\nthree"),
        (-1, "one\ntwo\nthree"),
        (1.7, "one\ntwo\nthree"),
        ("2", "two\nthree"),
    ],
)
def test_offsets(run, put, offset, text: str) -> None:
    put("f", "one\ntwo\nthree")
    assert run("read", path="f", offset=offset).text == text


def test_a_final_newline_is_one_more_line_to_ask_for(run, put) -> None:
    put("f", "hello\n")
    assert run("read", path="f", offset=2).text == ""
    ran = run("read", path="f", offset=3)
    assert ran.is_error
    assert "2 lines" in ran.text
    assert "1 more lines" in run("read", path="f", limit=1).text
    assert run("read", path="f", limit=2).text == "hello\n"


def test_an_offset_past_the_end_says_how_long_the_file_is(run, put) -> None:
    put("f", "one\ntwo\nthree")
    ran = run("read", path="f", offset=4)
    assert ran.is_error
    assert "line 4" in ran.text
    assert "3 lines" in ran.text
    assert ran.details == {}


@pytest.mark.parametrize(
    ("limit", "shown", "more", "next_offset"),
    [
        (1, "one", "2", "2"),
        (0, "", "3", "1"),
        (-1, "one\ntwo", "4", "0"),
        (1.5, "one", "1.5", "2.5"),
    ],
)
def test_limits_even_odd_ones(run, put, limit, shown, more, next_offset) -> None:
    put("f", "one\ntwo\nthree")
    text = run("read", path="f", limit=limit).text
    assert text.startswith(f"{shown}\n\n[{more} more lines")
    assert f"offset={next_offset}." in text


def test_long_files_stop_at_2000_lines(run, put) -> None:
    put("big", "".join(f"line {i}\n" for i in range(3000)))
    ran = run("read", path="big")
    assert ran.text.count("\n") == 2001
    assert "1-2000 of 3001" in ran.text
    assert "offset=2001" in ran.text
    truncation = ran.details["truncation"]
    assert (truncation["totalLines"], truncation["truncatedBy"]) == (3000, "lines")
    ran = run("read", path="big", offset=500, limit=2500)
    assert ran.text.startswith("line 499\n")
    assert "500-2499 of 3001" in ran.text
    assert ran.details["truncation"]["totalLines"] == 2500
    assert run("read", path="big", offset=1001, limit=2000).details is None


def test_wide_files_stop_at_50_kb(run, put) -> None:
    put("wide", ("x" * 999 + "\n") * 300)
    ran = run("read", path="wide")
    assert "1-51 of 301 (50.0KB limit)" in ran.text
    assert ran.details["truncation"]["totalBytes"] == 300_000
    assert ran.details["truncation"]["outputBytes"] == 50_999


def test_a_line_too_long_by_itself_is_a_notice(run, put) -> None:
    put("it's", "short\n" + "y" * 60000 + "\nzz\n")
    ran = run("read", path="it's", offset=2)
    assert not ran.is_error
    assert "Line 2 is 58.6KB" in ran.text
    assert "sed -n '2p' 'it'\"'\"'s' | head -c 51200" in ran.text
    assert ran.details["truncation"]["firstLineExceedsLimit"] is True
    assert run("read", path="it's", offset=3).text == "zz\n"


def test_a_file_of_several_blocks(run, put) -> None:
    lines = [f"{i:07}" + "x" * 100 for i in range(30_000)]  # 3.2 MB
    put("huge", "\n".join(lines))
    assert run("read", path="huge", offset=29_999).text == "\n".join(lines[29_998:])
    assert run("read", path="huge", offset=20_000, limit=2).text.startswith(
        f"{lines[19_999]}\n{lines[20_000]}\n\n[9999 more lines"
    )
    assert f"{lines[9_707]}\n" in run("read", path="huge", offset=9_700).text


def test_empty_files_and_folders(run, put) -> None:
    put("empty")
    assert run("read", path="empty").text == ""
    assert run("read", path="empty", offset=2).is_error
    ran = run("read", path=".")
    assert ran.is_error
    assert "EISDIR" in ran.text


def test_what_is_missing(run) -> None:
    ran = run("read", path="nope/x")
    assert ran.is_error
    assert "nope/x" in ran.text
    assert "ENOENT" in ran.text
    assert "null byte" in run("read", path="a\0b").text
    assert "ENAMETOOLONG" in run("read", path="x" * 300).text


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_not_waited_for(run) -> None:
    os.mkfifo(run.cwd / "fifo")
    assert run("read", path="fifo").is_error
    assert run("edit", path="fifo", edits=[{"oldText": "a", "newText": "b"}]).is_error
    assert run("grep", pattern="x", path="fifo").text == "No matches"


@pytest.mark.skipif(sys.platform == "darwin", reason="the file system decides about accents")
def test_names_are_found_as_a_person_would_spell_them(run, put, home: Path) -> None:
    put("Shot at 1.2.3\u202fPM.png", "narrow")
    put("cafe\u0301", "decomposed")
    put("it\u2019s", "curly")
    put("@real", "at")
    put("plain", "plain")
    (home / "in-home").write_text("home")
    assert run("read", path="Shot at 1.2.3 PM.png").text == "narrow"
    assert run("read", path="caf\u00e9").text == "decomposed"
    assert run("read", path="it's").text == "curly"
    assert run("read", path="@plain").text == "plain"
    assert run("read", path="@real").text == "at"
    assert run("read", path="~/in-home").text == "home"
    assert run("read", path=(run.cwd / "plain").as_uri()).text == "plain"
    assert run("read", path="./sub/../plain").text == "plain"


def test_resolving(tmp_path: Path) -> None:
    assert resolve("a\u00a0b", tmp_path) == tmp_path / "a b"
    assert resolve("@a", tmp_path) == tmp_path / "a"
    assert resolve("", tmp_path) == tmp_path
