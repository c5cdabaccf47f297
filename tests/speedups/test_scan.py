"""Searching lines and files: numbers, context, limits, long lines, binary files, encodings."""

import os
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi._speedups.pattern.query import make_query
from tests.speedups.conftest import search_modules
from tests.speedups.strategies import garbage, patterns

ALL = 10**9


def lines(modules, pattern: str, data: bytes, *, most: int = ALL, **more):
    query = {name: more.pop(name) for name in ("literal", "ignore_case") if name in more}
    return modules.scan.search_bytes(make_query(pattern, **query), data, most=most, **more)


def shown(found) -> list[str]:
    return [f"{number}{':' if hit else '-'}{text.decode()}" for number, hit, text, _ in found]


def test_lines(modules) -> None:
    assert shown(lines(modules, "m", b"a\nm1\r\nb\nm2")) == ["2:m1\r", "4:m2"]
    assert shown(lines(modules, "", b"a\n\nb\n")) == ["1:a", "2:", "3:b"]
    assert shown(lines(modules, "^$", b"a\n\n\n")) == ["2:", "3:"]
    assert lines(modules, "", b"") == []
    assert lines(modules, "a", b"") == []
    assert shown(lines(modules, "a.b", b"axb\na.b", literal=True)) == ["2:a.b"]


def test_literals_in_both_cases(modules) -> None:
    data = "\n".join(["Hello", "xHELLOx", "hell", "@ELLO", "`hello"]).encode()
    assert shown(lines(modules, "hello", data, ignore_case=True)) == [
        "1:Hello", "2:xHELLOx", "5:`hello"
    ]  # fmt: skip
    assert shown(lines(modules, "[@]x", b"`X\n@X", ignore_case=True)) == ["2:@X"]
    assert shown(lines(modules, "task", "taſK".encode(), ignore_case=True)) == ["1:taſK"]


def test_context(modules) -> None:
    data = b"a\nm\nb\nm\nc\nd\ne\nm\nf"
    assert shown(lines(modules, "m", data, before=1, after=1)) == [
        "1-a", "2:m", "3-b", "4:m", "5-c", "7-e", "8:m", "9-f"
    ]  # fmt: skip
    assert shown(lines(modules, "m", data, most=1, after=2)) == ["2:m", "3-b", "4-m"]
    assert shown(lines(modules, "m", data, most=2, before=9)) == ["1-a", "2:m", "3-b", "4:m"]


def test_long_lines_are_cut(modules) -> None:
    found = lines(modules, "m", b"m" + b"\r" * 3 + b"x" * 50, keep=10)
    assert found == [(1, True, b"m\r\r\r" + b"x" * 9, True)]
    assert lines(modules, "m", b"m234567890", keep=10) == [(1, True, b"m234567890", False)]


@settings(max_examples=200, deadline=None)
@given(
    pattern=patterns(),
    data=garbage(),
    fold=st.booleans(),
    most=st.integers(1, 4),
    before=st.integers(0, 3),
    after=st.integers(0, 3),
)
def test_twins_agree(pattern, data, fold, most, before, after) -> None:
    options = {"most": most, "before": before, "after": after, "keep": 6}
    query = make_query(pattern, ignore_case=fold)
    pure, compiled = (
        search_modules(kind).scan.search_bytes(query, data, **options)
        for kind in ("pure", "compiled")
    )
    assert pure == compiled


@settings(max_examples=150, deadline=None)
@given(
    needle=st.text(st.sampled_from("abkS_é."), min_size=1, max_size=5),
    data=st.text(st.sampled_from("abkSKs_é.\n"), max_size=120),
    fold=st.booleans(),
)
@pytest.mark.parametrize("kind", ["pure", "compiled"])
def test_literals_agree_with_python(kind: str, needle: str, data: str, fold: bool) -> None:
    found = lines(search_modules(kind), needle, data.encode(), literal=True, ignore_case=fold)
    wanted, text = (needle.lower(), data.lower()) if fold else (needle, data)
    expected = [at for at, line in enumerate(text.split("\n"), 1) if wanted in line]
    assert [number for number, _, _, _ in found] == expected


@settings(max_examples=150, deadline=None)
@given(
    wanted=st.lists(st.text(st.sampled_from("abkS_é"), min_size=2, max_size=4), min_size=2),
    data=st.text(st.sampled_from("abkSKs_é\n"), max_size=200),
    fold=st.booleans(),
)
@pytest.mark.parametrize("kind", ["pure", "compiled"])
def test_alternatives_agree_with_python(
    kind: str, wanted: list[str], data: str, fold: bool
) -> None:
    found = lines(search_modules(kind), "|".join(wanted), data.encode(), ignore_case=fold)
    texts = [(text.lower() if fold else text) for text in wanted]
    expected = [
        at
        for at, line in enumerate((data.lower() if fold else data).split("\n"), 1)
        if any(text in line for text in texts)
    ]
    assert [number for number, _, _, _ in found] == expected


def test_files(modules, tmp_path: Path) -> None:
    path = tmp_path / "f"

    def search(data: bytes, pattern: str = "m", **more):
        path.write_bytes(data)
        return shown(
            modules.scan.search_file(
                make_query(pattern), os.fsencode(path), most=more.pop("most", ALL), **more
            )
        )

    assert search(b"") == []
    assert search(b"m") == ["1:m"]
    assert search(b"\xef\xbb\xbfm\nm", "^m") == ["1:m", "2:m"]
    assert search("é m\nx\nm\U0001f600".encode("utf-16")) == ["1:é m", "3:m\U0001f600"]
    assert search(b"\xfe\xff" + "m\nx".encode("utf-16-be")) == ["1:m"]
    assert search(b"\xff\xfem\x00\x3d\xd8") == ["1:m�"]
    assert search(b"m1\nm2\n\0\nm3\n") == ["1:m1", "2:m2", "4:m3"]


@pytest.mark.parametrize("size", [65530, 65535, 65536, 65537, 65540, 131071, 131072, 200_000])
def test_blocks_do_not_show(modules, tmp_path: Path, size: int) -> None:
    """Matches, numbers and context are right wherever a block ends."""
    path = tmp_path / "f"
    head = b"line\n" * (size // 5) + b"x" * (size % 5) + b"\n"
    path.write_bytes(head + b"before\nneedle 1\nafter\n" + b"y" * 150_000 + b"needle 2\nlast")
    found = modules.scan.search_file(
        make_query("needle"), os.fsencode(path), most=ALL, before=2, after=1, keep=8
    )
    count = head.count(b"\n")
    assert [(number, hit) for number, hit, _, _ in found] == [
        (count, False),
        (count + 1, False),
        (count + 2, True),
        (count + 3, False),
        (count + 4, True),
        (count + 5, False),
    ]
    assert found[-1][2:] == (b"last", False)
    assert found[-2][2:] == (b"y" * 8, True)


def test_errors(modules, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        modules.scan.search_file(make_query("a"), os.fsencode(tmp_path / "none"), most=1)
    with pytest.raises(IsADirectoryError):
        modules.scan.search_file(make_query("a"), os.fsencode(tmp_path), most=1)
    with pytest.raises(ValueError, match="zero byte"):
        modules.scan.search_file(make_query("a"), b"a\0b", most=1)


def tree(modules, root: Path, pattern: str, *, most: int = ALL, threads: int = 3, **more):
    walker = modules.walk.Walker(os.fsencode(root), files_only=True)
    search = modules.search.TreeSearch(make_query(pattern), walker, most=most, **more)
    workers = [threading.Thread(target=search.work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return search


def test_trees(modules, tmp_path: Path) -> None:
    for number in range(300):
        folder = tmp_path / f"d{number % 9}"
        folder.mkdir(exist_ok=True)
        (folder / f"f{number:03}").write_text("x\nneedle\ny\n" if number % 3 == 0 else "hay\n")
    search = tree(modules, tmp_path, "needle", after=1)
    files, more = search.results()
    names = [name for name, _ in files]
    assert names == sorted(names)
    assert len(names) == 100
    assert not more
    assert search.files == 300
    assert search.errors == []
    assert all(
        lines == [(2, True, b"needle", False), (3, False, b"y", False)] for _, lines in files
    )
    for most in (1, 7, 99, 100):
        for _ in range(3):
            some, more = tree(modules, tmp_path, "needle", most=most, after=1).results()
            assert some == files[:most]
            assert more == (most < 100)


def test_a_limit_within_a_file(modules, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("m\n" * 5)
    (tmp_path / "b").write_text("m\n")
    files, more = tree(modules, tmp_path, "m", most=2, after=2).results()
    assert more
    assert [(name, shown(found)) for name, found in files] == [(b"a", ["1:m", "2:m", "3-m", "4-m"])]
    files, more = tree(modules, tmp_path, "m", most=5).results()
    assert more and [len(found) for _, found in files] == [5]
    files, more = tree(modules, tmp_path, "m", most=6).results()
    assert not more and [len(found) for _, found in files] == [5, 1]


def test_binary_files_in_trees(modules, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"m1\n\0\nm\n")
    (tmp_path / "b").write_bytes(b"m\n\0")  # within the first 3 bytes
    data = bytearray(b"m\n" * 100_000)
    data[70_000] = 0
    (tmp_path / "c").write_bytes(data)
    files, _ = tree(modules, tmp_path, "m").results()
    # What was read before the block with the zero byte counts.
    assert [(name, len(found)) for name, found in files] == [(b"a", 1), (b"c", 32769)]


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid"), reason="POSIX permissions")
def test_files_that_cannot_be_read(modules, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("m\n")
    walker = modules.walk.Walker(os.fsencode(tmp_path), files_only=True)
    search = modules.search.TreeSearch(make_query("m"), walker, most=9)
    if os.geteuid():
        (tmp_path / "b").write_text("m\n")
        (tmp_path / "b").chmod(0)
    search.work()
    files, more = search.results()
    assert ([name for name, _ in files], more) == ([b"a"], False)
    assert search.errors == ([(b"b", 13)] if os.geteuid() else [])


def test_stopping_keeps_what_was_found(modules, tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"{number:02}").write_text("m\n")
    walker = modules.walk.Walker(os.fsencode(tmp_path), files_only=True)
    search = modules.search.TreeSearch(make_query("m"), walker, most=ALL)
    search.stop()
    search.work()
    assert search.results() == ([], False)


@pytest.fixture(scope="module")
def slow_file(tmp_path_factory) -> Path:
    """What takes seconds to search for SLOW, none of them on one line; a match at each end."""
    path = tmp_path_factory.mktemp("slow") / "f"
    path.write_text("7\n" + ("é " * 200 + "\n") * 80_000 + "7\n", encoding="utf-8")
    return path


@pytest.mark.skipif(os.name == "nt", reason="sparse files")
@pytest.mark.parametrize("start", [b"7\n", b"\xff\xfe"])
def test_a_line_without_end_is_given_up(modules, tmp_path: Path, start: bytes) -> None:
    """What nobody could hold in memory, as a sparse file easily has it."""
    path = tmp_path / "f"
    path.write_bytes(start)
    os.truncate(path, 1 << 40)
    with pytest.raises(OSError, match="large"):
        modules.scan.search_file(make_query("7"), os.fsencode(path), most=9)


SLOW = r"\b\d\b|\b[q-z]{1,3}\b"


def test_the_search_of_one_file_can_be_stopped(modules, slow_file: Path) -> None:
    flag = bytearray(1)
    timer = threading.Timer(0.3, flag.__setitem__, (0, 1))
    timer.start()
    found = modules.scan.search_file(make_query(SLOW), os.fsencode(slow_file), most=ALL, stop=flag)
    timer.join()
    assert shown(found) == ["1:7"]
    assert (
        modules.scan.search_file(make_query("7"), os.fsencode(slow_file), most=1, stop=flag) == []
    )
    wide = slow_file.with_name("wide")
    wide.write_text("7\n", encoding="utf-16")
    assert modules.scan.search_file(make_query("7"), os.fsencode(wide), most=1, stop=flag) == []
    with pytest.raises(ValueError, match="first byte"):
        modules.scan.search_file(make_query("7"), os.fsencode(wide), most=1, stop=bytearray())


def test_a_tree_is_stopped_within_a_file(modules, slow_file: Path) -> None:
    walker = modules.walk.Walker(os.fsencode(slow_file.parent), files_only=True)
    search = modules.search.TreeSearch(make_query(SLOW), walker, most=ALL)
    worker = threading.Thread(target=search.work)
    worker.start()
    time.sleep(0.3)
    search.stop()
    worker.join()
    assert [(name, shown(found)) for name, found in search.results()[0]] == [(b"f", ["1:7"])]
