"""A session that another process has, a folder that takes nothing, a disk that fills up."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import COMMAND, ScriptedFactory

HOLDER = """
import sys
from pathlib import Path
from pi.session.store import SessionStore
store = SessionStore.open(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""

# Files of this process and of what it becomes end at so many bytes.
LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
os.execvp(sys.argv[2], sys.argv[2:])
"""


def test_a_second_pi_is_refused_and_a_dead_one_forgotten(scripted: ScriptedFactory) -> None:
    script = scripted([{"blocks": [{"text": text}]} for text in ("one", "two")])
    assert script.run("-p", "first").code == 0
    path = script.machine.session()
    before = path.read_bytes()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        for mode in ([], ["--mode", "json"], ["--mode", "rpc"]):
            refused = script.run("-c", *mode, *([] if "rpc" in mode else ["-p", "second"]))
            assert refused.code == 1, mode
            assert refused.stderr.count("\n") == 2, refused.stderr
            assert "open in another pi" in refused.stderr
        assert path.read_bytes() == before
        assert len(script.bodies) == 1
        holder.kill()
    assert script.run("-c", "-p", "second").text == "two\n"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc takes no files, whoever asks")
def test_a_folder_that_takes_no_files(scripted: ScriptedFactory) -> None:
    script = scripted([{"blocks": [{"text": "one"}]}])
    refused = script.run("--session-dir", "/proc/none", "-p", "first")
    assert refused.code == 1
    first, hint = refused.stderr.splitlines()
    assert first.startswith("Error: cannot make the session folder /proc/none")
    assert "--no-session" in hint
    assert script.bodies == []
    assert script.run("--no-session", "-p", "first").text == "one\n"


@pytest.mark.skipif(os.name != "posix", reason="limits on files")
@pytest.mark.parametrize("mode", ["text", "json"])
def test_a_disk_that_fills_up_is_said(scripted: ScriptedFactory, tmp_path: Path, mode: str) -> None:
    script = scripted([{"blocks": [{"text": text}]} for text in ("one", "x" * 9000, "three")])
    assert script.run("-p", "first").code == 0
    size = script.machine.session().stat().st_size
    command = [sys.executable, "-c", LIMITED, str(size + 2000), *COMMAND, *script.options]
    done = subprocess.run(
        [*command, "--mode", mode, "-c", "-p", "second"],
        capture_output=True,
        text=True,
        cwd=script.machine.project,
        env=script.machine.environment,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "cannot write to session" in done.stderr
    # What was written before is there, and the next one goes on from it.
    assert script.run("-c", "-p", "third").text == "three\n"
    said = [m["content"][0]["text"] for m in script.machine.messages() if m["role"] == "user"]
    assert said == ["first", "second", "third"]
