"""`/share`: the session as a page in a private gist of the person's own GitHub account."""

import asyncio
import tempfile
from pathlib import Path

from pi.errors import PiError
from pi.modes.exporting import Keys, export_session
from pi.runtime.host import Host

__all__ = ["share"]

_PATIENCE = 120.0
"""Seconds for GitHub's command line to answer."""


async def share(host: Host, keys: Keys) -> str:
    """The address of the gist, after that of a page that shows it, where PI_SHARE_VIEWER_URL names
    one. keys: as for `export_session`.

    Raises PiError: nothing to share, no `gh`, not signed in, or refused.
    """
    variables = host.services.environment.variables
    with tempfile.TemporaryDirectory(prefix="pi-share-") as folder:
        page = Path(folder) / "session.html"
        await export_session(host, page, keys)
        try:
            process = await asyncio.create_subprocess_exec(
                *("gh", "gist", "create", "--desc", "A pi session", str(page)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=dict(variables),
            )
        except OSError:
            raise PiError(
                "sharing needs GitHub's command line, gh",
                hint="Install it and sign in with: gh auth login",
            ) from None
        try:
            async with asyncio.timeout(_PATIENCE):
                out, err = await process.communicate()
        except BaseException:
            process.kill()
            await process.wait()
            raise
    lines = out.decode(errors="replace").split()
    if process.returncode != 0 or not lines:
        said = err.decode(errors="replace").strip().splitlines()
        raise PiError(
            f"gh could not make the gist: {said[-1] if said else 'it said nothing'}",
            hint="Sign in with: gh auth login",
        )
    gist, viewer = lines[-1], variables.get("PI_SHARE_VIEWER_URL")
    return f"{viewer}#{gist.rpartition('/')[2]} ({gist})" if viewer else gist
