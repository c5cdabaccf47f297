"""`--mode json`: a session header, then every event, one JSON object a line."""

from collections.abc import Sequence

from pi.modes import stdio
from pi.modes.output import Output
from pi.modes.signals import aborts_on_signals
from pi.runtime.host import Host
from pi.runtime.prompts import Prompt
from pi.wire.jsonio import dump_line

__all__ = ["run_json"]


async def run_json(host: Host, prompts: Sequence[Prompt]) -> int:
    """Run the prompts in turn; the exit code. A failed reply is an event, not an exit code."""
    output = Output(stdio.stdout(), on_closed=host.stop)
    with aborts_on_signals(host.stop) as signals:
        output.write(dump_line(host.store.header))
        host.subscribe(lambda event: output.write(dump_line(event)))
        for prompt in prompts:
            await host.prompt(prompt.text, prompt.images)
            await host.settled()
            if signals.number is not None or output.closed:
                break
        output.flush()
    return signals.exit_code or 0
