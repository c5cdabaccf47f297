"""The tools of the session that is open: which there are, who reaches them, what the model is told.

Without extensions there is nothing to it, and nothing of this is loaded.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from pi.agent.checks import shown
from pi.agent.faults import is_fault
from pi.runtime.additions import AddedTool, Additions
from pi.tools.base import Tool, declaration
from pi.tools.exposure import Loadout, LoadoutChange, OfferedTool, Redescribed
from pi.tools.registry import BUILTIN, load
from pi.tools.selection import ToolRules
from pi.wire.messages import ToolDeclaration

__all__ = ["Declared", "Offering"]


class Declared(NamedTuple):
    """tools, hidden: see ToolSet.declared and hidden. visible: tools that are not hidden."""

    tools: list[ToolDeclaration] | None
    hidden: frozenset[str]
    visible: Sequence[Tool]


class Offering:
    """additions: of the session. own: tools of the program around. active: names of those that are
    on, as it is now.
    """

    def __init__(
        self,
        additions: Additions,
        rules: ToolRules,
        own: Mapping[str, Tool],
        active: Callable[[], Sequence[str]],
    ) -> None:
        self._additions = additions
        self._rules = rules
        self._own = own
        self._active = active

    def all(self) -> list[OfferedTool]:
        """Every tool there is, those that are withdrawn included."""
        names = dict.fromkeys((*BUILTIN, *self._own, *self._additions.tools))
        return [self._offered(name) for name in names if self._rules.keeps(name)]

    def callable(self) -> dict[str, OfferedTool]:
        """Those that other tools may call, by name."""
        added, active = self._additions.tools, self._active()
        names = dict.fromkeys((*BUILTIN, *self._own, *added))
        found = {}
        for name in names:
            exposure = "direct" if name not in added else added[name].exposure
            if exposure == "direct" and name not in active:
                continue
            if exposure in ("direct", "codemode", "deferred") and self._rules.keeps(name):
                found[name] = self._offered(name)
        return found

    def declare(self, tools: Sequence[Tool]) -> Declared:
        """What the model is told of these."""
        prepare = [
            added
            for tool in tools
            if (added := self._additions.tools.get(tool.name)) is not None
            and added.prepare_loadout is not None
        ]
        if not prepare:
            return Declared(None, frozenset(), tools)
        descriptions: dict[str, str] = {}
        hidden: set[str] = set()
        names = [tool.name for tool in tools]
        within = Offering(self._additions, self._rules, self._own, lambda: names)
        loadout = Loadout(
            tuple(map(self._offered, names)),
            tuple(within.callable().values()),
            tuple(self.all()),
        )
        for added in prepare:
            change = self._prepared(added, loadout)
            if change is not None:
                descriptions.update(change.descriptions)
                hidden.update(change.hidden)
        visible = [tool for tool in tools if tool.name not in hidden]
        declared = [_declaration(tool, descriptions) for tool in tools]
        return Declared(declared, frozenset(hidden & set(names)), visible)

    def _prepared(self, added: AddedTool, loadout: Loadout) -> LoadoutChange | None:
        assert added.prepare_loadout is not None, "asked only then"
        try:
            change: object = added.prepare_loadout(loadout)
            if change is None:
                return None
            if not isinstance(change, LoadoutChange):
                raise TypeError(f"it gives a LoadoutChange or None, not {shown(change)}")
            return LoadoutChange({**change.descriptions}, frozenset(change.hidden))
        except BaseException as error:  # whatever it is, the model is told something
            if not is_fault(error):
                raise
            self._additions.hooks.fault(f"prepare_loadout of {added.tool.name}", error, added.owner)
            return None

    def _offered(self, name: str) -> OfferedTool:
        added = self._additions.tools.get(name)
        if added is not None:
            return added.offered
        tool = self._own[name] if name in self._own else load(name)
        return OfferedTool(tool, output_schema=getattr(tool, "output_schema", None))


def _declaration(tool: Tool, descriptions: Mapping[str, str]) -> ToolDeclaration:
    text = descriptions.get(tool.name)
    return declaration(tool) if text is None else declaration(Redescribed(tool, text))
