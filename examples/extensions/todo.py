"""A list of things to do, for the model as a tool and for the person as `/todos`.

The list is kept in the results of the tool: whoever goes back in the tree of the session finds the
list as it was there.
"""

from typing import Any, Literal

from pi.extensions import CommandContext, Context, Pi, ToolFailure, ToolResult

Items = list[dict[str, Any]]


def shown(items: Items) -> str:
    if not items:
        return "Nothing to do."
    return "\n".join(
        f"[{'x' if item['done'] else ' '}] #{item['id']} {item['text']}" for item in items
    )


def extend(pi: Pi) -> None:
    items: Items = []

    def restore(event: object, ctx: Context) -> None:
        items.clear()
        for result in ctx.session.results("todo"):
            if isinstance(result.get("details"), dict):
                items[:] = result["details"]["items"]

    pi.on("session_start", restore)
    pi.on("session_tree", restore)

    @pi.tool(
        snippet="keep a list of what is to be done",
        guidelines=["Use todo to plan work of more than two steps, and mark each step when done."],
        sequential=True,  # two calls at once would number alike
    )
    def todo(
        action: Literal["list", "add", "toggle", "clear"],
        text: str | None = None,
        id: int | None = None,
    ) -> ToolResult:
        """Keep a list of what is to be done.

        Args:
            action: What to do with the list.
            text: The new item, for add.
            id: The number of the item, for toggle.
        """
        if action == "add":
            if not text:
                raise ToolFailure("add needs a text")
            items.append({"id": len(items) + 1, "text": text, "done": False})
        elif action == "toggle":
            found = next((item for item in items if item["id"] == id), None)
            if found is None:
                raise ToolFailure(f"there is no item #{id}")
            found["done"] = not found["done"]
        elif action == "clear":
            items.clear()
        return ToolResult(
            [{"type": "text", "text": shown(items)}],
            details={"items": [dict(item) for item in items]},
        )

    @pi.command("todos", "Show what is to be done")
    def todos(arguments: str, ctx: CommandContext) -> None:
        ctx.ui.notify(shown(items))
