"""`--print`: the text of the final reply on stdout, everything else on stderr."""

from collections.abc import Sequence

from pi.modes import stdio
from pi.modes.output import Output
from pi.modes.signals import aborts_on_signals
from pi.modes.stderr import tell
from pi.runtime.host import Host
from pi.runtime.prompts import Prompt
from pi.wire.messages import AssistantMessage

__all__ = ["run_text"]


async def run_text(host: Host, prompts: Sequence[Prompt]) -> int:
    """Run the prompts in turn and print the last reply; the exit code.

    1 when that reply failed, was aborted, or was cut off at the output limit (its text is printed).
    """
    with aborts_on_signals(host.stop) as signals:
        for prompt in prompts:
            await host.prompt(prompt.text, prompt.images)
            await host.settled()
            if signals.number is not None:
                return signals.exit_code or 1
        reply = host.session.last_reply
        return 0 if reply is None else _print(reply)


def _print(reply: AssistantMessage) -> int:
    reason = reply["stopReason"]
    if reason in ("error", "aborted"):
        tell(reply.get("errorMessage") or f"The request ended with: {reason}")
        return 1
    text = "".join(f"{block['text']}\n" for block in reply["content"] if block["type"] == "text")
    output = Output(stdio.stdout())
    output.write(text.encode(errors="replace"))
    output.flush()
    if reason == "length":
        tell("The reply was cut off at the model's output token limit.")
        return 1
    return 0
