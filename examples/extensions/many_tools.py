"""Many tools without a long list: the model finds them, or scripts do, and one tool calls others.

`pi -t +tool_search -e many_tools.py -p "How warm is it in Oslo?"`
"""

import asyncio

from pi.extensions import Namespace, Pi, ToolContext, ToolFailure

WEATHER = Namespace(
    "weather", description="Weather of towns.", instructions="Towns are named in English."
)
DEGREES = {"Oslo": 4, "Rome": 19, "Cairo": 27}
RAIN = {"Oslo": True, "Rome": False, "Cairo": False}


def extend(pi: Pi) -> None:
    @pi.tool(exposure="deferred", namespace=WEATHER, annotations={"readOnlyHint": True})
    def temperature(town: str) -> str:
        """How warm it is in a town.

        Args:
            town: Its name.
        """
        if town not in DEGREES:
            raise ToolFailure(f"nobody measures in {town}")
        return f"{DEGREES[town]} °C"

    @pi.tool(exposure="deferred", namespace=WEATHER, annotations={"readOnlyHint": True})
    def rain(town: str) -> str:
        """Whether it rains in a town."""
        return "yes" if RAIN.get(town) else "no"

    @pi.tool(exposure="model-only", reaches_tools=lambda arguments: ["temperature"])
    async def compare_towns(towns: list[str], call: ToolContext) -> str:
        """How warm it is in several towns, the warmest last."""
        asked = [call.call_tool("temperature", {"town": town}) for town in towns]
        answers = await asyncio.gather(*asked)  # failures are answers, too
        known = [town for town, answer in zip(towns, answers, strict=True) if not answer.is_error]
        return ", ".join(sorted(known, key=DEGREES.__getitem__))
