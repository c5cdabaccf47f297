"""Commands for credentials: signing in, storing a key, forgetting either."""

import asyncio
from collections.abc import Callable

from pi.auth.keys import ask_for_key, takes_keys
from pi.auth.oauth import OAUTH_PROVIDERS, flow_of
from pi.auth.oauth.base import Entry, Method
from pi.auth.providers import KEY_SOURCES
from pi.config.device import device_id
from pi.errors import AuthError, ConfigError, PiError
from pi.modes.interactive.app import App
from pi.modes.interactive.copying import copy_to_clipboard
from pi.modes.interactive.pickers.login import LoginPanel, PanelPerson
from pi.modes.interactive.pickers.providers import (
    LoginChoice,
    LoginPicker,
    LogoutPicker,
    ProviderRow,
)
from pi.runtime.network import surroundings

__all__ = ["login", "logout"]


async def login(app: App, arguments: str) -> None:
    rows = _rows(app)
    provider = arguments.lower() or None
    if provider is not None and provider not in {row.id for row in rows}:
        raise AuthError(f"there is no provider {arguments!r} to sign in to")
    chosen = await app.ask(LoginPicker, rows, provider=provider)
    if chosen is None:
        return
    name = next(row.name or row.id for row in rows if row.id == chosen.provider)
    title = f"Log in to {name}"
    with app.blocked("auth", title):
        entry: Entry | PiError | None = await app.ask(
            LoginPanel,
            title,
            _work(app, chosen),
            copy=lambda text: app.begin(copy_to_clipboard(app, text)),
        )
    if entry is None:
        return
    if isinstance(entry, PiError):
        raise entry
    store = app.host.services.credentials.store
    await asyncio.to_thread(store.put, chosen.provider, entry)
    app.say(f"Signed in to {name}." if chosen.how == "account" else f"Stored a key for {name}.")
    if await app.host.extending.refresh_models([chosen.provider]):
        app.say("Its list of models could not be had; those known are offered.", "warning")
    _first_model(app, chosen.provider)
    app.follower.update()
    if chosen.provider == "radius":
        await _offer_mcp_server(app)


async def _offer_mcp_server(app: App) -> None:
    """An account at Radius has an MCP server."""
    # For this provider only.
    from pi.mcp.config import user_file  # noqa: PLC0415
    from pi.mcp.radius import lacks_radius, take_radius  # noqa: PLC0415
    from pi.modes.interactive.commands.settings import reload  # noqa: PLC0415
    from pi.modes.interactive.pickers.dialogs import ConfirmDialog  # noqa: PLC0415

    path = user_file(app.host.paths)
    if not lacks_radius(path) or not await app.ask(
        ConfirmDialog, "Use the MCP server of Radius, too?", f"It is kept in {path}."
    ):
        return
    taken = await asyncio.to_thread(take_radius, path)
    if taken is not None:
        done = "uses the sign-in now" if taken.changed else "was added"
        app.say(f'The MCP server "{taken.name}" {done}, in {path}.')
    await reload(app, "")


async def logout(app: App, arguments: str) -> None:
    provider = await app.ask(LogoutPicker, _rows(app))
    if provider is None:
        return
    store = app.host.services.credentials.store
    await asyncio.to_thread(store.remove, provider)
    app.say(f"Forgot the credentials of {provider}.")
    app.follower.update()


def _work(app: App, chosen: LoginChoice) -> Callable[[PanelPerson], Entry]:
    """What signing in does, in a thread of its own."""
    services = app.host.services

    def sign_in(person: PanelPerson) -> Entry:
        flow = flow_of(chosen.provider)
        assert flow is not None, "offered for those that have one"
        around = surroundings(
            services.environment, services.settings, device_id=device_id(services.paths)
        )
        method: Method = "headless" if chosen.headless else flow.methods[0]
        return flow.sign_in(person, person.around(around), method)

    def store_key(person: PanelPerson) -> Entry:
        return ask_for_key(chosen.provider, person)

    return sign_in if chosen.how == "account" else store_key


def _first_model(app: App, provider: str) -> None:
    """Where nothing could be used before, use what this brings."""
    host = app.host
    if host.model is not None:
        return
    model = host.services.registry.default_of(provider)
    if model is not None:
        host.set_model(model)
        app.say(f"Model: {model.reference}. Choose another with /model.")


def _rows(app: App) -> list[ProviderRow]:
    services = app.host.services
    rows = []
    for provider in sorted({*OAUTH_PROVIDERS, *KEY_SOURCES, *services.registry.providers()}):
        flow = flow_of(provider)
        key = takes_keys(provider)
        if flow is None and not key:
            continue
        try:
            stored = services.credentials.store.get(provider)
        except ConfigError:
            stored = None
        status = ""
        if stored is None and services.credentials.has_credential(provider):
            status = "from the environment or models.json"
        rows.append(
            ProviderRow(
                provider,
                "" if flow is None else flow.name,
                account=flow is not None,
                headless=flow is not None and "headless" in flow.methods[1:],
                key=key,
                stored=None if stored is None else "account" if stored.oauth else "key",
                status=status,
            )
        )
    return rows
