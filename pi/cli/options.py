"""The command line, read into one frozen `Options`. Nothing here reads files or the environment.

`COMMAND` is the one list of options: the parser and the help text both come from it. click
converts and collects; what it would read differently from what people's scripts rely on is settled
before it, in `_canonical`: multi-letter short forms (-nt is not -n -t), no bundles (-pc), no
`--option=value`, and two options that look at the argument after them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

import click

from pi.errors import UsageError
from pi.resources.found import KINDS
from pi.resources.loading import ResourceChoice
from pi.runtime.options import RunOptions
from pi.wire.messages import THINKING_LEVELS

__all__ = ["COMMAND", "GROUPS", "Options", "PiOption", "parse"]

DEMO = "demo"
"""The one provider that needs no --model: it has a single one."""

GROUPS = ("Output", "Models", "Sessions", "Tools", "Instructions", "Resources", "Process")

# Compiled by `re` at their first use: most runs get by without.
_SESSION_ID = r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"


@dataclass(frozen=True, slots=True)
class Options(RunOptions):
    """What the person asked for on the command line, and nothing from settings or environment.

    show: print help or the version and do nothing else; constraints were not checked then.
    messages: the prompts, as typed; empty ones included. files: `@path` arguments without the @.
    list_models: search text, "" for all, None when not asked.
    export: the session file to make a page of; the first of `messages` says where to.
    interactive: open the terminal interface. pick_session: with the session picker first.
        tui_mode, use_theme: over the settings.
    warnings: what was ignored, one line each, for stderr.
    unknown: the first option that only an extension could know; flags: those that were known.
    argv and the rest: what this was read from, to be read again once extensions are loaded.
    """

    show: Literal["help", "version"] | None = None
    mode: Literal["text", "json", "rpc"] = "text"
    messages: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    list_models: str | None = None
    export: str | None = None
    interactive: bool = False
    pick_session: bool = False
    tui_mode: Literal["regular", "fullscreen"] | None = None
    use_theme: str | None = None
    verbose: bool = False
    warnings: tuple[str, ...] = ()
    unknown: UsageError | None = None
    flags: tuple[tuple[str, bool | str], ...] = ()
    argv: tuple[str, ...] = field(default=(), compare=False)
    stdin_is_tty: bool = field(default=False, compare=False)
    stdout_is_tty: bool = field(default=False, compare=False)


class PiOption(click.Option):
    """An option with its place in the help text."""

    def __init__(self, *decls: str, group: str, **attrs: Any) -> None:
        super().__init__(decls, **attrs)
        self.group = group


def _mode(_context: click.Context, _option: click.Parameter, value: str | None) -> str:
    if value not in (None, "text", "json", "rpc"):
        raise click.BadParameter(f"{value!r} is not text, json or rpc")
    return value or "text"


def _session_id(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(_SESSION_ID, value):
        raise click.BadParameter(
            f"{value!r} is not a session id: letters, digits, '.', '_' and '-' only, "
            "with a letter or digit at both ends"
        )
    return value


def _name(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    if not value.strip():
        raise click.BadParameter("a name cannot be empty")
    return value.strip()


def _entries(
    _context: click.Context, _option: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    """Split at commas; blanks around entries and empty entries are dropped."""
    if value is None:
        return None
    return tuple(entry for part in value.split(",") if (entry := part.strip()))


def _tools(
    context: click.Context, option: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    """Names and patterns, or changes (`+name`, `-name`), never both."""
    entries = _entries(context, option, value)
    changes = [entry for entry in entries or () if entry[0] in "+-"]
    if entries and changes and len(changes) < len(entries):
        raise click.BadParameter("plain names cannot be mixed with +name and -name")
    for entry in changes:
        if "*" in entry:
            raise click.BadParameter(f"{entry} must be an exact tool name, not a pattern")
    return entries


def _flag(*decls: str, group: str, **attrs: Any) -> PiOption:
    return PiOption(*decls, group=group, is_flag=True, **attrs)


COMMAND = click.Command(
    "pi",
    add_help_option=False,
    params=[
        _flag("-p", "--print", "print_", group="Output",
              help="Run the prompts, print the last answer, exit. Implied when stdin or stdout "
                   "is not a terminal"),
        PiOption("--mode", group="Output", callback=_mode, metavar="<text|json|rpc>",
                 help="text: the last answer (default). json: every event as a line of JSON. "
                      "rpc: commands on stdin, answers and events on stdout"),
        PiOption("--provider", group="Models", metavar="<name>",
                 help="Look for --model at this provider only (requires --model)"),
        PiOption("--model", group="Models", metavar="<pattern>",
                 help="Model id or part of its name; provider/id and a :thinking suffix also work"),
        PiOption("--api-key", group="Models", metavar="<key>",
                 help="Use this key for this run; it is not stored (requires a model)"),
        PiOption("--thinking", group="Models", metavar="<level>",
                 help=f"{', '.join(THINKING_LEVELS[:-1])} or {THINKING_LEVELS[-1]}, as far as the "
                      "model goes"),
        PiOption("--models", group="Models", callback=_entries, metavar="<patterns>",
                 help="Comma-separated model patterns to start from: ids, names, globs, each "
                      "with an optional :thinking"),
        PiOption("--list-models", group="Models", metavar="[search]",
                 help="List the models that can be used, then exit"),
        _flag("-c", "--continue", "continue_latest", group="Sessions",
              help="Continue this folder's latest session"),
        _flag("-r", "--resume", "pick_session", group="Sessions",
              help="Choose the session to continue from a list"),
        PiOption("--session", group="Sessions", metavar="<path|id>",
                 help="Open a session by file or by the start of its id"),
        PiOption("--session-id", group="Sessions", callback=_session_id, metavar="<id>",
                 help="Open this folder's session with exactly this id, or create it"),
        PiOption("--fork", group="Sessions", metavar="<path|id>",
                 help="Copy a session into a new one of this folder (its id: --session-id)"),
        PiOption("--session-dir", group="Sessions", metavar="<dir>",
                 help="Where sessions are kept and looked for"),
        PiOption("--export", group="Sessions", metavar="<file> [out]",
                 help="Make an HTML page of a session file, then exit (out: "
                      "pi-session-<name>.html)"),
        _flag("--no-session", group="Sessions", help="Keep the session in memory only"),
        PiOption("-n", "--name", group="Sessions", callback=_name, metavar="<name>",
                 help="Name the session"),
        PiOption("-t", "--tools", group="Tools", callback=_tools, metavar="<list>",
                 help="Exactly these tools, comma-separated; * matches anything. Entries +name "
                      "and -name change the default selection instead"),
        PiOption("-xt", "--exclude-tools", group="Tools", callback=_entries, metavar="<list>",
                 help="Without these tools, whatever else selects them; * matches anything"),
        _flag("-nbt", "--no-builtin-tools", group="Tools",
              help="Without the built-in tools, unless --tools names them"),
        _flag("-nt", "--no-tools", group="Tools",
              help="Without any tool, unless --tools names it"),
        PiOption("--system-prompt", group="Instructions", metavar="<text|path>",
                 help="Replace the system prompt by a text or a file's contents"),
        PiOption("--append-system-prompt", group="Instructions", multiple=True,
                 metavar="<text|path>",
                 help="Add a text or a file's contents to the system prompt (repeatable)"),
        _flag("-nc", "--no-context-files", group="Instructions",
              help="Leave AGENTS.md and CLAUDE.md files out"),
        PiOption("--skill", "skills", group="Resources", multiple=True, metavar="<path>",
                 help="Add a skill, or the skills in a folder (repeatable)"),
        _flag("-ns", "--no-skills", group="Resources",
              help="Without the skills that are found; those of --skill stay"),
        PiOption("--prompt-template", "prompts", group="Resources", multiple=True,
                 metavar="<path>",
                 help="Add a prompt template, or those in a folder (repeatable)"),
        _flag("-np", "--no-prompt-templates", "no_prompts", group="Resources",
              help="Without the templates that are found; those of --prompt-template stay"),
        PiOption("--theme", "themes", group="Resources", multiple=True, metavar="<path>",
                 help="Add a theme, or the themes in a folder (repeatable)"),
        _flag("--no-themes", group="Resources",
              help="Without the themes that are found; those of --theme stay"),
        PiOption("-e", "--extension", "extensions", group="Resources", multiple=True,
                 metavar="<source>",
                 help="Use an extension or a package for this run: a path, npm:, git:, pip: "
                      "(repeatable)"),
        _flag("-ne", "--no-extensions", group="Resources",
              help="Without the extensions that are found; those of -e stay"),
        _flag("--no-mcp", group="Resources", help="Without MCP servers"),
        PiOption("--tui-mode", group="Process", metavar="<mode>",
                 type=click.Choice(("regular", "fullscreen")),
                 help="How the terminal interface uses the screen: regular or fullscreen"),
        PiOption("--use-theme", group="Process", metavar="<name>",
                 help="Draw the terminal interface in this theme"),
        _flag("-a", "--approve", "trust", group="Process", flag_value="approve",
              help="Trust this project's .pi folder for this run"),
        _flag("-na", "--no-approve", "trust", group="Process", flag_value="ignore",
              help="Ignore this project's .pi folder for this run"),
        _flag("--offline", group="Process",
              help="No network but the model's own requests (as PI_OFFLINE=1)"),
        _flag("--verbose", group="Process", help="Say more, on stderr"),
        _flag("-h", "--help", group="Process", help="Show this help"),
        _flag("-v", "--version", group="Process",
              help="Show the version; with --verbose, also what it runs on"),
        click.Argument(["arguments"], nargs=-1),
    ],
)  # fmt: skip
"""Never invoked: only its parser and its list of parameters are used."""


def parse(
    argv: Sequence[str],
    *,
    stdin_is_tty: bool,
    stdout_is_tty: bool,
    flags: Mapping[str, Literal["boolean", "string"]] = MappingProxyType({}),
) -> Options:
    """The options of `pi argv…`.

    flags: the options that extensions add, by name.
    Raises UsageError for the first thing that is wrong. Unknown options and conflicts do not keep
    --help and --version from being shown; values of the wrong form do.
    """
    options, positional, refused, given = _canonical(argv, flags)
    try:
        values = COMMAND.make_context("pi", [*options, "--", *positional]).params
    except click.UsageError as error:
        raise UsageError(error.format_message()) from None
    parsed = _options(values)
    if parsed.show:
        return parsed
    parsed = replace(
        parsed,
        flags=tuple(given.items()),
        argv=tuple(argv),
        stdin_is_tty=stdin_is_tty,
        stdout_is_tty=stdout_is_tty,
    )
    if isinstance(refused, _Unknown):
        parsed = replace(parsed, unknown=refused)
    elif refused:
        raise refused
    _check_conflicts(parsed)
    if parsed.list_models is None and parsed.export is None:
        one_shot = values["print_"] or parsed.mode != "text"
        if stdin_is_tty and stdout_is_tty and not one_shot:
            return replace(parsed, interactive=True)
        if parsed.pick_session:
            raise UsageError(
                "--resume shows a list, which needs a terminal",
                hint="Use --continue, or --session with an id from: pi sessions list",
            )
    return parsed


class _Unknown(UsageError):
    """A long option that pi does not have; an extension may."""


def _canonical(
    argv: Sequence[str], flags: Mapping[str, Literal["boolean", "string"]]
) -> tuple[list[str], list[str], UsageError | None, dict[str, bool | str]]:
    """`argv` as click reads it unambiguously: options with their values, then everything else.

    The third value is the first unknown or not yet available option, to be raised unless help or
    the version is asked for; the fourth are those of extensions.
    """
    given: dict[str, bool | str] = {}
    known = _spellings()
    options: list[str] = []
    positional: list[str] = []
    refused: UsageError | None = None
    rest = list(reversed(argv))
    while rest:
        arg = rest.pop()
        following = rest[-1] if rest else None
        if arg == "--":
            positional += reversed(rest)
            break
        if not arg.startswith("-"):
            positional.append(arg)
        elif (option := known.get(arg)) is not None:
            # For "-p" click would first look among long options, and load what its answer needs.
            options.append(option.opts[-1])
            if option.name == "list_models":
                # The search is optional: whatever looks like another argument is not one.
                takes_next = following is not None and not following.startswith(("-", "@"))
                options.append(rest.pop() if takes_next else "")
            elif not option.is_flag:
                if following is None:
                    raise UsageError(f"{arg} needs a value: {option.metavar}")
                options.append(rest.pop())
            elif option.name == "print_" and following is not None and following.startswith("---"):
                # A prompt that opens with front matter, or a rule of dashes.
                positional.append(rest.pop())
        elif arg[:2] == "--" and (kind := flags.get(arg[2:])) is not None:
            if kind == "boolean":
                given[arg[2:]] = True
            elif following is None or following.startswith("-"):
                raise UsageError(f"{arg} needs a value")
            else:
                given[arg[2:]] = rest.pop()
        else:
            refused = refused or _refuse(arg, known)
            if not arg.startswith("--"):
                raise refused
    return options, positional, refused, given


def _spellings() -> dict[str, PiOption]:
    """Every spelling of every option: {"-p": …, "--print": …}."""
    return {
        spelling: option
        for option in COMMAND.params
        if isinstance(option, PiOption)
        for spelling in option.opts
    }


def _refuse(arg: str, known: dict[str, PiOption]) -> UsageError:
    """The error for an option that is not known, with the likeliest reason."""
    name, equals, value = arg.partition("=")
    message = f"unknown option {_one_line(arg)}"
    if equals and (option := known.get(name)):
        fix = f"{name} takes no value" if option.is_flag else f"Write: {name} {_one_line(value)}"
        return UsageError(message, hint=fix)
    if not name.startswith("--"):
        if len(name) > 2 and all(f"-{letter}" in known for letter in name[1:]):
            apart = " ".join(f"-{letter}" for letter in name[1:])
            return UsageError(message, hint=f"Short options stand alone: {apart}")
        if len(name) < 2 or name[1].isdigit() or any(map(str.isspace, name)):
            return UsageError(
                message,
                hint="Put -- before a prompt that begins with a dash: pi -p -- '- like this'",
            )

    from difflib import get_close_matches  # noqa: PLC0415  (only to word an error)

    nearest = " or ".join(get_close_matches(name, known, n=2, cutoff=0.7))
    return (_Unknown if name.startswith("--") and not equals else UsageError)(
        message, hint=f"Did you mean {nearest}?" if nearest else "pi --help lists the options"
    )


def _one_line(arg: str) -> str:
    """`arg` as an error can show it."""
    shown = arg if arg.isprintable() else repr(arg)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"


def _options(values: dict[str, Any]) -> Options:
    """click's values as Options. An empty text counts as not given, except where "" has a sense."""
    warnings = []
    thinking = values["thinking"]
    if thinking is not None and thinking not in THINKING_LEVELS:
        warnings.append(
            f"unknown thinking level {thinking!r} is ignored; "
            f"the levels are {', '.join(THINKING_LEVELS)}"
        )
        thinking = None
    arguments = values["arguments"]
    return Options(
        show="version" if values["version"] else "help" if values["help"] else None,
        mode=values["mode"],
        messages=tuple(arg for arg in arguments if not arg.startswith("@")),
        files=tuple(arg[1:] for arg in arguments if arg.startswith("@")),
        provider=values["provider"] or None,
        model=values["model"] or None,
        api_key=values["api_key"] or None,
        thinking=thinking,
        models=values["models"] or (),
        list_models=values["list_models"],
        export=values["export"],
        pick_session=values["pick_session"],
        tui_mode=values["tui_mode"],
        use_theme=values["use_theme"] or None,
        continue_latest=values["continue_latest"],
        session=values["session"] or None,
        session_id=values["session_id"],
        fork=values["fork"] or None,
        session_dir=values["session_dir"] or None,
        no_session=values["no_session"],
        name=values["name"],
        tools=values["tools"],
        exclude_tools=values["exclude_tools"] or (),
        default_tools=(
            "none" if values["no_tools"] else "no-builtin" if values["no_builtin_tools"] else "all"
        ),
        context_files=not values["no_context_files"],
        resources=_resources(values),
        system_prompt=values["system_prompt"],
        append_system_prompt=values["append_system_prompt"] or None,
        trust=values["trust"],
        offline=values["offline"],
        verbose=values["verbose"],
        warnings=tuple(warnings),
    )


def _resources(values: dict[str, Any]) -> ResourceChoice:
    return ResourceChoice(
        **{kind: tuple(filter(None, values[kind] or ())) for kind in KINDS},
        without=frozenset(kind for kind in KINDS if values[f"no_{kind}"]),
        without_builtin=frozenset(("mcp",) if values["no_mcp"] else ()),
    )


def _check_conflicts(options: Options) -> None:
    """What docs/cli.md says cannot go together, or not alone."""
    if options.provider and not options.model and options.provider != DEMO:
        raise UsageError(
            "--provider needs --model",
            hint=f"For example: pi --provider {_one_line(options.provider)} --model <pattern>",
        )
    if options.api_key and not options.model and not options.models:
        raise UsageError("--api-key needs a model: add --model or --models")
    if options.mode == "rpc" and options.files:
        raise UsageError(
            "RPC mode takes no @file arguments", hint="Send prompts as commands; see docs/rpc.md."
        )
    picks = (
        ("--session", options.session is not None),
        ("--continue", options.continue_latest),
        ("--resume", options.pick_session),
        ("--no-session", options.no_session),
    )
    for other, given in picks:
        if given and options.fork is not None:
            raise UsageError(f"--fork cannot be combined with {other}")
        if given and options.session_id is not None and other != "--no-session":
            raise UsageError(f"--session-id cannot be combined with {other}")
