"""Told once at the start: that there is a newer pi, or newer versions of packages.

Finding out is another process's work, so that no key waits for it, and it can be ended with pi.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys

from pi._version import __version__
from pi.modes.interactive.app import App
from pi.runtime.host import Host
from pi.runtime.updates import known_updates

__all__ = ["tell_updates"]

log = logging.getLogger(__name__)


async def tell_updates(app: App) -> None:
    host = app.host
    services = host.services
    environment = services.environment
    if environment.offline or services.options.offline:
        return
    known = await asyncio.to_thread(known_updates, host.paths, services.settings, environment)
    if known.due:
        try:
            await _find_out(host)
        except OSError as error:
            log.debug("nothing is known of updates: %s", error)
        known = await asyncio.to_thread(known_updates, host.paths, services.settings, environment)
    if known.pi is not None:
        app.say(f"pi {known.pi} is available; this is {__version__}. To update: pi update")
    if known.packages:
        names = ", ".join(known.packages)
        app.say(f"Packages can be updated: {names}\nTo update them: pi update --extensions")


async def _find_out(host: Host) -> None:
    trust = "--approve" if host.services.settings.trusted else "--no-approve"
    # -P: not from a folder pi that may lie in the project.
    command = (sys.executable, "-P", "-m", "pi", "update", "--check", trust)
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=host.paths.cwd,
        env=dict(host.services.environment.variables),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=os.name != "nt",
    )
    try:
        await process.wait()
    finally:
        if process.returncode is None:
            # With it what it runs.
            with contextlib.suppress(ProcessLookupError):
                if os.name == "nt":
                    process.kill()
                else:
                    os.killpg(process.pid, signal.SIGKILL)
