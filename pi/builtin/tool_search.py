"""The tool `tool_search`: finds tools that the model was not told of, and switches them on."""

from typing import Annotated, Any

from pi.extensions import Pi, ToolFailure, ToolResult

__all__ = ["extend"]

MOST = 8
"""Tools that are switched on at once, unless the model says otherwise."""

DESCRIPTION = """\
Find tools that you were not told of, such as those of MCP servers, and have them declared.

Say in a few words what you want to do; what matches best can be called from your next reply on. \
If nothing matches, try other words before you decide that there is no such tool."""


def extend(pi: Pi) -> None:
    @pi.tool(
        description=DESCRIPTION,
        label="Tool search",
        snippet="find tools that are not listed here and switch them on",
        active=False,
        exposure="model-only",
        reaches_tools=lambda arguments: "all",
    )
    async def tool_search(
        query: Annotated[str, "What the tool is to do, in a few words"],
        limit: Annotated[float, f"The most tools to switch on (default: {MOST})"] = MOST,
    ) -> ToolResult:
        """See DESCRIPTION."""
        from pi.builtin.ranking import rank  # noqa: PLC0415  (for a search only)

        if not query.strip():
            raise ToolFailure("the query is empty: say what the tool is to do")
        if limit < 1 or limit != int(limit):
            raise ToolFailure("limit must be a whole number, 1 or more")
        active = pi.active_tools
        matches = rank(query, [tool for tool in pi.all_tools() if _is_found(tool, active)])
        chosen = matches[: int(limit)]
        names = [tool["name"] for tool in chosen]
        if not names:
            return _result("No tool matches. Try other words.", [])
        pi.set_active_tools([*active, *names])
        lines = (f"- {tool['name']}: {_first_line(tool['description'])}" for tool in chosen)
        count = "1 tool" if len(names) == 1 else f"{len(names)} tools"
        return _result("\n".join((f"Found {count}, to be called from now on:", *lines)), names)


def _is_found(tool: dict[str, Any], active: list[str]) -> bool:
    """Whether the model is not told of it, but may be.

    A list of `--tools` can leave the model without an MCP tool that is direct otherwise.
    """
    if tool["name"] in active:
        return False
    if tool["exposure"] == "direct":
        return str(tool["name"]).startswith("mcp__")
    return tool["exposure"] in ("codemode", "deferred")


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]


def _result(text: str, loaded: list[str]) -> ToolResult:
    return ToolResult([{"type": "text", "text": text}], details={"loaded": loaded})
