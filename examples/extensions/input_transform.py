"""Change what is said before the model sees it.

`?quick …` asks for a short answer; `ping` is answered without a model; what is said during a run
is marked as an interruption.
"""

from pi.extensions import Context, Handled, InputEvent, Pi, Transform


def extend(pi: Pi) -> None:
    @pi.on("input")
    def transform(event: InputEvent, ctx: Context) -> Transform | Handled | None:
        if event.source == "extension":
            return None
        if event.text == "ping":
            ctx.ui.notify("pong")
            return Handled()
        if event.text.startswith("?quick "):
            return Transform(f"Answer in one sentence: {event.text.removeprefix('?quick ')}")
        if event.streaming_behavior == "steer":
            return Transform(f"While you work on it: {event.text}")
        return None
