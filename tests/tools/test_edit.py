import os

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pi.errors import ToolError
from pi.tools.diff import diff
from pi.tools.edit_match import Edit, Replacement, normalise, plan, replace
from pi.tools.line_ends import LineEnds


def edit(run, path: str, *pairs: tuple[str, str]):
    return run("edit", path=path, edits=[{"oldText": a, "newText": b} for a, b in pairs])


def test_several_edits_in_one_call(run, put) -> None:
    path = put("a.txt", "hello\nworld\n")
    ran = edit(run, "a.txt", ("world", "WORLD"), ("hello", "HELLO"))
    assert path.read_text() == "HELLO\nWORLD\n"
    assert ran.details == {
        "diff": "-1 hello\n-2 world\n+1 HELLO\n+2 WORLD",
        "patch": "--- a.txt\n+++ a.txt\n@@ -1,2 +1,2 @@\n-hello\n-world\n+HELLO\n+WORLD\n",
        "firstChangedLine": 1,
    }
    assert ran.structured is None


def test_edits_do_not_see_each_other(run, put) -> None:
    path = put("p", "same\nsame2\n")
    ran = edit(run, "p", ("same\n", "x\n"), ("same2", "same"))
    assert path.read_text() == "x\nsame\n"
    assert ran.details["diff"] == "+1 x\n 1 same\n-2 same2"


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        ([("nope", "x")], "oldText was not found"),
        ([("hello", "x"), ("nope", "y")], r"edits\[1\].oldText was not found"),
        ([("l", "L")], "occurs 3 times in a.txt .lines 1, 1, 2"),
        ([("", "x")], "oldText is empty"),
        ([("hello", "y"), ("", "x")], r"edits\[1\].oldText is empty"),
        ([("hello\nw", "x"), ("world", "y")], r"edits\[0\] and edits\[1\] overlap"),
        ([("world", "y"), ("hello\nw", "x")], r"edits\[0\] and edits\[1\] overlap"),
        ([("hello", "x"), ("hello", "y")], "overlap"),
        ([("hello", "hello")], "Nothing to change"),
        ([], "at least one"),
    ],
)
def test_what_cannot_be_applied(run, put, pairs, reason: str) -> None:
    import re

    path = put("a.txt", "hello\nworld\n")
    ran = edit(run, "a.txt", *pairs)
    assert ran.is_error
    assert ran.details == {}
    assert re.search(reason, ran.text)
    assert path.read_text() == "hello\nworld\n"


def test_missing_files_and_folders(run) -> None:
    assert "ENOENT" in edit(run, "missing", ("a", "b")).text
    assert "EISDIR" in edit(run, ".", ("a", "b")).text


# --- line ends, byte order marks, bytes that are not UTF-8


@pytest.mark.parametrize(
    ("before", "pair", "after"),
    [
        (b"a\r\nb\r\nc\r\n", ("a\nb", "A\nB\nBB"), b"A\r\nB\r\nBB\r\nc\r\n"),
        (b"a\r\nb\r\n", ("b\r\n", "B\r\n"), b"a\r\nB\r\n"),
        (b"a\r\nb\nc\r\nd\n", ("b\nc", "B\nC\nX"), b"a\r\nB\nC\nX\r\nd\n"),
        (b"a\r\nb\rc\nd", ("a\nb\nc", "A\nB\nC\n"), b"A\r\nB\r\nC\r\n\nd"),
        (b"a\rb\rc\r", ("b", "B\nBB"), b"a\rB\rBB\rc\r"),
        (b"a\r\nb", ("b", "B\nC"), b"a\r\nB\r\nC"),
        (b"\tx\r\n\ty\r\n", ("\tx\n\ty", "\tX\n\tY"), b"\tX\r\n\tY\r\n"),
        (b"\xef\xbb\xbfhi\r\nyo\r\n", ("hi\nyo", "HI\nYO\nZ"), b"\xef\xbb\xbfHI\r\nYO\r\nZ\r\n"),
        (b"\xef\xbb\xbf\xef\xbb\xbfhi\n", ("\ufeffhi", "X"), b"\xef\xbb\xbfX\n"),
        (b"ab\xff\xfe\ncd\n", ("cd", "CD"), b"ab\xff\xfe\nCD\n"),
        (b"caf\xe9 x\r\ny\xe9\n", ("x", "X"), b"caf\xe9 X\r\ny\xe9\n"),
        (b"a\0b\nc\n", ("c", "C"), b"a\0b\nC\n"),
        (b"a\nb", ("b", "B\n"), b"a\nB\n"),
        (b"x\n", ("x", "\ud83d"), "\ufffd\n".encode()),
        (b"x\xff\n", ("x", "\udcff"), b"\xef\xbf\xbd\xff\n"),
    ],
)
def test_untouched_bytes_stay(run, put, before: bytes, pair, after: bytes) -> None:
    path = put("f", before)
    ran = edit(run, "f", pair)
    assert not ran.is_error, ran.text
    assert path.read_bytes() == after


def test_undecodable_bytes_are_never_overwritten_unseen(run, put) -> None:
    path = put("f", b"ok\nab\xff\xfecd\n")
    ran = edit(run, "f", ("ab\ufffd\ufffdcd", "ab\ufffd\ufffdCD"))
    assert ran.is_error
    assert "line 2" in ran.text
    assert path.read_bytes() == b"ok\nab\xff\xfecd\n"


def test_details_show_undecodable_bytes_as_replacement_characters(run, put) -> None:
    put("f", b"ab\xff\ncd\n")
    assert edit(run, "f", ("cd", "CD")).details["diff"] == " 1 ab\ufffd\n-2 cd\n+2 CD"


# --- matching as a reader would


@pytest.mark.parametrize(
    ("before", "pair", "after"),
    [
        ("say “hi” — it’s\u00a0ok   \nnext\n", ('say "hi" - it\'s ok', "SAID"), "SAID\nnext\n"),
        ("next\t \nlast\n", ("next\nlast", "N\nL"), "N\nL\n"),
        ("foo   \nbar\t\nbaz\n", ("foo\nbar\n", "F\nB\n"), "F\nB\nbaz\n"),
        ("cafe\u0301 x\n", ("caf\u00e9", "CAFE"), "CAFE x\n"),
        ("caf\u00e9 x\n", ("cafe\u0301", "CAFE"), "CAFE x\n"),
        ("\u1100\u1161 x\n", ("\uac00", "H"), "H x\n"),
        ("a‐b‑c‒d–e—f―g−h‘’‚‛“”„‟\n", ("a-b-c-d-e-f-g-h''''\"\"\"\"", "Q"), "Q\n"),
        (
            "  keep “k”  \nfoo “x”  \n  keep2   \n",
            ('foo "x"', "FOO"),
            "  keep “k”  \nFOO\n  keep2   \n",
        ),
        ("ＡＢ ① ﬁ\n", ("AB", "Z"), "Z ① ﬁ\n"),
        ("ﬁne ﬁt\n", ("ne f", "N"), "ﬁNit\n"),
        ("say “a” and “b”\n", ('say "a"', "SAY"), "SAY and “b”\n"),
        ("x “y”  \r\nz\r\n", ('x "y"\nz', "X\nZ"), "X\r\nZ\r\n"),
        ("lead  \n", ("  \n", "\n"), "lead\n"),
        ("x \ny\n", (" ", "_"), "x_\ny\n"),
    ],
)
def test_what_reads_the_same_is_found(run, put, before: str, pair, after: str) -> None:
    path = put("f", before)
    ran = edit(run, "f", pair)
    assert not ran.is_error, ran.text
    assert path.read_bytes().decode() == after


@pytest.mark.parametrize("sought", ['"a"', "“a”", "„a”"])
def test_uniqueness_is_counted_as_a_reader_would(run, put, sought: str) -> None:
    put("q", '"a"\n“a”\n')
    assert "occurs 2 times" in edit(run, "q", (sought, "z")).text


@pytest.mark.parametrize(
    ("text", "sought", "expected"),
    [
        ("def f():\n\tif x:\n\t\treturn 1\n", "    if x:\n        return 1", "indentation"),
        ("alpha = compute(beta)\n", "alpha = compute(gamma)", "line 1"),
        (
            "one\nfunction total(items) {\n  return 0;\n}\n",
            "function total(item) {\n  return 0;\n}",
            "lines 2-4",
        ),
        (
            "x" * 300 + "needle_is_here_for_sure" + "y" * 300 + "\n",
            "needle_is_here_for_sur3",
            "line 1",
        ),
    ],
)
def test_a_near_miss_is_shown(run, put, text: str, sought: str, expected: str) -> None:
    put("f", text)
    ran = edit(run, "f", (sought, "z"))
    assert "closest text is at" in ran.text
    assert expected in ran.text


def test_nothing_near_shows_nothing(run, put) -> None:
    put("f", "alpha\nbeta\n")
    assert "closest" not in edit(run, "f", ("0123456789 zzz qqq", "z")).text


# --- the diff


def big(count: int = 60) -> str:
    return "".join(f"line {i}\n" for i in range(count))


def test_distant_changes_have_a_gap_between_them(run, put) -> None:
    put("big", big())
    ran = edit(run, "big", ("line 2\n", "L2\n"), ("line 50\n", "L50\nL51\n"))
    assert ran.details["diff"] == (
        "  1 line 0\n  2 line 1\n- 3 line 2\n+ 3 L2\n  4 line 3\n  5 line 4\n  6 line 5\n"
        "  7 line 6\n    ...\n 47 line 46\n 48 line 47\n 49 line 48\n 50 line 49\n-51 line 50\n"
        "+51 L50\n+52 L51\n 52 line 51\n 53 line 52\n 54 line 53\n 55 line 54\n    ..."
    )
    assert "@@ -1,7 +1,7 @@\n" in ran.details["patch"]
    assert "@@ -47,9 +47,10 @@\n" in ran.details["patch"]
    assert ran.details["firstChangedLine"] == 3


def test_changes_whose_contexts_touch_are_shown_together(run, put) -> None:
    put("big", big())
    ran = edit(run, "big", ("line 5\n", "five\n"), ("line 14\n", "fourteen\n"))
    assert ran.details["patch"].count("@@ -") == 1
    assert ran.details["diff"].count("...") == 2


def test_the_last_newline_is_part_of_the_patch(run, put) -> None:
    put("f", "a\nb\n")
    ran = edit(run, "f", ("b\n", "b"))
    assert ran.details["patch"].endswith(" a\n-b\n+b\n\\ No newline at end of file\n")


def test_everything_removed(run, put) -> None:
    path = put("f", "1\n2\n")
    assert "@@ -1,2 +0,0 @@" in edit(run, "f", ("1\n2\n", "")).details["patch"]
    assert path.read_bytes() == b""


LINES = st.lists(st.sampled_from(["a", "b", "c", "", " x"]), max_size=30)


@given(LINES, LINES, st.booleans(), st.booleans())
def test_a_patch_turns_old_into_new(old, new, old_ends: bool, new_ends: bool) -> None:
    before = "\n".join(old) + ("\n" if old_ends else "")
    after = "\n".join(new) + ("\n" if new_ends else "")
    assert _apply(before, diff("f", before, after).patch) == after


def _apply(text: str, patch: str) -> str:
    """A strict reader of unified diffs."""
    import re

    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    out: list[str] = []
    at = 0
    rows = patch.split("\n")[2:-1]
    for index, row in enumerate(rows):
        if match := re.match(r"@@ -(\d+),(\d+) \+(\d+),(\d+) @@", row):
            start = int(match[1]) - (1 if int(match[2]) else 0)
            out += lines[at:start]
            at = start
            assert len(out) == int(match[3]) - (1 if int(match[4]) else 0)
            continue
        if row.startswith("\\"):
            continue
        bare = index + 1 < len(rows) and rows[index + 1].startswith("\\")
        line = row[1:] + ("" if bare else "\n")
        if row[0] in " -":
            assert lines[at] == line
            at += 1
        if row[0] in " +":
            out.append(line)
    return "".join(out + lines[at:])


# --- properties

CHARS = "ab \t\n\"“”'’-—\u00a0e\u0301éﬁ가\u1100\u1161Ａ\udcff"
TEXTS = st.text(CHARS, max_size=40)


@given(TEXTS)
def test_normalising_is_settled_after_one_pass(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def placed(text: str, old: str, new: str) -> Replacement | str:
    """Where an edit applies, or why it does not."""
    try:
        (found,) = plan(text, [Edit(old, new)], "f")
    except ToolError as error:
        return str(error)
    return found


@given(TEXTS, st.data())
def test_a_unique_quotation_is_replaced_and_nothing_else(text: str, data) -> None:
    assume(text)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    old = text[start:end]
    # Not where two places overlap, as "aa" in "aaa": counted as one, and the first is taken.
    assume(text.count(old) == 1 and text.find(old) == start)
    found = placed(text, old, "NEW")
    if isinstance(found, str):
        assert "occurs" in found
        assert normalise(text).count(normalise(old)) != 1
        return
    assert (found.start, found.end) == (start, end)
    assert replace(text, [found]) == text[:start] + "NEW" + text[end:]


@given(TEXTS, st.data())
def test_a_normalised_quotation_finds_its_place(text: str, data) -> None:
    plain = normalise(text)
    assume(plain)
    start = data.draw(st.integers(0, len(plain) - 1))
    end = data.draw(st.integers(start + 1, len(plain)))
    old = plain[start:end]
    assume(normalise(old) == old and plain.count(old) == 1 and old not in text)
    assume(plain.find(old) == start)
    found = placed(text, old, "\x01")
    if isinstance(found, str):
        assert "UTF-8" in found
        return
    changed = replace(text, [found])
    # Read plainly, just that piece has changed; blanks before a line's end may go with it, also
    # where the piece itself begins with that end.
    assert plain in (
        normalise(changed).replace("\x01", old),
        normalise(changed.replace("\x01", old)),
        normalise(normalise(changed).replace("\x01", old)),
    )
    assert changed.startswith(text[: found.start])
    assert changed.endswith(text[found.end :])


@given(
    st.lists(st.sampled_from(["a", "b\r\n", "c\n", "\r", "\r\n", "\n"]), max_size=20).map("".join)
)
def test_line_ends_survive_no_change(text: str) -> None:
    assert LineEnds(text).restore([]) == text


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "c", ""]), st.sampled_from(["\n", "\r\n", "\r"])),
        min_size=1,
        max_size=12,
    ),
    st.data(),
)
def test_line_ends_elsewhere_survive_a_change(lines, data) -> None:
    original = "".join(f"{number}{text}{end}" for number, (text, end) in enumerate(lines))
    chosen = data.draw(st.integers(0, len(lines) - 1))
    ends = LineEnds(original)
    marker = ends.text.split("\n")[chosen]
    assume(ends.text.count(marker) == 1 and marker)
    found = plan(ends.text, [Edit(marker, "X\nY")], "f")
    expected = [f"{number}{text}" for number, (text, _) in enumerate(lines)]
    expected[chosen] = f"X{lines[chosen][1]}Y"
    assert ends.restore(found) == "".join(
        text + end for text, (_, end) in zip(expected, lines, strict=True)
    )


def test_a_file_of_many_lines_is_edited_quickly(run, put) -> None:
    lines = [f"value_{i} = {i}\n" for i in range(40_000)]
    path = put("big.py", "".join(lines))
    ran = edit(run, "big.py", (lines[10], "first\n"), (lines[39_990], "last\n"))
    assert not ran.is_error
    assert path.read_text().count("\n") == 40_000
    assert os.listdir(run.cwd) == ["big.py"]
