import asyncio
import os
from pathlib import Path

import pytest

from pi.tools.registry import load

CTX = "".join(f"l{i}\n" for i in range(1, 21))


def found(run, pattern: str, **args) -> list[str]:
    return run("grep", pattern=pattern, **args).text.split("\n")


@pytest.fixture
def project(run, put):
    (run.cwd / ".git").mkdir()
    put(".gitignore", "node_modules/\n*.log\n!keep.log\n")
    put("src/a.ts", "import x\nfoo(bar)\n\nFOO\nlast foo\n")
    put("src/deep/b.ts", "foo\n")
    put("src/c.js", "foo.bar\n")
    put("node_modules/p/i.js", "foo\n")
    put(".hidden/h", "foo\n")
    put(".git/config", "foo\n")
    put("a.log", "foo\n")
    put("keep.log", "foo\n")
    return run


def test_paths_numbers_and_lines(project) -> None:
    ran = project("grep", pattern="foo")
    assert ran.text.split("\n") == [
        ".git/config:1: foo",
        ".hidden/h:1: foo",
        "keep.log:1: foo",
        "src/a.ts:2: foo(bar)",
        "src/a.ts:5: last foo",
        "src/c.js:1: foo.bar",
        "src/deep/b.ts:1: foo",
    ]
    assert ran.details is None
    assert ran.structured is None


@pytest.mark.parametrize(
    ("args", "files"),
    [
        ({"glob": "*.ts"}, ["src/a.ts", "src/deep/b.ts"]),
        ({"glob": "src/*.ts"}, ["src/a.ts"]),
        ({"glob": "**/*.ts"}, ["src/a.ts", "src/deep/b.ts"]),
        ({"glob": "*.{ts,js}"}, ["src/a.ts", "src/c.js", "src/deep/b.ts"]),
        ({"glob": "!*.ts", "path": "src"}, ["c.js"]),
        ({"glob": "!deep", "path": "src"}, ["a.ts", "c.js"]),
        ({"glob": "/a.ts", "path": "src"}, ["a.ts"]),
        ({"glob": "src/a.ts", "path": "src"}, []),
        ({"glob": "*.log"}, ["a.log", "keep.log"]),  # asked for by name, so not ignored
        ({"glob": "deep"}, []),
        ({"glob": "src/"}, []),
        ({"glob": "A.TS"}, []),
        ({"glob": ""}, None),
        ({"path": "node_modules"}, ["p/i.js"]),
        ({"path": "a.log"}, ["a.log"]),
        ({"path": "src/a.ts"}, ["a.ts"]),
        ({"path": "@src/deep"}, ["b.ts"]),
    ],
)
def test_which_files(project, args, files) -> None:
    ran = project("grep", pattern="foo", **args)
    names = sorted({line.split(":")[0] for line in ran.text.split("\n")})
    if files is None:
        assert len(names) == 6
    else:
        assert names == (files or ["No matches"])


def test_case_and_literal(project) -> None:
    assert found(project, "FOO", path="src/a.ts") == ["a.ts:4: FOO"]
    assert len(found(project, "FOO", path="src/a.ts", ignoreCase=True)) == 3
    assert found(project, "foo(", path="src", literal=True) == ["a.ts:2: foo(bar)"]
    assert len(found(project, "foo.bar", path="src")) == 2
    assert len(found(project, "foo.bar", path="src", literal=True)) == 1


@pytest.mark.parametrize(
    ("pattern", "context", "expected"),
    [
        ("l10|l12", 2, "8- 9- 10: 11- 12: 13- 14-"),
        ("l10|l18", 1, "9- 10: 11- 17- 18: 19-"),
        ("l10|l11", 1, "9- 10: 11: 12-"),
        ("l10|l13", 1, "9- 10: 11- 12- 13: 14-"),
        ("l10|l13", 2, "8- 9- 10: 11- 12- 13: 14- 15-"),
        ("l1$", 2, "1: 2- 3-"),
        ("l20", 2, "18- 19- 20:"),
        ("l10", 1.9, "9- 10: 11-"),
        ("l10", -1, "10:"),
        ("l20", 100, " ".join(f"{n}-" for n in range(1, 20)) + " 20:"),
    ],
)
def test_context(run, put, pattern: str, context: float, expected: str) -> None:
    put("ctx", CTX)
    wanted = []
    for mark in expected.split():
        number, kind = mark[:-1], mark[-1]
        wanted.append(f"ctx{kind}{number}{kind} l{number}")
    assert found(run, pattern, path="ctx", context=context) == wanted


@pytest.mark.parametrize(
    ("limit", "shown", "reached"),
    [
        (2, 2, True),
        (10, 10, True),
        (11, 11, False),
        (12, 11, False),
        (0, 1, True),
        (2.7, 2, True),
        ("3", 3, True),
    ],
)
def test_limit(run, put, limit, shown: int, reached: bool) -> None:
    put("ctx", CTX)  # eleven lines have a 1
    ran = run("grep", pattern="1", path="ctx", limit=limit)
    assert sum(line.startswith("ctx:") for line in ran.text.split("\n")) == shown
    assert ran.details == ({"matchLimitReached": shown} if reached else None)
    assert (f"limit={shown * 2}" in ran.text) is reached


def test_the_limit_counts_matches_not_context(run, put) -> None:
    put("ctx", CTX)
    ran = run("grep", pattern="l1", path="ctx", limit=2, context=1)
    assert ran.text.split("\n")[:5] == [
        "ctx:1: l1",
        "ctx-2- l2",
        "ctx-9- l9",
        "ctx:10: l10",
        "ctx-11- l11",
    ]


def test_long_lines_and_much_output(run, put) -> None:
    put("long", "x" * 600 + "foo\n")
    put("emoji", "x" * 499 + "😀foo\n")
    put("fits", "x" * 497 + "foo\n")
    put("wide", ("z" * 600 + "foo\n") * 200)
    ran = run("grep", pattern="foo", path="long")
    assert ran.text.startswith("long:1: " + "x" * 500 + "... [truncated]\n\n[")
    assert ran.details == {"linesTruncated": True}
    assert found(run, "foo", path="emoji")[0] == "emoji:1: " + "x" * 499 + "... [truncated]"
    assert run("grep", pattern="foo", path="fits").details is None
    ran = run("grep", pattern="foo", path="wide", limit=120)
    assert list(ran.details) == ["matchLimitReached", "truncation", "linesTruncated"]
    assert ran.details["truncation"]["totalLines"] == 120


@pytest.mark.parametrize(
    ("content", "pattern", "expected"),
    [
        (b"a\r\nfoo\r\nb\r\n", "foo", ["f:2: foo"]),
        (b"\xef\xbb\xbffoo\n", "^foo", ["f:1: foo"]),
        ("foo é\n".encode("utf-16"), "é", ["f:1: foo é"]),
        (b"caf\xe9 foo\n", "foo", ["f:1: caf\ufffd foo"]),
        (b"foo\rbar\rfoo\n", "bar", ["f:1: foo\rbar\rfoo"]),
        ("a\u2028foo\n".encode(), "foo", ["f:1: a\u2028foo"]),
        (b"foo", "foo", ["f:1: foo"]),
        (b"foo\n\0\xff\nfoo\n", "foo", ["f:1: foo", "f:3: foo"]),
        (b"", "", ["No matches"]),
    ],
)
def test_all_kinds_of_text(run, put, content: bytes, pattern: str, expected: list[str]) -> None:
    put("f", content)
    assert found(run, pattern, path="f") == expected


def test_binary_files_are_left_out_of_a_tree(run, put) -> None:
    put("bin", b"foo\n\0\nfoo\n")
    put("text", "foo\n")
    assert found(run, "foo") == ["text:1: foo"]


def test_links_are_not_followed_but_where_asked(run, put) -> None:
    put("real/a", "foo\n")
    try:
        (run.cwd / "link").symlink_to("real")
        (run.cwd / "file-link").symlink_to("real/a")
        (run.cwd / "real/loop").symlink_to("..")
    except OSError:
        pytest.skip("no symbolic links here")
    assert found(run, "foo") == ["real/a:1: foo"]
    assert found(run, "foo", path="link") == ["a:1: foo"]
    assert found(run, "foo", path="file-link") == ["file-link:1: foo"]


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"pattern": "foo("}, "regular expression"),
        ({"pattern": "ab(?=x)"}, "at character 3"),
        ({"pattern": "a\nb"}, "line"),
        ({"pattern": r"a\nb"}, "line"),
        ({"pattern": "a\nb", "literal": True}, "line"),
        ({"pattern": "\ud83d"}, "at character 1"),
        ({"pattern": "x", "glob": "["}, "glob"),
        ({"pattern": "x", "path": "missing"}, "missing"),
    ],
)
def test_errors(run, args, reason: str) -> None:
    ran = run("grep", **args)
    assert ran.is_error
    assert reason in ran.text
    assert ran.details == {}


def test_what_cannot_be_read_is_counted(run, put) -> None:
    put("a", "foo\n")
    # Nothing is unreadable to root, but for all there are paths too long to open.
    at = os.open(run.cwd, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=at)
        inner = os.open("d" * 250, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)
    for text in (run("grep", pattern="foo").text, run("find", pattern="a").text):
        assert text.split(":")[0].split("\n")[0] == "a"
        assert "1 f" in text and "could not be" in text


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that fails to read")
def test_a_file_that_cannot_be_read_is_no_traceback(run) -> None:
    ran = run("grep", pattern="foo", path="/proc/self/mem")
    assert ran.text.startswith("No matches")
    assert "1 file" in ran.text


def test_a_pipe_does_not_hang(run) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes here")
    os.mkfifo(run.cwd / "pipe")
    assert found(run, "foo") == ["No matches"]
    assert found(run, "foo", path="pipe") == ["No matches"]


def test_huge_numbers_are_limits_too(run, put) -> None:
    put("ctx", CTX)
    for path in ("ctx", "."):
        ran = run("grep", pattern="l10", path=path, limit=1e30, context=1e30)
        assert len(ran.text.split("\n")) == 20
    assert run("find", pattern="ctx", limit=1e30).text == "ctx"


@pytest.mark.parametrize("name", ["grep", "find"])
def test_a_search_called_off_stops_and_keeps_what_it_found(
    run, put, monkeypatch, name: str
) -> None:
    """The search is held with all in hand until it is told to stop."""
    from pi.tools import search

    for number in range(50):
        put(f"{number:02}", "foo\n")

    async def cancelled() -> str:
        loop = asyncio.get_running_loop()
        halfway = asyncio.Event()
        threads = search.in_threads

        async def held(work, stop, **options) -> None:
            import threading

            stopped = threading.Event()

            def slow() -> None:
                work()
                loop.call_soon_threadsafe(halfway.set)
                assert stopped.wait(30)

            def release() -> None:
                stop()
                stopped.set()

            await threads(slow, release, **options)

        monkeypatch.setattr(search, "in_threads", held)
        updates = []
        task = asyncio.create_task(
            load(name).run({"pattern": "foo" if name == "grep" else "*"}, run.context(updates))
        )
        await asyncio.wait_for(halfway.wait(), 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return updates[-1].content[0]["text"]

    text = asyncio.run(cancelled())
    assert text.startswith("00")
    assert "Called off" in text


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("grep", {"pattern": "foo"}),
        ("grep", {"pattern": "foo", "path": "000"}),
        ("find", {"pattern": "*"}),
    ],
)
def test_a_search_called_off_at_once(run, put, name: str, args) -> None:
    for number in range(500):
        put(f"{number:03}", "foo\n")

    async def cancelled() -> str:
        updates = []
        task = asyncio.create_task(load(name).run(args, run.context(updates)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return updates[-1].content[0]["text"]

    assert "Called off" in asyncio.run(cancelled())


def test_the_search_of_one_large_file_is_called_off(run, put) -> None:
    """What it holds would take seconds to search."""
    put("large", ("foo 7\n" + ("é " * 200 + "\n") * 80_000 + "foo 7\n").encode())

    async def cancelled() -> str:
        updates = []
        args = {"pattern": r"\b\d\b|\b[q-z]{1,3}\b", "path": "large"}
        task = asyncio.create_task(load("grep").run(args, run.context(updates)))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return updates[-1].content[0]["text"]

    text = asyncio.run(cancelled())
    assert text.count("foo") == 1
    assert "Called off" in text
