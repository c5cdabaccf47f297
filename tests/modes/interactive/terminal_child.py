"""A small program on a Terminal: tells on its screen what happens, and does what keys ask for."""

import asyncio
import os
import signal
import sys

from prompt_toolkit.application import Application
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout import FormattedTextControl, Layout, Window

from pi.modes.interactive.terminal import Terminal

KEPT = []


async def main():
    ended = asyncio.Event()
    tasks = []

    def say(text):
        terminal.write(f"<{text}>\r\n")

    def start(work):
        tasks.append(asyncio.ensure_future(work))

    async def tell_colors():
        say(f"colors {await terminal.colors(5)}")

    async def application():
        keys = KeyBindings()
        keys.add("x")(lambda event: event.app.exit(result="exited"))
        window = Window(FormattedTextControl("an application"))
        async with terminal.outside():
            result = await Application(
                layout=Layout(window),
                key_bindings=keys,
                input=terminal.input,
                output=terminal.output,
            ).run_async()
        say(f"application {result}")

    async def program():
        code = await terminal.run_outside("sh", "-c", "stty -a | tr ';' '\\n'; read x; exit $x")
        say(f"program {code}")

    def on_key(key):
        say(f"key {key.name} {key.text!r}")
        match key.name:
            case "q":
                ended.set()
            case "ctrl+z":
                terminal.suspend()
            case "c":
                start(tell_colors())
            case "a":
                start(application())
            case "p":
                start(program())
            case "m":
                terminal.set_mode("alternate", True)
                terminal.set_mode("mouse", True)
                terminal.set_mode("hiddenCursor", True)
                terminal.set_title("a\x1b]title\x07")
                terminal.set_progress("running")
                say("modes on")
            case "r":
                terminal._ready()  # as when the shell has had what it was told of
                say("read nothing")
            case "x":
                raise_later()
            case "k":
                os.kill(os.getpid(), signal.SIGKILL)

    def raise_later():
        main_task.cancel()

    def lost():
        with open(os.environ["LOST"], "w") as file:
            file.write("lost")
        ended.set()

    main_task = asyncio.current_task()
    terminal = Terminal(
        on_key,
        on_resize=lambda: say(f"size {terminal.size}"),
        on_resume=lambda: say("resumed"),
        on_lost=lost,
        on_reply=lambda reply: say(f"reply {reply.body}"),
        focus_events=True,
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    with terminal.opened():
        say("ready")
        await ended.wait()
        for task in tasks:
            await task
    print("bye")


if __name__ == "__main__":
    if sys.argv[1:] == ["crash"]:
        # No event loop comes to its end: what is left is atexit.
        async def crash():
            terminal = Terminal(lambda key: None)
            opened = terminal.opened()
            KEPT.append(opened)
            opened.__enter__()
            terminal.set_mode("alternate", True)
            terminal.write("<ready>\r\n")
            sys.exit(3)

        sys.exit(asyncio.run(crash()))
    asyncio.run(main())
