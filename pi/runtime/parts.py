"""The system prompt by its parts, for extensions that look at it or change it for a run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pi.agent.hook_events import PromptOptions
from pi.agent.toolset import ToolSet
from pi.resources.system_prompt import build_sections, documentation_folder, tagged
from pi.runtime.offering import Declared
from pi.runtime.services import PromptInputs, Services
from pi.tools.base import Tool

__all__ = ["Parts"]


@dataclass(frozen=True, slots=True)
class _Described:
    """A tool as the prompt tells of it."""

    name: str
    snippet: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """tools: those that are on. find: a tool that may be switched on, by name. declare: what the
    model is told of tools. more: sections that extensions have put there for the session, by tag.
    """

    services: Services
    inputs: PromptInputs
    tools: Callable[[], Sequence[Tool]]
    find: Callable[[str], Tool | None]
    declare: Callable[[Sequence[Tool]], Declared]
    more: Mapping[str, str]

    def options(self) -> PromptOptions:
        tools = self.tools()
        hidden = self.declare(tools).hidden
        return PromptOptions(
            cwd=str(self.services.paths.cwd),
            custom_prompt=self.inputs.texts.custom,
            append_system_prompt=self.inputs.texts.addenda,
            context_files=self.inputs.context_files,
            skills=self.services.resources.skills,
            selected_tools=[tool.name for tool in tools],
            hidden_tools=tuple(tool.name for tool in tools if tool.name in hidden),
            tool_snippets={tool.name: tool.snippet for tool in tools if tool.snippet},
            tool_guidelines={tool.name: tool.rules for tool in tools if tool.rules},
            sections=dict(self.more),
        )

    def tool_set(self, tools: Sequence[Tool]) -> ToolSet:
        """The prompt with these tools, nothing else changed."""
        declared = self.declare(tools)
        sections = build_sections(
            cwd=self.services.paths.cwd,
            tools=declared.visible,
            hidden=declared.hidden,
            texts=self.inputs.texts,
            context_files=self.inputs.context_files,
            skills=self.services.resources.skills,
            docs=documentation_folder(),
        )
        sections |= {name: tagged(name, text) for name, text in self.more.items()}
        return ToolSet(tools, sections, declared.tools, declared.hidden)

    def text(self, options: PromptOptions) -> str:
        if options.force_system_prompt is not None:
            return options.force_system_prompt
        return "\n\n".join(self.apply(options).sections.values())

    def apply(self, options: PromptOptions) -> ToolSet:
        tools = list(self._chosen(options))
        declared = self.declare(tools)
        texts = self.inputs.texts._replace(
            custom=options.custom_prompt,
            addenda=tuple(options.append_system_prompt),
        )
        sections = build_sections(
            cwd=self.services.paths.cwd,
            tools=[
                _Described(
                    tool.name,
                    options.tool_snippets.get(tool.name, ""),
                    tuple(options.tool_guidelines.get(tool.name, ())),
                )
                for tool in declared.visible
            ],
            hidden=declared.hidden,
            texts=texts,
            context_files=options.context_files,
            skills=options.skills,
            docs=documentation_folder(),
            more_rules=options.prompt_guidelines,
        )
        for name, text in options.sections.items():
            if text is None:
                sections.pop(name, None)
            else:
                sections[name] = tagged(name, text)
        return ToolSet(tools, sections, declared.tools, declared.hidden)

    def _chosen(self, options: PromptOptions) -> Iterator[Tool]:
        """A name that there is no tool for is passed over."""
        for name in dict.fromkeys(options.selected_tools):
            tool = self.find(name)
            if tool is not None:
                yield tool
                # A tool that was just switched on brings what it says of itself.
                options.tool_snippets.setdefault(name, tool.snippet)
                options.tool_guidelines.setdefault(name, tool.rules)
