"""Completing in the editor, as somebody does who types."""

import asyncio
import time
from pathlib import Path

import pytest

from pi.modes.interactive.completion.base import Found, Item
from pi.modes.interactive.completion.commands import CommandProvider, Offer
from pi.modes.interactive.completion.files import FileProvider
from pi.modes.interactive.completion.paths import PathProvider
from pi.modes.interactive.extension_completion import AddedCompletion
from tests.modes.interactive.editor.typing import Desk

UP, DOWN = "\x1b[A", "\x1b[B"
LEVELS = ("off", "low", "high")


def levels(typed):
    return [Item(level, level, then="submit") for level in LEVELS if level.startswith(typed)]


async def models(typed):
    await asyncio.sleep(0)
    return [Item("mock/m1", "m1", "mock", then="submit")]


OFFERS = [
    Offer("settings", "Change what can be changed"),
    Offer("model", "Choose a model", "<name>", models),
    Offer("thinking", "Set how much it thinks", "<level>", levels),
    Offer("scoped-models", "Choose the models to go round"),
    Offer("import", "Read a session"),
    Offer("quit", "Leave"),
]


@pytest.fixture
def folder(tmp_path):
    for name in (
        *(
            "alpha.txt",
            "src/deep/alpha_beta.py",
            "src/my file.txt",
            ".hidden/secret",
            "b$d (1).txt",
        ),
        *("ignored/z.js", ".gitignore"),
    ):
        path = tmp_path / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("ignored\n" if name == ".gitignore" else "")
    (tmp_path / "beside.txt").write_text("")
    return tmp_path / "work"


async def until(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.005)


def desk_in(folder, **options):
    files = FileProvider(folder)
    desk = Desk(
        providers=[CommandProvider(lambda: OFFERS), files, PathProvider(folder, folder.parent)],
        **options,
    )
    desk.files = files
    return desk


@pytest.fixture
def desk(folder):
    """An editor with its list of files made already."""
    desk = desk_in(folder)

    async def warmed():
        desk.files.warm()
        await until(lambda: desk.files._walk.index is not None)

    asyncio.run(warmed())
    desk.files._take()
    desk.files._made = float("inf")
    return desk


def popup(desk, columns=80):
    """The rows below the border."""
    lines = desk.shown(columns)
    edges = [at for at, line in enumerate(lines) if line.startswith("──")]
    return lines[edges[1] + 1 :]


def labels(desk):
    found = desk.editor.completer.popup
    return [] if found is None else [item.label for item in found.found.items]


# Commands


def test_commands(desk):
    desk.type("/")
    assert popup(desk) == [
        "→ settings       Change what can be changed",
        "  model          <name> – Choose a model",
        "  thinking       <level> – Set how much it thinks",
        "  scoped-models  Choose the models to go round",
        "  import         Read a session",
        "  1/6",
    ]
    desk.type("mo")
    assert labels(desk) == ["model", "scoped-models", "import"]
    assert desk.type(DOWN, UP, DOWN).shown(80)[4].startswith("→ scoped-models")
    desk.type("\r")
    assert desk.sent[0].text == "/scoped-models"
    assert popup(desk) == []


def test_narrow_lists(desk):
    desk.type("/")
    assert popup(desk, 20) == [
        "→ settings",
        "  model",
        "  thinking",
        "  scoped-models",
        "  import",
        "  1/6",
    ]
    desk.editor.height = 6
    assert popup(desk, 20) == ["→ settings", "  model", "  1/6"]


def test_tab_goes_on_with_the_arguments(desk):
    desk.type("/thi\t")
    assert desk.text == "/thinking |"
    assert labels(desk) == ["off", "low", "high"]
    desk.type("h\r")
    assert desk.sent[0].text == "/thinking high"


def test_arguments_that_take_time(desk):
    async def work():
        desk.type("/model ")
        await until(lambda: desk.frames)
        assert labels(desk) == ["m1"]
        desk.type("m")  # the list stays while the next answer is on its way
        assert labels(desk) == ["m1"]
        desk.type("\t")
        assert desk.text == "/model mock/m1|"
        await asyncio.sleep(0.02)

    asyncio.run(work())


def test_where_no_command_is(desk):
    for text in ("x /mo", " /mo", "/unknown", "/quit now", "a\n/mo"):
        desk.editor.clear()
        assert labels(desk.type(text)) == []
        assert popup(desk) == []


def test_enter_sends_what_is_no_command(desk):
    desk.type("/unknown\r")
    assert desk.sent[0].text == "/unknown"


def test_the_list_goes_round_and_scrolls(desk):
    desk.type("/", UP)
    assert popup(desk)[-2:] == ["→ quit           Leave", "  6/6"]
    desk.type("\x1b[5~")
    assert popup(desk)[-1] == "  1/6"
    desk.type(DOWN * 4, "\x1b[6~", DOWN)
    assert popup(desk)[-1] == "  1/6"
    assert desk.text == "/|"


def test_escape_closes_it_for_this_word(desk):
    desk.type("/m", "\x1b")
    assert popup(desk) == []
    assert desk.left == []
    desk.type("o")
    assert popup(desk) == []
    desk.type("\x7f" * 3, "/")
    assert popup(desk)
    desk.type("\x03")  # Ctrl+C is the application's, which empties the editor
    assert popup(desk) == []
    assert desk.left == ["ctrl+c"]


def test_moving_the_caret_asks_again(desk):
    desk.type("/model", "\x1b[D" * 4)
    assert labels(desk) == ["model", "scoped-models", "import"]
    desk.type("\r")
    assert desk.sent[0].text == "/model"


def test_history_opens_no_list(desk):
    desk.editor.remember("/model")
    desk.type(UP)
    assert popup(desk) == []
    assert desk.type(UP).text == "|/model"


# Files


def test_files(desk):
    desk.type("see @")
    assert labels(desk) == [
        *("src/", "alpha.txt", "b$d (1).txt", ".hidden/", ".gitignore"),
        *("deep/", "my file.txt", "secret", "alpha_beta.py"),
    ]
    desk.type("al")
    assert popup(desk) == ["→ alpha.txt", "  alpha_beta.py  src/deep/alpha_beta.py"]
    desk.type("\r")
    assert desk.text == "see @alpha.txt |"
    assert desk.sent == []
    assert popup(desk) == []


def test_a_name_with_blanks_is_quoted(desk):
    assert desk.type("@my\t").text == '@"src/my file.txt" |'
    desk.editor.clear()
    assert desk.type('@"my f\r').text == '@"src/my file.txt" |'
    assert labels(desk.type("and @src/my")) == ["my file.txt"]


def test_folders_go_on_with_tab_and_end_with_enter(desk):
    desk.type("@sr\t")
    assert desk.text == "@src/|"
    assert labels(desk) == ["deep/", "my file.txt", "alpha_beta.py"]
    desk.type("\r")
    assert desk.text == "@src/deep/ |"


def test_hidden_yes_ignored_no(desk):
    assert labels(desk.type("@secr")) == ["secret"]
    desk.editor.clear()
    assert labels(desk.type("@z")) == []


def test_outside_of_the_folder(desk):
    assert labels(desk.type("@../")) == ["work/", "beside.txt"]
    assert labels(desk.type("be")) == ["beside.txt"]
    assert desk.type("\t").text == "@../beside.txt |"
    assert labels(desk.type("@~/")) == ["work/", "beside.txt"]
    desk.editor.clear()
    assert "bin/" in labels(desk.type("@/"))


def test_no_files_in_a_shell_line(desk):
    assert labels(desk.type("!git show @al")) == []


def test_the_first_list_is_waited_for_and_an_old_one_renewed(folder, monkeypatch):
    async def work():
        desk = desk_in(folder)
        desk.type("@al")
        assert popup(desk) == []
        await until(lambda: labels(desk))
        assert labels(desk) == ["alpha.txt", "alpha_beta.py"]
        assert desk.frames == 1
        (folder / "alto.txt").write_text("")
        desk.type("\x7f")
        assert "alto.txt" not in labels(desk)
        monkeypatch.setattr("pi.modes.interactive.completion.files.FRESH", 0)
        desk.type("l")
        await until(lambda: desk.files._walk is None or desk.files._walk.index is not None)
        desk.type("t")
        assert labels(desk)[0] == "alto.txt"
        desk.files.folder = folder / "src"
        desk.type("\x7f" * 4, "@dee")
        await until(lambda: labels(desk)[:1] == ["deep/"])
        desk.files.close()

    asyncio.run(work())


def test_typing_on_while_the_list_is_made(folder):
    async def work():
        desk = desk_in(folder)
        desk.type("@", "s", "e", "c")
        await until(lambda: labels(desk))
        assert labels(desk) == ["secret"]
        desk = desk_in(folder)
        desk.type("@al", "\x7f" * 3)
        await until(lambda: desk.files._walk is None or desk.files._walk.index is not None)
        await asyncio.sleep(0.02)
        assert popup(desk) == []

    asyncio.run(work())


# Paths


def test_tab_completes_paths(desk):
    assert desk.type("see sr\t").text == "see src/|"
    assert labels(desk) == ["deep/", "my file.txt"]
    desk.type("m\r")
    assert desk.text == 'see "src/my file.txt" |'


def test_tab_on_nothing_lists_the_folder(desk):
    assert labels(desk.type("\t")) == [
        *("ignored/", "src/", "alpha.txt", "b$d (1).txt", ".hidden/", ".gitignore")
    ]
    desk.type("\x1b")
    desk.editor.clear()
    assert labels(desk.type("nothing\t")) == []
    assert desk.text == "nothing|"
    assert labels(desk.type(" /\t"))[:1] != []


def test_in_a_shell_line_paths_are_written_for_the_shell(desk):
    assert desk.type("!cat b\t").text == "!cat b\\$d\\ \\(1\\).txt |"
    assert desk.type("src/m\t").text == "!cat b\\$d\\ \\(1\\).txt src/my\\ file.txt |"


def test_a_word_with_a_slash_elsewhere_opens_nothing(desk):
    assert labels(desk.type("me@example.org src/")) == []


# Others


class Issues:
    """As an extension may bring: `#` and a number."""

    triggers = "#"

    def __init__(self, fails=False):
        self.fails = fails
        self.asked = 0

    async def complete(self, text, caret, *, asked):
        self.asked += 1
        await asyncio.sleep(0)
        if self.fails:
            raise ValueError("no network")
        at = text.rfind("#", 0, caret)
        if not text[at + 1 : caret].isdecimal():
            return None
        return Found(at, caret, [Item("#12 ", "#12", "It crashes\x1b[31m\non start")])


def test_a_provider_of_an_extension(folder):
    async def work():
        issues = Issues()
        desk = Desk(providers=[issues, PathProvider(folder, folder)])
        desk.type("x")
        assert issues.asked == 0
        desk.type(" see #1")
        await until(lambda: labels(desk))
        assert popup(desk) == ["→ #12  It crashes on start"]
        assert desk.type("\t").text == "x see #12 |"
        desk.type("alp\t")  # not its turn: the next is asked
        await until(lambda: labels(desk))
        assert labels(desk) == ["alpha.txt"]

    asyncio.run(work())


def test_an_extension_may_keep_tab_from_files(folder):
    class Ours:
        def complete(self, text, caret, following):
            return None

        def completes_files(self, text, caret):
            return "ours" not in text

    desk = Desk(providers=[PathProvider(folder, folder)])
    completer = desk.editor.completer
    completer.providers.insert(0, AddedCompletion(Ours(), pytest.fail, completer, None))
    assert desk.type("ours alp\t").text == "ours alp|"
    assert desk.type("\x15alp\t").text == "alpha.txt |"


def test_a_provider_that_fails_does_not_disturb(folder, caplog):
    async def work():
        desk = Desk(providers=[Issues(fails=True)])
        desk.type("#1")
        await until(lambda: desk.frames == 1)
        assert desk.type("2").text == "#12|"
        await until(lambda: desk.frames == 2)

    asyncio.run(work())
    assert "completion failed" in caplog.text


def test_nothing_keeps_the_program_from_ending(folder):
    """The list of files is made in a daemon thread that may outlive the loop."""

    async def work():
        FileProvider(Path("/")).warm()

    began = time.monotonic()
    asyncio.run(work())
    assert time.monotonic() - began < 30


def test_what_is_typed_out_needs_no_choosing(desk):
    desk.type("see @alpha.txt")
    assert labels(desk) == ["alpha.txt"]
    desk.type("\r")
    assert desk.sent[0].text == "see @alpha.txt"


def test_the_users_global_excludes(folder, tmp_path):
    (tmp_path / ".config" / "git").mkdir(parents=True)
    (tmp_path / ".config" / "git" / "ignore").write_text("alpha*\n")

    async def work():
        desk = Desk(providers=[FileProvider(folder, home=tmp_path)])
        desk.type("@al")
        await until(lambda: desk.frames)
        assert labels(desk) == []

    asyncio.run(work())


def test_what_was_found_for_another_text_is_not_put_in():
    class Slow:
        triggers = "ax"

        async def complete(self, text, caret, *, asked):
            await asyncio.sleep(0)
            return Found(0, caret, [Item(f"{text[:caret]}!", "one")])

    async def work():
        desk = Desk(providers=[Slow()])
        desk.type("ab")
        await until(lambda: labels(desk) == ["one"])
        desk.type("\x15xyz\t")  # before its answer for that has come
        assert desk.text == "xyz|"
        await until(lambda: labels(desk) == ["one"])
        desk.type("\t")
        assert desk.text == "xyz!|"

    asyncio.run(work())


@pytest.mark.parametrize("typed", ["nothing alike", "onx"])
def test_a_late_list_gives_only_what_fits_what_was_typed_since(typed):
    class Slow:
        triggers = "o"

        async def complete(self, text, caret, *, asked):
            await asyncio.sleep(0)
            return Found(0, caret, [Item("./one", "One")]) if text in ("", "o", "on") else None

    async def work(keys):
        desk = Desk(providers=[Slow()])
        desk.type("o")
        await until(lambda: labels(desk) == ["One"])
        desk.type("\x15")
        frames = desk.frames
        await until(lambda: desk.frames > frames)
        assert labels(desk) == ["One"]  # it stays open, for no text
        return desk.type(keys)

    assert asyncio.run(work(f"{typed}\t")).text == f"{typed}|"
    assert asyncio.run(work(f"{typed}\r")).sent[0].text == typed
    assert asyncio.run(work("on\t")).text == "./one|"
    assert asyncio.run(work("ON\r")).text == "./one|"
