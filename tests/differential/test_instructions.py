"""Context files, SYSTEM.md and APPEND_SYSTEM.md: the same in both, in the same order and words.

See test_reference.py for how to run it.
"""

import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.differential.pairs import Asked, both
from tests.differential.programs import needs_reference

pytestmark = needs_reference

AGENT = "home/.pi/agent/"


def git(folder: Path, *words: str) -> None:
    identity = (
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.org",
        "-c",
        "protocol.file.allow=always",
    )
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def repository(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    for name, text in files.items():
        (folder / f"{name}.md").write_text(text)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "one")


def nested_worktree(root: Path) -> None:
    repository(root / "project", AGENTS="of the repository", CLAUDE="never")
    git(root / "project", "worktree", "add", "-q", "trees/one", "-b", "one")
    (root / "project" / "trees" / "AGENTS.md").write_text("between")
    (root / "project" / "trees" / "one" / "AGENTS.md").write_text("of the worktree")


def nested_worktree_of_other_names(root: Path) -> None:
    nested_worktree(root)
    (root / "project" / "trees" / "one" / "AGENTS.md").unlink()


def worktree_beside(root: Path) -> None:
    repository(root / "main", AGENTS="of the repository")
    git(root / "main", "worktree", "add", "-q", "../project", "-b", "one")


def submodule(root: Path) -> None:
    repository(root / "other", AGENTS="of the module")
    repository(root / "project", AGENTS="of the repository")
    git(root / "project", "submodule", "add", "-q", str(root / "other"), "module")


def bare_with_worktree(root: Path) -> None:
    repository(root / "seed", AGENTS="tracked")
    (root / "bare").mkdir()
    git(root, "clone", "-q", "--bare", "seed", "bare/.bare")
    (root / "bare" / "AGENTS.md").write_text("around")
    git(root / "bare" / ".bare", "worktree", "add", "-q", str(root / "bare" / "main"), "main")


def linked(root: Path) -> None:
    (root / "real" / "deep").mkdir(parents=True)
    (root / "real" / "AGENTS.md").write_text("real")
    (root / "real" / "deep" / "AGENTS.md").write_text("deep")
    (root / "way").mkdir()
    (root / "way" / "AGENTS.md").write_text("on the way")
    (root / "way" / "in").symlink_to(root / "real" / "deep")


def linked_files(root: Path) -> None:
    project = root / "project"
    project.mkdir(parents=True)
    (root / "shared.md").write_text("shared")
    (root / "AGENTS.md").symlink_to("shared.md")
    (project / "AGENTS.md").symlink_to("../shared.md")
    (project / "AGENTS.override.md").symlink_to("nowhere")


def odd_files(root: Path) -> None:
    project = root / "project"
    (project / "AGENTS.md").mkdir(parents=True)
    (project / "CLAUDE.md").write_text("instead of a folder")


@dataclass(frozen=True)
class Place:
    files: Mapping[str, bytes] = field(default_factory=dict)
    where: str = "project"
    prepare: Callable[[Path], None] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    options: Sequence[str] = ("-a",)


FOLDERS = {
    f"{AGENT}AGENTS.md": b"the person's",
    "AGENTS.md": b"above",
    "project/AGENTS.md": b"here",
    "project/CLAUDE.md": b"not asked",
    "project/a/CLAUDE.md": b"claude",
    "project/a/b/AGENTS.override.md": b"over",
    "project/a/b/AGENTS.md": b"not this",
    "project/a/b/c/x.md": b"",
}
PLACES: Mapping[str, Place] = {
    "up the tree": Place(FOLDERS, "project/a/b/c"),
    "without": Place(FOLDERS, "project/a/b/c", options=("-a", "-nc")),
    "untrusted": Place({**FOLDERS, "project/a/.pi/SYSTEM.md": b"S"}, "project/a", options=("-na",)),
    "in the home folder": Place(FOLDERS | {"home/AGENTS.md": b"at home"}, "home"),
    "below the home folder": Place(FOLDERS | {"home/AGENTS.md": b"at home"}, "home/work"),
    "in the agent folder": Place(FOLDERS | {"home/.pi/AGENTS.md": b"x"}, "home/.pi/agent"),
    "below the agent folder": Place(FOLDERS, "home/.pi/agent/skills/x"),
    "agent folder elsewhere": Place(
        {**FOLDERS, "conf/AGENTS.md": b"conf"}, env={"PI_CODING_AGENT_DIR": "<root>/conf"}
    ),
    "agent folder above": Place(
        FOLDERS, "project/a", env={"PI_CODING_AGENT_DIR": "<root>/project"}
    ),
    "names": Place(
        {
            "AGENTS.MD": b"capitals",
            "project/agents.md": b"small",
            "project/CLAUDE.MD": b"capitals too",
            "project/a/Claude.md": b"no",
            "project/a/b/CLAUDE.md": b"one",
            "project/a/b/CLAUDE.MD": b"two",
            "project/a/b/AGENTS.local.md": b"no",
        },
        "project/a/b",
    ),
    "texts": Place(
        {
            f"{AGENT}AGENTS.md": b"\xef\xbb\xbfmarked\r\nlines\r\n\r\n",
            "AGENTS.md": b"",
            "project/AGENTS.md": b" \n\t\n",
            "project/CLAUDE.md": b"behind a blank one",
            "project/a/AGENTS.md": b"latin \xe9 <x> & \"q\" </project_instructions>\n",
            "project/a/b/AGENTS.md": b"$1 ${@} @other.md {{x}}\n\n\n",
            "project/a/b/other.md": b"not included",
            "project/a/b/c/AGENTS.override.md": b"",
            "project/a/b/c/AGENTS.md": b"behind an empty one",
        },
        "project/a/b/c",
    ),
    "odd folder names": Place({'a "b" <c>&/AGENTS.md': b"x"}, 'a "b" <c>&'),
    "large": Place({"project/AGENTS.md": b"large\n" * 60_000}),
    "nested worktree": Place(prepare=nested_worktree, where="project/trees/one"),
    "in a nested worktree": Place(prepare=nested_worktree, where="project/trees/one/src"),
    "nested worktree without": Place(
        prepare=nested_worktree_of_other_names, where="project/trees/one"
    ),
    "worktree beside": Place(prepare=worktree_beside),
    "submodule": Place(prepare=submodule, where="project/module"),
    "worktree of a bare one": Place(prepare=bare_with_worktree, where="bare/main"),
    "linked folder": Place(prepare=linked, where="way/in"),
    "linked files": Place(prepare=linked_files),
    "a folder of that name": Place(prepare=odd_files),
    "system": Place(
        {
            f"{AGENT}SYSTEM.md": b"my system",
            f"{AGENT}APPEND_SYSTEM.md": b"my addendum",
            "project/AGENTS.md": b"here",
        }
    ),
    "the project's system": Place(
        {
            f"{AGENT}SYSTEM.md": b"my system",
            f"{AGENT}APPEND_SYSTEM.md": b"my addendum",
            "project/.pi/SYSTEM.md": b"its system\r\n\r\n",
            "project/.pi/APPEND_SYSTEM.md": b"\xef\xbb\xbfits addendum\n",
        }
    ),
    "the project's system, untrusted": Place(
        {
            f"{AGENT}SYSTEM.md": b"my system",
            "project/.pi/SYSTEM.md": b"its system",
            "project/.pi/APPEND_SYSTEM.md": b"its addendum",
        },
        options=("-na",),
    ),
    "an empty system": Place(
        {
            f"{AGENT}SYSTEM.md": b"my system",
            "project/.pi/SYSTEM.md": b"",
            "project/.pi/APPEND_SYSTEM.md": b" \n",
            f"{AGENT}APPEND_SYSTEM.md": b"my addendum",
        }
    ),
    "a blank system": Place(
        {f"{AGENT}SYSTEM.md": b" \n", f"{AGENT}APPEND_SYSTEM.md": b"", "project/AGENTS.md": b"x"}
    ),
    "empty options": Place(
        {f"{AGENT}SYSTEM.md": b"my system", f"{AGENT}APPEND_SYSTEM.md": b"my addendum"},
        options=("-a", "--system-prompt", "", "--append-system-prompt", ""),
    ),
    "blank options": Place(
        {f"{AGENT}SYSTEM.md": b"my system", f"{AGENT}APPEND_SYSTEM.md": b"my addendum"},
        options=("-a", "--system-prompt", " ", "--append-system-prompt", " ", "-nc"),
    ),
    "a system above": Place(
        {"project/.pi/SYSTEM.md": b"above", "project/.pi/APPEND_SYSTEM.md": b"x"}, "project/sub"
    ),
    "given": Place(
        {
            f"{AGENT}SYSTEM.md": b"my system",
            f"{AGENT}APPEND_SYSTEM.md": b"my addendum",
            "project/more.md": b"from a file\n",
        },
        options=("-a", "--system-prompt", "given", "--append-system-prompt", "more.md",
                 "--append-system-prompt", "and more"),
    ),
    "only addenda": Place(
        {f"{AGENT}APPEND_SYSTEM.md": b"my addendum"}, options=("-a", "--append-system-prompt", "x")
    ),
}  # fmt: skip


def told(side: Asked) -> Any:
    """What people wrote, as the prompt has it; sentences of the program's own are left out."""
    assert side.sent("hi") == "hi"
    text = side.system
    # Above the roots are folders of this machine, the same for both.
    files = re.findall(
        r'<project_instructions path="(.*?)">\n(.*?)\n</project_instructions>\n*'
        r"(?=<project_instructions|</project_context>)",
        text,
        re.DOTALL,
    )
    rest = re.sub(r"<project_context>.*</project_context>", "<files>", text, flags=re.DOTALL)
    own = [name for name in ("docs", "tools", "rules") if f"<{name}>" in rest]
    for name in own:
        rest = re.sub(f"<{name}>.*</{name}>", f"<{name}>", rest, flags=re.DOTALL)
    preamble, _, after = rest.partition("\n\n")
    return {
        "files": files,
        "preamble": preamble if "my system" in text or "its system" in text else "",
        "rest": after,
    }


@pytest.mark.parametrize("name", PLACES)
def test_the_same_instructions(tmp_path: Path, name: str) -> None:
    place = PLACES[name]
    with both(
        tmp_path,
        place.files,
        place.options,
        where=place.where,
        env=place.env,
        prepare=place.prepare,
    ) as pair:
        theirs, ours = (told(side) for side in pair)
    assert ours == theirs
