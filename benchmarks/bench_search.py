"""Searching: trees beside rg and fd, compiled functions beside twins and standard library.

    python -m benchmarks.bench_search [--files 50000] [--runs 5]

A tree is written first (seeded, in a temporary folder). All of a row's runs are taken in turns;
rg and fd are timed from process start to exit, ours in this process, because that is the choice
a tool has. The answers are compared before the clock counts.
"""

import argparse
import os
import random
import re
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path

from benchmarks.table import Row, render
from pi._speedups import _automaton, _ignore, _scan, _walk, automaton, ignore, scan, search, walk
from pi._speedups.pattern.globs import glob
from pi._speedups.pattern.program import compile_program
from pi._speedups.pattern.query import make_query
from pi._speedups.pattern.syntax import parse

ENDINGS = ("py", "ts", "js", "c", "h", "md", "txt", "json")
PATTERNS = {
    "a rare literal": "needle_in",
    "a rare literal in both cases": "(?i)needle_in",
    "an expression with a literal": r"def \w+\(x",
    "an expression without one": r"[A-Z]\w+\d+\(",
    "alternatives": "zqx|qqzz|Handle42",
    "word boundaries": r"\bqa\w*z\b",
}


def write_tree(root: Path, files: int) -> None:
    chance = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz_"
    words = ["".join(chance.choices(letters, k=chance.randint(2, 9))) for _ in range(4000)]
    root.mkdir()
    folders = [root]
    for number in range(files // 12):
        folder = chance.choice(folders[-400:]) / f"{chance.choice(words)}{number % 50}"
        if not folder.exists():
            folder.mkdir()
            folders.append(folder)
    for number in range(files):
        lines = [
            " " * chance.choice((0, 2, 4, 4, 8))
            + " ".join(chance.choices(words, k=chance.randrange(10)))
            for _ in range(min(2000, int(chance.lognormvariate(4.3, 1))))
        ]
        if number % 500 == 0:
            lines.append("needle_in_haystack here")
        if number % 97 == 0:
            lines.append("def Handle42(x): return")
        name = f"{chance.choice(words)}_{number}.{chance.choice(ENDINGS)}"
        (chance.choice(folders) / name).write_text("\n".join(lines) + "\n")
    (root / ".git").mkdir()
    (root / ".gitignore").write_text(
        "*.pyc\n__pycache__/\nnode_modules/\n/build\n*.log\n.venv/\ndist/\n!keep.log\n**/tmp/**\n"
    )


def grep(root: bytes, pattern: str, threads: int) -> int:
    walker = walk.Walker(root, files_only=True)
    tree = search.TreeSearch(make_query(pattern), walker, most=10**9)
    helpers = [threading.Thread(target=tree.work) for _ in range(threads - 1)]
    for helper in helpers:
        helper.start()
    tree.work()
    for helper in helpers:
        helper.join()
    return sum(len(lines) for _, lines in tree.results()[0])


def find(root: bytes, pattern: str) -> int:
    program = compile_program(glob(pattern, ignore_case=True), lines=False)
    return len(walk.Walker(root, select=program).next(10**6))


def output(command: list[str]) -> bytes:
    return subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout


def in_turns(runs: int, *jobs: Callable[[], object]) -> list[float]:
    """Median seconds of each."""
    seen: list[list[float]] = [[] for _ in jobs]
    for turn in range(runs + 1):
        for job, times in zip(jobs, seen, strict=True):
            began = time.perf_counter()
            job()
            if turn:
                times.append(time.perf_counter() - began)
    return [statistics.median(times) for times in seen]


def show(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms"


def beside(
    what: str,
    runs: int,
    ours: Callable[[], int],
    theirs: Callable[[], int] | None,
    limit: float,
) -> Row:
    if theirs is None:
        (mine,) = in_turns(runs, ours)
        return Row(what, show(mine), "rg or fd not on PATH", None, limit)
    if ours() != theirs():
        raise RuntimeError(f"{what}: {ours()} results here, {theirs()} there")
    mine, other = in_turns(runs, ours, theirs)
    return Row(what, show(mine), show(other), mine / other, limit)


def trees(folder: Path, files: int, runs: int) -> Iterator[Row]:
    threads = min(8, os.cpu_count() or 1)
    for count, limit in ((files, 1.3), (200, 0.5)):
        tree = folder / f"tree{count}"
        write_tree(tree, count)
        root = os.fsencode(tree)
        for what, pattern in PATTERNS.items():
            command = ["rg", "--no-config", "--json", "--line-number", "--hidden", "-e", pattern]
            command.append(str(tree))
            yield beside(
                f"grep, {count} files: {what}",
                runs,
                lambda root=root, pattern=pattern: grep(root, pattern, threads),
                (lambda command=command: output(command).count(b'"type":"match"'))
                if shutil.which("rg")
                else None,
                limit,
            )
        for pattern in ("*_77*.py", "*"):
            command = ["fd", "--color=never", "--hidden", "--glob", "--", pattern, str(tree)]
            yield beside(
                f"find, {count} files: {pattern}",
                runs,
                lambda root=root, pattern=pattern: find(root, pattern),
                (lambda command=command: output(command).count(b"\n"))
                if shutil.which("fd")
                else None,
                limit,
            )


def twins(folder: Path, runs: int) -> Iterator[Row]:
    """Compiled beside pure: at least 5 times as fast."""
    tree = folder / "tree200"
    data = b"".join(path.read_bytes() for path in sorted(tree.rglob("*.*")) if path.is_file()) * 4
    root = os.fsencode(tree)

    def pair(what: str, ours: Callable[[], object], pure: Callable[[], object]) -> Row:
        if ours() != pure():
            raise RuntimeError(f"{what}: the twins differ")
        mine, other = in_turns(runs, ours, pure)
        return Row(f"compiled beside pure: {what}", show(mine), show(other), mine / other, 0.2)

    size = f"{len(data) / 1e6:.1f} MB"
    program = compile_program(parse(r"[A-Z]\w+\d+\("))
    fast, slow = automaton.Automaton(program), _automaton.Automaton(program)
    yield pair(f"Automaton.lines, {size}", lambda: fast.lines(data), lambda: slow.lines(data))
    for what, pattern in PATTERNS.items():
        query = make_query(pattern)
        yield pair(
            f"search_bytes, {size}: {what}",
            lambda query=query: scan.search_bytes(query, data, most=10**9, after=1),
            lambda query=query: _scan.search_bytes(query, data, most=10**9, after=1),
        )
    text = b"*.pyc\n/build/\nnode_modules/\ndocs/**/*.html\n[Tt]emp*\n!keep\n*.log\n" * 4
    paths = [b"src/part%d/module%d.py" % (n % 9, n) for n in range(500)]
    fast_rules, slow_rules = ignore.Rules(text), _ignore.Rules(text)
    yield pair(
        "Rules.check, 500 paths, 28 rules",
        lambda: [fast_rules.check(path, False) for path in paths],
        lambda: [slow_rules.check(path, False) for path in paths],
    )
    yield pair(
        "Walker.next, 200 files",
        lambda: walk.Walker(root).next(10**4),
        lambda: _walk.Walker(root).next(10**4),
    )
    expression = re.compile(rb"^.*[A-Z]\w+\d+\(.*$", re.MULTILINE)
    query = make_query(r"[A-Z]\w+\d+\(")
    yield beside(
        f"search_bytes beside re.finditer, {size}",
        runs,
        lambda: len(scan.search_bytes(query, data, most=10**9)),
        lambda: sum(1 for _ in expression.finditer(data)),
        1,
    )
    names = [os.fsdecode(path).rpartition("/")[2] for path in paths]
    chosen = automaton.Automaton(compile_program(glob("*_1*.{py,ts}"), lines=False))
    yield beside(
        "a glob on 500 names beside fnmatch",
        runs,
        lambda: sum(chosen.matches(name.encode()) for name in names),
        lambda: sum(fnmatch(name, "*_1*.py") or fnmatch(name, "*_1*.ts") for name in names),
        1,
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--files", type=int, default=50_000)
    options.add_argument("--runs", type=int, default=5)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        rows = list(trees(Path(name), chosen.files, chosen.runs))
        rows += twins(Path(name), chosen.runs)
    print(render(rows))


if __name__ == "__main__":
    main()
