"""What `/` offers: commands, built in and of extensions, prompt templates, skills; arguments."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pi.auth.oauth import OAUTH_PROVIDERS
from pi.auth.providers import KEY_SOURCES
from pi.modes.interactive.commands.table import COMMANDS
from pi.modes.interactive.completion.base import Item
from pi.modes.interactive.completion.commands import Offer
from pi.runtime.host import Host

if TYPE_CHECKING:
    from pi.runtime.additions import AddedCommand

__all__ = ["offers"]


def offers(host: Host) -> list[Offer]:
    """Everything that can be said with a `/`, as it is now."""
    arguments: dict[str, Callable[[str], Sequence[Item]]] = {
        "model": lambda typed: _models(host, typed),
        "thinking": lambda typed: _named(host.session.model.thinking_levels(), typed),
        "login": lambda typed: _named(_providers(), typed),
    }
    known = [
        Offer(command.name, command.about, command.arguments, arguments.get(command.name))
        for command in COMMANDS
    ]
    taken = {offer.name for offer in known}
    resources = host.services.resources
    known += (Offer(name, about) for name, about in host.extending.sleeping_commands())
    if host.additions is not None:
        known += (_added(command) for command in host.additions.commands())
    known += (
        Offer(prompt.name, prompt.description, prompt.hint or "")
        for prompt in resources.prompts
        if prompt.name not in taken
    )
    if host.services.settings.enable_skill_commands:
        known += (Offer(f"skill:{skill.name}", skill.description) for skill in resources.skills)
    return known


def _added(command: "AddedCommand") -> Offer:
    complete = command.complete
    if complete is None:
        return Offer(command.name, command.description)

    async def arguments(typed: str) -> list[Item]:
        return [Item(value, value, about) for value, about in await complete(typed)]

    return Offer(command.name, command.description, arguments=arguments)


def _named(names: Sequence[str], typed: str) -> list[Item]:
    return [Item(name, name, then="submit") for name in names if name.startswith(typed.lower())]


def _providers() -> list[str]:
    """Those one can sign in to."""
    # Signing in is rare.
    from pi.auth.keys import takes_keys  # noqa: PLC0415

    known = {*OAUTH_PROVIDERS, *KEY_SOURCES}
    return sorted(name for name in known if name in OAUTH_PROVIDERS or takes_keys(name))


def _models(host: Host, typed: str) -> list[Item]:
    """Those that can be used, the best match first."""
    # Most sittings do without.
    from pi.modes.interactive.pickers.fuzzy import fuzzy_filter  # noqa: PLC0415

    services = host.services
    names = services.registry.available_names(services.credentials)
    found = fuzzy_filter(names, typed, lambda name: f"{name.id} {name.reference} {name.name}")
    return [Item(name.reference, name.id, name.provider, then="submit") for name in found]
