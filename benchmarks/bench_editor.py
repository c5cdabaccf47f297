"""The editor: a key in a long prompt, and `@` in a folder of 50,000 files.

    python -m benchmarks.bench_editor [--files 50000]

All that a key costs before the screen writes its rows: decoding, the action, completion, the lines.
Beside it stands the budget of a key (30 ms to the screen) or of a start. A tree of empty files is
written first (seeded, in a temporary folder).
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.table import Row, render
from pi._speedups import _names, names
from pi.modes.interactive.cells import plain
from pi.modes.interactive.completion import FileProvider
from pi.modes.interactive.completion.file_index import FileIndex, walk
from pi.modes.interactive.editor import Editor
from pi.modes.interactive.keymap import Keymap
from pi.modes.interactive.keys import KeyDecoder
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.view import Key

KEY = 0.030  # seconds from a key to the screen
LINES = 500
LETTERS = "abcdefghijklmnopqrstuvwxyz_"
QUERIES = ("keymap", "src/mod", "abcd", "qqzzxx", "index.py", "a_b_c")


def write_tree(root: Path, files: int) -> None:
    chance = random.Random(1)
    words = ["".join(chance.choices(LETTERS, k=chance.randint(2, 9))) for _ in range(4000)]
    folders = [root]
    root.mkdir()
    for number in range(files // 12):
        folder = chance.choice(folders[-400:]) / f"{chance.choice(words)}{number % 50}"
        if not folder.exists():
            folder.mkdir()
            folders.append(folder)
    for number in range(files):
        name = f"{chance.choice(words)}{number}.{chance.choice(('py', 'ts', 'md'))}"
        (chance.choice(folders) / name).touch()


def an_editor(*providers: FileProvider) -> Editor:
    theme = Theme("bench", {"thinkingOff": "#808080", "accent": "#8080ff"})
    editor = Editor(
        Keymap(),
        theme,
        on_submit=lambda submission: None,
        providers=providers,
        home=Path("/"),
    )
    editor.height = 40
    return editor


def press(editor: Editor, keys: Iterable[str]) -> list[float]:
    """Seconds of each key, from what the terminal sends to the lines."""
    decoder = KeyDecoder()
    taken = []
    for data in keys:
        began = time.perf_counter()
        for key in decoder.feed(data):
            if isinstance(key, Key):
                editor.handle(key)
        editor.render(120)
        taken.append(time.perf_counter() - began)
    return taken


def row(what: str, taken: list[float], limit: float) -> Row:
    """The 95th of a hundred keys, as a part of a key's budget."""
    taken = sorted(taken)
    late = taken[int(len(taken) * 0.95)]
    note = f"median {statistics.median(taken) * 1e3:.2f} ms, slowest {taken[-1] * 1e3:.1f} ms"
    return Row(what, f"{late * 1e3:.2f} ms", "30 ms", late / KEY, limit, note)


def prompts() -> Iterator[Row]:
    line = "The quick brown fox jumps over the lazy dog while 漢字 are as wide as two letters. "
    kinds: dict[str, Callable[[], str]] = {
        "ASCII": lambda: line.replace("漢字", "others"),
        "wide characters": lambda: line * 2,
    }
    for kind, make in kinds.items():
        editor = an_editor()
        editor.text = "\n".join(f"{number} {make()}" for number in range(LINES))
        keys = ["x", "\x1b[A", "\x7f", " ", "\x1b[B", "y", "\x1b[D", "\x17", "\x1b[5~"]
        taken = press(editor, keys * 60)
        assert any("more" in plain(line) for line in editor.render(120))
        yield row(f"a key in a prompt of {LINES} lines, {kind}", taken, 0.2)


def files(folder: Path, count: int) -> Iterator[Row]:
    root = folder / "many"
    write_tree(root, count)
    began = time.perf_counter()
    paths = walk(root)
    walked = time.perf_counter() - began
    assert len(paths) >= count
    index = FileIndex(paths)
    whole = time.perf_counter() - began
    yield Row(
        f"`@`: the list of {count:,} files, in a thread",
        f"{whole * 1e3:.0f} ms",
        "300 ms",
        whole / 0.3,
        1.0,
        f"{walked * 1e3:.0f} ms of it the walk",
    )
    provider = FileProvider(root)
    first, following = [], []
    for query in QUERIES:
        editor = an_editor(provider)
        provider.keep(index)
        press(editor, "see ")
        first += press(editor, "@")
        assert editor.completer.popup is not None
        following += press(editor, query)
        following += press(editor, "\x7f" * (len(query) - 1))
    yield row(f"`@` in {count:,} files: the first key", first, 0.5)
    yield row("the keys after it", following, 0.5)
    text = "\n".join(paths).lower().encode()
    yield twins(names.Names(text), _names.Names(text))


def twins(compiled: Any, pure: Any) -> Row:
    seconds = []
    for ranked in (compiled, pure):
        best = []
        for query in QUERIES:
            began = time.perf_counter()
            found = ranked.best(query.encode(), 100)
            best.append(time.perf_counter() - began)
            assert found == compiled.best(query.encode(), 100)
        seconds.append(statistics.median(best))
    mine, other = seconds
    what = "compiled beside pure: Names.best"
    return Row(what, f"{mine * 1e3:.2f} ms", f"{other * 1e3:.1f} ms", mine / other, 0.2)


def rows(folder: Path, count: int = 50_000) -> Iterator[Row]:
    yield from prompts()
    yield from files(folder, count)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--files", type=int, default=50_000)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        print(render(rows(Path(name), chosen.files)))


if __name__ == "__main__":
    main()
