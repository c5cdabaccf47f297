"""`/share`: the session as a page in a private gist of the person's own GitHub account."""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pi.errors import PiError
from pi.session.export import export_file

__all__ = ["share"]

_PATIENCE = 120.0
"""Seconds for GitHub's command line to answer."""


async def share(session: Path, variables: Mapping[str, str]) -> str:
    """The address of the gist. Raises PiError: no `gh`, not signed in, or refused."""
    with tempfile.TemporaryDirectory(prefix="pi-share-") as folder:
        page = Path(folder) / "session.html"
        await asyncio.to_thread(export_file, session, page)
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
    return lines[-1]
