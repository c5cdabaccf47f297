"""Helpers with a context of their own: each is a pi in RPC mode that gets one task.

The model calls `delegate` with a task, or with several, which then run together. What a helper does
is shown while it works; only its last answer goes to the model that asked. A helper may have other
tools and another model than the session.
"""

import asyncio
from typing import Annotated

from pi.extensions import Context, Pi, ToolContext, ToolFailure, ToolResult

from .client import Helper, HelperError

MOST = 4


def extend(pi: Pi) -> None:
    program = pi.flag("helper", "The pi to run for helpers", kind="string", default="pi")

    @pi.tool(
        snippet="give tasks to helpers that work on their own",
        guidelines=["Use delegate for tasks that need much reading and little of what you know."],
    )
    async def delegate(
        tasks: Annotated[list[str], "Each for one helper; all it needs to know must be in there"],
        ctx: Context,
        call: ToolContext,
        tools: list[str] | None = None,
        model: str | None = None,
    ) -> ToolResult:
        """Give one or more tasks to helpers. They see nothing of this conversation.

        Args:
            tools: Names of the tools they may use; those that read, unless given.
            model: provider/model; this session's unless given.
        """
        if not 0 < len(tasks) <= MOST:
            raise ToolFailure(f"between 1 and {MOST} tasks, please")
        state = [{"task": task, "doing": "starting", "answer": ""} for task in tasks]

        def show() -> None:
            text = "\n".join(f"{i}. {s['doing']}" for i, s in enumerate(state, 1))
            call.update(ToolResult([{"type": "text", "text": text}], details={"helpers": state}))

        async def work(number: int) -> None:
            mine = state[number]

            def doing(what: str) -> None:
                mine["doing"] = what
                show()

            chosen = model or (ctx.model.reference if ctx.model else None)
            arguments = [
                "--no-session",
                "-ne",
                "-t",
                ",".join(tools or ["read", "grep", "find", "ls"]),
            ]
            if chosen is not None:
                provider, _, model_id = chosen.partition("/")
                arguments += ["--provider", provider, "--model", model_id]
            try:
                async with Helper(str(program()), arguments, ctx.cwd) as helper:
                    mine["answer"] = await helper.run(tasks[number], doing)
                doing("done")
            except HelperError as error:
                mine["answer"] = f"(failed: {error})"
                doing("failed")

        async with asyncio.TaskGroup() as group:
            for number in range(len(tasks)):
                group.create_task(work(number))
        text = "\n\n".join(f"## {s['task']}\n\n{s['answer']}" for s in state)
        failed = all(s["doing"] == "failed" for s in state)
        return ToolResult(
            [{"type": "text", "text": text}], details={"helpers": state}, is_error=failed
        )
