"""What each command does. Source: docs/rpc-commands.md.

A handler is given the host and the command, and returns what the response carries as `data`, or
NOTHING. It may be a coroutine. PiError becomes a failed response. Commands wait while one of
REPLACING puts another session in place, but for those of AT_ONCE.
"""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from pi.errors import PiError
from pi.models.records import record_of_model
from pi.modes.rpc import fields
from pi.modes.rpc.tree import entries_json, tree_json
from pi.runtime.host import Host
from pi.wire.jsonio import dumps
from pi.wire.messages import THINKING_LEVELS, AgentMessage, ThinkingLevel, text_of
from pi.wire.model import Model

__all__ = ["AT_ONCE", "COMMANDS", "ENDING_BY_THEMSELVES", "NOTHING", "REPLACING", "Emit", "Raw"]

Command = Mapping[str, Any]
Emit = Callable[[dict[str, Any]], None]


class Raw(bytes):
    """Data that is JSON text already."""


NOTHING: Final = object()
"""For a response without `data`; None stands for null."""


# Prompts


async def prompt(host: Host, command: Command, emit: Emit) -> Any:
    disposition = await host.prompt(
        fields.text(command, "message"),
        fields.images(command),
        # Without it a prompt is refused during a run. Any other word queues it for the next turn.
        while_running=(
            None
            if command.get("streamingBehavior") is None
            else "followUp"
            if command["streamingBehavior"] == "followUp"
            else "steer"
        ),
    )
    return {"disposition": disposition}


async def steer(host: Host, command: Command, emit: Emit) -> Any:
    images = fields.images(command)
    return {"disposition": await host.say(fields.text(command, "message"), images, when="steer")}


async def follow_up(host: Host, command: Command, emit: Emit) -> Any:
    images = fields.images(command)
    return {"disposition": await host.say(fields.text(command, "message"), images, when="followUp")}


async def abort(host: Host, command: Command, emit: Emit) -> Any:
    await host.abort()
    return NOTHING


def clear_queue(host: Host, command: Command, emit: Emit) -> Any:
    queues = host.session.queues
    before = queues.clear()
    emit(dict(queues.state()))
    return {"steering": before["steering"], "followUp": before["followUp"]}


async def compact(host: Host, command: Command, emit: Emit) -> Any:
    return await host.compact(fields.optional_text(command, "customInstructions"))


def abort_retry(host: Host, command: Command, emit: Emit) -> Any:
    host.session.abort_retry()
    return NOTHING


async def bash(host: Host, command: Command, emit: Emit) -> Any:
    about = {"id": command["id"]} if "id" in command else {}

    def told(delta: str) -> None:
        emit({"type": "bash_execution_update", **about, "delta": delta})

    exclude = command.get("excludeFromContext") is True
    message = await host.session.shell(
        fields.text(command, "command"), exclude=exclude, on_output=told, drain=host.drain
    )
    kept = ("output", "exitCode", "cancelled", "truncated", "fullOutputPath")
    return {key: message.get(key) for key in kept if key in message}


def abort_bash(host: Host, command: Command, emit: Emit) -> Any:
    host.session.abort_shell()
    return NOTHING


# What is


def get_state(host: Host, command: Command, emit: Emit) -> Any:
    session, store, queues = host.session, host.store, host.session.queues
    state: dict[str, Any] = {
        "model": record_of_model(session.model),
        "thinkingLevel": session.thinking,
        "isStreaming": host.is_running,
        "isCompacting": session.is_compacting,
        "steeringMode": queues.steering_mode,
        "followUpMode": queues.follow_up_mode,
        "sessionId": store.id,
        "autoCompactionEnabled": session.compactor.enabled,
        "messageCount": len(session.transcript.messages),
        "pendingMessageCount": len(queues),
    }
    if store.path is not None:
        state["sessionFile"] = str(store.path)
    if store.name is not None:
        state["sessionName"] = store.name
    return state


def get_messages(host: Host, command: Command, emit: Emit) -> Any:
    return {"messages": host.session.transcript.messages}


def get_session_stats(host: Host, command: Command, emit: Emit) -> Any:
    return host.session.statistics()


def get_last_assistant_text(host: Host, command: Command, emit: Emit) -> Any:
    text = _last_text(host.session.transcript.messages)
    return {"text": text} if text else {}


def _last_text(messages: list[AgentMessage]) -> str:
    for message in reversed(messages):
        if message["role"] == "assistant" and (
            message["content"] or message["stopReason"] != "aborted"
        ):
            return text_of(message["content"]).strip()
    return ""


def get_entries(host: Host, command: Command, emit: Emit) -> Any:
    since = fields.optional_text(command, "since")
    history = host.store.history
    first = 0
    if since is not None:
        row = history.index().row(since)
        if row is None:
            raise PiError(f"this session has no entry {since!r}")
        first = row + 1
    return _with_leaf(host, b'{"entries":' + entries_json(host.store, first))


def get_tree(host: Host, command: Command, emit: Emit) -> Any:
    return _with_leaf(host, b'{"tree":' + tree_json(host.store))


def _with_leaf(host: Host, data: bytes) -> Raw:
    return Raw(data + b',"leafId":' + dumps(host.store.leaf_id) + b"}")


def get_fork_messages(host: Host, command: Command, emit: Emit) -> Any:
    # Sessions are forked rarely.
    from pi.session.fork import fork_points  # noqa: PLC0415

    points = fork_points(host.store)
    return {"messages": [{"entryId": entry_id, "text": text} for entry_id, text in points]}


def get_commands(host: Host, command: Command, emit: Emit) -> Any:
    return {"commands": host.extending.command_list()}


# Model and thinking


def set_model(host: Host, command: Command, emit: Emit) -> Any:
    provider, model_id = fields.text(command, "provider"), fields.text(command, "modelId")
    services = host.services
    model = services.registry.find(provider, model_id)
    if model is None or model.api not in services.registry.supported_apis:
        raise PiError(f"there is no model {provider}/{model_id} to use")
    host.set_model(model)
    return record_of_model(model)


def cycle_model(host: Host, command: Command, emit: Emit) -> Any:
    chosen = host.cycle_model()
    if chosen is None:
        return None
    return {
        "model": record_of_model(chosen.model),
        "thinkingLevel": host.session.thinking,
        "isScoped": bool(host.scope.models),
    }


def get_available_models(host: Host, command: Command, emit: Emit) -> Any:
    services = host.services
    models: list[Model] = services.registry.available(services.credentials)
    return {"models": [record_of_model(model) for model in models]}


def set_thinking_level(host: Host, command: Command, emit: Emit) -> Any:
    wanted = command.get("level")
    levels: dict[Any, ThinkingLevel] = {level: level for level in THINKING_LEVELS}
    host.set_thinking(levels.get(wanted, "off") if isinstance(wanted, str) else "off")
    return NOTHING


def cycle_thinking_level(host: Host, command: Command, emit: Emit) -> Any:
    level = host.cycle_thinking()
    return None if level is None else {"level": level}


def get_available_thinking_levels(host: Host, command: Command, emit: Emit) -> Any:
    return {"levels": list(host.session.model.thinking_levels())}


# Settings


def set_steering_mode(host: Host, command: Command, emit: Emit) -> Any:
    host.set_steering_mode(fields.one_of(command, "mode", ("all", "one-at-a-time")))
    return NOTHING


def set_follow_up_mode(host: Host, command: Command, emit: Emit) -> Any:
    host.set_follow_up_mode(fields.one_of(command, "mode", ("all", "one-at-a-time")))
    return NOTHING


def set_auto_compaction(host: Host, command: Command, emit: Emit) -> Any:
    host.set_auto_compaction(fields.flag(command, "enabled"))
    return NOTHING


def set_auto_retry(host: Host, command: Command, emit: Emit) -> Any:
    host.set_auto_retry(fields.flag(command, "enabled"))
    return NOTHING


def set_session_name(host: Host, command: Command, emit: Emit) -> Any:
    name = fields.text(command, "name").strip()
    if not name:
        raise PiError("a session's name cannot be empty")
    host.session.set_name(name)
    return NOTHING


# Other sessions


async def new_session(host: Host, command: Command, emit: Emit) -> Any:
    done = await host.new_session(parent=fields.optional_text(command, "parentSession"))
    return {"cancelled": not done}


async def switch_session(host: Host, command: Command, emit: Emit) -> Any:
    return {"cancelled": not await host.switch(Path(fields.text(command, "sessionPath")))}


async def fork(host: Host, command: Command, emit: Emit) -> Any:
    text = await host.fork(fields.text(command, "entryId"))
    return {"cancelled": True} if text is None else {"text": text, "cancelled": False}


async def clone(host: Host, command: Command, emit: Emit) -> Any:
    return {"cancelled": not await host.clone()}


async def export_html(host: Host, command: Command, emit: Emit) -> Any:
    # Pages are written rarely.
    from pi.modes.exporting import export_session  # noqa: PLC0415

    wanted = fields.optional_text(command, "outputPath")
    done = await export_session(host, host.paths.absolute(wanted) if wanted else None)
    return {"path": wanted or done.path.name}


Handler = Callable[[Host, Command, Emit], Any | Awaitable[Any]]

COMMANDS: Mapping[str, Handler] = {
    handler.__name__: handler
    for handler in (
        *(prompt, steer, follow_up, abort, clear_queue, compact, abort_retry, bash, abort_bash),
        *(get_state, get_messages, get_session_stats, get_last_assistant_text, get_entries),
        *(get_tree, get_fork_messages, get_commands),
        *(set_model, cycle_model, get_available_models, set_thinking_level, cycle_thinking_level),
        get_available_thinking_levels,
        *(set_steering_mode, set_follow_up_mode, set_auto_compaction, set_auto_retry),
        *(set_session_name, new_session, switch_session, fork, clone, export_html),
    )
}
"""By the command's `type`."""

REPLACING = frozenset({"new_session", "switch_session", "fork", "clone"})
AT_ONCE = frozenset({"abort", "abort_bash", "abort_retry"})
ENDING_BY_THEMSELVES = frozenset({"export_html"})
"""What a large session makes slow, and no extension can keep."""
