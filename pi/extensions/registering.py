"""What an extension says of a tool besides what it does, and what it hears of all tools."""

from collections.abc import Mapping
from typing import Any, TypedDict, get_args

from pi.agent.checks import json_problem
from pi.runtime.additions import AddedTool, SourceInfo
from pi.runtime.looks import Renderer
from pi.tools.base import Tool
from pi.tools.exposure import Exposure, Namespace, OfferedTool, PrepareLoadout, ReachesTools

__all__ = ["REGISTERED", "Registered", "added_tool", "described"]

_EXPOSURES = get_args(Exposure)


class Registered(TypedDict, total=False):
    """See Pi.register_tool."""

    label: str | None
    active: bool
    exposure: Exposure
    namespace: Namespace | Mapping[str, Any] | None
    annotations: Mapping[str, bool] | None
    output_schema: Mapping[str, Any] | None
    reaches_tools: ReachesTools | None
    prepare_loadout: PrepareLoadout | None
    render_call: Renderer | None
    render_result: Renderer | None
    own_shell: bool


REGISTERED = frozenset(Registered.__annotations__)


def added_tool(tool: Tool, owner: str, source: SourceInfo, options: Registered) -> AddedTool:
    """The tool as it is registered. Raises TypeError and ValueError for what is wrong."""
    if unknown := set(options) - REGISTERED:
        raise TypeError(f"unexpected: {', '.join(sorted(unknown))}")
    exposure = options.get("exposure", "direct")
    if exposure not in _EXPOSURES:
        raise ValueError(f"{exposure!r} is no exposure; there are {', '.join(_EXPOSURES)}")
    namespace = options.get("namespace")
    schema = options.get("output_schema")
    if schema is not None and json_problem(dict(schema)) is not None:
        raise TypeError(f"the output_schema of {tool.name} is no JSON Schema")
    return AddedTool(
        tool,
        owner,
        source,
        label=options.get("label") or tool.name,
        active=options.get("active", True),
        exposure=exposure,
        annotations=options.get("annotations") or {},
        namespace=Namespace(**namespace) if isinstance(namespace, Mapping) else namespace,
        output_schema=schema,
        reaches_tools=options.get("reaches_tools"),
        prepare_loadout=options.get("prepare_loadout"),
        render_call=options.get("render_call"),
        render_result=options.get("render_result"),
        own_shell=options.get("own_shell", False),
    )


def described(offered: OfferedTool, source: SourceInfo | None) -> dict[str, Any]:
    """An item of Pi.all_tools. source: None for pi's own."""
    name = offered.name
    about: dict[str, Any] = {
        "name": name,
        "description": offered.description,
        "parameters": offered.parameters,
        "promptGuidelines": list(offered.guidelines),
        "exposure": offered.exposure,
        "annotations": dict(offered.annotations),
    }
    if offered.namespace is not None:
        about["namespace"] = offered.namespace
    if offered.output_schema is not None:
        about["outputSchema"] = offered.output_schema
    if offered.reaches is not None:
        about["reachesTools"] = offered.reaches
    own = {"path": f"builtin:{name}", "source": "builtin"}
    own |= {"scope": "temporary", "origin": "top-level"}
    about["sourceInfo"] = own if source is None else dict(source)
    return about
