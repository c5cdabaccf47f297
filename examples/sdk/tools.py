"""Tools of a program's own: decorated functions, with arguments checked by their types."""

import asyncio
from typing import Annotated, Literal

import pi
from pi import ToolContext


@pi.tool
async def weather(city: str, unit: Literal["celsius", "fahrenheit"] = "celsius") -> str:
    """Tell the weather of a city.

    Args:
        city: its name, with the country if there are several
    """
    return f"18 degrees {unit} in {city}, light rain"


@pi.tool(name="note", rules=["note keeps what the user wants to remember."])
def take_note(text: Annotated[str, "One sentence"], context: ToolContext) -> dict[str, object]:
    """Keep a note."""
    path = context.cwd / "notes.txt"
    with path.open("a") as notes:
        notes.write(f"{text}\n")
    return {"kept": text, "in": str(path)}


class Scripted:
    """Stands for a model here: it calls both tools, and says what they returned."""

    async def answer(self, model, context, options):
        last = context.messages[-1]
        if last["role"] != "toolResult":
            yield "Let me look."
            yield pi.Call("weather", {"city": "Lisbon, Portugal"})
            yield pi.Call("note", {"text": "Take an umbrella."})
        else:
            results = [m for m in context.messages if m["role"] == "toolResult"]
            yield "\n".join(block["text"] for m in results for block in m["content"])


async def main() -> None:
    scripted = pi.Provider("scripted", ["s1"], Scripted().answer)
    async with pi.new_session(
        model="scripted/s1",
        providers=[scripted],
        tools=["read", weather, take_note],
        in_memory=True,
    ) as session:
        reply = await session.prompt("Do I need an umbrella in Lisbon?")
        print(reply.text)


if __name__ == "__main__":
    asyncio.run(main())
