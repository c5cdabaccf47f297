"""The person's own editor, at a pseudo-terminal."""

import os
import sys
from pathlib import Path

import pytest

from pi.errors import PiError
from pi.modes.interactive.editor.external import editor_command
from tests.modes.interactive.ptys import Pty

CHILD = """
import asyncio, sys
from pi.modes.interactive.editor.external import edit_outside
from pi.modes.interactive.terminal import Terminal
from pi.errors import PiError

async def main():
    terminal = Terminal(lambda key: None)
    with terminal.opened():
        try:
            said = repr(await edit_outside(terminal, "one\\ntwo é", sys.argv[1:]))
        except PiError as error:
            said = f"{error} | {error.hint}"
        terminal.write(f"<{said}>")

asyncio.run(main())
"""


def test_which_editor():
    both = {"VISUAL": "vim -f", "EDITOR": "ed"}
    assert editor_command(None, both, windows=False) == ["vim", "-f"]
    assert editor_command('"my editor" --wait', both, windows=False) == ["my editor", "--wait"]
    assert editor_command(" ", {"EDITOR": "ed"}, windows=False) == ["ed"]
    assert editor_command(None, {}, windows=False) == ["nano"]
    assert editor_command(None, {}, windows=True) == ["notepad"]
    windows = editor_command(r'"C:\Program Files\e.exe" -w', {}, windows=True)
    assert windows == [r"C:\Program Files\e.exe", "-w"]
    with pytest.raises(PiError, match="VISUAL is not a command"):
        editor_command(None, {"VISUAL": 'vim "'}, windows=False)


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of POSIX")
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("printf 'new\\n' >\"$1\"", "'new'"),
        ("printf 'new\\n\\n' >\"$1\"", "'new\\n'"),
        ('cat "$1" >seen; echo three >>"$1"', "'one\\ntwo é\\nthree'"),
        ("exit 1", "None"),
        ('rm "$1"', "None"),
        ('printf "\\377" >"$1"', "'\ufffd'"),
        (None, "cannot start the editor"),
    ],
)
def test_editing(tmp_path, script, said):
    (tmp_path / "child.py").write_text(CHILD)
    (tmp_path / "tmp").mkdir()
    command = [sys.executable, str(tmp_path / "child.py")]
    if script is None:
        command.append(str(tmp_path / "missing"))
    else:
        (tmp_path / "editor").write_text(f"#!/bin/sh\ncd {tmp_path}\n{script}\n")
        (tmp_path / "editor").chmod(0o755)
        command.append(str(tmp_path / "editor"))
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path / "tmp"),
        "TERM": "xterm",
        "PYTHONPATH": str(Path(__file__).parents[4]),
    }
    with Pty(command, env, answers=[(r"\x1b\[c", "\x1b[?62c")]) as one:
        one.expect(f"<{said}")
        assert one.wait() == 0
        assert one.as_at_start
        if script is None:
            assert "Set externalEditor" in one.output
    assert list((tmp_path / "tmp").iterdir()) == []
    if script is not None and "seen" in script:
        assert (tmp_path / "seen").read_text() == "one\ntwo é\n"
