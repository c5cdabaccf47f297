"""Whole searches beside ripgrep and fd, where they are on PATH: the same files, lines and names."""

import base64
import json
import os
import random
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from pi._speedups.pattern.globs import folder_glob, glob, has_capital
from pi._speedups.pattern.program import compile_program
from pi._speedups.pattern.query import make_query
from tests.speedups.strategies import GLOB_ATOMS, IGNORE_ATOMS, NAMES

needs_rg = pytest.mark.skipif(shutil.which("rg") is None, reason="no rg on PATH to compare with")
needs_fd = pytest.mark.skipif(shutil.which("fd") is None, reason="no fd on PATH to compare with")

# One byte of a character in fd, the whole of it for us; an empty branch is dropped by fd.
UNLIKE_FD = ("?", "[!a]", "é", "{a,}")
UNLIKE_GIT = ("[", "[a", "[[:alpha:]]", "//")
PIECES = ["alpha", "beta", "Beta", "gamma ray", "é", "Straße", "x1", "_under", "\t", " ", "foo(",
          ")", "42", "日本", "end", "\r", "0x1F", "K", "ſ"]  # fmt: skip
PATTERNS = ["alpha", "(?i)beta", r"\w+\(", r"^\s*x\d", r"\bend$", "é|日", "[^a-z]\\d", r"\Bta",
            "a.*a", r"(?i)strasse|STRASSE|straße", "(?i)k", "", "^$", "x{2,}", r"\d{2}\b", "$",
            r"\p{Han}", "[[:upper:]]", "(foo|gamma)", r"\r$", r"(?-u:\xff)",
            r"[\w--\d]+1"]  # fmt: skip


def plant(root: Path, chance: random.Random) -> None:
    """A tree with ignore files, repositories in it, binary, broken and encoded files."""

    def line() -> str:
        return "".join(chance.choice(PIECES) for _ in range(chance.randrange(6)))

    def folder(path: Path, depth: int) -> None:
        for name in chance.sample(NAMES, 6):
            here = path / name
            if depth < 3 and chance.random() < 0.4:
                here.mkdir()
                folder(here, depth + 1)
                continue
            data = "\n".join(line() for _ in range(chance.randrange(30))).encode()
            match chance.randrange(12):
                case 0:
                    data = data.replace(b" ", b"\0")
                case 1:
                    data = b"\xef\xbb\xbf" + data
                case 2:
                    data = b"\xff\xfe" + data.decode().encode("utf-16-le")
                case 3:
                    data = data.replace(b"e", b"\xff")
                case 4:
                    data = data * 60
            here.write_bytes(data)
        for name in (".gitignore", ".ignore"):
            if chance.random() < 0.3:
                # Not what rg reads in another way than git: escapes, open and named classes.
                rules = [a for a in IGNORE_ATOMS if "\\" not in a and a not in UNLIKE_GIT]
                text = [
                    chance.choice(["", "", "!", "/"]) + chance.choice([*NAMES, *rules, "*.txt"])
                    for _ in range(2)
                ]
                text = [rule for rule in text if rule.strip("!/")]  # git takes no notice of these
                (path / name).write_text("\n".join(text) + "\n", encoding="utf-8")
        if chance.random() < 0.15:
            (path / ".git").mkdir()

    root.mkdir()
    folder(root, 0)


def by_rg(root: Path, *options: str) -> dict[tuple[str, int], tuple[bool, bytes]]:
    command = ["rg", "--no-config", "--json", "--hidden", "--no-messages", *options, "."]
    output = subprocess.run(command, cwd=root, capture_output=True, check=False)
    assert output.returncode in (0, 1), output.stderr
    found = {}
    for line in output.stdout.splitlines():
        event = json.loads(line)
        if event["type"] in ("match", "context"):
            data = event["data"]
            text = data["lines"]
            raw = base64.b64decode(text["bytes"]) if "bytes" in text else text["text"].encode()
            key = (data["path"]["text"].removeprefix("./"), data["line_number"])
            found[key] = (event["type"] == "match", raw.removesuffix(b"\n"))
    return found


def by_us(modules, root: Path, pattern: str, *, context: int = 0, **options):
    walker = modules.walk.Walker(
        os.fsencode(root), files_only=True, ignore_names=(b".ignore", b".rgignore"), **options
    )
    query = make_query(pattern)
    search = modules.search.TreeSearch(
        query, walker, most=10**9, before=context, after=context, keep=10**9
    )
    search.work()
    files, _ = search.results()
    return {
        (os.fsdecode(name), number): (hit, text)
        for name, lines in files
        for number, hit, text, _ in lines
    }


@needs_rg
@pytest.mark.parametrize("seed", range(3))
def test_lines_are_those_of_rg(modules, tmp_path: Path, seed: int) -> None:
    root = tmp_path / "tree"
    plant(root, random.Random(seed))
    for pattern in PATTERNS:
        assert by_us(modules, root, pattern) == by_rg(root, "-e", pattern), pattern
    for pattern in PATTERNS[:4]:
        ours = by_us(modules, root, pattern, context=2)
        assert ours == by_rg(root, "-C2", "-e", pattern), pattern


@needs_rg
@pytest.mark.parametrize(
    "pattern", ["*.txt", "a/**", "!*.log", "!a/", "/a", "*/b*", "{a,b}*", "*.{txt,log}"]
)
def test_globs_are_those_of_rg(modules, tmp_path: Path, pattern: str) -> None:
    root = tmp_path / "tree"
    plant(root, random.Random(11))
    node, folders = folder_glob(pattern.removeprefix("!"))
    options = {
        "only": compile_program(node, lines=False),
        "only_folders": folders,
        "only_excludes": pattern.startswith("!"),
    }
    assert by_us(modules, root, "", **options) == by_rg(root, "--glob", pattern, "-e", "")


@needs_rg
def test_the_standard_library(tmp_path: Path) -> None:
    """Compiled alone: the twin takes its time over 30 MB."""
    from tests.speedups.conftest import search_modules

    modules = search_modules("compiled")
    root = tmp_path / "stdlib"
    source = Path(sysconfig.get_path("stdlib"))
    for folder in ("asyncio", "email", "encodings", "json", "unittest", "xml"):
        shutil.copytree(source / folder, root / folder)
    for pattern in (
        r"def \w+_\w+\(self",
        r"(?i)unicode",
        r"^class .*:$",
        r"\bimport\b.*\bas\b",
        r"[^\x00-\x7f]",
    ):
        assert by_us(modules, root, pattern) == by_rg(root, "-e", pattern), pattern


def by_fd(root: Path, *options: str) -> list[str]:
    command = ["fd", "--color=never", "--hidden", *options, str(root)]
    output = subprocess.run(command, capture_output=True, check=True)
    names = output.stdout.decode("utf-8", "surrogateescape").splitlines()
    return sorted(name.removeprefix(f"{root}/") for name in names)


def found_by_us(modules, root: Path, pattern: str, **options) -> list[str]:
    node = glob(pattern, ignore_case=not has_capital(pattern))
    walker = modules.walk.Walker(
        os.fsencode(root),
        ignore_names=(b".ignore", b".fdignore"),
        select=compile_program(node, lines=False),
        **options,
    )
    entries = walker.next(10**4)
    return sorted(os.fsdecode(name) + ("/" if kind == 2 else "") for name, kind in entries)


@needs_fd
@pytest.mark.parametrize("seed", range(3))
def test_names_are_those_of_fd(modules, tmp_path: Path, seed: int) -> None:
    root = tmp_path / "tree"
    chance = random.Random(100 + seed)
    plant(root, chance)
    assert found_by_us(modules, root, "*") == by_fd(root, "--glob", "*")
    atoms = [atom for atom in GLOB_ATOMS if "/" not in atom and atom not in UNLIKE_FD]
    for _ in range(12):
        pattern = "".join(chance.choice(atoms) for _ in range(chance.randint(1, 3)))
        assert found_by_us(modules, root, pattern) == by_fd(root, "--glob", pattern), pattern
    for pattern in ("**/a/**", "**/*.txt", "**/{a,b}/*", "**/[!é]*/x.log", "/**/A"):
        ours = found_by_us(modules, root, pattern, select_path=True)
        assert ours == by_fd(root, "--full-path", "--glob", pattern), pattern
    # Where .gitignore counts everywhere, fd lets it reach into nested repositories; we do not.
    for repository in list(root.rglob(".git")):
        repository.rmdir()
    anywhere = found_by_us(modules, root, "*", require_git=False)
    assert anywhere == by_fd(root, "--no-require-git", "--glob", "*")
