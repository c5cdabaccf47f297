"""Compact with a summary of your own making: everything at once, by a model of your choice.

`--compact-with provider/model` names the model; without it, the session's own is asked.
"""

from pi.extensions import Cancel, Context, CustomCompaction, Pi, SessionBeforeCompact

ASK = """Here is the beginning of a conversation between a user and a coding agent.
Write what the agent needs to know to go on without it: what is wanted, what was decided, which
files matter, what is left to do. Lists rather than prose.

{conversation}"""


def extend(pi: Pi) -> None:
    wanted = pi.flag("compact-with", "Model that writes the summaries", kind="string")

    @pi.on("session_before_compact")
    async def summarize(
        event: SessionBeforeCompact, ctx: Context
    ) -> CustomCompaction | Cancel | None:
        plan = event.preparation
        model = ctx.model
        if name := wanted():
            provider, _, model_id = str(name).partition("/")
            model = ctx.models.find(provider, model_id)
            if model is None:
                ctx.ui.notify(f"There is no model {name}: compacting as usual", "warning")
                return None
        said = [*plan.messages, *plan.prefix]
        conversation = "\n\n".join(
            f"{message['role']}: {ctx.text_of(message)}"
            for message in said
            if message["role"] in ("user", "assistant", "toolResult")
        )
        if plan.previous_summary:
            conversation = f"Before that: {plan.previous_summary}\n\n{conversation}"
        answer = await ctx.complete(ASK.format(conversation=conversation), model=model)
        if answer["stopReason"] != "stop":
            ctx.ui.notify("No summary came: compacting as usual", "warning")
            return None
        return CustomCompaction(
            ctx.text_of(answer),
            details={"readFiles": plan.read_files, "modifiedFiles": plan.modified_files},
            usage=answer["usage"],
        )
