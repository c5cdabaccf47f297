"""Prompt templates: Markdown files that become `/name` commands with arguments.

Source: docs/prompt-templates.md.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pi.resources.found import Found, Origin
from pi.resources.front_matter import FrontMatterError, split_front_matter
from pi.resources.textfile import read_text_file
from pi.wire.blanks import BLANKS

__all__ = [
    "PromptTemplate",
    "expand_template",
    "fill_template",
    "load_template",
    "split_arguments",
]

_DESCRIPTION_LENGTH = 60
"""In UTF-16 units, as the npm package counts."""

# Compiled by `re` at their first use: most runs get by without.
_COMMAND = rf"/([^{BLANKS}]+)(?:[{BLANKS}]+(.*))?"
# A quote counts at the beginning of an argument only, and only if there is another to close it.
_ARGUMENT = rf"(?=[^{BLANKS}])(?:\"((?:\\\"|[^\"])*+)\"|'((?:\\'|[^'])*+)')?([^{BLANKS}]*)"
_PLACEHOLDER = (
    r"\$\{([0-9]+|ARGUMENTS|@):-([^}]*)\}"
    r"|\$\{@:([0-9]+)(?::([0-9]+))?\}"
    r"|\$(ARGUMENTS|@|[0-9]+)"
)


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """name: as typed after the slash. description: the file's, or the start of its first line.

    hint: what arguments it takes, for people. text: with its placeholders.
    """

    name: str
    description: str
    text: str
    path: Path
    origin: Origin
    hint: str | None = None


def load_template(found: Found) -> tuple[PromptTemplate | None, list[str]]:
    """The template in a file, None if it cannot be read, and what is to be said of it."""
    path = found.path
    try:
        file = read_text_file(path)
    except OSError as error:
        return None, [f"{path}: cannot be read: {error.strerror or error}"]
    if file is None:
        return None, [f"{path}: is not a file"]
    try:
        document = split_front_matter(file.text)
    except FrontMatterError as error:
        return None, [f"{path}: front matter: {error}; template left out"]
    description = document.fields.get("description")
    if not isinstance(description, str) or not description:
        first = next((line for line in document.body.split("\n") if line.strip(BLANKS)), "")
        description = _shortened(first)
    hint = document.fields.get("argument-hint")
    template = PromptTemplate(
        name=path.name.removesuffix(".md"),
        description=description,
        text=document.body,
        path=path,
        origin=found.origin,
        hint=hint if isinstance(hint, str) and hint else None,
    )
    return template, [file.diagnostic] if file.diagnostic else []


def _shortened(line: str) -> str:
    units = line.encode("utf-16-le", "surrogatepass")
    if len(units) <= 2 * _DESCRIPTION_LENGTH:
        return line
    return units[: 2 * _DESCRIPTION_LENGTH].decode("utf-16-le", "ignore") + "..."


def expand_template(text: str, templates: Sequence[PromptTemplate]) -> str:
    """`/name arguments` as the template says; other text as it is."""
    if not text.startswith("/") or not templates:
        return text
    command = re.fullmatch(_COMMAND, text, re.DOTALL)
    if command is None:
        return text
    for template in templates:
        if template.name == command[1]:
            return fill_template(template.text, split_arguments(command[2] or ""))
    return text


def split_arguments(text: str) -> list[str]:
    """At blanks, but for quotes. In quotes, a backslash before the same quote keeps it as text."""
    arguments = []
    for match in re.finditer(_ARGUMENT, text):
        double, single, rest = match.groups()
        if double is not None:
            arguments.append(double.replace('\\"', '"') + rest)
        elif single is not None:
            arguments.append(single.replace("\\'", "'") + rest)
        else:
            arguments.append(rest)
    return arguments


def fill_template(text: str, arguments: Sequence[str]) -> str:
    """`text` with its placeholders replaced. What replaces one is not looked at again."""
    everything = " ".join(arguments)

    def at(position: str) -> str:
        index = int(position[:9]) - 1
        return arguments[index] if 0 <= index < len(arguments) else ""

    def replacement(match: re.Match[str]) -> str:
        target, default, start, length, plain = match.groups()
        if target is not None:
            value = at(target) if target[0].isdigit() else everything
            return value or str(default)
        if start is not None:
            first = max(int(start[:9]) - 1, 0)
            last = len(arguments) if length is None else first + int(length[:9])
            return " ".join(arguments[first:last])
        return at(plain) if plain[0].isdigit() else everything

    return re.sub(_PLACEHOLDER, replacement, text)
