"""How a tool is reached: told to the model, called by others, found by a search, or not at all.

Source: docs/extensions.md, Tools.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from pi.tools.base import Tool

__all__ = [
    "Exposure",
    "Loadout",
    "LoadoutChange",
    "Namespace",
    "OfferedTool",
    "PrepareLoadout",
    "ReachesTools",
    "Redescribed",
]

Exposure = Literal["direct", "model-only", "codemode", "deferred", "hidden"]
"""direct: the model is told of it while it is on, and other tools call it then. model-only: the
same, but no tool calls it. codemode: other tools call it whether or not it is on; it is off until
it is switched on by name. deferred: likewise, and only a search tells of it. hidden: withdrawn."""


class Namespace(NamedTuple):
    """What a group of tools has in common, such as an MCP server.

    aliases: other names it may be asked for by. description: a line, told with its tools.
    instructions: how to use it, for those who ask.
    """

    name: str
    aliases: Sequence[str] = ()
    description: str = ""
    instructions: str = ""


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool there is. annotations: hints such as {"readOnlyHint": True}.

    output_schema: JSON Schema of the data that its results carry, None for text.
    reaches: what a call with these arguments may reach, see ReachesTools. prepare: see there.
    """

    tool: Tool
    exposure: Exposure = "direct"
    namespace: Namespace | None = None
    annotations: Mapping[str, bool] = field(default_factory=dict)
    output_schema: Mapping[str, Any] | None = None
    reaches: "ReachesTools | None" = None
    prepare: "PrepareLoadout | None" = None

    @property
    def name(self) -> str:
        return self.tool.name

    @property
    def description(self) -> str:
        return self.tool.description

    @property
    def parameters(self) -> Mapping[str, Any]:
        return self.tool.parameters

    @property
    def guidelines(self) -> Sequence[str]:
        return self.tool.rules


class Loadout(NamedTuple):
    """What the model is about to be told. declared: the tools that are on. callable: those that
    other tools may call. registered: all there are.
    """

    declared: Sequence[OfferedTool]
    callable: Sequence[OfferedTool]
    registered: Sequence[OfferedTool]


class LoadoutChange(NamedTuple):
    """descriptions: in the place of tools' own, by name. hidden: names of tools that are on and
    that the model is not told of; what calls them must say what they are.
    """

    descriptions: Mapping[str, str] = {}
    hidden: Collection[str] = ()


PrepareLoadout = Callable[[Loadout], LoadoutChange | None]
"""Asked, of a tool that is on, whenever the tools that are on change. Must be quick."""

ReachesTools = Callable[[Mapping[str, Any]], "Literal['all'] | Sequence[str]"]
"""What a call may reach: "all", or words of its arguments. A word stands for every tool and
namespace whose name it contains."""


@dataclass(frozen=True, slots=True)
class Redescribed:
    """A tool whose description is another one; what is not told to the model is left to it."""

    tool: Tool
    description: str

    @property
    def name(self) -> str:
        return self.tool.name

    @property
    def parameters(self) -> dict[str, Any]:
        return self.tool.parameters

    @property
    def sampling(self) -> Any:
        return getattr(self.tool, "sampling", None)
