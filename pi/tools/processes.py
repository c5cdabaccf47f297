"""Starting a shell command so that nothing of it outlives its end, and ending it.

The command leads a process group and session of its own: it has no terminal to ask on, and a
signal reaches all of it. What left the group is found by its parents where the system tells.
"""

import asyncio
import atexit
import os
import signal
import subprocess
import sys
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pi.errors import ToolError

__all__ = ["end", "find_shell", "kill_running", "kill_tree", "start", "started", "track"]

_LEAVE = 2.0
"""Seconds a killed command has to be gone."""

_tracked: set[asyncio.subprocess.Process] = set()


def find_shell(configured: str | None, env: Mapping[str, str]) -> str:
    """The shell to run commands with. Raises ToolError if there is none."""
    if configured:
        if not os.path.exists(configured):
            raise ToolError(f"The shell of the setting shellPath does not exist: {configured}")
        return configured
    search = env.get("PATH")
    if sys.platform == "win32":
        return _git_bash(env)
    if os.path.exists("/bin/bash"):
        return "/bin/bash"
    import shutil  # noqa: PLC0415  (2 ms, only where bash is in no usual place)

    found = shutil.which("bash", path=search) or shutil.which("sh", path=search)
    if found is None:
        raise ToolError("No shell found: install bash, or name one in the setting shellPath")
    return found


async def start(
    shell: str, command: str, cwd: Path, env: Mapping[str, str], output: int
) -> asyncio.subprocess.Process:
    """Run `shell -c command` without input, both outputs into the descriptor `output`.

    Raises ToolError when it cannot be started.
    """
    if not cwd.is_dir():
        raise ToolError(f"The working folder does not exist: {cwd}")
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    try:
        return await started(
            asyncio.create_subprocess_exec(
                shell,
                "-c",
                command,
                cwd=cwd,
                env=dict(env),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=sys.platform != "win32",
                creationflags=flags,
            )
        )
    except (OSError, ValueError) as error:
        raise ToolError(f"Cannot start {shell}: {error}") from error


async def started(
    starting: Coroutine[Any, Any, asyncio.subprocess.Process],
) -> asyncio.subprocess.Process:
    """The process, leader of a group; when the start is cancelled, all of the group is ended."""
    task = asyncio.ensure_future(starting)
    try:
        process = await asyncio.shield(task)
    except asyncio.CancelledError:
        # Cancelled half way, asyncio would kill the leader alone and not what it has started.
        with suppress(OSError, ValueError):
            await end(await task)
        raise
    track(process)
    return process


def track(process: asyncio.subprocess.Process) -> None:
    """It leads a group, and is not to outlive pi, however that ends, and whoever forgets it."""
    _tracked.difference_update([one for one in _tracked if one.returncode is not None])
    _tracked.add(process)


@atexit.register  # after a crash
def kill_running() -> None:
    """For an end of pi that waits for nothing: what still runs of all that was tracked."""
    for process in [*_tracked]:
        if process.returncode is None and _is_ours(process):
            kill_tree(process.pid)


def _is_ours(process: asyncio.subprocess.Process) -> bool:
    """Where the event loop is gone, another process may have its number by now."""
    transport: Any = getattr(process, "_transport", None)
    return transport is not None and transport.get_extra_info("subprocess").poll() is None


async def end(process: asyncio.subprocess.Process) -> None:
    """Kill a command and all it started, and take leave of it: nothing is left to be reaped."""
    kill_tree(process.pid)
    # What hangs in the kernel cannot be killed; the program must not hang with it.
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), _LEAVE)


def kill_tree(pid: int) -> None:
    """Kill a started command, its group, and all that descends from it."""
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(pid)], capture_output=True, check=False)
        return
    # Children first found, then killed: once the parent is dead they cannot be told any more.
    others = _descendants(pid)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    for other in others:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(other, signal.SIGKILL)


def _descendants(pid: int) -> list[int]:
    """Processes below `pid`, by /proc where there is one; members of its session count too."""
    children: dict[int, list[int]] = {}
    session: list[int] = []
    try:
        entries = os.listdir("/proc")
    except OSError:
        return []
    for name in entries:
        if not name.isdigit():
            continue
        try:
            stat = Path("/proc", name, "stat").read_bytes()
        except OSError:
            continue
        # pid (name) state ppid pgrp session …, and the name may hold anything
        fields = stat[stat.rfind(b")") + 2 :].split()
        children.setdefault(int(fields[1]), []).append(int(name))
        if int(fields[3]) == pid:
            session.append(int(name))
    found: list[int] = []
    queue = [pid, *session]
    seen = {pid}
    while queue:
        for child in children.get(queue.pop(), ()):
            if child not in seen:
                seen.add(child)
                found.append(child)
                queue.append(child)
    return [*found, *(member for member in session if member not in seen)]


def _git_bash(env: Mapping[str, str]) -> str:
    for variable in ("ProgramFiles", "ProgramFiles(x86)", "LocalAppData"):
        folder = env.get(variable)
        for part in ("Git", "Programs/Git"):
            candidate = Path(folder or "", part, "bin", "bash.exe")
            if folder and candidate.exists():
                return str(candidate)
    for folder in env.get("PATH", "").split(os.pathsep):
        candidate = Path(folder, "bash.exe")
        # The system's own bash.exe starts a Linux that does not see this folder.
        foreign = "windowsapps" in folder.lower() or "system32" in folder.lower()
        if folder and not foreign and candidate.exists():
            return str(candidate)
    raise ToolError("No bash found: install Git for Windows, or name one in the setting shellPath")
