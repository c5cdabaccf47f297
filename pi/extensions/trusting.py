"""Extensions for a folder: those of the person first, which may decide on the project's trust."""

import logging
from typing import TYPE_CHECKING

from pi.config.paths import Paths
from pi.config.trust import protected_resources, save_trust
from pi.errors import ConfigError
from pi.extensions.loading import Loader
from pi.runtime.additions import Additions

if TYPE_CHECKING:
    from pi.runtime.host import Host

__all__ = ["ask_about_trust", "load_for"]

log = logging.getLogger(__name__)

_OWN = ("user", "temporary")


async def load_for(host: "Host") -> Additions:
    """Load what the services of a host found.

    Extensions of the person and of the command line hear project_trust before anything of the
    project runs. What they decide goes over saved decisions, not over --approve and its kin; the
    host's services are read anew where it changes something.
    """
    services = host.services
    loader = Loader(host)
    await loader.load(services.resources.extensions, _OWN)
    hooks, paths, options = loader.additions.hooks, services.paths, services.options
    undecided = options.trust_of(paths.cwd) is None
    if undecided and hooks.wants("project_trust") and protected_resources(paths):
        trusted = await _decision(loader, paths)
        if trusted is not None and await host.decide_trust(trusted):
            # Settings, models and the extensions themselves are others now.
            loader.additions.close()
            return await load_for(host)
    await loader.load(host.services.resources.extensions, ("project",))
    await loader.load_builtin(host.services.resources.builtin)
    await loader.stored_models()
    return loader.additions


async def ask_about_trust(host: "Host") -> bool | None:
    """What extensions of the person say of the folder, before anything else; None for nothing.

    They are loaded for this question alone. What is to be remembered is.
    """
    loader, paths = Loader(host), host.paths
    await loader.load(host.services.resources.extensions, _OWN)
    try:
        return await _decision(loader, paths)
    finally:
        loader.additions.close()


async def _decision(loader: Loader, paths: Paths) -> bool | None:
    decision = await loader.additions.hooks.trust(str(paths.cwd))
    if decision is None:
        return None
    trusted = decision.trusted == "yes"
    if decision.remember:
        try:
            save_trust(paths, paths.cwd, trusted)
        except ConfigError as error:
            log.warning("what an extension says of this folder holds for this run only: %s", error)
    return trusted
