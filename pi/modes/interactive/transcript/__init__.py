"""The conversation as components: one for each message, tool call and notice."""

from pi.modes.interactive.transcript.conversation import Transcript
from pi.modes.interactive.transcript.look import Look, Renderers, ToolRenderer, ToolView
from pi.modes.interactive.transcript.messages import NoticeBlock, NoticeKind
from pi.modes.interactive.transcript.tools import ShellBlock

__all__ = [
    "Look",
    "NoticeBlock",
    "NoticeKind",
    "Renderers",
    "ShellBlock",
    "ToolRenderer",
    "ToolView",
    "Transcript",
]
