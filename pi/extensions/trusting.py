"""Extensions for a folder: those of the person first, which may decide on the project's trust."""

from typing import TYPE_CHECKING

from pi.config.trust import protected_resources, save_trust
from pi.extensions.loading import Loader
from pi.runtime.additions import Additions

if TYPE_CHECKING:
    from pi.runtime.host import Host

__all__ = ["load_for"]

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
        decision = await hooks.trust(str(paths.cwd))
        if decision is not None:
            trusted = decision.trusted == "yes"
            if decision.remember:
                save_trust(paths, paths.cwd, trusted)
            if await host.decide_trust(trusted):
                # Settings, models and the extensions themselves are others now.
                loader.additions.close()
                return await load_for(host)
    await loader.load(host.services.resources.extensions, ("project",))
    return loader.additions
