"""A router that says what it was asked. `router.ts` is its twin."""

import asyncio
import json
import os

from pi.errors import PiError
from pi.extensions import Pi, Route


def extend(pi: Pi) -> None:
    def sent(one):
        return one and {
            "model": one.model.reference,
            "thinking": one.thinking,
            **({"error": one.message["stopReason"]} if one.message else {}),
        }

    @pi.register_virtual_model("router", "auto", name="Auto", thinking_levels=("low", "high"))
    async def route(request, ctx):
        find = ctx.models.find
        asked = {
            "reason": request.reason,
            "thinking": request.thinking,
            "previous": sent(request.previous),
            "failed": sent(request.failed),
            "state": request.state,
            "roles": [message["role"] for message in request.messages],
        }
        with open(os.environ["ROUTED"], "a") as log:
            log.write(json.dumps(asked) + "\n")
        last = json.dumps(request.messages[-1]["content"])
        if request.reason == "direct":
            return Route(find("other", "gpt"), "high")
        if "hangs" in last:
            await asyncio.sleep(3600)
        if "fails" in last:
            raise PiError("no way")
        if "keyless" in last:
            return Route(find("keyless", "x"))
        if "itself" in last:
            return Route(request.model)
        if request.reason == "retry":
            return Route(find("other", "gpt"), "high")
        if request.reason == "continuation":
            return Route(request.previous.model, request.previous.thinking, request.state)
        state = {"turns": (request.state or {}).get("turns", 0) + 1}
        if request.thinking == "high":
            return Route(find("mock", "big"), "max", state)
        return Route(find("mock", "small"), "low", state)

    @pi.register_virtual_model(
        "mock", "same", name="Same", context_window=5000, max_tokens=100, input=("text",)
    )
    def same(request, ctx):
        return Route(ctx.models.find("mock", "big"), request.thinking)

    pi.register_virtual_model("keyless", "never", lambda request: None, name="Never")

    @pi.command("ask", "Ask beside the conversation")
    async def ask(arguments, ctx):
        answer = await ctx.complete("aside", thinking="high")
        told = {"provider": answer["provider"], "model": answer["model"]}
        pi.append_entry("answer", {**told, "reason": answer["stopReason"]})

    @pi.command("goto", "Go on from the answer of that number")
    async def goto(number, ctx):
        answers = [
            entry
            for entry in ctx.session.entries()
            if entry["type"] == "message" and entry["message"]["role"] == "assistant"
        ]
        await ctx.navigate_tree(answers[int(number)]["id"])

    @pi.command("forget", "Take the virtual model away")
    async def forget():
        pi.unregister_virtual_model("router", "auto")
