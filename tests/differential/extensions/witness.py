"""An extension that writes down all it is told. `witness.ts` is its twin."""

import asyncio
import json
import os

from pi.agent.hook_events import EVENTS
from pi.agent.hook_events.base import Record
from pi.extensions import (
    Block,
    Cancel,
    CommandContext,
    CompactionPlan,
    Context,
    Handled,
    Pi,
    Trust,
)
from pi.wire.model import Model

NAMES = {"go_on": "continue", "session_name": "name"}


def camel(name: str) -> str:
    first, *rest = NAMES.get(name, name).split("_")
    return first + "".join(word.capitalize() for word in rest)


def kind(value) -> str:
    if isinstance(value, (list, tuple)):
        return "list"
    if isinstance(value, str):
        return "string"
    return "object"


def plain(name: str, value):
    if name in ("system_prompt", "payload", "headers"):
        return kind(value)
    if name == "data":
        return value["type"]
    if name == "system_prompt_options":
        fields = {each: getattr(value, each) for each in value.__dataclass_fields__}
        return {camel(key): kind(v) for key, v in fields.items() if v is not None}
    if isinstance(value, Model):
        return value.id
    if isinstance(value, CompactionPlan):
        shown = ("messages", "prefix")
        roles = {name: [m["role"] for m in getattr(value, name)] for name in shown}
        return {**fields_of(value), **roles}
    if isinstance(value, Record):
        return fields_of(value)
    if isinstance(value, (list, tuple)):
        return list(value)
    return value


def fields_of(event: Record) -> dict:
    told = {}
    for name in event._fields:
        value = getattr(event, name)
        if value is not None:
            told[camel(name)] = plain(name, value)
        if name == "system_prompt_options":
            told["selectedTools"] = value.selected_tools
    return told


def extend(pi: Pi) -> None:
    def tell(name: str, **about) -> None:
        with open(os.environ["WITNESSED"], "a") as log:
            log.write(json.dumps({"name": name, **about}) + "\n")

    def hear(name: str) -> None:
        def heard(event, ctx: Context):
            state = {"event": fields_of(event)}
            if name != "project_trust":
                leaf = ctx.session.leaf
                state["idle"] = ctx.is_idle
                state["pending"] = ctx.has_pending_messages
                state["leaf"] = leaf and leaf["type"]
            tell(name, **state)
            if name == "input" and event.text == "handled":
                return Handled()
            if name == "tool_call" and event.input.get("path") == "secret":
                return Block("no")
            if name == "session_before_switch" and os.environ.get("KEEP"):
                return Cancel()
            return Trust("yes") if name == "project_trust" else None

        pi.on(name, heard)

    for name in EVENTS:
        if name != "cache_warming_decision":
            hear(name)

    def entries(ctx: Context, role: str):
        found = ctx.session.entries()
        return [e for e in found if e["type"] == "message" and e["message"]["role"] == role]

    @pi.command("goto")
    async def goto(args: str, ctx: CommandContext) -> None:
        number, _, how = args.partition(" ")
        went = await ctx.navigate_tree(
            entries(ctx, "user")[int(number)]["id"],
            summarize=how == "sum",
            instructions="Briefly" if how == "sum" else None,
            label="here" if how == "label" else None,
        )
        tell("went", cancelled=went.cancelled)

    @pi.command("fork")
    async def fork(args: str, ctx: CommandContext) -> None:
        await ctx.fork(entries(ctx, "user")[0]["id"], position=args or "before")

    @pi.command("fresh")
    async def fresh(args: str, ctx: CommandContext) -> None:
        new = await ctx.new_session(
            parent=ctx.session.file, setup=lambda store: store.append_custom("set up")
        )
        if new is not None:
            await new.send_user_message("go on")

    @pi.command("again")
    async def again(args: str, ctx: CommandContext) -> None:
        await ctx.reload()

    @pi.command("name")
    def name_it(args: str) -> None:
        pi.set_session_name(args)

    @pi.command("level")
    def level(args: str) -> None:
        pi.set_thinking_level(args)

    @pi.command("use")
    def use(args: str, ctx: CommandContext) -> None:
        tell("used", done=pi.set_model(ctx.models.find("mock", args)))

    @pi.command("ask")
    async def ask(args: str, ctx: CommandContext) -> None:
        ui = ctx.ui
        tell("answers", all=await asyncio.gather(ui.confirm("Sure?", "x"), ui.input("Name?")))

    @pi.command("note")
    def note(args: str) -> None:
        given = {"customType": "note", "content": "a note", "display": True, "details": {"n": 1}}
        options = json.loads(args) if args else {}
        named = {"triggerTurn": "trigger_turn", "deliverAs": "deliver_as"}
        pi.send_message(given, **{named[key]: value for key, value in options.items()})

    @pi.command("say")
    def say(args: str) -> None:
        pi.send_user_message(args, expand=args.startswith("/"))

    @pi.command("squeeze")
    def squeeze(args: str, ctx: CommandContext) -> None:
        ctx.compact(
            args or None,
            on_complete=lambda result: tell("squeezed", keys=sorted(result)),
            on_error=lambda error: tell("not squeezed"),
        )

    @pi.command("tools")
    def tools(args: str) -> None:
        pi.set_active_tools(args.split(" "))
        tell("tools", active=pi.active_tools)

    @pi.command("usage")
    def usage(args: str, ctx: CommandContext) -> None:
        tell("usage", tokens=ctx.context_tokens, window=ctx.context_window)

    @pi.command("mark")
    def mark(args: str, ctx: CommandContext) -> None:
        first = entries(ctx, "user")[0]["id"]
        pi.set_label(first, args or None)
        tell("marked", label=ctx.session.label(first))

    @pi.command("tree")
    def tree(args: str, ctx: CommandContext) -> None:
        def shape(node):
            return [node.entry["type"], node.label, [shape(each) for each in node.children]]

        tell("tree", tree=[shape(node) for node in ctx.session.tree()])
