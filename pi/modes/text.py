"""`--print`: the text of the final reply on stdout, everything else on stderr."""

import sys
from collections.abc import Sequence
from contextlib import aclosing

from pi.agent.session import AgentSession
from pi.modes.output import Output
from pi.modes.signals import aborts_on_signals
from pi.modes.stderr import tell
from pi.wire.messages import AssistantMessage, UserContent

__all__ = ["run_text"]


async def run_text(session: AgentSession, prompts: Sequence[Sequence[UserContent]]) -> int:
    """Run the prompts in turn and print the last reply; the exit code.

    1 when that reply failed, was aborted, or was cut off at the output limit (its text is printed).
    """
    with aborts_on_signals(session.abort) as signals:
        for prompt in prompts:
            async with aclosing(session.prompt(prompt)) as events:
                async for _ in events:
                    pass
            if signals.number is not None:
                return signals.exit_code or 1
        reply = session.last_reply
        return 0 if reply is None else _print(reply)


def _print(reply: AssistantMessage) -> int:
    reason = reply["stopReason"]
    if reason in ("error", "aborted"):
        tell(reply.get("errorMessage") or f"The request ended with: {reason}")
        return 1
    text = "".join(f"{block['text']}\n" for block in reply["content"] if block["type"] == "text")
    output = Output(sys.stdout.fileno())
    output.write(text.encode(errors="replace"))
    output.flush()
    if reason == "length":
        tell("The reply was cut off at the model's output token limit.")
        return 1
    return 0
