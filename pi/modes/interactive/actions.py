"""What can be bound to keys: every action, its keys by default, and what it does in a few words.

The names and default keys are the reference's (source: docs/keybindings.md), but for
`tui.editor.redo`, which it does not have.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

__all__ = ["ACTIONS", "Action", "OLD_NAMES", "Platform", "Place", "platform_of"]

Platform = Literal["linux", "mac", "windows", "wsl"]
Place = Literal["main", "select", "fullscreen", "sessions", "tree", "models", "thinking"]
"""Where an action is heard: keys may mean different things in different places."""


class Action(NamedTuple):
    """windows, wsl, mac: the keys there, where they differ; WSL is as Windows if not said."""

    about: str
    keys: tuple[str, ...] = ()
    place: Place = "main"
    windows: tuple[str, ...] | None = None
    wsl: tuple[str, ...] | None = None
    mac: tuple[str, ...] | None = None

    def keys_on(self, platform: Platform) -> tuple[str, ...]:
        chosen: tuple[str, ...] | None = None
        if platform == "mac":
            chosen = self.mac
        elif platform == "windows":
            chosen = self.windows
        elif platform == "wsl":
            chosen = self.windows if self.wsl is None else self.wsl
        return self.keys if chosen is None else chosen


ACTIONS: Mapping[str, Action] = {
    "tui.editor.cursorUp": Action("Line up; at the top, earlier prompts", ("up",)),
    "tui.editor.cursorDown": Action("Line down; at the bottom, later prompts", ("down",)),
    "tui.editor.historyPrevious": Action("Earlier prompt"),
    "tui.editor.historyNext": Action("Later prompt"),
    "tui.editor.cursorLeft": Action("Left", ("left", "ctrl+b")),
    "tui.editor.cursorRight": Action("Right", ("right", "ctrl+f")),
    "tui.editor.cursorWordLeft": Action("Word left", ("alt+left", "ctrl+left", "alt+b")),
    "tui.editor.cursorWordRight": Action("Word right", ("alt+right", "ctrl+right", "alt+f")),
    "tui.editor.cursorLineStart": Action("Start of the line", ("home", "ctrl+a")),
    "tui.editor.cursorLineEnd": Action("End of the line", ("end", "ctrl+e")),
    "tui.editor.jumpForward": Action("To the next of a character", ("ctrl+]",)),
    "tui.editor.jumpBackward": Action("To the previous of a character", ("ctrl+alt+]",)),
    "tui.editor.pageUp": Action("Page up", ("pageUp", "ctrl+pageUp")),
    "tui.editor.pageDown": Action("Page down", ("pageDown", "ctrl+pageDown")),
    "tui.editor.deleteCharBackward": Action("Delete to the left", ("backspace",)),
    "tui.editor.deleteCharForward": Action("Delete to the right", ("delete", "ctrl+d")),
    "tui.editor.deleteWordBackward": Action("Cut the word before", ("ctrl+w", "alt+backspace")),
    "tui.editor.deleteWordForward": Action("Cut the word after", ("alt+d", "alt+delete")),
    "tui.editor.deleteToLineStart": Action("Cut to the start of the line", ("ctrl+u",)),
    "tui.editor.deleteToLineEnd": Action("Cut to the end of the line", ("ctrl+k",)),
    "tui.editor.yank": Action("Put back what was cut", ("ctrl+y",)),
    "tui.editor.yankPop": Action("Put back what was cut before that", ("alt+y",)),
    "tui.editor.undo": Action("Undo", ("ctrl+-",), windows=("ctrl+z",), wsl=("alt+z",)),
    "tui.editor.redo": Action("Undo the undoing", ("alt+-",)),
    "tui.input.newLine": Action("New line", ("shift+enter", "ctrl+j")),
    "tui.input.submit": Action("Send", ("enter",)),
    "tui.input.tab": Action("Complete", ("tab",)),
    "tui.input.copy": Action("Copy the selection", ("ctrl+c",)),
    "tui.select.up": Action("Up in a list", ("up",), "select"),
    "tui.select.down": Action("Down in a list", ("down",), "select"),
    "tui.select.pageUp": Action("Page up in a list", ("pageUp",), "select"),
    "tui.select.pageDown": Action("Page down in a list", ("pageDown",), "select"),
    "tui.select.confirm": Action("Choose", ("enter",), "select"),
    "tui.select.cancel": Action("Leave a list", ("escape", "ctrl+c"), "select"),
    "tui.altScreen.pageUp": Action("Conversation: page up", ("pageUp",), "fullscreen"),
    "tui.altScreen.pageDown": Action("Conversation: page down", ("pageDown",), "fullscreen"),
    "tui.altScreen.halfPageUp": Action("Conversation: half a page up", (), "fullscreen"),
    "tui.altScreen.halfPageDown": Action("Conversation: half a page down", (), "fullscreen"),
    "tui.altScreen.lineUp": Action("Conversation: line up", (), "fullscreen"),
    "tui.altScreen.lineDown": Action("Conversation: line down", (), "fullscreen"),
    "tui.altScreen.previousPrompt": Action(
        "Conversation: previous prompt",
        ("ctrl+shift+up", "ctrl+up"),
        "fullscreen",
        windows=("ctrl+up",),
    ),
    "tui.altScreen.nextPrompt": Action(
        "Conversation: next prompt",
        ("ctrl+shift+down", "ctrl+down"),
        "fullscreen",
        windows=("ctrl+down",),
    ),
    "tui.altScreen.search": Action(
        "Conversation: search", ("ctrl+shift+f",), "fullscreen", windows=("ctrl+f",)
    ),
    "tui.altScreen.searchNext": Action("Search: next match", ("enter", "ctrl+g"), "fullscreen"),
    "tui.altScreen.searchPrevious": Action(
        "Search: previous match", ("shift+enter", "ctrl+shift+g"), "fullscreen"
    ),
    "tui.altScreen.searchClose": Action("Search: end it", ("escape",), "fullscreen"),
    "tui.altScreen.top": Action("Conversation: to its start", ("ctrl+home",), "fullscreen"),
    "tui.altScreen.bottom": Action(
        "Conversation: to its end, and follow it", ("ctrl+end",), "fullscreen"
    ),
    "app.interrupt": Action("Stop what runs, or leave", ("escape",)),
    "app.clear": Action("Empty the editor; twice, quit", ("ctrl+c",)),
    "app.exit": Action("Quit, if the editor is empty", ("ctrl+d",)),
    "app.suspend": Action("To the background", ("ctrl+z",), windows=(), wsl=("ctrl+z",)),
    "app.editor.external": Action("Write in your own editor", ("ctrl+g",)),
    "app.clipboard.pasteImage": Action(
        "Paste an image or files", ("ctrl+v",), windows=("alt+v", "ctrl+v")
    ),
    "app.session.new": Action("New session"),
    "app.session.tree": Action("Tree of the session"),
    "app.session.fork": Action("Fork the session"),
    "app.session.resume": Action("Open another session"),
    "app.session.togglePath": Action("Show or hide folders", ("ctrl+p",), "sessions"),
    "app.session.toggleSort": Action("Change the order", ("ctrl+s",), "sessions"),
    "app.session.toggleNamedFilter": Action("Only those with a name", ("ctrl+n",), "sessions"),
    "app.session.rename": Action("Rename the session", ("ctrl+r",), "sessions"),
    "app.session.delete": Action("Delete the session", ("ctrl+d",), "sessions"),
    "app.session.deleteNoninvasive": Action(
        "Delete the session, if nothing is searched", ("ctrl+backspace",), "sessions"
    ),
    "app.model.select": Action("Choose a model", ("ctrl+l",)),
    "app.model.cycleForward": Action("Next model", ("ctrl+p",)),
    "app.model.cycleBackward": Action("Previous model", ("ctrl+shift+p",), windows=("alt+p",)),
    "app.models.save": Action("Keep the choice of models in the settings", ("ctrl+s",), "models"),
    "app.models.enableAll": Action("All models, or all found", ("ctrl+a",), "models"),
    "app.models.clearAll": Action("No model, or none of those found", ("ctrl+x",), "models"),
    "app.models.toggleProvider": Action("All of this provider", ("ctrl+p",), "models"),
    "app.models.reorderUp": Action("Earlier in the order", ("alt+up",), "models"),
    "app.models.reorderDown": Action("Later in the order", ("alt+down",), "models"),
    "app.thinking.cycle": Action("Next thinking level", ("shift+tab",)),
    "app.thinking.save": Action("Keep the thinking level in the settings", ("ctrl+s",), "thinking"),
    "app.thinking.toggle": Action("Show or fold thinking", ("ctrl+t",)),
    "app.tools.expand": Action("Show or fold the output of tools", ("ctrl+o",)),
    "app.message.copy": Action("Copy the selection, or the last answer", ("ctrl+x",)),
    "app.message.followUp": Action(
        "Send once all work is done", ("alt+enter",), windows=("ctrl+q",)
    ),
    "app.message.dequeue": Action("Take back what waits", ("alt+up",), windows=("alt+q",)),
    "app.tree.foldOrUp": Action(
        "Fold, or to the start before",
        ("ctrl+left", "alt+left"),
        "tree",
        mac=("alt+left", "ctrl+left"),
    ),
    "app.tree.unfoldOrDown": Action(
        "Unfold, or to the next start or end",
        ("ctrl+right", "alt+right"),
        "tree",
        mac=("alt+right", "ctrl+right"),
    ),
    "app.tree.editLabel": Action("Label the entry", ("shift+l",), "tree"),
    "app.tree.toggleLabelTimestamp": Action("When labels were set", ("shift+t",), "tree"),
    "app.tree.filter.default": Action("Show the usual", ("ctrl+d",), "tree"),
    "app.tree.filter.noTools": Action("Hide results of tools", ("ctrl+t",), "tree"),
    "app.tree.filter.userOnly": Action("Only your messages", ("ctrl+u",), "tree"),
    "app.tree.filter.labeledOnly": Action("Only what has a label", ("ctrl+l",), "tree"),
    "app.tree.filter.all": Action("Show everything", ("ctrl+a",), "tree"),
    "app.tree.filter.cycleForward": Action("Next filter", ("ctrl+o",), "tree"),
    "app.tree.filter.cycleBackward": Action("Previous filter", ("ctrl+shift+o",), "tree"),
}

OLD_NAMES: Mapping[str, str] = {
    **{
        name.rpartition(".")[2]: name
        for name in ACTIONS
        if name.startswith(("tui.editor.", "tui.input."))
        and not name.startswith(("tui.editor.history", "tui.editor.redo"))
    },
    **{
        f"select{name.rpartition('.')[2][:1].upper()}{name.rpartition('.')[2][1:]}": name
        for name in ACTIONS
        if name.startswith("tui.select.")
    },
    "interrupt": "app.interrupt",
    "clear": "app.clear",
    "exit": "app.exit",
    "suspend": "app.suspend",
    "cycleThinkingLevel": "app.thinking.cycle",
    "cycleModelForward": "app.model.cycleForward",
    "cycleModelBackward": "app.model.cycleBackward",
    "selectModel": "app.model.select",
    "expandTools": "app.tools.expand",
    "toggleThinking": "app.thinking.toggle",
    "toggleSessionNamedFilter": "app.session.toggleNamedFilter",
    "externalEditor": "app.editor.external",
    "followUp": "app.message.followUp",
    "dequeue": "app.message.dequeue",
    "pasteImage": "app.clipboard.pasteImage",
    "newSession": "app.session.new",
    "tree": "app.session.tree",
    "fork": "app.session.fork",
    "resume": "app.session.resume",
    "treeFoldOrUp": "app.tree.foldOrUp",
    "treeUnfoldOrDown": "app.tree.unfoldOrDown",
    "treeEditLabel": "app.tree.editLabel",
    "treeToggleLabelTimestamp": "app.tree.toggleLabelTimestamp",
    "toggleSessionPath": "app.session.togglePath",
    "toggleSessionSort": "app.session.toggleSort",
    "renameSession": "app.session.rename",
    "deleteSession": "app.session.delete",
    "deleteSessionNoninvasive": "app.session.deleteNoninvasive",
}
"""Names that keybindings.json had in earlier versions of the reference, and still may have."""


def platform_of(system: str, variables: Mapping[str, str]) -> Platform:
    """system: as sys.platform names it. variables: the environment."""
    if system == "win32":
        return "windows"
    if system == "darwin":
        return "mac"
    if system == "linux" and (variables.get("WSL_DISTRO_NAME") or variables.get("WSL_INTEROP")):
        return "wsl"
    return "linux"
