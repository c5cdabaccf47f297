"""The help text: everything the parser takes, nothing it refuses, and it fits."""

import shlex

import click
import pytest

from pi.cli.help import EXAMPLES, WIDTH, help_text
from pi.cli.options import COMMAND, GROUPS, PiOption, parse


def test_every_option_is_listed_once_with_all_its_spellings() -> None:
    text = help_text()
    for option in COMMAND.params:
        if isinstance(option, PiOption):
            assert option.group in GROUPS
            spellings = ", ".join(sorted(option.opts, key=len))
            assert text.count(f"  {spellings} ") == 1, spellings


def test_what_works_is_listed() -> None:
    assert "--no-mcp" in help_text()
    assert "rpc: commands on stdin" in " ".join(help_text().split())


def test_it_fits_the_width_and_ends_in_a_newline() -> None:
    text = help_text()
    assert max(map(len, text.splitlines())) <= WIDTH == 100
    assert text.endswith("\n")


@pytest.mark.parametrize("command", [command for _, command in EXAMPLES])
def test_examples_are_accepted(command: str) -> None:
    words = shlex.split(command.split("|")[-1].split(">")[0])
    assert words[0] == "pi"
    options = parse(words[1:], stdin_is_tty=True, stdout_is_tty=True)
    assert options.messages


def test_the_parser_itself_is_never_asked_for_clicks_own_help() -> None:
    assert not any("--help" in option.opts for option in COMMAND.get_params(click.Context(COMMAND))
                   if not isinstance(option, PiOption))  # fmt: skip
