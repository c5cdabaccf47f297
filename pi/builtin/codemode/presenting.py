"""What the model is told of the tools while codemode is on."""

from collections.abc import Sequence
from typing import Literal

from pi.agent.tokens import CHARS_PER_TOKEN
from pi.builtin.codemode.catalogue import Callable, by_identifier, declaration, result_type
from pi.extensions import Loadout, LoadoutChange
from pi.tools.exposure import OfferedTool

__all__ = ["present"]


def present(
    loadout: Loadout, text: str, mode: Literal["on", "only"], budget: float
) -> LoadoutChange:
    """text: of codemode itself. budget: tokens that declarations in it may take.

    on: what is declared stays so, with a line on how scripts call it. only: it is hidden, and
    listed in the description of codemode.
    """
    tools = by_identifier(
        {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
            "promptGuidelines": tool.guidelines,
            "namespace": tool.namespace,
            "outputSchema": tool.output_schema,
        }
        for tool in loadout.callable
    )
    known = {tool.name: tool for tool in tools.values()}
    declared = {tool.name for tool in loadout.declared} & known.keys()
    hidden = declared if mode == "only" else set()
    listed = [known[tool.name] for tool in loadout.callable if _is_listed(tool, declared - hidden)]
    descriptions = {
        name: f"{known[name].description}\n\n{_hint(known[name])}" for name in declared - hidden
    }
    descriptions["codemode"] = "\n\n".join((text, *_sections(listed, budget)))
    return LoadoutChange(descriptions, hidden)


def _is_listed(tool: OfferedTool, declared: set[str]) -> bool:
    """What is deferred is found, not listed: it comes and goes, and the text is to stay."""
    return tool.name not in declared and tool.exposure != "deferred"


def _hint(tool: Callable) -> str:
    gives = " ".join(result_type(tool, comments=False).split())
    return f"In codemode: `await tools.{tool.identifier}(args)` gives `{gives}`."


def _sections(tools: Sequence[Callable], budget: float) -> list[str]:
    """The declarations there is room for, by namespace, in their order."""
    room = budget * CHARS_PER_TOKEN
    groups: dict[str, list[str]] = {_PLAIN: []}  # first, whatever comes first
    left_out = 0
    for tool in tools:
        about = [f"// {line}" for line in tool.description.strip().splitlines()]
        about += [f"// {rule}" for rule in tool.guidelines]
        entry = "\n".join((*about, declaration(tool)))
        heading = _heading(tool)
        lines = groups.setdefault(heading, [])
        if len(entry) > room:
            left_out += 1
            continue
        room -= len(entry)
        lines.append(entry)
    sections = []
    for heading, entries in groups.items():
        if entries:
            sections.append("\n".join((heading, "```ts", "\n\n".join(entries), "```")))
        elif heading != _PLAIN:
            sections.append(heading)
    if left_out:
        sections.append(f"{left_out} more are not listed: find them with searchTools().")
    return sections


_PLAIN = "Tools for scripts:"


def _heading(tool: Callable) -> str:
    space = tool.namespace
    if space is None:
        return _PLAIN
    about = f": {space.description}" if space.description else ""
    return f"Tools of {space.name}{about}"
