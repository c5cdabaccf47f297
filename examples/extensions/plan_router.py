"""One model to select, two that work: a strong one plans, a cheaper one carries out.

    pi -e plan_router.py --model plan/auto --planner anthropic/claude-opus-5-5 \
        --builder anthropic/claude-haiku-5

The planner answers until it has changed a file; from then on the builder does, so the prompt cache
is lost once a session. A phase is not to be seen in the conversation: it is kept as the router's
state, which follows the branches of the session.
"""

from collections.abc import Sequence

from pi.errors import PiError
from pi.extensions import Context, Pi, Route, RouteRequest
from pi.wire.messages import AgentMessage

CHANGES = ("edit", "write")


def has_changed_files(messages: Sequence[AgentMessage]) -> bool:
    """Whether a file was changed since the person last said something."""
    for message in reversed(messages):
        if message["role"] == "user":
            return False
        if message["role"] != "toolResult" or message["isError"]:
            continue
        if message["toolName"] in CHANGES:
            return True
    return False


def extend(pi: Pi) -> None:
    planner = pi.flag("planner", "The model that plans", kind="string")
    builder = pi.flag("builder", "The model that carries out", kind="string")

    @pi.register_virtual_model(
        "plan", "auto", name="Plan, then build", thinking_levels=("low", "medium", "high")
    )
    def route(request: RouteRequest, ctx: Context) -> Route:
        names = {"plan": planner(), "build": builder()}
        if None in names.values():
            raise PiError("plan/auto needs --planner provider/id and --builder provider/id")
        if request.reason == "direct":  # such as a summary
            return Route(str(names["build"]), "low")
        if (
            request.failed is not None
            and "overloaded"
            in str(
                request.failed.message and request.failed.message.get("errorMessage", "")
            ).lower()
        ):
            # Ask the other one meanwhile; the phase stays.
            other = names["build"] if request.state == "plan" else names["plan"]
            return Route(str(other), request.thinking)
        phase = request.state or "plan"
        if phase == "plan" and has_changed_files(request.messages):
            phase = "build"
        return Route(str(names[phase]), request.thinking, phase)

    @pi.command("phase", "Which of the two is at work")
    async def phase(arguments: str, ctx: Context) -> None:
        kept = [
            entry["data"]["state"]
            for entry in ctx.session.branch()
            if entry["type"] == "custom" and entry["customType"] == "pi.virtual-model-state"
        ]
        ctx.ui.notify(kept[-1] if kept else "plan")
