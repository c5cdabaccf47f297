"""The text of `pi --help`, made from the parser's own list of options."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from pi.cli.options import COMMAND, GROUPS, PiOption

if TYPE_CHECKING:
    from pi.runtime.additions import Flag

__all__ = ["help_text"]

WIDTH = 100

EXAMPLES = (
    ("Ask about this folder", 'pi -p "What does this project do?"'),
    ("Give it files, an image among them", 'pi -p @notes.md @screen.png "What is wrong here?"'),
    ("Give it another program's output", 'git diff | pi -p "Review this change"'),
    ("Go on with the last session", 'pi -c -p "Now write the tests"'),
    ("Choose the model and how hard it thinks", 'pi --model sonnet:high -p "Find the race"'),
    ("Let it look but not touch", 'pi -t read,grep,find,ls -p "Review src/"'),
    ("Feed another program", 'pi --mode json -p "List the TODOs" > events.jsonl'),
    ("A prompt that begins with a dash", 'pi -p -- "- one point a line, please"'),
)

COMMANDS = (
    ("auth", "Sign in to providers and out, check and print credentials"),
    ("mcp", "Add, remove and check MCP servers; sign in to them and out"),
    ("sessions", "Find, inspect, repair and export what was said before"),
    ("install <source>", "Add a package of extensions, skills, prompt templates, themes"),
    ("remove <source>", "Remove a package"),
    ("list", "List the packages"),
    ("update", "Update pi, packages, or the facts about models"),
    ("config", "List extensions, skills and the like; switch them on and off"),
)

VARIABLES = (
    ("ANTHROPIC_API_KEY, OPENAI_API_KEY", "Keys of these providers"),
    ("PI_CODING_AGENT_DIR", "Settings, keys and sessions (default: ~/.pi/agent)"),
    ("PI_CODING_AGENT_SESSION_DIR", "Sessions alone; --session-dir wins over it"),
    ("PI_OFFLINE", "1: as --offline"),
    ("PI_DEBUG", "1: show a traceback with an error"),
    ("PI_LOG", "A log: level, module=level, file; comma-separated"),
    ("HTTPS_PROXY, NO_PROXY", "Proxy for requests; hosts it is not used for"),
    ("NODE_EXTRA_CA_CERTS", "A file of certificates to trust besides the system's"),
)  # fmt: skip


def help_text(flags: "Sequence[Flag]" = ()) -> str:
    """At most WIDTH columns, ending in a newline. flags: the options that extensions add."""
    formatter = click.HelpFormatter(width=WIDTH)
    formatter.write_text("pi: a coding agent for the terminal")
    formatter.write_usage("pi", "[options] [--] [@files...] [messages...]")
    with formatter.section("Arguments"):
        formatter.write_dl(
            [
                ("messages", "Each is one prompt; they run one after the other in one session"),
                ("@file", "Text file or image, part of the first prompt; so is what stdin brings"),
                ("--", "What follows is prompts and @files, even with a dash in front"),
            ]
        )
    with formatter.section("Commands"):
        formatter.write_dl(
            [(name, f"{text}; pi {name.split()[0]} --help") for name, text in COMMANDS],
            col_max=38,
        )
    for group in GROUPS:
        with formatter.section(group):
            formatter.write_dl(
                [
                    (_spelling(option), option.help or "")
                    for option in COMMAND.params
                    if isinstance(option, PiOption) and option.group == group
                ],
                col_max=38,
            )
    if flags:
        with formatter.section("Options of extensions"):
            formatter.write_dl(
                [
                    (
                        f"--{flag.name}" + (" <value>" if flag.kind == "string" else ""),
                        flag.description,
                    )
                    for flag in flags
                ],
                col_max=38,
            )
    with formatter.section("Examples"):
        for title, command in EXAMPLES:
            formatter.write(f"  # {title}\n  {command}\n")
    with formatter.section("Environment"):
        formatter.write_dl(VARIABLES, col_max=38)
    return formatter.getvalue()


def _spelling(option: PiOption) -> str:
    names = ", ".join(sorted(option.opts, key=len))
    return names if option.is_flag else f"{names} {option.metavar}"
