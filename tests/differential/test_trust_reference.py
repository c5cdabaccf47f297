"""Who is trusted: the same answer from both programs, whatever was said and saved before.

See test_reference.py for how to run it.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.differential.pairs import both
from tests.differential.programs import needs_reference
from tests.differential.test_generated import listed
from tests.differential.test_home import AGENT, PROMPT, skill

pytestmark = needs_reference

FILES: Mapping[str, bytes] = {
    f"{AGENT}skills/mine/SKILL.md": skill("mine"),
    "home/.agents/skills/shared/SKILL.md": skill("shared"),
    "project/.pi/skills/theirs/SKILL.md": skill("theirs"),
    "project/.pi/prompts/t.md": PROMPT,
    "project/.agents/skills/above/SKILL.md": skill("above"),
    "project/sub/.pi/skills/below/SKILL.md": skill("below"),
    "project/sub/.agents/skills/nearest/SKILL.md": skill("nearest"),
    "elsewhere/.pi/skills/far/SKILL.md": skill("far"),
    "elsewhere/page.md": skill("page"),
}
OPTIONS = ((), ("-a",), ("-na",), ("-a", "-na"), ("-na", "-a"))
SAVED: tuple[Mapping[str, bool | None], ...] = (
    {"<root>/project": True},
    {"<root>/project": False},
    {"<root>/project/": True},
    {"<root>": True},
    {"<root>": True, "<root>/project": False},
    {"<root>": False, "<root>/project": True},
    {"<root>": True, "<root>/project": None},
    {"/": True},
    {"<root>/project/sub": True},
    {"<root>/proj": True},
)
Prepare = Callable[[Path], None]


def compare(
    tmp_path: Path,
    options: tuple[str, ...] = (),
    *,
    where: str = "project",
    default: str | None = None,
    prepare: Prepare | None = None,
    more: Mapping[str, bytes] | None = None,
) -> list[str]:
    """The names of the commands that both have."""
    settings = {} if default is None else {"defaultProjectTrust": default}
    files = {**FILES, **(more or {})}
    with both(tmp_path, files, options, where=where, settings=settings, prepare=prepare) as pair:
        theirs, ours = (listed(side) for side in pair)
    assert ours == theirs
    return [command["name"] for command in ours]


@pytest.mark.parametrize("default", [None, "ask", "always", "never"])
@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_options_and_the_person_s_default(
    tmp_path: Path, options: tuple[str, ...], default: str | None
) -> None:
    names = compare(tmp_path, options, default=default)
    trusted = options[-1] == "-a" if options else default == "always"
    assert ("skill:theirs" in names) is trusted


@pytest.mark.parametrize("options", [(), ("-na",)], ids=" ".join)
@pytest.mark.parametrize("saved", SAVED, ids=str)
def test_saved_decisions(
    tmp_path: Path, saved: Mapping[str, bool | None], options: tuple[str, ...]
) -> None:
    def prepare(root: Path) -> None:
        known = {name.replace("<root>", str(root)): value for name, value in saved.items()}
        (root / "home" / ".pi" / "agent" / "trust.json").write_text(json.dumps(known))

    compare(tmp_path, options, prepare=prepare)


@pytest.mark.parametrize("options", [(), ("-a",), ("-na",)], ids=" ".join)
@pytest.mark.parametrize("where", ["project/sub", "home", "home/.pi/agent", "elsewhere"])
def test_places(tmp_path: Path, where: str, options: tuple[str, ...]) -> None:
    compare(tmp_path, options, where=where)


@pytest.mark.parametrize("git", ["project/.git/HEAD", "project/sub/.git/HEAD", "project/sub/.git"])
def test_how_far_up_shared_skills_are_looked_for(tmp_path: Path, git: str) -> None:
    compare(tmp_path, ("-a",), where="project/sub", more={git: b"gitdir: /nowhere"})


LINKS: Mapping[str, Mapping[str, str]] = {
    "the folder": {"project/.pi": "../elsewhere/.pi"},
    "skills": {"project/.pi/skills": "../../elsewhere/.pi/skills"},
    "one of them": {"project/.pi/skills/far": "../../../elsewhere/.pi/skills/far"},
    "files": {
        "project/.pi/skills/l/SKILL.md": "../../../../elsewhere/page.md",
        "project/.pi/prompts/l.md": "../../../elsewhere/page.md",
    },
    "to nothing": {"project/.pi/skills/l/SKILL.md": "nowhere", "project/.pi/prompts/l.md": "no"},
    "shared": {"project/.agents": "../home/.agents"},
}


@pytest.mark.parametrize("options", [(), ("-a",)], ids=" ".join)
@pytest.mark.parametrize("name", LINKS)
def test_links(tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    def prepare(root: Path) -> None:
        for link, target in LINKS[name].items():
            path = root / link
            if path.exists():
                path.rename(root / "away")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(target)

    compare(tmp_path, options, prepare=prepare)
