"""Handlers that answer, several for each event: what comes of it. `composing.ts` is its twin."""

import json

from pi.extensions import (
    Block,
    Boundary,
    Context,
    CustomCompaction,
    CustomTree,
    Handled,
    Pi,
    ResultPatch,
    Start,
    ToolResult,
    Transform,
)


def text(words: str) -> list:
    return [{"type": "text", "text": words}]


def extend(pi: Pi) -> None:
    @pi.on("input")
    def one(event):
        return Transform(event.text + " one") if event.text.startswith("a") else None

    @pi.on("input")
    def two(event):
        return Transform(event.text + " two") if event.text.endswith(" one") else None

    @pi.on("input")
    def stop(event):
        return Handled() if event.text == "stop" else None

    @pi.on("input")
    def in_place(event):
        event.text = "changed in place"

    @pi.on("before_agent_start")
    def first_note(event):
        options = event.system_prompt_options
        options.prompt_guidelines.append("Be kind.")
        options.sections["deploy"] = "With make."
        options.selected_tools = [name for name in options.selected_tools if name != "edit"]
        return Start({"customType": "first", "content": "first note", "display": False})

    @pi.on("before_agent_start")
    def second_note(event, ctx: Context):
        seen = "Be kind." in event.system_prompt and ctx.system_prompt == event.system_prompt
        note = {"customType": "second", "content": f"seen {json.dumps(seen)}", "display": True}
        forced = "Forced." if event.prompt.startswith("force") else None
        return Start({**note, "details": {"seen": seen}}, forced)

    @pi.on("before_agent_start")
    def force(event):
        forced = event.system_prompt == "Forced."
        return Start(system_prompt=event.system_prompt + " Twice.") if forced else None

    @pi.on("context")
    def without_secrets(event):
        return [m for m in event.messages if "secret" not in json.dumps(m)]

    @pi.on("context")
    def counted(event):
        said = text(f"there are {len(event.messages)}")
        return [*event.messages, {"role": "user", "content": said, "timestamp": 1}]

    @pi.on("before_provider_request")
    def named(event):
        return {**event.payload, "metadata": {"user_id": "u"}}

    @pi.on("before_provider_request")
    def named_more(event):
        return {**event.payload, "metadata": {**event.payload["metadata"], "more": "1"}}

    @pi.on("before_provider_headers")
    def headers(event):
        event.headers["x-one"] = "1"
        event.headers["x-two"] = "2"

    @pi.on("before_provider_headers")
    def other_headers(event):
        event.headers["x-two"] = None
        event.headers["X-One"] = event.headers.pop("x-one") + "!"

    @pi.on("tool_call")
    def elsewhere(event):
        if event.tool_name == "read":
            event.input["path"] = "b.txt"

    @pi.on("tool_call")
    def seen(event):
        if event.tool_name == "read" and event.input["path"] != "b.txt":
            return Block("not seen")
        return None

    @pi.on("tool_call")
    def no_shell(event):
        if event.tool_name == "bash":
            return Block("no shell", terminate=event.input["command"] == "end")
        return None

    @pi.on("tool_call")
    def too_late(event):
        if event.tool_name == "bash":
            return Block("too late")
        return None

    @pi.on("tool_call")
    def undecided(event):
        if event.tool_name == "write":
            raise ValueError("undecided")

    @pi.on("tool_result")
    def details(event):
        return ResultPatch(details={"n": 1}) if event.tool_name == "data" else None

    @pi.on("tool_result")
    def content(event):
        if event.tool_name == "data":
            said = f"n is {event.details['n']}, {event.structured_content['k']}"
            return ResultPatch(content=text(said))
        return None

    @pi.on("tool_result")
    def dropped(event):
        if event.tool_name == "data":
            return ResultPatch(is_error=event.structured_content is not None)
        return None

    @pi.on("message_end")
    def mend(event):
        message = event.message
        if message["role"] == "assistant" and message["stopReason"] == "stop":
            return {**message, "content": text("mended")}
        return None

    @pi.on("message_end")
    def mend_again(event):
        message = event.message
        if message["role"] == "assistant" and message["content"][0].get("text") == "mended":
            return {**message, "content": text("mended twice")}
        if message["role"] == "user":
            return {**message, "role": "assistant"}
        return None

    turns = []

    @pi.on("turn_end")
    def go_on(event):
        if event.outcome == "completed" and not event.tool_results:
            turns.append(event)
            if len(turns) == 1:
                draft = {"type": "custom_message", "customType": "more", "content": "go on"}
                return Boundary([{**draft, "display": False}], go_on=True)
        return None

    @pi.on("turn_end")
    def keep(event):
        if event.go_on:
            draft = {"type": "custom", "customType": "kept", "data": {"n": len(event.context)}}
            return Boundary([*event.entries, draft])
        return None

    settled = []

    @pi.on("agent_before_settle")
    def settle(event):
        settled.append(event)
        if len(settled) == 1:
            return Boundary([{"type": "custom", "customType": "settled"}], go_on=True)
        return None

    @pi.on("agent_before_settle")
    def enough(event):
        return Boundary(go_on=False) if event.go_on else None

    @pi.on("session_before_compact")
    def first_summary(event):
        return CustomCompaction("first", tokens_before=7)

    @pi.on("session_before_compact")
    def second_summary(event):
        return CustomCompaction("second", tokens_before=8, details={"by": "me"})

    @pi.on("session_before_tree")
    def left(event):
        return CustomTree(summary="left", details={"d": 1}, label="mine")

    @pi.on("session_before_tree")
    def other(event):
        return CustomTree(label="other")

    @pi.tool(
        name="data",
        parameters={"type": "object", "properties": {}},
        output_schema={"type": "object"},
        description="Data",
    )
    def data(args):
        return ToolResult(text("raw"), structured={"k": "v"})

    @pi.command("leave")
    async def leave(args, ctx):
        user = [e for e in ctx.session.entries() if e.get("message", {}).get("role") == "user"]
        await ctx.navigate_tree(user[0]["id"], summarize=True)
