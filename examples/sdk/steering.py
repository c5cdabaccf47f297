"""Say something while the agent works, look at what waits, and stop it."""

import asyncio

import pi


async def counting(model, context, options):
    """Stands for a model: it counts for as long as nobody says anything else."""
    said = [m for m in context.messages if m["role"] == "user"][-1]["content"][0]["text"]
    if said == "count":
        yield pi.Call("bash", {"command": "sleep 0.5; echo 1 2 3"})
    elif said == "for ever":
        while True:
            yield "… "
            await asyncio.sleep(0.01)
    else:
        yield f"You said: {said}"


async def main() -> None:
    provider = pi.Provider("counting", ["c1"], counting)
    async with pi.new_session(
        model="counting/c1", providers=[provider], tools=["bash"], in_memory=True
    ) as session:
        async for event in session.prompt("count"):
            if event["type"] == "tool_execution_start":
                await session.steer("stop counting")
                await session.follow_up("and now?")
                print("waiting:", session.queued)
            elif event["type"] == "message_end" and event["message"]["role"] == "assistant":
                print("answer:", session.last_text)

        run = session.prompt("for ever")
        async for event in run:
            if event["type"] == "message_update":
                await session.abort()
        reply = await run
        print("stopped:", reply.stop_reason)


if __name__ == "__main__":
    asyncio.run(main())
