"""Whether there may be extensions: asked before anything that they need is loaded."""

from collections.abc import Sequence

from pi.config.documents import read_regular
from pi.config.environment import Environment
from pi.config.paths import find_paths

__all__ = ["may_have_extensions"]


def may_have_extensions(environment: Environment, named: Sequence[str] = ()) -> bool:
    """Reads next to nothing: most people have none. named: by `-e`."""
    paths = find_paths(environment)
    if named:
        return True
    for folder, settings in (
        (paths.agent, paths.settings),
        (paths.project, paths.project_settings),
    ):
        if (folder / "extensions").is_dir():
            return True
        try:
            text = read_regular(settings)
        except OSError:
            continue
        if b'"extensions"' in text or b'"packages"' in text:
            return True
    return False
