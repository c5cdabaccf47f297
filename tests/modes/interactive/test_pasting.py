"""Reading the clipboard through programs that stand in for those of a desktop."""

import asyncio
import base64
import os
import sys
import time

import pytest

from pi.modes.interactive import pasting
from pi.modes.interactive.pasting import Clip, read_clipboard

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the programs are shell scripts")

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


@pytest.fixture
def desktop(tmp_path, monkeypatch):
    """Programs by name and script; the answer of the clipboard."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "tmp").mkdir()
    (tmp_path / "png").write_bytes(PNG)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))

    def read(platform="linux", variables=None, **programs):
        for name, script in programs.items():
            path = tmp_path / "bin" / name.replace("_", "-").replace("-exe", ".exe")
            path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
            path.chmod(0o755)
        env = {"PATH": str(tmp_path / "bin"), "PNG": str(tmp_path / "png"), **(variables or {})}
        return asyncio.run(read_clipboard(env, platform))

    return read


WAYLAND = {"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}
X11 = {"DISPLAY": ":0"}


def assert_png(clip):
    assert clip.image.read_bytes() == PNG
    assert clip.image.name.startswith("pi-clipboard-") and clip.image.suffix == ".png"
    assert clip.image.stat().st_mode & 0o777 == 0o600
    assert (clip.text, clip.files, clip.problem) == ("", (), "")


def wl_paste(types, data='cat "$PNG"'):
    return f'[ "$1" = --list-types ] && printf "{types}" || {data}'


def xclip(targets, data='cat "$PNG"'):
    return f'[ "$5" = TARGETS ] && printf "{targets}" || {data}'


def test_wayland(desktop):
    assert_png(desktop(variables=WAYLAND, wl_paste=wl_paste("text/html\\nimage/png\\n")))
    text = desktop(variables=WAYLAND, wl_paste=wl_paste("text/plain\\n", r"printf 'a\r\nb\n'"))
    assert text == Clip(text="a\nb\n")
    uris = r"printf 'copy\nfile:///a%%20b.png\r\nfile:///c\r\n'"
    clip = desktop(variables=WAYLAND, wl_paste=wl_paste("text/uri-list\\n", uris))
    assert [str(file) for file in clip.files] == ["/a b.png", "/c"]
    assert desktop(variables=WAYLAND, wl_paste="exit 1") == Clip(problem="the clipboard is empty")


def test_x11(desktop):
    assert_png(desktop(variables=X11, xclip=xclip("TARGETS\\nimage/png\\nimage/bmp\\n")))
    assert_png(desktop(variables=WAYLAND, xclip=xclip("image/png")))  # no wl-paste
    clip = desktop(variables=X11, xclip=xclip("UTF8_STRING\\nSTRING", "echo $5 é"))
    assert clip == Clip(text="UTF8_STRING é\n")


def test_mac(desktop):
    data = 'printf "«data PNGf$(od -An -v -tx1 "$PNG" | tr -d " \\n" | tr a-f A-F)»"'
    osascript = f'case "$2" in *info*) echo "«class PNGf», 99";; *PNGf*) {data};; esac'
    assert_png(desktop("mac", osascript=osascript))
    assert_png(desktop("mac", osascript="exit 1", pngpaste='cat "$PNG"'))
    files = 'case "$2" in *info*) echo "«class furl», 9";; *) echo "/Users/me/a b.png";; esac'
    clip = desktop("mac", osascript=files)
    assert [str(file) for file in clip.files] == ["/Users/me/a b.png"]
    clip = desktop("mac", osascript="exit 1", pngpaste="exit 1", pbpaste="printf text")
    assert clip == Clip(text="text")


def test_powershell(desktop):
    encoded = base64.b64encode(PNG).decode()
    assert_png(desktop("wsl", powershell_exe=f"printf 'image {encoded}\\r\\n'"))
    text = base64.b64encode("é\r\nx".encode()).decode()
    assert desktop("windows", powershell_exe=f"printf 'text {text}\\r\\n'") == Clip(text="é\nx")
    one, two = (base64.b64encode(p).decode() for p in (b"C:\\Users\\me\\a b.png", b"D:\\c"))
    clip = desktop("wsl", powershell_exe=f"printf 'file {one}\\r\\nfile {two}\\r\\n'")
    assert [str(file) for file in clip.files] == ["/mnt/c/Users/me/a b.png", "/mnt/d/c"]
    noise = desktop("wsl", powershell_exe="echo Add-Type : not found; echo 'image ???'")
    assert noise == Clip(problem="the clipboard is empty")
    # Not in the working folder, from which it may not start.
    there = desktop("wsl", powershell_exe='printf "text $(pwd | base64)"')
    assert there == Clip(text="/\n")


def test_termux(desktop):
    variables = {"TERMUX_VERSION": "1"}
    assert "pkg install termux-api" in desktop(variables=variables).problem
    clip = desktop(variables=variables, termux_clipboard_get="printf hello")
    assert clip == Clip(text="hello")


@pytest.mark.parametrize(
    ("platform", "variables", "problem"),
    [
        ("linux", {}, "there is no clipboard here; paste with the terminal's own key"),
        ("linux", WAYLAND, "the clipboard cannot be read without wl-paste (wl-clipboard)"),
        ("linux", X11, "the clipboard cannot be read without xclip"),
        ("wsl", {}, "the clipboard cannot be read without PowerShell"),
        ("windows", {}, "the clipboard cannot be read without PowerShell"),
        ("mac", {}, "the clipboard is empty"),
    ],
)
def test_without_any_program(desktop, platform, variables, problem):
    assert desktop(platform, variables) == Clip(problem=problem)


def test_programs_that_fail(desktop, monkeypatch, tmp_path):
    broken = wl_paste("image/png\\n", "exit 3")
    problem = "the image in the clipboard could not be read"
    assert desktop(variables=WAYLAND, wl_paste=broken) == Clip(problem=problem)
    monkeypatch.setattr(pasting, "_PATIENCE", 0.2)
    began = time.monotonic()
    assert desktop(variables=WAYLAND, wl_paste="exec sleep 60").problem == "the clipboard is empty"
    assert time.monotonic() - began < 30
    monkeypatch.setattr(pasting, "_MOST_BYTES", 1 << 16)
    monkeypatch.setattr(pasting, "_PATIENCE", 30)
    endless = wl_paste("image/png\\n", "exec cat /dev/zero")
    assert desktop(variables=WAYLAND, wl_paste=endless) == Clip(problem=problem)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    full = desktop(variables=WAYLAND, wl_paste=wl_paste("image/png\\n"))
    assert full == Clip(problem="the image could not be saved: No such file or directory") or (
        os.geteuid() == 0 and full.problem.startswith("the image could not be saved")
    )
