"""The conversation as components: one for each message, tool call and notice."""

from pi.modes.interactive.transcript.conversation import Beside, Notice, Transcript
from pi.modes.interactive.transcript.look import Look
from pi.modes.interactive.transcript.messages import NoticeBlock, NoticeKind
from pi.modes.interactive.transcript.tools import ShellBlock

__all__ = [
    "Beside",
    "Look",
    "Notice",
    "NoticeBlock",
    "NoticeKind",
    "ShellBlock",
    "Transcript",
]
