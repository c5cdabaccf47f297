"""Work on another machine: `--remote user@host:/folder` sends read, write and bash there over ssh.

Your own `!` commands go there, too. The command that reaches the machine is `ssh`; the flag
`--remote-shell` names another one, `docker exec -i box sh -c`, say.
"""

import shlex
from collections.abc import Callable

from pi.extensions import Context, Pi, RunAs, Start, ToolFailure, UserBash, tail


def extend(pi: Pi) -> None:
    remote = pi.flag("remote", "Work on another machine, user@host:/folder", kind="string")
    shell = pi.flag("remote-shell", "What to reach it with", kind="string", default="ssh")

    def target() -> tuple[list[str], str] | None:
        """The program that runs a command there, and the folder."""
        value = remote()
        if not value:
            return None
        host, _, folder = str(value).partition(":")
        reach = shlex.split(str(shell()))
        return ([*reach, host] if reach == ["ssh"] else reach), folder or "."

    async def run(command: str, stdin: str | None = None, seconds: float | None = None) -> str:
        there = target()
        assert there is not None, "registered only with --remote"
        reach, folder = there
        line = f"cd {shlex.quote(folder)} && {command}"
        done = await pi.exec(*reach, line, stdin=stdin, seconds=seconds)
        output = tail(done.stdout + done.stderr).content
        if not done.ok:
            raise ToolFailure(f"{output}\n\nThe command ended with {done.code}")
        return output

    @pi.on("session_start")
    def register(event: object, ctx: Context) -> None:
        if target() is None:
            return

        @pi.tool(name="bash", snippet="run a command on the remote machine")
        async def remote_bash(command: str, seconds: float | None = None) -> str:
            """Run a shell command on the remote machine. Output is cut to its end.

            Args:
                seconds: How long it may take.
            """
            return await run(command, seconds=seconds) or "(no output)"

        @pi.tool(name="read", snippet="read a file of the remote machine")
        async def remote_read(path: str) -> str:
            """Read a text file of the remote machine."""
            return await run(f"cat -- {shlex.quote(path)}")

        @pi.tool(name="write", snippet="write a file of the remote machine")
        async def remote_write(path: str, content: str) -> str:
            """Write a file of the remote machine, the folders above it included."""
            quoted = shlex.quote(path)
            await run(f'mkdir -p -- "$(dirname -- {quoted})" && cat > {quoted}', stdin=content)
            return f"Wrote {path}"

        on = [name for name in pi.active_tools if name not in ("edit", "grep", "find", "ls")]
        pi.set_active_tools(on)
        ctx.ui.set_status("remote", f"on {remote()}")

    @pi.on("before_agent_start")
    def tell(event: object) -> Start | None:
        there = target()
        if there is None:
            return None
        event.system_prompt_options.sections["cwd"] = f"{there[1]} on a remote machine"  # type: ignore[attr-defined]
        return None

    @pi.on("user_bash")
    def mine(event: UserBash) -> RunAs | None:
        if target() is None:
            return None

        async def there(command: str, cwd: str, on_output: Callable[[str], None]) -> int:
            try:
                on_output(await run(command))
            except ToolFailure as failure:
                on_output(str(failure))
                return 1
            return 0

        return RunAs(runner=there)
