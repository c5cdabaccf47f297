"""Skills: instructions the model loads when a task calls for them (agentskills.io).

A skill is a Markdown file with front matter: `SKILL.md` in a folder of its own, or, as an
exception, another file with a description. Source: docs/skills.md.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from pi.resources.found import Found, Origin
from pi.resources.front_matter import FrontMatterError, split_front_matter
from pi.resources.textfile import read_text_file
from pi.wire.blanks import BLANKS

__all__ = ["SKILL_FILE", "Skill", "expand_skill", "load_skill", "skills_section"]

SKILL_FILE = "SKILL.md"

_COMMAND = "/skill:"
_NAME_LENGTH = 64
_DESCRIPTION_LENGTH = 1024
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})


@dataclass(frozen=True, slots=True)
class Skill:
    """hidden: the model is not told of it; people can still ask for it by name."""

    name: str
    description: str
    path: Path
    origin: Origin
    hidden: bool = False

    @property
    def folder(self) -> Path:
        """What relative paths in it start from."""
        return self.path.parent


def load_skill(found: Found) -> tuple[Skill | None, list[str]]:
    """The skill in a file, None where it is none, and what is to be said of it.

    A Markdown file that does not call itself SKILL.md is passed over in silence unless it has a
    description.
    """
    path = found.path
    declared = path.name == SKILL_FILE
    try:
        file = read_text_file(path)
    except OSError as error:
        return None, [f"{path}: cannot be read: {error.strerror or error}"]
    if file is None:
        return None, [f"{path}: is not a file"]
    try:
        fields = split_front_matter(file.text).fields
    except FrontMatterError as error:
        return None, [f"{path}: front matter: {error}; skill left out"] if declared else []
    description = fields.get("description")
    described = isinstance(description, str) and description.strip(BLANKS) != ""
    if not described and not declared:
        return None, []
    given = fields.get("name")
    name = given if isinstance(given, str) and given else path.parent.name
    diagnostics = [file.diagnostic] if file.diagnostic else []
    diagnostics += [f"{path}: {problem}" for problem in _problems_of_name(name)]
    if not isinstance(description, str) or not described:
        diagnostics.append(f"{path}: front matter needs a description; skill left out")
        return None, diagnostics
    if len(description) > _DESCRIPTION_LENGTH:
        diagnostics.append(
            f"{path}: the description has {len(description)} characters, "
            f"more than {_DESCRIPTION_LENGTH}"
        )
    hidden = fields.get("disable-model-invocation") is True
    return Skill(name, description, path, found.origin, hidden), diagnostics


def skills_section(
    skills: Sequence[Skill], tools: Sequence[str], hidden: Collection[str] = ()
) -> str:
    """What the system prompt says of them, "" for nothing.

    tools: names of the tools that are on; without one that reads files there is nothing to say.
    hidden: of those that are on as well, but have no declaration: such a reader is not named.
    """
    shown = [skill for skill in skills if not skill.hidden]
    readers = ("read", "bash")
    reader = next((f" with {name}" for name in readers if name in tools), None)
    if reader is None and any(name in hidden for name in readers):
        reader = ""
    if not shown or reader is None:
        return ""
    return "\n".join(
        (
            "Skills are written instructions for certain kinds of work. When a task fits a "
            f"skill's description, load its file{reader} before you begin, and follow it.",
            "A relative path in a skill starts at the folder of the skill's file: "
            "make it absolute before you use it.",
            "",
            "<available_skills>",
            *(_entry(skill) for skill in shown),
            "</available_skills>",
        )
    )


def expand_skill(text: str, skills: Sequence[Skill]) -> tuple[str, str | None]:
    """`/skill:name what to do` with the skill's instructions in the name's place.

    Text that names no known skill stays as it is. The second value is what kept the file from
    being read, for the person; the text then stays too.
    """
    if not text.startswith(_COMMAND):
        return text, None
    name, _, rest = _first_word(text.removeprefix(_COMMAND))
    skill = next((skill for skill in skills if skill.name == name), None)
    if skill is None:
        return text, None
    try:
        file = read_text_file(skill.path)
        if file is None:
            return text, f"{skill.path}: the skill's file is gone"
        body = split_front_matter(file.text).body.strip(BLANKS)
    except OSError as error:
        return text, f"{skill.path}: cannot be read: {error.strerror or error}"
    except FrontMatterError as error:
        return text, f"{skill.path}: front matter: {error}"
    block = (
        f'<skill name="{skill.name}" location="{skill.path}">\n'
        f"Relative paths below start at {skill.folder}.\n\n{body}\n</skill>"
    )
    request = rest.strip(BLANKS)
    return f"{block}\n\n{request}" if request else block, None


def _problems_of_name(name: str) -> list[str]:
    """Against the specification; none keeps the skill from loading."""
    problems = []
    if len(name) > _NAME_LENGTH:
        problems.append(f"has {len(name)} characters, more than {_NAME_LENGTH}")
    if not re.fullmatch(r"[a-z0-9-]+", name):
        problems.append("may have only a to z, 0 to 9 and hyphens")
    elif name.startswith("-") or name.endswith("-") or "--" in name:
        problems.append("has a hyphen at an end, or two in a row")
    return [f'the name "{name}" {problem}' for problem in problems]


def _first_word(text: str) -> tuple[str, str, str]:
    match = re.search(f"[{BLANKS}]", text)
    return text.partition(match[0]) if match else (text, "", "")


def _entry(skill: Skill) -> str:
    return "\n".join(
        (
            "  <skill>",
            f"    <name>{skill.name.translate(_ESCAPES)}</name>",
            f"    <description>{skill.description.translate(_ESCAPES)}</description>",
            f"    <location>{str(skill.path).translate(_ESCAPES)}</location>",
            "  </skill>",
        )
    )
