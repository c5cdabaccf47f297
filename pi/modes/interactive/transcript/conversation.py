"""The transcript: events of the agent and messages of a session in, a list of components out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from types import MappingProxyType
from typing import Any, NamedTuple

from pi.modes.interactive.faults import fault_text
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.transcript.look import Block, Look
from pi.modes.interactive.transcript.messages import (
    CustomBlock,
    EntryBlock,
    NoticeBlock,
    NoticeKind,
    SummaryBlock,
    TextBlock,
    ThinkingBlock,
    UserBlock,
)
from pi.modes.interactive.transcript.tools import ShellBlock, ToolBlock
from pi.modes.interactive.view import Component
from pi.wire.events import AgentEvent, AssistantEvent
from pi.wire.messages import AgentMessage, AssistantMessage

__all__ = ["Beside", "Notice", "Transcript"]


class Notice(NamedTuple):
    """A line of ours in a session that is resumed."""

    text: str
    kind: NoticeKind = "warning"


Beside = Mapping[str, Any] | Notice
"""What is drawn between messages: an entry, or a line of ours."""


@dataclass(slots=True)
class _Warmed:
    """The line of refreshes that followed each other. cost: US dollars of all of them."""

    block: NoticeBlock
    note: str | None
    cost: float = 0.0

    @property
    def text(self) -> str:
        note = f" ({self.note})" if self.note else ""
        whole, _, rest = f"{self.cost:.6f}".rstrip("0").partition(".")
        return f"Cache kept warm{note}: ${whole}.{rest:0<3}"


class Transcript:
    """components: what to draw, oldest first; it only grows (`clear` begins a new list).

    A component in it may change until the agent settles, and draws itself anew then.
    """

    def __init__(self, look: Look) -> None:
        self.look = look
        self.components: list[Component] = []
        self._open: dict[int, Block] = {}  # of the answer that arrives, by contentIndex
        self._tools: dict[str, ToolBlock] = {}  # without a result, by call id
        self._retry: NoticeBlock | None = None
        self._compaction: NoticeBlock | None = None
        self._warmed: _Warmed | None = None

    # What is put in

    def load(
        self,
        messages: Sequence[AgentMessage],
        ids: Sequence[str] = (),
        beside: Mapping[str, Sequence[Beside]] = MappingProxyType({}),
    ) -> None:
        """The messages of a session that is resumed.

        ids: of their entries, where known. beside: entries and lines of ours that follow one of
        these, by its id, "" for those before the first.
        """
        for more in beside.get("", ()):
            self._beside(more)
        # A compaction is two messages: what follows it comes after both.
        for message, entry_id, following in zip_longest(messages, ids, ids[1:]):
            self._message(message, entry_id)
            if entry_id != following:
                for more in beside.get(entry_id, ()):
                    self._beside(more)
        self._settle()

    def _beside(self, more: Beside) -> None:
        if isinstance(more, Notice):
            self.notice(more.text, more.kind)
        elif more.get("type") == "usage":
            self.warmed(more)
        else:
            self.entry(more)

    def clear(self) -> None:
        """Another conversation."""
        self.components = []
        self._open, self._tools = {}, {}
        self._retry = self._compaction = self._warmed = None

    def add(self, component: Component) -> None:
        """What stands at the end now."""
        if self._warmed is not None:  # nothing is added to it any more
            self._warmed.block.say(self._warmed.text)
            self._warmed = None
        self.components.append(component)

    def notice(self, text: str, kind: NoticeKind = "info") -> NoticeBlock:
        """A line from the program itself."""
        block = NoticeBlock(self.look, kind, text)
        self.add(block)
        return block

    def warmed(self, entry: Mapping[str, Any]) -> None:
        """A prompt cache was kept warm: a line, or more of the line that stands there last."""
        cost, note = entry["usage"]["cost"]["total"], entry.get("note")
        said = self._warmed
        if said is None or said.note != note:
            block = NoticeBlock(self.look, "info", "", live=True)
            self.add(block)
            said = self._warmed = _Warmed(block, note)
        said.cost += cost
        said.block.say(said.text, live=True)

    def shell(self, command: str, *, excluded: bool = False) -> ShellBlock:
        """A command of the person's that starts: give it the output, then the message."""
        block = ShellBlock(self.look, command, excluded=excluded)
        self.add(block)
        return block

    def entry(self, entry: Mapping[str, Any]) -> None:
        """An entry of the session that is no message; shown where an extension draws its kind."""
        if entry.get("type") == "custom":
            self.add(EntryBlock(self.look, entry))
        elif entry.get("type") == "branch_summary":
            summary, entry_id = str(entry.get("summary", "")), entry.get("id")
            self._summary("Summary of a branch that was left", summary, entry_id)

    def handle(self, event: AgentEvent, now: float) -> bool:
        """An event of the agent: whether anything looks different. now: seconds of any clock."""
        if event.get("parentToolCallId"):
            return False  # the call that makes it shows it; there are no rows of it on a resume
        match event["type"]:
            case "message_update":
                return self._update(event["assistantMessageEvent"])
            case "message_start":
                return self._begin(event["message"])
            case "message_end":
                self._end(event["message"])
            case "tool_execution_start":
                self._tool(event["toolCallId"], event["toolName"]).start(event["args"], now)
            case "tool_execution_update":
                tool = self._tool(event["toolCallId"], event["toolName"])
                tool.update(event["partialResult"])
            case "tool_execution_end":
                tool = self._tool(event["toolCallId"], event["toolName"])
                tool.finish(event["result"], event["isError"], event.get("durationMs"))
            case "auto_retry_start":
                seconds = event["delayMs"] / 1000
                number = f"{event['attempt']} of {event['maxAttempts']}"
                self._say_retry(f"Trying again in {seconds:g} s ({number})", live=True)
            case "auto_retry_end":
                failed = not event["success"]
                self._say_retry(f"Gave up after {event['attempt']} attempts" if failed else "")
                self._retry = None
            case "compaction_start":
                self._say_compaction("Compacting the conversation …", live=True)
            case "compaction_end":
                self._compacted(event)
            case "summarization_retry_scheduled":
                seconds = event["delayMs"] / 1000
                self._say_compaction(f"Summary failed, again in {seconds:g} s", live=True)
            case "entry_appended":
                count = len(self.components)
                if event["entry"]["type"] == "custom":
                    self.entry(event["entry"])
                return len(self.components) > count
            case "agent_settled":
                self._settle()
            case _:
                return False
        return True

    def tick(self, now: float) -> bool:
        """Time has passed: whether anything that shows it looks different."""
        ticked = [tool.tick(now) for tool in self._tools.values()]
        return any(ticked)

    # How it looks

    def set_theme(self, theme: Theme) -> None:
        self.look.theme = theme
        self.invalidate()

    def set_expanded(self, expanded: bool) -> None:
        """Show all of tool output, summaries and skills, or the first rows."""
        self.look.expanded = expanded
        for component in self.components:
            if isinstance(component, TextBlock | NoticeBlock):
                continue
            if isinstance(component, Block):
                component.fold(None)
            else:
                component.invalidate()

    def set_thinking_hidden(self, hidden: bool) -> None:
        self.look.thinking_hidden = hidden
        for component in self.components:
            if isinstance(component, ThinkingBlock):
                component.fold(None)
                component.invalidate()

    def invalidate(self) -> None:
        """Draw everything anew: something in `look` has changed."""
        for component in self.components:
            component.invalidate()

    # Messages

    def _begin(self, message: AgentMessage) -> bool:
        if message["role"] == "assistant":
            self._open = {}
            return False
        if message["role"] == "toolResult":
            return False
        self._message(message)
        return True

    def _end(self, message: AgentMessage) -> None:
        if message["role"] in ("assistant", "toolResult"):
            self._message(message)

    def _message(self, message: AgentMessage, entry_id: str | None = None) -> None:
        """A message that is complete. entry_id: where it was read from."""
        look = self.look
        match message["role"]:
            case "user":
                self.add(UserBlock(look, message["content"], entry_id))
            case "assistant":
                self._answer(message, entry_id)
            case "toolResult":
                tool = self._tools.pop(message["toolCallId"], None)
                if tool is not None:
                    tool.finish(message, message["isError"], message.get("durationMs"))
            case "bashExecution":
                self.add(ShellBlock.of(look, message))
            case "custom":
                if message["display"]:
                    self.add(CustomBlock(look, message, entry_id))
            case "compactionSummary":
                self._compaction_summary(message["summary"], message["tokensBefore"], entry_id)
            case "branchSummary":
                self._summary("Summary of a branch that was left", message["summary"], entry_id)

    def _answer(self, message: AssistantMessage, entry_id: str | None = None) -> None:
        """All of an answer, after its pieces or in their place."""
        for index, content in enumerate(message["content"]):
            block = self._open.get(index)
            if content["type"] == "toolCall":
                tool = block if isinstance(block, ToolBlock) else None
                tool = tool or self._tool(content["id"], content["name"])
                if tool.view.state == "writing":
                    tool.call(content["arguments"])
            elif content["type"] == "thinking":
                text, redacted = content["thinking"], content.get("redacted", False)
                if isinstance(block, ThinkingBlock):
                    block.finish(text)
                elif text.strip() or redacted:
                    thinking = ThinkingBlock(self.look, text, entry_id, redacted=redacted)
                    self.add(thinking)
            elif content["type"] == "text":
                if isinstance(block, TextBlock):
                    block.finish(content["text"])
                elif content["text"].strip():
                    self.add(TextBlock(self.look, content["text"], entry_id))
        for block in self._open.values():
            if isinstance(block, TextBlock):
                block.finish()
        self._open = {}
        self._ending(message)

    def _ending(self, message: AssistantMessage) -> None:
        reason = message["stopReason"]
        if reason in ("error", "aborted"):
            for content in message["content"]:
                if content["type"] == "toolCall" and content["id"] in self._tools:
                    self._tools.pop(content["id"]).stop()
        if reason == "error":
            error = message.get("errorMessage")
            self.notice(fault_text(str(error)) if error else "The model failed.", "error")
        elif reason == "aborted":
            self.notice("Stopped", "warning")
        elif reason == "length":
            self.notice("The answer was cut: it reached the limit of output tokens.", "warning")

    def _update(self, event: AssistantEvent) -> bool:
        """A piece of an answer."""
        block: Block | None
        match event["type"]:
            case "text_delta" | "thinking_delta":
                block = self._open.get(event["contentIndex"])
                if not isinstance(block, TextBlock):
                    block = self._text(event["contentIndex"], event["type"] == "thinking_delta")
                block.append(event["delta"])
            case "toolcall_delta":
                block = self._open.get(event["contentIndex"])
                if isinstance(block, ToolBlock):
                    block.write(event["delta"])
            case "text_start" | "thinking_start":
                self._text(event["contentIndex"], event["type"] == "thinking_start")
            case "text_end" | "thinking_end":
                block = self._open.get(event["contentIndex"])
                if isinstance(block, TextBlock):
                    block.finish(event["content"])
            case "toolcall_start":
                tool = self._tool(event["id"], event["toolName"])
                self._open[event["contentIndex"]] = tool
            case "toolcall_end":
                call = event["toolCall"]
                block = self._open.get(event["contentIndex"]) or self._tool(
                    call["id"], call["name"]
                )
                if isinstance(block, ToolBlock):
                    self._tools[call["id"]] = block
                    block.view.name = call["name"]
                    block.call(call["arguments"])
            case _:
                return False
        return True

    def _text(self, index: int, thinking: bool) -> TextBlock:
        block = ThinkingBlock(self.look) if thinking else TextBlock(self.look)
        self._open[index] = block
        self.add(block)
        return block

    def _tool(self, call_id: str, name: str) -> ToolBlock:
        tool = self._tools.get(call_id)
        if tool is None:
            tool = self._tools[call_id] = ToolBlock(self.look, name, call_id)
            if self.components and isinstance(self.components[-1], ToolBlock):
                tool.follow(self.components[-1])
            self.add(tool)
        return tool

    # Notices

    def _say_retry(self, text: str, *, live: bool = False) -> None:
        if self._retry is None:
            self._retry = self.notice("", "warning")
        self._retry.say(text, live=live)

    def _say_compaction(self, text: str, kind: NoticeKind = "info", *, live: bool = False) -> None:
        if self._compaction is None:
            self._compaction = self.notice("")
        self._compaction.say(text, kind, live=live)

    def _compacted(self, event: Any) -> None:
        result = event.get("result")
        if event.get("errorMessage"):
            self._say_compaction(fault_text(event["errorMessage"]), "error")
        elif event["aborted"]:
            self._say_compaction("Compaction was stopped", "warning")
        else:
            self._say_compaction("")
        self._compaction = None
        if result is not None:
            self._compaction_summary(result["summary"], result["tokensBefore"])

    def _compaction_summary(self, summary: str, tokens: int, entry_id: str | None = None) -> None:
        self._summary(f"Compacted: {tokens:,} tokens became a summary", summary, entry_id)

    def _summary(self, title: str, summary: str, entry_id: str | None = None) -> None:
        self.add(SummaryBlock(self.look, title, summary, entry_id))

    def _settle(self) -> None:
        """Nothing that is open goes on."""
        for tool in self._tools.values():
            tool.stop()
        self._tools = {}
        for block in self._open.values():
            if isinstance(block, TextBlock):
                block.finish()
        self._open = {}
        for notice in (self._retry, self._compaction):
            if notice is not None and notice.settled_rows is not None:
                notice.say("")
        self._retry = self._compaction = None
