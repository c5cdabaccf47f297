"""Command lines and what becomes of them: read, refused with a reason, or shown help."""

import dataclasses
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.cli.options import COMMAND, Options, parse
from pi.errors import UsageError
from pi.resources.loading import ResourceChoice


def read(*argv: str) -> Options:
    return parse(argv, stdin_is_tty=False, stdout_is_tty=False)


def read_without_extensions(*argv: str) -> Options:
    options = read(*argv)
    if options.unknown is not None:  # there is none that could know it
        raise options.unknown
    return options


def refusal(*argv: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read_without_extensions(*argv)
    assert caught.value.exit_code == 2
    assert str(caught.value).isprintable()
    assert (caught.value.hint or "").isprintable()
    return caught.value


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], {}),
        (["hi"], {"messages": ("hi",)}),
        (["-p", "hi", "there"], {"messages": ("hi", "there")}),
        (["-p"], {}),
        (["-p", ""], {"messages": ("",)}),
        (["hi", "-p", "--no-tools"], {"messages": ("hi",), "default_tools": "none"}),
        (["-p", "-nt", "hi"], {"messages": ("hi",), "default_tools": "none"}),
        (["-nbt", "hi"], {"messages": ("hi",), "default_tools": "no-builtin"}),
        (["-nbt", "-nt"], {"default_tools": "none"}),
        (["-p", "---\ntitle: x"], {"messages": ("---\ntitle: x",)}),
        (["-p", "---"], {"messages": ("---",)}),
        (["-p", "--", "-x"], {"messages": ("-x",)}),
        (["--", "--model"], {"messages": ("--model",)}),
        (["--", "install"], {"messages": ("install",)}),
        (["hi", "install"], {"messages": ("hi", "install")}),
        (["hi", "--", "@a", "-x"], {"messages": ("hi", "-x"), "files": ("a",)}),
        (["@a b.txt", "hi", "@@c"], {"messages": ("hi",), "files": ("a b.txt", "@c")}),
        (["--mode", "json", "hi"], {"messages": ("hi",), "mode": "json"}),
        (["--mode", "json", "--mode", "text"], {"mode": "text"}),
        (["--model", "m", "--provider", "x"], {"model": "m", "provider": "x"}),
        (["--model", "a", "--model", "b"], {"model": "b"}),
        (["--provider", "", "--model", ""], {}),
        (["--api-key", "k", "--models", "m1, m2,"], {"api_key": "k", "models": ("m1", "m2")}),
        (["--models", ""], {}),
        (["--thinking", "xhigh"], {"thinking": "xhigh"}),
        (["--list-models"], {"list_models": ""}),
        (["--list-models", "son"], {"list_models": "son"}),
        (["--list-models", "--verbose"], {"list_models": "", "verbose": True}),
        (["--list-models", "@a"], {"list_models": "", "files": ("a",)}),
        (["-c"], {"continue_latest": True}),
        (["-c", "--session", "x"], {"continue_latest": True, "session": "x"}),
        (["-c", "--no-session"], {"continue_latest": True, "no_session": True}),
        (["--session-id", "a..b"], {"session_id": "a..b"}),
        (["--session-id", "7"], {"session_id": "7"}),
        (["--session-id", "ab", "--no-session"], {"session_id": "ab", "no_session": True}),
        (["--session-id", "ab", "--fork", "x"], {"session_id": "ab", "fork": "x"}),
        (["--session", "", "--fork", "", "--session-dir", ""], {}),
        (["-n", " my work "], {"name": "my work"}),
        (["--name", "-p", "hi"], {"name": "-p", "messages": ("hi",)}),
        (["--name", "--", "hi"], {"name": "--", "messages": ("hi",)}),
        (["-t", "read, bash ,,"], {"tools": ("read", "bash")}),
        (["-t", "read", "--tools", "bash"], {"tools": ("bash",)}),
        (["--tools", ""], {"tools": ()}),
        (["-t", "+ls,-bash"], {"tools": ("+ls", "-bash")}),
        (["-t", "re*", "-xt", "b*,+x"], {"tools": ("re*",), "exclude_tools": ("b*", "+x")}),
        (["-nc"], {"context_files": False}),
        (["-a"], {"trust": "approve"}),
        (["-a", "-na"], {"trust": "ignore"}),
        (["--no-approve", "--approve"], {"trust": "approve"}),
        (["--system-prompt", ""], {"system_prompt": ""}),
        (["--system-prompt", "a", "--system-prompt", "b"], {"system_prompt": "b"}),
        (
            ["--append-system-prompt", "a", "--append-system-prompt", ""],
            {"append_system_prompt": ("a", "")},
        ),
        (["--offline", "--verbose"], {"offline": True, "verbose": True}),
        (["--no-mcp"], {"resources": ResourceChoice(without_builtin=frozenset({"mcp"}))}),
    ],
    ids=" ".join,
)
def test_accepted(argv: list[str], expected: dict[str, Any]) -> None:
    assert read(*argv) == dataclasses.replace(Options(), **expected)


@pytest.mark.parametrize(
    ("argv", "message", "hint"),
    [
        (["--bogus", "hi"], "unknown option --bogus", "--help"),
        (["--modle", "m1"], "unknown option --modle", "Did you mean --mode or --model?"),
        (["--Model", "m1"], "--Model", "Did you mean --model"),
        (["--no-tool"], "--no-tool", "Did you mean --no-tools"),
        (["--mode=json"], "--mode=json", "Write: --mode json"),
        (["-t=read"], "-t=read", "Write: -t read"),
        (["--print=hi"], "--print=hi", "--print takes no value"),
        (["--no-mcp=1"], "--no-mcp=1", "--no-mcp takes no value"),
        (["-z"], "-z", "--help"),
        (["-tread"], "-tread", ""),
        (["-pc"], "-pc", "-p -c"),
        (["-ap"], "-ap", "-a -p"),
        (["-"], "unknown option -", "--"),
        (["-p", "- item"], "- item", "--"),
        (["-p", "-1"], "-1", "--"),
        (["-p", "-\nx" + "y" * 99], r"'-\nxyy", "--"),
        (["--model"], "--model needs a value", ""),
        (["hi", "-n"], "-n needs a value", ""),
        (["-n", " "], "--name", ""),
        (["--mode", "xml"], "'xml'", ""),
        (["--mode", "rpc", "@a.txt"], "RPC mode takes no @file", "as commands"),
        (["-t", "read,+ls"], "cannot be mixed", ""),
        (["-t", "+l*"], "+l*", ""),
        (["--session-id", ""], "session id", ""),
        (["--session-id", "-a"], "'-a'", ""),
        (["--session-id", "a."], "'a.'", ""),
        (["--session-id", "a/b"], "'a/b'", ""),
        (["--session-id", "é"], "'é'", ""),
        (["--session-id", "a\n"], "session id", ""),
        (["--provider", "mock", "hi"], "--provider needs --model", "--provider mock --model"),
        (["--provider", "mock", "--models", "m1"], "--provider needs --model", ""),
        (["--api-key", "k", "hi"], "--api-key needs a model", ""),
        (["--fork", "x", "--session", "y"], "--fork cannot be combined with --session", ""),
        (["--fork", "x", "-c"], "--fork cannot be combined with --continue", ""),
        (["--fork", "x", "--no-session"], "--fork cannot be combined with --no-session", ""),
        (["--session-id", "a", "-c"], "--session-id cannot be combined with --continue", ""),
        (["--session-id", "a", "--session", "x"], "combined with --session", ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_refused(argv: list[str], message: str, hint: str) -> None:
    error = refusal(*argv)
    assert message in str(error)
    assert hint in (error.hint or "")


def test_an_unknown_thinking_level_is_a_warning() -> None:
    for level in ("foo", "HIGH", "", "-p"):
        options = read("--thinking", level, "hi")
        assert options.thinking is None
        assert options.messages == ("hi",)
        (warning,) = options.warnings
        assert repr(level) in warning


@pytest.mark.parametrize(
    ("argv", "show"),
    [
        (["-h"], "help"),
        (["-v"], "version"),
        (["--version", "--bogus"], "version"),
        (["--bogus", "--help"], "help"),
        (["-h", "--provider", "x"], "help"),
        (["-v", "--fork", "x", "--session", "y"], "version"),
        (["--resume", "-h"], "help"),
        (["--", "-h"], None),
    ],
)
def test_help_and_version_win_over_later_checks(argv: list[str], show: str | None) -> None:
    assert read(*argv).show == show


@pytest.mark.parametrize(
    "argv", [["--version", "--mode", "xml"], ["--help", "--session-id", "_"], ["-v", "-z"]]
)
def test_help_and_version_do_not_hide_a_malformed_value(argv: list[str]) -> None:
    refusal(*argv)


@pytest.mark.parametrize("argv", [["hi"], [], ["--mode", "text", "hi"], ["--verbose"]])
def test_a_terminal_on_both_sides_opens_the_terminal_interface(argv: list[str]) -> None:
    assert parse(argv, stdin_is_tty=True, stdout_is_tty=True).interactive


def test_the_list_of_sessions_needs_a_terminal() -> None:
    assert parse(["-r"], stdin_is_tty=True, stdout_is_tty=True).pick_session
    assert "needs a terminal" in str(refusal("-r", "hi"))
    assert "--resume" in str(refusal("-r", "--fork", "x"))


@pytest.mark.parametrize(
    "argv", [["-p", "hi"], ["--mode", "json", "hi"], ["--list-models"], ["-h"], ["--version"]]
)
def test_a_terminal_is_no_hindrance_to_a_single_run(argv: list[str]) -> None:
    assert parse(argv, stdin_is_tty=True, stdout_is_tty=True) == read(*argv)


@pytest.mark.parametrize(("stdin", "stdout"), [(True, False), (False, True), (False, False)])
def test_print_is_implied_without_a_terminal(stdin: bool, stdout: bool) -> None:
    assert parse(["hi"], stdin_is_tty=stdin, stdout_is_tty=stdout).messages == ("hi",)


SPELLINGS = [
    spelling for option in COMMAND.params for spelling in option.opts if spelling[0] == "-"
]
ARGUMENTS = st.one_of(
    st.sampled_from([*SPELLINGS, "--", "-", "@f", "json"]),
    st.text(string.printable, max_size=6),
    st.text(max_size=4),
)


@given(st.lists(ARGUMENTS, max_size=8))
def test_anything_is_read_or_refused_in_one_line(argv: list[str]) -> None:
    try:
        options = read(*argv)
    except UsageError:
        refusal(*argv)
        return
    typed = [arg.removeprefix("@") for arg in argv]
    assert all(text in typed for text in (*options.messages, *options.files))


@given(st.lists(st.text(max_size=5).filter(lambda text: not text.startswith("@")), max_size=5))
def test_after_two_dashes_everything_is_a_prompt(texts: list[str]) -> None:
    assert read("-p", "--", *texts).messages == tuple(texts)


def test_options_of_extensions() -> None:
    argv = ["--level", "3", "--plan", "do it", "--later"]
    first = read(*argv)
    assert str(first.unknown) == "unknown option --level"
    again = parse(
        first.argv,
        stdin_is_tty=False,
        stdout_is_tty=False,
        flags={"level": "string", "plan": "boolean"},
    )
    assert dict(again.flags) == {"level": "3", "plan": True}
    assert again.messages == ("do it",)
    assert str(again.unknown) == "unknown option --later"
    with pytest.raises(UsageError, match="--level needs a value"):
        parse(["--level", "-p"], stdin_is_tty=False, stdout_is_tty=False, flags={"level": "string"})
