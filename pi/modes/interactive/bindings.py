"""Keys of the application: what each action does when the focused panel has left it."""

from collections.abc import Callable, Coroutine
from typing import Any

from pi.modes.interactive.app import App
from pi.modes.interactive.elsewhere import paste_clipboard, write_outside
from pi.modes.interactive.talk import Talk
from pi.modes.interactive.view import Key

__all__ = ["Bindings"]


class Bindings:
    """Handles keys for an App; actions it does not know are left to others."""

    def __init__(self, app: App, talk: Talk) -> None:
        self.app, self.talk = app, talk
        self._actions: dict[str, Callable[[Key], bool]] = {
            "app.interrupt": talk.interrupt,
            "app.clear": talk.clear,
            "app.exit": self._exit,
            "app.suspend": self._suspend,
            "app.tools.expand": self._expand,
            "app.thinking.toggle": self._toggle_thinking,
            "app.thinking.cycle": self._cycle_thinking,
            "app.model.cycleForward": lambda key: self._cycle_model(1),
            "app.model.cycleBackward": lambda key: self._cycle_model(-1),
            "app.editor.external": self._begin(write_outside),
            "app.clipboard.pasteImage": self._begin(paste_clipboard),
            "app.message.followUp": self._follow_up,
            "app.message.dequeue": lambda key: talk.take_back() or True,
            "app.message.copy": self._command("copy"),
            "app.model.select": self._command("model"),
            "app.session.new": self._command("new"),
            "app.session.tree": self._command("tree"),
            "app.session.fork": self._command("fork"),
            "app.session.resume": self._command("resume"),
        }

    def __call__(self, key: Key) -> bool:
        if self.app.desk.panels:
            return False
        for action in self.app.keymap.actions(key):
            handler = self._actions.get(action)
            if handler is not None and handler(key):
                return True
        return False

    def _command(self, name: str) -> Callable[[Key], bool]:
        def run(key: Key) -> bool:
            self.talk.say(f"/{name}")
            return True

        return run

    def _begin(self, work: Callable[[App], Coroutine[Any, Any, None]]) -> Callable[[Key], bool]:
        def run(key: Key) -> bool:
            self.app.begin(work(self.app))
            return True

        return run

    def _exit(self, key: Key) -> bool:
        if self.app.editor.text:
            return False
        self.app.quit()
        return True

    def _suspend(self, key: Key) -> bool:
        if self.app.platform == "windows":
            self.app.say("Windows has no way to stop a program and go on with it.", "warning")
        else:
            self.app.terminal.suspend()
        return True

    def _expand(self, key: Key) -> bool:
        transcript = self.app.transcript
        transcript.set_expanded(not transcript.look.expanded)
        return True

    def _toggle_thinking(self, key: Key) -> bool:
        transcript = self.app.transcript
        transcript.set_thinking_hidden(not transcript.look.thinking_hidden)
        return True

    def _cycle_thinking(self, key: Key) -> bool:
        level = self.app.host.cycle_thinking()
        if level is None:
            self.app.say("This model does not think.", "warning")
        return True

    def _cycle_model(self, step: int) -> bool:
        chosen = self.app.host.cycle_model(step)
        if chosen is None:
            scoped = " in the scope" if self.app.host.scope.models else ""
            self.app.say(f"There is no other model{scoped}.", "warning")
        else:
            self.app.follower.update()
        return True

    def _follow_up(self, key: Key) -> bool:
        if self.app.editor.is_empty:
            return False
        self.talk.submit(self.app.editor.take(), "followUp")
        return True
