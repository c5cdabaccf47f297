"""A small model for short prompts, a large one for long ones.

    pi -e length_router.py --small provider/id --large provider/id --model length/auto

`--words` says from how many words on a prompt is long. What follows a prompt stays with its model,
where the prompt is cached.
"""

from pi.errors import PiError
from pi.extensions import Context, Pi, Route, RouteRequest


def extend(pi: Pi) -> None:
    small = pi.flag("small", "The model for short prompts", kind="string")
    large = pi.flag("large", "The model for long prompts", kind="string")
    words = pi.flag("words", "What a long prompt has", kind="string", default="100")

    @pi.register_virtual_model("length", "auto", name="By length", thinking_levels=("off", "high"))
    def route(request: RouteRequest, ctx: Context) -> Route:
        if request.reason == "continuation" and request.previous is not None:
            return Route(request.previous.model, request.previous.thinking)
        said = [message for message in request.messages if message["role"] == "user"]
        is_long = bool(said) and len(ctx.text_of(said[-1]).split()) >= int(str(words()))
        model = large() if is_long else small()
        if model is None:
            raise PiError("length/auto needs --small provider/id and --large provider/id")
        return Route(str(model), request.thinking)
