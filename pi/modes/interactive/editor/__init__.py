"""The editor of the interactive mode: its text, how it is laid out, and the panel."""

from pi.modes.interactive.editor.panel import Editor, Submission

__all__ = ["Editor", "Submission"]
