"""The glob of a search: which files it is about. It wins over ignore files."""

import re
from collections.abc import Callable

from pi.errors import ToolError
from pi.tools.search.glob import GlobError, translate
from pi.tools.search.walk import Choice

__all__ = ["override"]


def override(glob: str) -> Callable[[str, bool], Choice]:
    """What the glob says of a path relative to the searched folder, as `walk` asks it.

    With `!` in front it leaves files out. Without a slash it is about names at any depth.
    """
    text = glob.removeprefix("!")
    excludes = text != glob
    folders_only = text.endswith("/")
    text = text.removesuffix("/")
    if "/" not in text:
        text = f"**/{text}"
    try:
        pattern = re.compile(translate(text.removeprefix("/")))
    except (GlobError, re.error) as error:
        raise ToolError(f"Not a glob: '{glob}': {error}") from error

    def choose(relative: str, is_folder: bool) -> Choice:
        if (is_folder or not folders_only) and pattern.fullmatch(relative):
            return not excludes
        # A folder is entered for the files in it that may match.
        return None if excludes or is_folder else False

    return choose
