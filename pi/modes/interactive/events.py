"""What the agent tells, and what of it shows beside the conversation: status, footer, tab."""

import asyncio
import time
from pathlib import Path
from typing import Any

from pi.agent.statistics import context_usage
from pi.auth.providers import KEY_SOURCES
from pi.modes.interactive.app import App
from pi.modes.interactive.footer import Spent, branch_of
from pi.modes.interactive.talk import Talk
from pi.modes.interactive.terminal import notification_of
from pi.session.reader import read_header
from pi.session.source import FileSource
from pi.session.tree import TreeIndex
from pi.wire.events import AgentEvent

__all__ = ["Follower"]

LONG_RUN = 20.0
"""Seconds after which the end of a run is worth a bell, should the person have looked away."""

SIGN_IN = "sk-ant-oat"
"""How a token of an Anthropic subscription begins."""

EXTRA_USAGE = """\
An Anthropic subscription is in use. Requests of programs other than Anthropic's own are billed by
the token, as extra usage, and not on the plan: see https://claude.ai/settings/usage.
/settings switches this warning off."""


class Follower:
    """Listens to the host for one App."""

    def __init__(self, app: App, talk: Talk) -> None:
        self.app, self.talk = app, talk
        self._tools: dict[str, tuple[str, float]] = {}
        self._began = 0.0
        self._title = ""  # as it was set last
        self._warned = False  # of extra usage
        self._handlers = {
            "agent_start": self._agent_start,
            "agent_settled": self._agent_settled,
            "message_end": self._message_end,
            "tool_execution_start": self._tool_start,
            "tool_execution_end": self._tool_end,
            "auto_retry_start": self._retry_start,
            "auto_retry_end": self._retry_end,
            "compaction_start": self._compaction_start,
            "compaction_end": self._compaction_end,
            "summarization_retry_scheduled": self._retry_start,
            "entry_appended": self._entry_appended,
            "queue_update": self._queue_update,
            "thinking_level_changed": self._changed,
            "session_info_changed": self._changed,
        }

    def __call__(self, event: AgentEvent) -> None:
        changed = self.app.transcript.handle(event, time.monotonic())
        handler = self._handlers.get(event["type"])
        if handler is not None:
            handler(event)
        if changed or handler is not None:
            self.app.refresh()

    def forget(self) -> None:
        """Another session: what was counted is the other's."""
        self.ended()
        self._title = ""
        self.app.figures.spent = Spent()

    def ended(self) -> None:
        """No run is under way any more, however it ended."""
        self._tools.clear()
        self._began = 0.0
        self.app.status.end()
        self.talk.show_shells()
        self.app.terminal.set_progress("off")
        self.app.refresh()

    # Runs

    def _agent_start(self, event: Any) -> None:
        self._began = self._began or time.monotonic()
        self.app.status.begin("Working", hint=self.app.hint("app.interrupt", "to stop"))
        if self.app.host.services.settings.terminal.show_terminal_progress:
            self.app.terminal.set_progress("running")

    def _agent_settled(self, event: Any) -> None:
        app = self.app
        took = time.monotonic() - self._began
        self.ended()
        if took > LONG_RUN and not event["aborted"] and not app.terminal_has_focus:
            variables = app.host.services.environment.variables
            app.terminal.notify("pi has finished", notification_of(variables))
        self.update()

    def _message_end(self, event: Any) -> None:
        message = event["message"]
        if usage := message.get("usage"):
            self.app.figures.spent.add(usage)
        if message["role"] == "assistant":
            self.update()
            if self._tells_of_cache and message["stopReason"] not in ("error", "aborted"):
                # Few want to know.
                from pi.modes.interactive import cache_notices  # noqa: PLC0415

                host = self.app.host
                for text in (
                    cache_notices.dropped_thoughts(host, message),
                    cache_notices.miss_of(host),
                ):
                    if text is not None:
                        self.app.transcript.notice(text, "warning")

    @property
    def _tells_of_cache(self) -> bool:
        return self.app.host.services.settings.show_cache_miss_notices

    def _entry_appended(self, event: Any) -> None:
        entry = event["entry"]
        if entry["type"] != "usage":
            return
        self.app.figures.spent.add(entry["usage"])
        self.app.figures.invalidate()
        if entry["kind"] == "cache_warm" and self._tells_of_cache:
            self.app.transcript.warmed(entry)

    def _tool_start(self, event: Any) -> None:
        self._tools[event["toolCallId"]] = (event["toolName"], time.monotonic())
        self._show_tools()

    def _tool_end(self, event: Any) -> None:
        self._tools.pop(event["toolCallId"], None)
        self._show_tools()

    def _show_tools(self) -> None:
        names = [name for name, _ in self._tools.values()]
        what = f"Running {', '.join(dict.fromkeys(names))}" if names else "Working"
        self.app.status.begin(what, hint=self.app.hint("app.interrupt", "to stop"))

    # Retries and compactions

    def _retry_start(self, event: Any) -> None:
        what = f"Trying again ({event['attempt']} of {event['maxAttempts']})"
        until = time.monotonic() + event["delayMs"] / 1000
        self.app.status.begin(what, hint=self.app.hint("app.interrupt", "to stop"), until=until)

    def _retry_end(self, event: Any) -> None:
        self.app.status.begin("Working", hint=self.app.hint("app.interrupt", "to stop"))

    def _compaction_start(self, event: Any) -> None:
        what = "Summarising the conversation"
        if event["reason"] != "manual":
            what = "The context is nearly full: summarising the conversation"
        self.app.status.begin(what, hint=self.app.hint("app.interrupt", "to stop"))

    def _compaction_end(self, event: Any) -> None:
        usage = (event.get("result") or {}).get("usage")
        if usage:
            self.app.figures.spent.add(usage)
            if self._tells_of_cache:
                from pi.modes.interactive.cache_notices import summary_cost  # noqa: PLC0415

                self.app.transcript.notice(summary_cost("Compaction", usage), "warning")
        if self._began:
            self.app.status.begin("Working", hint=self.app.hint("app.interrupt", "to stop"))
        else:
            self.app.status.end()
            self.talk.show_shells()
        self.update()
        # The session is free for others only once this event has been told.
        asyncio.get_running_loop().call_soon(self.talk.go_on)

    def _queue_update(self, event: Any) -> None:
        self.talk.show_queue()

    def _changed(self, event: Any) -> None:
        self.update()

    # The footer

    def update(self) -> None:
        """Model, level, name and context, as they are now."""
        app, host, footer = self.app, self.app.host, self.app.figures
        model = host.model
        footer.cwd, footer.name = host.paths.cwd, host.store.name
        footer.branch = branch_of(footer.cwd)
        footer.model = "" if model is None else model.id
        footer.provider = "" if model is None else model.provider
        footer.thinking = host.session.thinking if model is not None and model.reasoning else None
        footer.auto_compaction = host.session.compactor.enabled
        routed = host.session.routed
        footer.routed = None if routed is None else (routed.model.id, routed.thinking)
        limits = None if model is None else host.session.limits
        usage = None if limits is None else context_usage(host.session.transcript, limits)
        footer.window = 0 if usage is None else usage["contextWindow"]
        footer.context = None if usage is None else usage["percent"]
        footer.subscription = limits is not None and host.services.credentials.is_signed_in(
            limits.provider
        )
        if footer.provider == "anthropic":
            self._warn_of_extra_usage(footer.subscription)
        footer.invalidate()
        app.editor.thinking = footer.thinking or "off"
        app.editor.invalidate()
        name = f" · {footer.name}" if footer.name else ""
        title = f"pi · {footer.cwd.name or footer.cwd}{name}"
        if title != self._title:  # else an extension's stays
            self._title = title
            app.terminal.set_title(title)
        app.refresh()

    def _warn_of_extra_usage(self, signed_in: bool) -> None:
        """Say once that a subscription does not pay for what goes through this program."""
        services = self.app.host.services
        if self._warned or not services.settings.warnings.anthropic_extra_usage:
            return
        variables = services.environment.variables
        keys = (variables.get(name, "") for name in KEY_SOURCES["anthropic"].variables)
        given = services.key_given("anthropic") or ""
        if signed_in or any(key.startswith(SIGN_IN) for key in (given, *keys)):
            self._warned = True
            self.app.say(EXTRA_USAGE, "warning")

    async def count(self) -> None:
        """What the session cost before; it takes a while for a large one, so it comes later."""
        app, store = self.app, self.app.host.store
        if not store.saved or store.path is None:
            return
        spent = await asyncio.to_thread(_spent_in, store.path)
        if store is app.host.store:
            app.figures.spent = spent
            app.figures.invalidate()
            app.refresh()


def _spent_in(path: Path) -> Spent:
    """Through a source of its own: the session's is not for other threads."""
    source = FileSource(path)
    try:
        _, start = read_header(source)
        totals = TreeIndex.build(source, start, source.size).totals(source)
    finally:
        source.close()
    return Spent(
        int(totals.input),
        int(totals.output),
        int(totals.cache_read),
        int(totals.cache_write),
        totals.cost,
    )
