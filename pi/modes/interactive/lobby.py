"""What is asked before there is a session: trust, which session, what to do without its folder."""

from dataclasses import replace
from pathlib import Path

from pi.config.environment import Environment
from pi.config.paths import Paths, find_paths
from pi.config.settings import read_settings
from pi.config.trust import decide_trust, protected_resources, save_trust
from pi.errors import ConfigError
from pi.modes.interactive.desk import Desk
from pi.modes.stderr import tell
from pi.runtime.opening import find_named
from pi.runtime.options import RunOptions
from pi.runtime.storage import Storage
from pi.session.locate import started_in

__all__ = ["Lobby"]


class Lobby:
    """Asks on a desk; each answer goes into the options. None: the person wants to leave."""

    def __init__(self, desk: Desk, environment: Environment) -> None:
        self._desk, self._environment = desk, environment

    async def session(self, options: RunOptions) -> RunOptions | None:
        """`--resume`: the session to open."""
        # The index comes along with it.
        from pi.modes.interactive.choosing import pick_session  # noqa: PLC0415

        paths = find_paths(self._environment)
        path = await pick_session(self._desk, paths)
        return None if path is None else replace(options, session=str(path))

    async def before_opening(self, options: RunOptions, paths: Paths) -> RunOptions | None:
        """For the session that the options name, if they name one."""
        folder = Storage.of(paths, self._environment, options.session_dir).chosen
        named = find_named(options, paths, folder)
        if named is not None and named.elsewhere is not None:
            # Asked rarely, like what follows.
            from pi.modes.interactive.pickers.dialogs import ConfirmDialog  # noqa: PLC0415

            forked = await self._desk.ask(
                ConfirmDialog,
                "A session of another folder",
                f"It was started in {named.elsewhere}. Go on in a copy of it, here?",
            )
            return replace(options, session=None, fork=str(named.path)) if forked else None
        path = None if named is None else named.path
        if path is not None:
            there = await self.folder(options, paths, path)
            if there is None:
                return None
            options = there
            cwd = started_in(path)
            if cwd is not None and not options.stay:
                paths = find_paths(self._environment, Path(cwd))
        return await self.trust(options, paths)

    async def folder(self, options: RunOptions, paths: Paths, path: Path) -> RunOptions | None:
        """Where the folder of a session is gone, it can go on in this one, itself or as a copy."""
        cwd = started_in(path)
        if cwd is None or Path(cwd).is_dir():
            return options
        from pi.modes.interactive.pickers.trust import MissingFolderDialog  # noqa: PLC0415

        answer = await self._desk.ask(MissingFolderDialog, cwd, paths.cwd)
        if answer == "fork":
            return replace(options, session=None, fork=str(path), continue_latest=False)
        return replace(options, stay=True) if answer == "continue" else None

    async def trust(self, options: RunOptions, paths: Paths) -> RunOptions:
        """Whether the project's own settings and resources may load, if nobody has said so yet.

        Who leaves the question is not trusting.
        """
        default = read_settings(paths).default_project_trust
        approve = options.trust_of(paths.cwd)
        if decide_trust(paths, approve=approve, default=default) is not None:
            return options
        from pi.modes.interactive.pickers.trust import TrustDialog  # noqa: PLC0415  (as above)

        found = [_named(path, paths.cwd) for path in protected_resources(paths)]
        answer = await self._desk.ask(TrustDialog, paths.cwd, found=found)
        if answer is None:
            return options.trusting(paths.cwd, False)
        if answer.folder is not None:
            try:
                save_trust(paths, answer.folder, answer.trusted)
            except ConfigError as error:  # a full disk, a home folder that cannot be written to
                tell(f"Warning: your answer about this folder holds for this run only: {error}")
        return options.trusting(paths.cwd, answer.trusted)


def _named(path: Path, cwd: Path) -> str:
    try:
        return str(path.relative_to(cwd))
    except ValueError:
        return str(path)
