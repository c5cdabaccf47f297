"""Plan first: look at everything, change nothing, then carry the plan out step by step.

`/plan` (or Ctrl+Alt+P, or `--plan`) switches plan mode on and off. While it is on, the model has
tools that read only, and commands that could change something are blocked. When it has written a
numbered plan, you are asked whether to carry it out; then each step is ticked off as the model
marks it with `[done 3]`.
"""

from typing import Any

from pi.extensions import (
    AgentSettled,
    BeforeAgentStart,
    Block,
    CommandContext,
    Context,
    MessageEnd,
    Pi,
    Start,
    ToolCall,
)

from .plan import Plan, is_harmless, read_plan

READING = ("read", "bash", "grep", "find", "ls")
STATE = "plan-mode"
INSTRUCTIONS = """Plan mode is on. Look at whatever you need, and change nothing: no edits, no
commands that write. Then write the plan under a line "Plan:", as a numbered list of steps."""
CARRY_OUT = "Carry out the plan. After each step write [done N] with its number."


def extend(pi: Pi) -> None:
    flag = pi.flag("plan", "Start in plan mode")
    planning = False
    before: list[str] = []
    plan = Plan()

    def keep(ctx: Context) -> None:
        pi.append_entry(STATE, {"planning": planning, "steps": plan.steps, "done": plan.done})
        show(ctx)

    def show(ctx: Context) -> None:
        ctx.ui.set_status(STATE, "plan mode" if planning else plan.progress())
        ctx.ui.set_widget(STATE, plan.lines() or None)

    def switch(on: bool, ctx: Context) -> None:
        nonlocal planning, before
        if on == planning:
            return
        planning = on
        if on:
            before = pi.active_tools
            pi.set_active_tools(
                [name for name in READING if name in {t["name"] for t in pi.all_tools()}]
            )
        elif before:
            pi.set_active_tools(before)
        keep(ctx)

    @pi.on("session_start")
    def restore(event: object, ctx: Context) -> None:
        nonlocal plan
        state: dict[str, Any] = next(reversed(ctx.session.kept(STATE)), {})
        plan = Plan(list(state.get("steps", ())), list(state.get("done", ())))
        if flag() or state.get("planning"):
            switch(True, ctx)
        elif plan.steps:
            show(ctx)

    @pi.command("plan", "Switch plan mode on or off")
    def toggle(arguments: str, ctx: CommandContext) -> None:
        switch(not planning, ctx)
        ctx.ui.notify("Plan mode is on" if planning else "Plan mode is off")

    @pi.shortcut("ctrl+alt+p", "Switch plan mode on or off")
    def key(ctx: CommandContext) -> None:
        switch(not planning, ctx)

    @pi.on("tool_call")
    def gate(event: ToolCall) -> Block | None:
        if not planning:
            return None
        if event.tool_name in ("edit", "write"):
            return Block("Plan mode: nothing is changed. Put it into the plan.")
        if event.tool_name == "bash" and not is_harmless(event.input["command"]):
            return Block("Plan mode: only commands that read are allowed.")
        return None

    @pi.on("before_agent_start")
    def instruct(event: BeforeAgentStart) -> Start | None:
        if not planning:
            return None
        return Start(message={"customType": STATE, "content": INSTRUCTIONS, "display": False})

    @pi.on("message_end")
    def follow(event: MessageEnd, ctx: Context) -> None:
        nonlocal plan
        if event.message["role"] != "assistant":
            return
        text = ctx.text_of(event.message)
        if planning:
            plan = read_plan(text) or plan
        elif plan.tick(text):
            keep(ctx)

    @pi.on("agent_settled")
    async def settled(event: AgentSettled, ctx: Context) -> None:
        if not planning or event.aborted or not plan.steps or not ctx.has_ui:
            return
        keep(ctx)
        go, stay = "Carry it out", "Stay in plan mode"
        if await ctx.ui.select("The plan is ready", [go, stay]) == go:
            switch(False, ctx)
            pi.send_user_message(CARRY_OUT)
