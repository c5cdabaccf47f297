import logging

import pytest

from pi.cli.diagnostics import parse_log_spec, set_up

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


@pytest.fixture(autouse=True)
def untouched():
    """The loggers of `pi` as they were, whatever a test sets up."""
    root = logging.getLogger("pi")
    before = root.level, root.propagate, root.handlers[:]
    yield
    for handler in root.handlers:
        handler.close()
    root.level, root.propagate, root.handlers[:] = before
    root.setLevel(before[0])


@pytest.mark.parametrize(
    ("text", "level", "modules", "file"),
    [
        ("/tmp/x.log", "debug", {}, "/tmp/x.log"),
        ("x.log", "debug", {}, "x.log"),
        ("info", "info", {}, None),
        ("INFO , ~/l", "info", {}, "~/l"),
        ("providers.http=debug", "warning", {"providers.http": "debug"}, None),
        ("pi.agent=error,debug", "debug", {"agent": "error"}, None),
        ("/a=b/c", "debug", {}, "/a=b/c"),
        (",", "debug", {}, None),
    ],
)
def test_what_it_may_say(text, level, modules, file) -> None:
    spec = parse_log_spec(text)
    assert spec.level == LEVELS[level]
    assert spec.modules == {name: LEVELS[named] for name, named in modules.items()}
    assert (spec.file, spec.complaints) == (file, ())


def test_a_level_that_is_none_is_told() -> None:
    (complaint,) = parse_log_spec("agent=loud").complaints
    assert "loud" in complaint and "debug" in complaint


@pytest.mark.parametrize(
    ("name", "level", "wanted"),
    [
        ("pi.cli.run", "info", False),
        ("pi.cli.run", "warning", True),
        ("pi.providers.http", "debug", True),
        ("pi.providers.httpx", "debug", False),
        ("pi.providers.base", "info", True),
        ("pi.providers.base", "debug", False),
    ],
)
def test_the_longest_match_decides(name, level, wanted) -> None:
    spec = parse_log_spec("warning,providers=info,providers.http=debug")
    assert spec.wants(name, LEVELS[level]) is wanted


def say(name: str = "agent.session") -> None:
    logger = logging.getLogger(f"pi.{name}")
    for level in LEVELS:
        getattr(logger, level)("%s from\n%s", level, name)


@pytest.mark.parametrize(
    ("verbose", "lines"),
    [
        (False, ["Warning: warning from agent.session", "Error: error from agent.session"]),
        (
            True,
            [
                "Info: info from agent.session",
                "Warning: warning from agent.session",
                "Error: error from agent.session",
            ],
        ),
    ],
)
def test_stderr(capsys, tmp_path, verbose, lines) -> None:
    set_up(None, verbose=verbose, home=tmp_path)
    say()
    out, err = capsys.readouterr()
    assert (out, err.splitlines()) == ("", lines)


def test_a_file_gets_what_it_asks_for_and_stderr_stays_as_it_is(capsys, tmp_path) -> None:
    set_up("info,agent=debug,~/x.log", verbose=False, home=tmp_path)
    say()
    say("cli.run")
    lines = (tmp_path / "x.log").read_text().splitlines()
    assert [line.split(" ", 3)[1:3] for line in lines] == [
        *([level.upper(), "agent.session:"] for level in LEVELS),
        *([level.upper(), "cli.run:"] for level in list(LEVELS)[1:]),
    ]
    assert lines[0].endswith("debug from agent.session")
    assert len(capsys.readouterr().err.splitlines()) == 4


def test_the_file_is_appended_to(tmp_path) -> None:
    (tmp_path / "x.log").write_text("before\n")
    set_up(str(tmp_path / "x.log"), verbose=False, home=tmp_path)
    say()
    assert (tmp_path / "x.log").read_text().startswith("before\n2")


def test_stderr_as_the_log(capsys, tmp_path) -> None:
    set_up("debug", verbose=False, home=tmp_path)
    say()
    first, second, *rest = capsys.readouterr().err.splitlines()
    assert " DEBUG agent.session: " in first and " INFO agent.session: " in second
    assert [line.split(":")[0] for line in rest] == ["Warning", "Error"]


def test_a_file_that_cannot_be_written_is_a_warning(capsys, tmp_path) -> None:
    set_up(str(tmp_path / "no" / "x.log"), verbose=False, home=tmp_path)
    say()
    first, *rest = capsys.readouterr().err.splitlines()
    assert first.startswith("Warning: PI_LOG: cannot write ") and "x.log" in first
    assert len(rest) == 2


def test_a_full_disk_is_told_once(capsys, tmp_path) -> None:
    set_up("/dev/full", verbose=False, home=tmp_path)
    say()
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["Warning", "Warning", "Error"]
    assert "/dev/full" in lines[0]
