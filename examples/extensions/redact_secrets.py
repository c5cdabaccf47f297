"""Keep passwords and keys in what tools return from the model, and out of the session file."""

import re

from pi.extensions import Context, Pi, ResultPatch, ToolResultEvent, UserContent, text_block

SECRET = re.compile(
    r"sk-[A-Za-z0-9_-]{16,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}"
    r"|(?<=password=)\S+|(?<=token=)\S+",
    re.IGNORECASE,
)


def extend(pi: Pi) -> None:
    hidden = 0

    def cleaned(block: UserContent) -> UserContent:
        nonlocal hidden
        if block["type"] != "text":
            return block
        text, count = SECRET.subn("[hidden]", block["text"])
        hidden += count
        return text_block(text) if count else block

    @pi.on(ToolResultEvent)  # comes for a tool that was aborted, too
    def redact(event: ToolResultEvent, ctx: Context) -> ResultPatch | None:
        before = hidden
        content = [cleaned(block) for block in event.content]
        if hidden == before:
            return None
        ctx.ui.set_status("secrets", f"{hidden} hidden")
        return ResultPatch(content=content, details=None)  # details may hold the text again
