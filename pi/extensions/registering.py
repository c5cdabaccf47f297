"""What an extension says of a tool besides what it does, and what it hears of all tools."""

from collections.abc import Mapping
from typing import Any, TypedDict, get_args

from pi.agent.checks import json_problem, shown
from pi.extensions.checking import must_be_function
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
    _check(tool)
    exposure = options.get("exposure", "direct")
    if exposure not in _EXPOSURES:
        raise ValueError(f"{exposure!r} is no exposure; there are {', '.join(_EXPOSURES)}")
    namespace = options.get("namespace")
    if not isinstance(namespace, Namespace | Mapping | None):
        raise TypeError(f"namespace of {tool.name} is a Namespace(…), not {shown(namespace)}")
    if not isinstance(options.get("annotations"), Mapping | None):
        raise TypeError(f"annotations of {tool.name} are a dict: {{'readOnlyHint': True}}")
    for name in ("reaches_tools", "prepare_loadout", "render_call", "render_result"):
        if (function := options.get(name)) is not None:
            must_be_function(function, f"{name} of {tool.name}")
    schema = options.get("output_schema")
    if schema is not None and (not isinstance(schema, Mapping) or json_problem(dict(schema))):
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


def _check(tool: Any) -> None:
    """Raises TypeError for an object that is no `pi.tools.base.Tool`."""
    kind = type(tool).__name__ if not isinstance(tool, type) else f"the class {tool.__name__}"
    for name, kinds, what in _TOOL:
        if not isinstance(getattr(tool, name, None), kinds):
            raise TypeError(f"{kind} is no tool: {name} is {what}")
    if isinstance(tool, type) or not callable(getattr(tool, "run", None)):
        raise TypeError(f"{kind} is no tool: an object with `async def run(args, context)` is")
    parameters = tool.parameters
    if parameters.get("type") != "object" or json_problem(dict(parameters)) is not None:
        raise TypeError(f"the parameters of {tool.name} are no JSON Schema of an object")
    if not isinstance(getattr(tool, "sampling", None), Mapping | None):
        raise TypeError(f"sampling of {tool.name} is a dict, not {shown(tool.sampling)}")
    if (prepare := getattr(tool, "prepare", None)) is not None:
        must_be_function(prepare, f"prepare of {tool.name}")


_TOOL: tuple[tuple[str, tuple[type, ...], str], ...] = (
    ("name", (str,), "a text"),
    ("description", (str,), "a text"),
    ("parameters", (Mapping,), "a JSON Schema"),
    ("snippet", (str,), 'a text, "" for none'),
    ("rules", (list, tuple), "a list of texts"),
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
