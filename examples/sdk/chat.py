"""A conversation at a prompt, that goes on where the last one in this folder ended.

    python examples/sdk/chat.py [model]

Without a model it talks to the demo provider, which needs no key. Ctrl-D ends it.
"""

import asyncio
import sys

import pi


async def answer(session: pi.Session, text: str) -> None:
    async for event in session.prompt(text):
        if event["type"] == "message_update":
            piece = event["assistantMessageEvent"]
            if piece["type"] == "text_delta":
                print(piece["delta"], end="", flush=True)
        elif event["type"] == "tool_execution_start":
            print(f"[{event['toolName']}]")
        elif event["type"] == "message_end":
            message = event["message"]
            if message["role"] == "assistant" and message["stopReason"] == "error":
                print("failed:", message.get("errorMessage"), file=sys.stderr)
    print()


async def main(model: str) -> None:
    async with pi.continue_session(model=model) as session:
        print(session.name or session.id, f"({len(session.questions())} questions so far)")
        while True:
            try:
                text = await asyncio.to_thread(input, "> ")
            except EOFError:
                break
            if not text.strip():
                continue
            try:
                await answer(session, text)
            except pi.PiError as error:
                print(f"{error}. {error.hint}", file=sys.stderr)
        print(f"\n{session.statistics()['tokens']['total']} tokens, kept in {session.path}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "demo/demo-1"))
