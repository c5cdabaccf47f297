"""`pi sessions`: the sessions on this machine, found, looked into, put right, copied out."""

import os
import select
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from pi.cli.columns import clean, terminal_width
from pi.cli.sessions_output import hit_list, hit_record, listed_record, session_list
from pi.config.environment import Environment
from pi.errors import PiError, UsageError
from pi.modes.stderr import tell
from pi.runtime.storage import Storage
from pi.session.index.texts import query_of

__all__ = ["run_sessions", "sessions_group"]

SHOWN = 50
"""Sessions in a list for people, unless --limit says otherwise."""

NOTABLE = 50_000_000
"""Bytes to read from which on progress is shown."""

COPY = 1 << 20

F = TypeVar("F", bound=Callable[..., Any])


def run_sessions(arguments: Sequence[str], environment: Environment) -> int:
    """Carry out `pi sessions ARGUMENTS`; the exit code. Raises PiError."""
    try:
        code = sessions_group.main(
            list(arguments), prog_name="pi sessions", standalone_mode=False, obj=environment
        )
    except click.UsageError as error:
        hint = "See: pi sessions --help"
        if arguments and error.ctx is not None and error.ctx.info_name == "pi sessions":
            hint += f". To send the words as a prompt: pi -p -- sessions {clean(arguments[0])} …"
        raise UsageError(error.format_message(), hint=hint) from None
    except click.Abort:
        raise KeyboardInterrupt from None
    return code or 0


def _common(command: F) -> F:
    """The options that every command has."""
    command = click.option(
        "--session-dir", metavar="DIR", help="Where to look, instead of the usual storage."
    )(command)
    return click.option("--json", "as_json", is_flag=True, help="One JSON document.")(command)


@click.group(
    "sessions",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.pass_context
def sessions_group(context: click.Context) -> int:
    """List, search, inspect, repair and export the sessions kept on this machine.

    A SESSION is a file, an id, or the beginning of an id. Without a command: list.
    """
    if context.invoked_subcommand is None:
        return int(context.invoke(list_sessions))
    return 0


@sessions_group.command("list")
@_common
@click.option("--all", "everywhere", is_flag=True, help="Of every folder, not just of this one.")
@click.option("--name", metavar="TEXT", help="Only sessions that have TEXT in their name.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"At most N; 0 for all. [default: {SHOWN}; all with --json]",
)
@click.pass_obj
def list_sessions(
    environment: Environment,
    session_dir: str | None = None,
    as_json: bool = False,
    everywhere: bool = False,
    name: str | None = None,
    limit: int | None = None,
) -> int:
    """List sessions, the last used first."""
    place = Storage.find(environment, session_dir)
    with place.index() as index:
        found = index.sessions(place.root)
        _tell_all(index.notices)
    if not everywhere:
        found = [one for one in found if place.is_here(one)]
    if name is not None:
        wanted = name.casefold()
        found = [one for one in found if wanted in (one.summary.name or "").casefold()]
    if limit is None:
        limit = 0 if as_json else SHOWN
    shown = found[:limit] if limit else found
    if as_json:
        _write_json([listed_record(one) for one in shown])
        return 0
    if not found:
        tell("No sessions." if everywhere else "No sessions in this folder. All: --all")
        return 0
    _write(session_list(shown, terminal_width(), place.paths.home, folders=everywhere))
    if len(shown) < len(found):
        tell(f"{len(found) - len(shown):,} more. All of them: --limit 0")
    return 0


@sessions_group.command("search")
@_common
@click.argument("words", nargs=-1, required=True)
@click.option("--here", is_flag=True, help="Only in the sessions of this folder.")
@click.option("--entries", is_flag=True, help="Every message that matches, not one a session.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=20,
    metavar="N",
    help="At most N results; 0 for all. [default: 20]",
)
@click.pass_obj
def search_sessions(
    environment: Environment,
    words: tuple[str, ...],
    session_dir: str | None,
    as_json: bool,
    here: bool,
    entries: bool,
    limit: int,
) -> int:
    """Find what was said, by you or the assistant, and sessions by name; the best first.

    All WORDS must be in one message; "a phrase" in quotes stays together. A word of three letters
    or more also finds those it begins.
    """
    text = " ".join(words)
    if not query_of(text):
        raise UsageError(f"there is no word to search for in {clean(text)!r}")
    place = Storage.find(environment, session_dir)
    with place.index() as index, _Progress("Indexing") as progress:
        hits = index.search(
            place.root,
            text,
            limit=limit or None,
            only=place.is_here if here else None,
            every_entry=entries,
            progress=progress,
        )
        progress.clear()
        _tell_all(index.notices)
    if as_json:
        _write_json([hit_record(hit) for hit in hits])
    elif hits:
        _write(hit_list(hits, terminal_width(), place.paths.home))
    else:
        tell("Nothing found.")
    return 0


@sessions_group.command("show")
@_common
@click.argument("session")
@click.pass_obj
def show_session(
    environment: Environment, session: str, session_dir: str | None, as_json: bool
) -> int:
    """What SESSION is and adds up to: messages, tokens, cost, models, branches."""
    from pi.cli.sessions_show import (  # noqa: PLC0415  (reads whole sessions)
        read_session,
        shown_record,
        shown_text,
    )

    place = Storage.find(environment, session_dir)
    shown = read_session(place.session(session))
    if as_json:
        _write_json(shown_record(shown))
    else:
        _write(shown_text(shown, terminal_width(), place.paths.home))
    return 0


@sessions_group.command("reindex")
@_common
@click.pass_obj
def reindex_sessions(environment: Environment, session_dir: str | None, as_json: bool) -> int:
    """Make the index anew from all session files. Never needed, but never wrong."""
    place = Storage.find(environment, session_dir)
    with place.index() as index, _Progress("Indexing") as progress:
        found = index.reindex(place.root, progress)
        progress.clear()
        notices, lasting = index.notices, index.lasting
    _tell_all(notices)
    size = sum(one.size for one in found)
    messages = sum(one.summary.messages for one in found)
    if as_json:
        _write_json(
            {
                "sessions": len(found),
                "messages": messages,
                "bytes": size,
                "index": str(place.paths.session_index) if lasting else None,
                "notices": notices,
            }
        )
    elif lasting:
        _write(f"Indexed {len(found):,} sessions with {messages:,} messages.\n")
    return 0 if lasting else 1


@sessions_group.command("doctor")
@_common
@click.argument("sessions", nargs=-1)
@click.option("--all", "everywhere", is_flag=True, help="Of every folder, not just of this one.")
@click.option("--repair", is_flag=True, help="Put right what can be, keeping NAME.jsonl.bak.")
@click.pass_obj
def doctor(
    environment: Environment,
    sessions: tuple[str, ...],
    session_dir: str | None,
    as_json: bool,
    everywhere: bool,
    repair: bool,
) -> int:
    """Look for damage in SESSIONS, or in all of this folder's.

    Torn and broken lines, entries that follow nothing or themselves, ids given twice. The exit
    code is 1 when damage is left.
    """
    from pi.cli.sessions_doctor import Patient, treat  # noqa: PLC0415  (reads whole sessions)

    place = Storage.find(environment, session_dir)
    if sessions:
        paths = [place.session(text) for text in sessions]
    else:
        from pi.session.index.survey import survey  # noqa: PLC0415  (only here)

        found = survey(place.root)
        _tell_all(f"{os.fsdecode(path)}: {why}" for path, why in sorted(found.unread.items()))
        paths = sorted(Path(os.fsdecode(path)) for path in found.files)
        if not everywhere and place.chosen is None:
            paths = [path for path in paths if path.parent == place.folder]
    patients: list[Patient] = []
    for path in paths:
        patient = treat(path, repair=repair)
        patients.append(patient)
        if not as_json and (text := patient.report()):
            _write(text)
    if as_json:
        _write_json([patient.record() for patient in patients])
    ill = sum(patient.is_ill for patient in patients)
    if not as_json:
        _write(_verdict(patients, ill, repair))
    return 1 if ill else 0


@sessions_group.command("export")
@click.argument("session")
@click.argument("file", required=False)
@click.option("--session-dir", metavar="DIR", help="Where to look, instead of the usual storage.")
@click.option("--force", is_flag=True, help="Replace FILE if there is one.")
@click.pass_obj
def export_session(
    environment: Environment, session: str, file: str | None, session_dir: str | None, force: bool
) -> int:
    """Copy SESSION, line by line as it is, to FILE or to stdout.

    Read it before you share it: what tools returned is in it as well.
    """
    from pi.session.copy import copy_lines, write_copy  # noqa: PLC0415  (only here)

    place = Storage.find(environment, session_dir)
    path = place.session(session)
    if file is None or file == "-":
        for block in copy_lines(path):
            _write(block)
        return 0
    target = place.paths.absolute(file)
    size = write_copy(path, target, replace=force)
    tell(f"Wrote {target} ({size:,} bytes).")
    return 0


def _verdict(patients: Sequence[Any], ill: int, repair: bool) -> str:
    count = len(patients)
    text = f"{count:,} {'session' if count == 1 else 'sessions'} examined, "
    if repair:
        repaired = sum(patient.copy is not None for patient in patients)
        text += f"{repaired:,} repaired, "
    text += f"{ill:,} damaged." if ill else "none damaged." if not repair else "no damage left."
    if ill and not repair:
        text += " To repair, keeping a copy: --repair"
    return text + "\n"


def _tell_all(notices: "Sequence[str] | Any") -> None:
    for notice in notices:
        tell(f"Warning: {notice}")


def _write_json(value: Any) -> None:
    from pi.wire.jsonio import dump_line  # noqa: PLC0415  (people do not read JSON)

    _write(dump_line(value))


def _write(data: str | bytes) -> None:
    """To stdout, in UTF-8 whatever the locale: names of files may hold any bytes."""
    if isinstance(data, str):
        data = data.encode(errors="surrogateescape")
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(1, rest) :]
        except BlockingIOError:
            # A pipe that another process has made non-blocking: wait until it takes more.
            select.select([], [1], [])
        except BrokenPipeError:
            raise
        except OSError as error:
            raise PiError(f"cannot write to stdout: {error.strerror}") from error


class _Progress:
    """A line on a terminal's stderr while a lot is read; nothing anywhere else."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._shown = False
        self._terminal = sys.stderr is not None and sys.stderr.isatty()

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def __call__(self, done: int, total: int) -> None:
        if self._terminal and total >= NOTABLE:
            sys.stderr.write(f"\r{self._what}: {100 * done // total} %")
            sys.stderr.flush()
            self._shown = True

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r" + " " * (len(self._what) + 8) + "\r")
            sys.stderr.flush()
            self._shown = False
