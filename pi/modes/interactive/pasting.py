"""What is in the clipboard: an image, files or text, by whatever program the desktop has for it.

wl-paste on Wayland, xclip on X11, pngpaste, osascript and pbpaste on macOS, PowerShell on Windows
and WSL, termux-clipboard-get on Android. Over SSH there is none to be had: the terminal's own paste
is the way then.
"""

import asyncio
import base64
import binascii
import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pi.modes.interactive.actions import Platform

__all__ = ["Clip", "read_clipboard"]

_PATIENCE = 5.0  # seconds for one program
_MOST_BYTES = 64 << 20
_IMAGES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/bmp": ".bmp",
    "image/x-bmp": ".bmp",
}
_APPLE_DATA = re.compile(rb"\xc2\xabdata \w{4}([0-9A-F]+)\xc2\xbb")
# One round trip for all, as each start of PowerShell takes half a second.
_POWERSHELL = """
Add-Type -AssemblyName System.Windows.Forms,System.Drawing
$c = [System.Windows.Forms.Clipboard]
if ($c::ContainsImage()) {
  $m = New-Object System.IO.MemoryStream
  $c::GetImage().Save($m, [System.Drawing.Imaging.ImageFormat]::Png)
  'image ' + [Convert]::ToBase64String($m.ToArray())
} elseif ($c::ContainsFileDropList()) {
  foreach ($f in $c::GetFileDropList()) {
    'file ' + [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($f))
  }
} elseif ($c::ContainsText()) {
  'text ' + [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($c::GetText()))
}
"""


@dataclass(frozen=True, slots=True)
class Clip:
    """One of these, or `problem`: why there is nothing. image: a file made for it."""

    image: Path | None = None
    files: tuple[Path, ...] = ()
    text: str = ""
    problem: str = ""


async def read_clipboard(variables: Mapping[str, str], platform: Platform) -> Clip:
    """Never raises: what stands in the way is the answer's `problem`."""
    desk = _Desk(variables)
    if platform in ("windows", "wsl"):
        clip = await _windows(desk)
    elif platform == "mac":
        clip = await _mac(desk)
    elif variables.get("TERMUX_VERSION"):
        clip = await _termux(desk)
    elif variables.get("WAYLAND_DISPLAY") and desk.has("wl-paste"):
        clip = await _wayland(desk)
    elif variables.get("DISPLAY") and desk.has("xclip"):
        clip = await _x11(desk)
    elif variables.get("WAYLAND_DISPLAY") or variables.get("DISPLAY"):
        wanted = "wl-paste (wl-clipboard)" if variables.get("WAYLAND_DISPLAY") else "xclip"
        clip = Clip(problem=f"the clipboard cannot be read without {wanted}")
    else:
        clip = Clip(problem="there is no clipboard here; paste with the terminal's own key")
    if clip == Clip():
        return Clip(problem="the clipboard is empty")
    return clip


class _Desk:
    """Runs programs in the environment that was given."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def has(self, program: str) -> bool:
        return shutil.which(program, path=self._variables.get("PATH")) is not None

    async def run(self, *command: str) -> bytes:
        """What it writes; nothing if it is missing, fails, or takes too long."""
        found = shutil.which(command[0], path=self._variables.get("PATH"))
        if found is None:
            return b""
        try:
            process = await asyncio.create_subprocess_exec(
                found,
                *command[1:],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=dict(self._variables),
                # Programs of Windows cannot start in a deep folder of WSL.
                cwd="/" if os.name == "posix" else None,
            )
        except OSError:
            return b""
        assert process.stdout is not None
        data = bytearray()
        try:
            async with asyncio.timeout(_PATIENCE):
                while len(data) <= _MOST_BYTES and (more := await process.stdout.read(1 << 16)):
                    data += more
                if len(data) <= _MOST_BYTES and await process.wait() == 0:
                    return bytes(data)
        except TimeoutError:
            pass
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return b""


async def _wayland(desk: _Desk) -> Clip:
    types = (await desk.run("wl-paste", "--list-types")).decode(errors="replace").split()
    for kind in _IMAGES:
        if kind in types:
            data = await desk.run("wl-paste", "--no-newline", "--type", kind)
            return _image(data, _IMAGES[kind])
    if "text/uri-list" in types:
        uris = await desk.run("wl-paste", "--no-newline", "--type", "text/uri-list")
        if files := _files(uris):
            return Clip(files=files)
    if not types:
        return Clip()
    return _text(await desk.run("wl-paste", "--no-newline"))


async def _x11(desk: _Desk) -> Clip:
    async def of(target: str) -> bytes:
        return await desk.run("xclip", "-selection", "clipboard", "-o", "-t", target)

    targets = (await of("TARGETS")).decode(errors="replace").split()
    for kind in _IMAGES:
        if kind in targets:
            return _image(await of(kind), _IMAGES[kind])
    if "text/uri-list" in targets and (files := _files(await of("text/uri-list"))):
        return Clip(files=files)
    return _text(await of("UTF8_STRING" if "UTF8_STRING" in targets else "STRING"))


async def _mac(desk: _Desk) -> Clip:
    kinds = await desk.run("osascript", "-e", "clipboard info")
    if b"furl" in kinds:
        path = await desk.run("osascript", "-e", "POSIX path of (the clipboard as «class furl»)")
        if path.strip():
            return Clip(files=(Path(path.decode(errors="replace").strip("\n")),))
    if (data := await desk.run("pngpaste", "-")).startswith(b"\x89PNG"):
        return _image(data, ".png")
    if b"PNGf" in kinds or b"TIFF" in kinds:
        told = await desk.run("osascript", "-e", "the clipboard as «class PNGf»")
        if found := _APPLE_DATA.search(told):
            return _image(binascii.unhexlify(found[1]), ".png")
    return _text(await desk.run("pbpaste"))


async def _termux(desk: _Desk) -> Clip:
    if not desk.has("termux-clipboard-get"):
        return Clip(
            problem="the clipboard cannot be read without termux-api: pkg install termux-api"
        )
    return _text(await desk.run("termux-clipboard-get"))


async def _windows(desk: _Desk) -> Clip:
    shell = next((name for name in ("powershell.exe", "pwsh.exe", "pwsh") if desk.has(name)), None)
    if shell is None:
        return Clip(problem="the clipboard cannot be read without PowerShell")
    told = await desk.run(shell, "-NoProfile", "-NonInteractive", "-STA", "-Command", _POWERSHELL)
    files: list[Path] = []
    for line in told.split(b"\n"):
        kind, _, encoded = line.strip().partition(b" ")
        try:
            data = base64.b64decode(encoded, validate=True)
        except ValueError:
            continue
        if kind == b"image":
            return _image(data, ".png")
        if kind == b"text":
            return _text(data)
        if kind == b"file" and data:
            files.append(Path(_here(data.decode(errors="replace"))))
    return Clip(files=tuple(files))


def _here(path: str) -> str:
    r"""A path of Windows as this system has it: C:\x is /mnt/c/x in WSL."""
    drive = re.match(r"([A-Za-z]):[\\/]", path)
    if os.name == "nt" or drive is None:
        return path
    return f"/mnt/{drive[1].lower()}/{path[3:]}".replace("\\", "/")


def _image(data: bytes, suffix: str) -> Clip:
    if not data:
        return Clip(problem="the image in the clipboard could not be read")
    try:
        number, name = tempfile.mkstemp(prefix="pi-clipboard-", suffix=suffix)
        with open(number, "wb") as file:
            file.write(data)
    except OSError as error:
        return Clip(problem=f"the image could not be saved: {error.strerror or error}")
    return Clip(image=Path(name))


def _files(uris: bytes) -> tuple[Path, ...]:
    lines = uris.decode(errors="replace").splitlines()
    return tuple(Path(unquote(urlsplit(line).path)) for line in lines if line.startswith("file:"))


def _text(data: bytes) -> Clip:
    return Clip(text=data.decode("utf-8", "replace").replace("\r\n", "\n"))
