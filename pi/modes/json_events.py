"""`--mode json`: a session header, then every event, one JSON object a line."""

import sys
from collections.abc import Sequence
from contextlib import aclosing

from pi.agent.session import AgentSession
from pi.modes.output import Output
from pi.modes.signals import aborts_on_signals
from pi.wire.jsonio import dump_line
from pi.wire.messages import UserContent

__all__ = ["run_json"]


async def run_json(session: AgentSession, prompts: Sequence[Sequence[UserContent]]) -> int:
    """Run the prompts in turn; the exit code. A failed reply is an event, not an exit code."""
    output = Output(sys.stdout.fileno(), on_closed=session.abort)
    with aborts_on_signals(session.abort) as signals:
        output.write(dump_line(session.store.header))
        for prompt in prompts:
            async with aclosing(session.prompt(prompt)) as events:
                async for event in events:
                    output.write(dump_line(event))
            if signals.number is not None or output.closed:
                break
        output.flush()
    return signals.exit_code or 0
