"""Ask one thing, and print the answer as it comes.

    python examples/sdk/hello.py [model]

Without a model it asks the demo provider, which needs no key.
"""

import asyncio
import sys

import pi


async def main(model: str) -> None:
    async with pi.new_session(model=model, in_memory=True) as session:
        async for event in session.prompt("What is in this folder?"):
            if event["type"] == "message_update":
                update = event["assistantMessageEvent"]
                if update["type"] == "text_delta":
                    print(update["delta"], end="", flush=True)
            elif event["type"] == "tool_execution_start":
                print(f"[{event['toolName']}]")
        print()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "demo/demo-1"))
