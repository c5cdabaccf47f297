"""`/mcp` in the terminal: lists that follow what servers do, and the panel for signing in."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pi.auth.oauth.base import Entry
from pi.builtin.mcp.command import SIGN_IN_SECONDS, status
from pi.builtin.mcp.hub import Hub
from pi.errors import PiError
from pi.mcp.config import Server
from pi.mcp.shapes import EXPOSURES
from pi.modes.interactive.app import App
from pi.modes.interactive.copying import copy_to_clipboard
from pi.modes.interactive.pickers.login import LoginPanel, PanelPerson
from pi.modes.interactive.pickers.select import Choice, ListPicker
from pi.modes.interactive.pickers.stage import Stage

__all__ = ["manage", "sign_in"]

_RANK = {"needs-auth": 0, "failed": 0, "disconnected": 1}
_STDERR_LINES = 8


@dataclass(frozen=True, slots=True)
class _Page:
    title: str
    about: str
    choices: list[Choice[str]]


class _Menu(ListPicker[str, str]):
    """Drawn anew whenever a server changes; the place stays."""

    def __init__(
        self, stage: Stage, done: Callable[[str | None], None], hub: Hub, build: Callable[[], _Page]
    ) -> None:
        self._hub = hub
        self._build = build
        page = build()
        super().__init__(
            stage, done, page.choices, title=page.title, about=page.about, searching=False
        )
        hub.listeners.append(self._renew)

    def chosen(self, choice: Choice[str]) -> None:
        self.finish(choice.value)

    def close(self) -> None:
        if self._renew in self._hub.listeners:
            self._hub.listeners.remove(self._renew)
        super().close()

    def _renew(self) -> None:
        page = self._build()
        self.title, self.about = page.title, page.about
        self.put(page.choices)
        self.changed()


async def manage(hub: Hub, app: App) -> None:
    """Until the person has seen enough."""
    while True:
        if not hub.entries and not hub.errors:
            app.say("There are no MCP servers. Add one with: pi mcp add")
            return
        chosen = await app.ask(_Menu, hub, lambda: _all(hub))
        if chosen is None:
            return
        await _one(hub, app, chosen)


async def sign_in(hub: Hub, app: App, server: Server) -> None:
    """In a panel that shows the address and takes a pasted one. Raises PiError."""
    connection = hub.connections[server.name]

    def work(person: PanelPerson) -> Entry:
        around = replace(person.around(hub.access.around), timeout=SIGN_IN_SECONDS)
        hub.access.sign_in_blocking(connection, person, around)
        return {}

    done: Entry | PiError | None = await app.ask(
        LoginPanel,
        f"Sign in to MCP server {server.name}",
        work,
        copy=lambda text: app.begin(copy_to_clipboard(app, text)),
    )
    if isinstance(done, PiError):
        raise done
    if done is not None:
        await hub.reconnect(server.name)
        app.say(f"MCP server {server.name}: {status(hub, server)}.")


async def _one(hub: Hub, app: App, name: str) -> None:
    while name in hub.entries:
        chosen = await app.ask(_Menu, hub, lambda: _details(hub, name))
        if chosen is None:
            return
        try:
            await _act(hub, app, hub.entries[name], chosen)
        except PiError as error:
            app.complain(error)


async def _act(hub: Hub, app: App, server: Server, action: str) -> None:
    name = server.name
    if action == "login":
        await sign_in(hub, app, server)
    elif action == "logout":
        await asyncio.to_thread(hub.access.forget, server)
        app.begin(_connect(hub, name))
    elif action == "reconnect":
        app.begin(_connect(hub, name))  # the list shows how it goes
    elif action == "tools":
        await app.ask(_Menu, hub, lambda: _tools(hub, server))
    elif action == "exposure":
        chosen = await app.ask(_Menu, hub, lambda: _exposures(server))
        if chosen is not None and chosen != server.exposure:
            await hub.change(name, {"exposure": chosen})
    else:
        enabled = action.startswith("enable")
        await hub.change(name, {"enabled": enabled}, project=action.endswith("here"))


async def _connect(hub: Hub, name: str) -> None:
    await hub.reconnect(name)


def _all(hub: Hub) -> _Page:
    """Those that need attention first, those that are off last."""

    def rank(server: Server) -> tuple[int, str]:
        connection = hub.connections.get(server.name)
        return (3 if connection is None else _RANK.get(connection.state, 2), server.name)

    choices = [
        Choice(each.name, each.name, f"{status(hub, each)} · {each.exposure} · {_where(each)}")
        for each in sorted(hub.entries.values(), key=rank)
    ]
    return _Page("MCP servers", "\n".join(hub.errors), choices)


def _details(hub: Hub, name: str) -> _Page:
    server = hub.entries[name]
    connection = hub.connections.get(name)
    lines = [server.transport, f"{server.scope}: {server.source}"]
    if server.override:
        lines.append(f"overridden by {server.override}")
    if name in hub.overridden:
        lines.append(f"goes over the one of {hub.overridden[name].source}")
    lines.append(f"State: {status(hub, server)}")
    choices: list[Choice[str]] = []
    if connection is not None:
        if connection.state != "needs-auth" and connection.error:
            lines.append(connection.error)
        lines += connection.stderr.splitlines()[-_STDERR_LINES:]
        if connection.has_resources:
            lines.append("Offers resources")
        if connection.state == "needs-auth" and server.uses_oauth:
            choices.append(Choice("login", "Sign in", "opens the browser"))
        if connection.state == "connected":
            choices.append(Choice("tools", "Tools", f"{len(connection.tools)} offered"))
        choices.append(Choice("reconnect", "Reconnect"))
        if connection.state == "connected" and server.uses_oauth:
            choices.append(Choice("logout", "Sign out", "forgets what is stored"))
    choices.append(Choice("exposure", "Exposure", server.exposure))
    word, action = ("Disable", "disable") if server.enabled else ("Enable", "enable")
    choices.append(Choice(action, word, _saved(server)))
    if server.scope == "global" and server.override is None and hub.project_file is not None:
        choices.append(
            Choice(f"{action} here", f"{word} in this project", "saved to the project's mcp.json")
        )
    return _Page(f"MCP server {name}", "\n".join(lines), choices)


def _tools(hub: Hub, server: Server) -> _Page:
    connection = hub.connections.get(server.name)
    tools: list[dict[str, Any]] = [] if connection is None else connection.tools
    choices = [
        Choice(
            tool["name"],
            tool["name"],
            server.exposure_of(tool["name"]),
            detail=str(tool.get("description") or "").strip(),
        )
        for tool in tools
    ]
    return _Page(f"Tools of {server.name}", "", choices)


def _exposures(server: Server) -> _Page:
    notes = {
        "codemode": "called from scripts, or found by a search",
        "deferred": "declared once a search finds them",
        "direct": "declared to the model",
        "hidden": "not to be reached",
    }
    choices = [Choice(e, e, notes[e], checked=e == server.exposure) for e in EXPOSURES]
    return _Page(f"How the model reaches the tools of {server.name}", "", choices)


def _saved(server: Server) -> str:
    if server.scope == "extension":
        return "for this session"
    project = server.override is not None or server.scope == "project"
    whose = "the project's" if project else "your own"
    return f"saved to {whose} mcp.json"


def _where(server: Server) -> str:
    if server.override is not None:
        return "project override"
    return server.source if server.scope == "extension" else server.scope
