"""Tell a web hook when pi has settled, and when it waits for an answer.

    PI_WEBHOOK=https://chat.example/hook pi

It gets `{"text": …}`, which Slack, Mattermost and others understand.
"""

import os

from pi.extensions import AgentSettled, Context, Pi, UiPromptStart


def extend(pi: Pi) -> None:
    url = os.environ.get("PI_WEBHOOK")
    if url is None:
        return

    async def tell(text: str) -> None:
        import httpx  # noqa: PLC0415  (here, not at the top: most starts do without)

        async with httpx.AsyncClient(timeout=5) as client:
            answer = await client.post(url, json={"text": text})
        answer.raise_for_status()

    def where(ctx: Context) -> str:
        return ctx.session.name or ctx.cwd.name

    @pi.on(AgentSettled)
    def settled(event: AgentSettled, ctx: Context) -> None:
        first = next(iter(ctx.session.answer.strip().splitlines()), "")[:200]
        text = "was stopped" if event.aborted else f"is done: {first}"
        pi.background(tell(f"{where(ctx)} {text}"), grace=5)  # also when pi ends right now

    @pi.on(UiPromptStart)
    def waits(event: UiPromptStart, ctx: Context) -> None:
        pi.background(tell(f"{where(ctx)} waits: {event.title or event.kind}"))
