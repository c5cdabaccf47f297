"""The system prompt, as named sections.

Sessions persist the sections by name and later messages patch them, so each has one subject and
one author: a change of tools must not re-send the context files. Nothing here may differ between
two runs in one folder (times, random names): providers cache the prompt by its exact text.

Order: preamble, tools, rules, docs, addendum, project_context, skills, cwd. A custom prompt takes
the place of the first four.
"""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pi.errors import ConfigError
from pi.resources.textfile import TextFile, read_text_file

if TYPE_CHECKING:
    from pi.resources.skills import Skill

__all__ = [
    "DescribedTool",
    "PromptTexts",
    "build_sections",
    "changelog_file",
    "documentation_folder",
    "load_prompt_texts",
    "tagged",
]

PREAMBLE = (
    "You are pi, a coding agent that works in the user's terminal. You read and change files and "
    "run programs through your tools, on the user's own machine, until what was asked for is done."
)

SHELL_FOR_SEARCH = "List, search and find files through bash, with ls, rg or grep, and find."

GENERAL_RULES = (
    "Look before you change: read what you are about to edit, and follow the project's own style.",
    "Check your work where the project offers a way to, and say so if you could not.",
    "Answer briefly and to the point.",
    "Name files by their paths.",
)


class DescribedTool(Protocol):
    """What a tool says of itself to the model, besides its declaration."""

    @property
    def name(self) -> str: ...
    @property
    def snippet(self) -> str: ...
    @property
    def rules(self) -> tuple[str, ...]: ...


class PromptTexts(NamedTuple):
    """What people put in place of the built-in prompt, or after it.

    custom: None for the built-in prompt. addenda: in the order they are to appear.
    """

    custom: str | None = None
    addenda: tuple[str, ...] = ()
    diagnostics: tuple[str, ...] = ()


_NO_TEXTS = PromptTexts()


def build_sections(
    *,
    cwd: Path,
    tools: Sequence[DescribedTool],
    texts: PromptTexts = _NO_TEXTS,
    context_files: Sequence[TextFile] = (),
    skills: "Sequence[Skill]" = (),
    docs: Path | None = None,
    more_rules: Iterable[str] = (),
    hidden: Collection[str] = (),
) -> dict[str, str]:
    """Section name → text, in the order the model reads them. Nothing to say: no section.

    docs: the folder of pi's own documentation, None when there is none on this machine.
    more_rules: go after those of the tools. hidden: names of tools that are on as well, and that
    the model reaches in another way.
    """
    sections: dict[str, str] = {}
    if texts.custom is not None:
        sections["preamble"] = texts.custom
    else:
        sections["preamble"] = PREAMBLE
        sections["tools"] = tagged("tools", _tool_list(tools))
        sections["rules"] = tagged(
            "rules", "\n".join(f"- {rule}" for rule in _rules(tools, more_rules))
        )
        if docs is not None:
            sections["docs"] = tagged("docs", _docs(docs))
    if texts.addenda:
        sections["addendum"] = tagged("addendum", "\n\n".join(texts.addenda))
    if context_files:
        instructions = "\n\n".join(
            f'<project_instructions path="{file.path}">\n{file.text}\n</project_instructions>'
            for file in context_files
        )
        sections["project_context"] = tagged(
            "project_context",
            "Standing instructions for this work; where two disagree, the later one holds.\n\n"
            + instructions,
        )
    if skills:
        from pi.resources.skills import skills_section  # noqa: PLC0415  (few runs have skills)

        listed = skills_section(skills, [tool.name for tool in tools], hidden)
        if listed:
            sections["skills"] = tagged("skills", listed)
    sections["cwd"] = tagged("cwd", cwd.as_posix())
    return sections


def load_prompt_texts(
    *,
    agent_dir: Path,
    project_dir: Path | None,
    cwd: Path,
    system_prompt: str | None = None,
    append_system_prompt: Sequence[str] | None = None,
) -> PromptTexts:
    """SYSTEM.md and APPEND_SYSTEM.md, or what the command line gives in place of either.

    project_dir: the project's `.pi` folder when it is trusted, else None; its file wins over the
    agent folder's of the same name. system_prompt: text or path, "" for the built-in prompt;
    append_system_prompt likewise. Raises ConfigError when an option names a file that is there
    but cannot be read.
    """
    folders = [agent_dir] if project_dir is None else [project_dir, agent_dir]
    diagnostics: list[str] = []
    if system_prompt is not None:
        custom = _text_or_file(system_prompt, "--system-prompt", cwd, diagnostics)
    else:
        custom = _first_file("SYSTEM.md", folders, diagnostics)
    if append_system_prompt is not None:
        addenda = [
            _text_or_file(value, "--append-system-prompt", cwd, diagnostics)
            for value in append_system_prompt
        ]
    else:
        addenda = [_first_file("APPEND_SYSTEM.md", folders, diagnostics)]
    return PromptTexts(
        custom or None,
        tuple(text for text in addenda if text),
        tuple(diagnostics),
    )


def documentation_folder() -> Path | None:
    """Where pi's own documentation is: a source tree's docs/, or what came with the package."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "documentation"
    if (installed / "cli.md").is_file():
        return installed
    root = package.parent
    # Both, because site-packages may hold somebody else's docs folder.
    if (root / "docs" / "cli.md").is_file() and (root / "pyproject.toml").is_file():
        return root / "docs"
    return None


def changelog_file() -> Path | None:
    """What changed from version to version, where this machine has it."""
    docs = documentation_folder()
    if docs is None:
        return None
    file = (docs if docs.name == "documentation" else docs.parent) / "CHANGELOG.md"
    return file if file.is_file() else None


def tagged(name: str, body: str) -> str:
    """A section of the prompt, as the model sees where it begins and ends."""
    return f"<{name}>\n{body}\n</{name}>"


def _tool_list(tools: Sequence[DescribedTool]) -> str:
    if not tools:
        return "None: answer from what the conversation holds."
    return "\n".join(f"- {tool.name}: {tool.snippet}" for tool in tools if tool.snippet)


def _rules(tools: Sequence[DescribedTool], more: Iterable[str]) -> Iterable[str]:
    """Each once: two tools may give the same advice."""
    names = {tool.name for tool in tools}
    shell_only = "bash" in names and not names & {"grep", "find", "ls"}
    return dict.fromkeys(
        (
            *([SHELL_FOR_SEARCH] if shell_only else []),
            *(rule for tool in tools for rule in tool.rules),
            *more,
            *GENERAL_RULES,
        )
    )


def _docs(folder: Path) -> str:
    pages = "\n".join(f"- {page}" for page in sorted(folder.glob("*.md")))
    return f"pi's own documentation, for questions about pi itself and only then:\n{pages}"


def _first_file(name: str, folders: Iterable[Path], diagnostics: list[str]) -> str:
    """The text of the first of these files that can be read, "" for none."""
    for folder in folders:
        try:
            found = read_text_file(folder / name)
        except OSError as error:
            diagnostics.append(f"{folder / name} cannot be read: {error.strerror or error}")
            continue
        if found is not None:
            if found.diagnostic:
                diagnostics.append(found.diagnostic)
            return found.text
    return ""


def _text_or_file(value: str, option: str, cwd: Path, diagnostics: list[str]) -> str:
    """The contents of the file that `value` names, or else `value` itself."""
    if not value:
        return ""
    try:
        found = read_text_file(cwd / value)
    except OSError as error:
        raise ConfigError(
            f"{option}: {cwd / value} cannot be read: {error.strerror or error}"
        ) from None
    if found is None:
        return value
    if found.diagnostic:
        diagnostics.append(found.diagnostic)
    return found.text
