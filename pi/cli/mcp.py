"""`pi mcp`: add, remove and check MCP servers, sign in to them and out, without a session."""

import asyncio
import json
import os
import threading
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from pi.auth.credentials import Credentials
from pi.auth.store import AuthStore
from pi.cli.commands import invoke, say
from pi.cli.person import Terminal
from pi.config.environment import Environment
from pi.config.paths import Paths, find_paths
from pi.config.settings import read_settings
from pi.config.settings_types import Settings
from pi.config.trust import is_trusted
from pi.errors import AuthError, ConfigError, PiError, UsageError
from pi.mcp.access import Access
from pi.mcp.config import (
    Server,
    Servers,
    add_server,
    checked,
    load_servers,
    project_file,
    remove_server,
    user_file,
)
from pi.mcp.connection import Connection, State
from pi.mcp.shapes import EXPOSURES
from pi.models.nearest import nearest
from pi.modes.stderr import one_line, tell
from pi.runtime.network import http_options, surroundings

__all__ = ["run_mcp"]

_LOGIN_TIMEOUT = 300.0


@dataclass(frozen=True, slots=True)
class _Here:
    environment: Environment
    paths: Paths
    settings: Settings
    trusted: bool
    command: tuple[str, ...] = ()

    def servers(self) -> Servers:
        return load_servers(self.paths, trusted=self.trusted)

    def access(self) -> Access:
        around = surroundings(self.environment, self.settings)
        credentials = Credentials(
            AuthStore(self.paths.auth), self.environment.variables, {}, around=around
        )
        options = http_options(self.environment, self.settings)
        variables = self.environment.variables
        return Access.make(self.paths, variables, options, around, credentials.bearer_of)

    @property
    def ignored(self) -> str | None:
        """What to say of a project's file that is not read."""
        path = project_file(self.paths)
        default = read_settings(self.paths).default_project_trust
        # Asked anew: a file that was just made is what there is to be trusted.
        if not path.exists() or is_trusted(self.paths, approve=None, default=default):
            return None
        return f"{path} is ignored: the project is not trusted. Start pi there to trust it."


def run_mcp(arguments: Sequence[str], environment: Environment) -> int:
    """`pi mcp ARGUMENTS`. Raises PiError."""
    return invoke(mcp, "pi mcp", arguments, _here(environment) if arguments else None)


def _here(environment: Environment) -> _Here:
    paths = find_paths(environment)
    files = read_settings(paths)
    trusted = is_trusted(paths, approve=None, default=files.default_project_trust)
    return _Here(environment, paths, files.resolve(trusted=trusted), trusted)


class _Add(click.Command):
    """Everything from the second word on that is no option, or from `--` on, is the command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        valued = {
            name
            for each in self.params
            if isinstance(each, click.Option) and not each.is_flag
            for name in each.opts
        }
        mine: list[str] = []
        named = False
        waiting = list(args)
        while waiting:
            word = waiting.pop(0)
            if word == "--":
                break
            if word.startswith("-") and len(word) > 1:
                mine.append(word)
                if word in valued and waiting:
                    mine.append(waiting.pop(0))
            elif named:
                waiting.insert(0, word)
                break
            else:
                named = True
                mine.append(word)
        ctx.obj = replace(ctx.obj, command=tuple(waiting))
        return super().parse_args(ctx, mine)


@click.group(add_help_option=False)
@click.help_option("-h", "--help", help="Show this help")
def mcp() -> None:
    """Configure and check MCP servers, sign in to them and out.

    Servers are kept in mcp.json of the agent folder and, in trusted projects, in .pi/mcp.json.
    """


_server = click.argument("name", metavar="<server>")
_local = click.option("-l", "--local", is_flag=True, help="The project's .pi/mcp.json")


@mcp.command(
    cls=_Add,
    add_help_option=False,
    options_metavar="[options]",
)
@click.argument("name", metavar="<server> [-- <command> [args...]]")
@_local
@click.option("--url", metavar="<url>", help="A server over streamable HTTP, instead of a command")
@click.option("--env", "envs", metavar="<KEY=VALUE>", multiple=True, help="Variable of a command")
@click.option("--cwd", metavar="<dir>", help="Working folder of a command")
@click.option("--header", "headers", metavar="<KEY=VALUE>", multiple=True, help="HTTP header")
@click.option(
    "--bearer-token-env-var", "bearer", metavar="<NAME>", help="Send this variable as bearer token"
)
@click.option("--oauth-client-id", "client_id", metavar="<id>", help="A registered client's id")
@click.option(
    "--oauth-client-secret",
    "client_secret",
    metavar="<secret>",
    help="Its secret; may be ${NAME} or !command",
)
@click.option("--oauth-callback-port", "port", metavar="<port>", help="Port the browser returns to")
@click.option(
    "--oauth-client-name", "client_name", metavar="<name>", help="Name to register a client with"
)
@click.option(
    "--oauth-client-registration",
    "registration",
    metavar="<mode>",
    help="auto (default), cimd or dcr",
)
@click.option("--exposure", metavar="<mode>", help=f"{', '.join(EXPOSURES)}; codemode by default")
@click.option("--description", metavar="<text>", help="What it offers, for the system prompt")
@click.help_option("-h", "--help", help="Show this help")
@click.pass_obj
def add(here: _Here, /, name: str, *, local: bool, **options: Any) -> int:
    """Add a server, or replace one. It is not connected to: `pi mcp list` checks it."""
    command = list(here.command)
    url = options["url"]
    if bool(command) == (url is not None):
        raise UsageError(
            "a server needs either a command or --url <url>",
            hint="pi mcp add <server> [options] (--url <url> | -- <command> [args...])",
        )
    entry = _http_entry(options) if url is not None else _stdio_entry(command, options)
    if options["exposure"] is not None:
        entry["exposure"] = options["exposure"]
    if options["description"] is not None:
        entry["description"] = options["description"]
    try:
        entry = checked(name, entry)
    except ConfigError as error:
        raise UsageError(str(error)) from None
    path = _file(here, local=local)
    done = "Replaced" if add_server(path, name, entry) else "Added"
    say(f'{done} {_scope(local)} MCP server "{name}" in {path}.')
    if local and here.ignored is not None:
        say(here.ignored)
    server = Server(name, entry)
    signs_in = server.uses_oauth
    more = f" If it asks for a sign-in: pi mcp login {name}" if signs_in else ""
    return say(f"Check it with: pi mcp list.{more}" if more else "Check it with: pi mcp list")


@mcp.command(add_help_option=False)
@_server
@_local
@click.help_option("-h", "--help", help="Show this help")
@click.pass_obj
def remove(here: _Here, name: str, *, local: bool) -> int:
    """Remove a server. A stored sign-in stays: `pi mcp logout` forgets it."""
    path = _file(here, local=local)
    if not remove_server(path, name):
        raise ConfigError(f'there is no {_scope(local)} MCP server "{name}" in {path}')
    return say(f'Removed {_scope(local)} MCP server "{name}" from {path}.')


@mcp.command("list", add_help_option=False)
@click.option("--json", "as_json", is_flag=True, help="Print an object")
@click.help_option("-h", "--help", help="Show this help")
@click.pass_obj
def list_(here: _Here, *, as_json: bool) -> int:
    """Connect to every enabled server; print states, tools and errors. Exits 1 on a failure."""
    servers = here.servers()
    reports = asyncio.run(_reports(here, servers))
    if as_json:
        shown = {
            "servers": [each.record() for each in reports],
            "errors": list(servers.errors),
            **({} if here.ignored is None else {"note": here.ignored}),
        }
        say(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        for each in reports:
            say("\n".join(each.lines()))
        for error in servers.errors:
            tell(f"config error: {error}")
        if not reports and not servers.errors:
            say(f"No MCP servers configured. Add them to {user_file(here.paths)} or .pi/mcp.json.")
        if here.ignored is not None:
            tell(here.ignored)
    good = all(each.state in ("connected", "disabled") for each in reports)
    return 0 if good and not servers.errors else 1


@mcp.command(add_help_option=False)
@_server
@_local
@click.option("--timeout", metavar="<seconds>", help="For the whole sign-in (default 300)")
@click.help_option("-h", "--help", help="Show this help")
@click.pass_obj
def login(here: _Here, name: str, *, local: bool, timeout: str | None) -> int:
    """Sign in to a server through the browser."""
    seconds = _LOGIN_TIMEOUT if timeout is None else _seconds(timeout)
    server = _oauth_server(here, name, local=local, command="/login")
    return asyncio.run(_login(here, server, seconds))


@mcp.command(add_help_option=False)
@_server
@_local
@click.help_option("-h", "--help", help="Show this help")
@click.pass_obj
def logout(here: _Here, name: str, *, local: bool) -> int:
    """Forget the stored sign-in of a server."""
    server = _oauth_server(here, name, local=local, command="/logout")
    if here.access().forget(server):
        return say(f'Signed out of MCP server "{name}".')
    return say(f'No sign-in is stored for MCP server "{name}".')


@dataclass(frozen=True, slots=True)
class _Report:
    server: Server
    state: str
    error: str = ""
    stderr: str = ""
    tools: tuple[str, ...] = ()
    resources: bool = False

    def lines(self) -> Iterator[str]:
        server = self.server
        where = "global, project override" if server.override else server.scope
        count = ""
        if self.state == "connected":
            count = f", {len(self.tools)} tool{'' if len(self.tools) == 1 else 's'}"
        state = "needs sign-in" if self.state == "needs-auth" else self.state
        yield f"{server.name}: {state}{count} ({server.exposure}, {where})"
        yield f"  {one_line(server.transport)}"
        if self.state == "needs-auth":
            hint = f"pi auth login {server.provider}" if server.provider else None
            yield f"  sign in with: {hint or f'pi mcp login {server.name}'}"
        elif self.error:
            yield from (f"  {one_line(line)}" for line in self.error.splitlines())
            yield from (f"  stderr: {one_line(line)}" for line in self.stderr.splitlines())
        if self.tools:
            yield f"  tools: {one_line(', '.join(map(self._tool, self.tools)))}"
        if self.resources:
            yield "  offers resources"

    def _tool(self, tool: str) -> str:
        return f"{tool} ({self.server.exposure_of(tool)})" if self._apart(tool) else tool

    def _apart(self, tool: str) -> bool:
        """Whether a tool is exposed in another way than its server."""
        return self.server.exposure_of(tool) != self.server.exposure

    def record(self) -> dict[str, Any]:
        server = self.server
        record: dict[str, Any] = {
            "name": server.name,
            "scope": server.scope,
            "source": server.source,
        }
        if server.override:
            record["override"] = server.override
        record |= {
            "enabled": server.enabled,
            "exposure": server.exposure,
            "transport": server.transport,
            "state": self.state,
        }
        if self.error and self.state != "needs-auth":
            record["error"] = self.error
        if self.stderr:
            record["stderr"] = self.stderr
        record["tools"] = list(self.tools)
        if own := {tool: server.exposure_of(tool) for tool in self.tools if self._apart(tool)}:
            record["toolExposure"] = own
        if self.resources:
            record["resources"] = True
        return record


async def _reports(here: _Here, servers: Servers) -> list[_Report]:
    access = here.access()

    async def look(server: Server) -> _Report:
        if not server.enabled:
            return _Report(server, "disabled")
        connection = access.connection(server)
        try:
            with suppress(PiError):  # the connection's state says it
                await connection.connect()
            return _report(connection)
        finally:
            await connection.close()

    try:
        return list(await asyncio.gather(*map(look, servers.servers)))
    finally:
        await access.close()


def _report(connection: Connection) -> _Report:
    connected = connection.state == "connected"
    return _Report(
        connection.server,
        connection.state,
        connection.error,
        connection.stderr,
        tuple(tool["name"] for tool in connection.tools) if connected else (),
        connected and connection.has_resources,
    )


async def _login(here: _Here, server: Server, seconds: float) -> int:
    access = here.access()
    connection = access.connection(server)
    try:
        state = await _connected(connection.connect(), connection)
        if state == "connected":
            return say(f'Already signed in to MCP server "{server.name}"{_tools(connection)}.')
        if state != "needs-auth":
            raise AuthError(f'MCP server "{server.name}" cannot be reached: {connection.error}')
        person = _Person()
        work = asyncio.ensure_future(access.sign_in(connection, person, seconds))
        try:
            await asyncio.wait_for(asyncio.shield(work), seconds)
        except TimeoutError:
            person.gone.set()
            raise AuthError(
                f'nobody signed in to MCP server "{server.name}" within {seconds:g} s'
            ) from None
        if await _connected(connection.reconnect(), connection) != "connected":
            raise AuthError(
                f'signed in to MCP server "{server.name}", which does not connect: '
                f"{connection.error}"
            )
        return say(f'Signed in to MCP server "{server.name}"{_tools(connection)}.')
    finally:
        await connection.close()
        await access.close()


async def _connected(work: Awaitable[Any], connection: Connection) -> State:
    with suppress(PiError):  # the connection's state says it
        await work
    return connection.state


def _tools(connection: Connection) -> str:
    count = len(connection.tools)
    return f" ({count} tool{'' if count == 1 else 's'})"


class _Person(Terminal):
    """Without a terminal nothing can be pasted, and the browser is waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.gone = threading.Event()

    def paste(self, question: str, stop: threading.Event) -> str | None:
        if os.isatty(0):
            return super().paste(question, stop)
        while not stop.wait(0.1):
            if self.gone.is_set():
                return ""
        return None


def _oauth_server(here: _Here, name: str, *, local: bool, command: str) -> Server:
    servers = here.servers()
    server = servers.find(name)
    if server is None:
        names = [each.name for each in servers.servers]
        near = nearest(name, names)
        parts = [f'no MCP server is named "{name}"']
        if near:
            parts.append(f'Did you mean "{near[0]}"?')
        if here.ignored is not None:
            parts.append(here.ignored)
        raise ConfigError(parts[0], hint=" ".join([*parts[1:], f"There are: {_listed(names)}."]))
    if local and server.scope != "project":
        raise UsageError(f'MCP server "{name}" is defined in {server.source}: leave out --local')
    if server.provider is not None:
        raise AuthError(
            f'MCP server "{name}" uses the sign-in of the provider {server.provider}',
            hint=f"Use {command} {server.provider} in pi, or pi auth {command[1:]}.",
        )
    if not server.uses_oauth:
        raise AuthError(
            f'MCP server "{name}" does not use OAuth: only HTTP servers without an Authorization '
            "header do"
        )
    return server


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _stdio_entry(command: list[str], options: dict[str, Any]) -> dict[str, Any]:
    http = {
        "--header": options["headers"],
        "--bearer-token-env-var": options["bearer"],
        "--oauth-client-id": options["client_id"],
        "--oauth-client-secret": options["client_secret"],
        "--oauth-callback-port": options["port"],
        "--oauth-client-name": options["client_name"],
        "--oauth-client-registration": options["registration"],
    }
    for option, value in http.items():
        if value not in (None, ()):
            raise UsageError(f"{option} is for servers over HTTP (--url) only")
    entry: dict[str, Any] = {"command": command[0]}
    if command[1:]:
        entry["args"] = command[1:]
    if options["envs"]:
        entry["env"] = _pairs("--env", options["envs"])
    if options["cwd"] is not None:
        entry["cwd"] = options["cwd"]
    return entry


def _http_entry(options: dict[str, Any]) -> dict[str, Any]:
    for option, value in {"--env": options["envs"], "--cwd": options["cwd"]}.items():
        if value not in (None, ()):
            raise UsageError(f"{option} is for servers with a command only")
    entry: dict[str, Any] = {"url": options["url"]}
    headers = _pairs("--header", options["headers"])
    if options["bearer"] is not None:
        headers = {k: v for k, v in headers.items() if k.lower() != "authorization"}
        headers["Authorization"] = f"Bearer ${{{options['bearer']}}}"
    if headers:
        entry["headers"] = headers
    port = options["port"]
    given = {
        "clientId": options["client_id"],
        "clientSecret": options["client_secret"],
        "callbackPort": int(port) if port is not None and port.isdecimal() else port,
        "clientName": options["client_name"],
        "clientRegistration": options["registration"],
    }
    oauth = {key: value for key, value in given.items() if value is not None}
    if oauth:
        entry["oauth"] = oauth
    return entry


def _pairs(option: str, values: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for each in values:
        key, sign, value = each.partition("=")
        if not sign or not key:
            raise UsageError(f"{option} takes KEY=VALUE, not {each!r}")
        pairs[key] = value
    return pairs


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise UsageError(f"--timeout takes a number of seconds above 0, not {text!r}")
    return seconds


def _file(here: _Here, *, local: bool) -> Path:
    return project_file(here.paths) if local else user_file(here.paths)


def _scope(local: bool) -> str:
    return "project" if local else "global"
