"""What the person says: prompts, commands, shell lines; and how it is stopped.

Prompts given while the context is compacted wait here for its end, and everything that is said
while a command takes the conversation elsewhere; all else goes to the host.
"""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pi.errors import PiError
from pi.modes.interactive.app import App
from pi.modes.interactive.commands.table import find
from pi.modes.interactive.editor import Submission
from pi.modes.interactive.view import Key
from pi.runtime.attachments import image_loader
from pi.wire.messages import ImageContent

if TYPE_CHECKING:
    from pi.runtime.host import WhileRunning

__all__ = ["Talk"]

TWICE = 0.5
"""Seconds within which the same key again means more."""


RUNNING = "Running a command"


class Talk:
    def __init__(self, app: App) -> None:
        self.app = app
        self._held: list[tuple[str, Sequence[ImageContent], WhileRunning]] = []
        self._moving = False  # a command goes elsewhere
        self._shells = 0
        self._pressed: tuple[str, float] = ("", 0.0)

    # Saying

    def submit(self, submission: Submission, when: "WhileRunning" = "steer") -> None:
        """What stood in the editor. when: heard at the next turn, or when the agent would stop."""
        if submission.images:
            self.app.begin(self._submit(submission, when))
        else:
            self.say(submission.text, when=when)

    async def _submit(self, submission: Submission, when: "WhileRunning") -> None:
        images, notes = await asyncio.to_thread(self._load, submission.images)
        self.say("\n\n".join((submission.text, *notes)), images, when)

    def _load(self, paths: Sequence[Path]) -> tuple[list[ImageContent], list[str]]:
        """Image files as the model is to get them, and what there is to be said about them."""
        host = self.app.host
        load = image_loader(host.services.settings, host.model)
        images, notes = [], []
        for path in paths:
            try:
                attached = load(path.read_bytes())
            except OSError as error:
                raise PiError(f"cannot read {path}: {error.strerror}") from None
            if attached is None:
                raise PiError(f"{path} is no image that a model could be shown")
            if attached.image is not None:
                images.append(attached.image)
            if attached.note:
                notes.append(attached.note)
        return images, notes

    def say(
        self, text: str, images: Sequence[ImageContent] = (), when: "WhileRunning" = "steer"
    ) -> None:
        """A prompt, a command, or a shell line."""
        app = self.app
        text = text.strip()
        if not text and not images:
            return
        found = find(text) if text.startswith("/") else None
        if self._moving and (found is None or found[0].moves):
            self._hold(text, images, when)
        elif found is not None:
            command, arguments = found
            work = command.run(app, arguments)
            if command.moves:
                self._moving, work = True, self._move(work)
            app.begin(work)
        elif text.startswith("!") and text.strip("! \t\n"):
            app.begin(self._shell(text))
        elif app.host.session.is_compacting:
            self._hold(text, images, when)
        else:
            app.begin(self._prompt(text, images, when))

    def _hold(self, text: str, images: Sequence[ImageContent], when: "WhileRunning") -> None:
        self._held.append((text, images, when))
        self.show_queue()

    async def _move(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        finally:
            self._moving = False
            if not self.app.finished.done():
                self.go_on()

    async def _prompt(
        self, text: str, images: Sequence[ImageContent], when: "WhileRunning"
    ) -> None:
        host = self.app.host
        try:
            disposition = await host.prompt(text, images, while_running=when)
        except PiError:
            self.give_back(text)  # nothing that was written is lost
            raise
        if disposition == "started":
            try:
                # Whoever ends the program ends the run in order; it is not cancelled from here.
                await asyncio.shield(host.settled())
            finally:
                if not host.is_running:
                    self.app.follower.ended()

    async def _shell(self, line: str) -> None:
        app = self.app
        exclude = line.startswith("!!")
        command = line.lstrip("!").strip()
        block = app.transcript.shell(command, excluded=exclude)

        def output(text: str) -> None:
            block.output(text)
            app.refresh()

        self._shells += 1
        self.show_shells()
        try:
            await app.host.extending.told()
            message = await app.host.session.shell(command, exclude=exclude, on_output=output)
        finally:
            self._shells -= 1
            if not self._shells and app.status.working == RUNNING:
                app.status.end()
            self.app.follower.update()  # the branch may be another
        block.finish(message)

    def show_shells(self) -> None:
        """That commands run, and how to stop them, while nothing else is under way."""
        if self._shells and self.app.status.working is None:
            self.app.status.begin(RUNNING, hint=self.app.hint("app.interrupt", "to stop"))
            self.app.refresh()

    def go_on(self) -> None:
        """What waited here is said now, unless there is something else to wait for."""
        held, self._held = self._held, []
        if held:
            for text, images, when in held:
                self.say(text, images, when)
            self.show_queue()

    # Taking back

    def take_back(self) -> bool:
        """What waits in the queues returns to the editor, before what stands there."""
        queues = self.app.host.session.queues
        waiting = queues.clear()
        texts = [*waiting["steering"], *waiting["followUp"], *(text for text, _, _ in self._held)]
        self._held = []
        self.app.host.session.on_event(queues.state())
        if texts:
            self.give_back("\n\n".join(texts))
        return bool(texts)

    def give_back(self, text: str) -> None:
        editor = self.app.editor
        editor.text = "\n\n".join(part for part in (text, editor.text) if part.strip())
        self.app.refresh()

    def show_queue(self) -> None:
        """Both queues, and what waits for the end of a compaction."""
        app, state = self.app, self.app.host.session.queues.state()
        held = {when: [t for t, _, w in self._held if w == when] for when in ("steer", "followUp")}
        app.status.steering = (*state["steering"], *held["steer"])
        app.status.follow_up = (*state["followUp"], *held["followUp"])
        app.refresh()

    # Stopping

    def interrupt(self, key: Key) -> bool:
        """Escape: what runs is stopped, and what waits comes back; twice, with nothing to stop
        and nothing written, the tree or the fork picker."""
        app, session = self.app, self.app.host.session
        if self._shells:
            session.abort_shell()
            return True
        if session.is_busy:
            self.take_back()
            session.abort()
            return True
        if self._held and self._moving:
            return self.take_back()
        if app.editor.text:
            return False
        action = app.host.services.settings.double_escape_action
        if self._again(key) and action != "none":
            self.say(f"/{action}")
        return True

    def clear(self, key: Key) -> bool:
        """Ctrl+C: the editor is emptied; twice, pi ends."""
        if self._again(key):
            self.app.quit()
        else:
            self.app.editor.clear()
        return True

    def _again(self, key: Key) -> bool:
        """Whether this key was the last one as well, a moment ago."""
        now = time.monotonic()
        name, before = self._pressed
        again = name == key.name and now - before < TWICE
        self._pressed = ("", 0.0) if again else (key.name, now)
        return again
