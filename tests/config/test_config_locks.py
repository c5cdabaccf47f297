"""The folder lock, and writes that are whole or not there."""

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pi.config import locks
from pi.config.locks import folder_lock, update_json, write_atomically
from pi.errors import ConfigError

COUNT = """
import sys
from pathlib import Path
from pi.config.locks import update_json
for _ in range(15):
    update_json(Path(sys.argv[1]), lambda old: {**old, "n": old.get("n", 0) + 1})
"""


def test_lock_is_a_folder_and_goes_away(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.json"
    with folder_lock(path):
        assert (tmp_path / "deep" / "a.json.lock").is_dir()
        with pytest.raises(ConfigError, match="locked by another"), folder_lock(path, wait=0.1):
            pass
    assert os.listdir(tmp_path / "deep") == []


def test_stale_lock_is_taken_over(tmp_path: Path) -> None:
    folder = tmp_path / "a.json.lock"
    folder.mkdir()
    old = time.time() - 60
    os.utime(folder, (old, old))
    with folder_lock(tmp_path / "a.json", wait=0):
        assert time.time() - folder.stat().st_mtime < 30
    assert not folder.exists()


def test_a_stale_lock_from_the_future_is_taken_over(tmp_path: Path) -> None:
    """The clock was set back since its owner died."""
    folder = tmp_path / "a.json.lock"
    folder.mkdir()
    os.utime(folder, (time.time() + 9000,) * 2)
    with folder_lock(tmp_path / "a.json", wait=30, stale=0.2):
        assert folder.stat().st_mtime < time.time() + 1000
    assert not folder.exists()


DIE = """
import os, sys
from pathlib import Path
from pi.config.locks import folder_lock
with folder_lock(Path(sys.argv[1])):
    if sys.argv[2:] == ["live"]:
        print("held", flush=True)
        sys.stdin.read()
    os._exit(9)
"""
posix = pytest.mark.skipif(os.name == "nt", reason="no flock there")


def _age(folder: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(folder, (then, then))


@posix
def test_the_lock_of_a_dead_process_is_taken_over_before_it_is_stale(tmp_path: Path) -> None:
    path, folder = tmp_path / "a.json", tmp_path / "a.json.lock"
    assert subprocess.run([sys.executable, "-c", DIE, str(path)], check=False).returncode == 9
    assert folder.is_dir()
    with pytest.raises(ConfigError, match="locked by another"), folder_lock(path, wait=0):
        pass  # it may be another machine's
    _age(folder, 10)
    with folder_lock(path, wait=0):
        pass
    assert not folder.exists()


@posix
def test_a_live_process_keeps_its_lock_until_it_is_stale(tmp_path: Path) -> None:
    path, folder = tmp_path / "a.json", tmp_path / "a.json.lock"
    command = [sys.executable, "-c", DIE, str(path), "live"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None and owner.stdout.readline() == b"held\n"
        _age(folder, 10)  # it stands still
        with pytest.raises(ConfigError, match="locked by another"), folder_lock(path, wait=0):
            pass
        assert folder.is_dir()
        owner.kill()


def test_the_lock_of_the_other_program_counts_until_it_is_stale(tmp_path: Path) -> None:
    folder = tmp_path / "a.json.lock"
    folder.mkdir()
    _age(folder, 20)
    with (
        pytest.raises(ConfigError, match="locked by another"),
        folder_lock(tmp_path / "a.json", wait=0),
    ):
        pass


@posix
@pytest.mark.parametrize("kind", ["dangling", "file", "full"])
def test_a_lock_that_is_none_gives_one_line_at_once(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "a.json.lock"
    if kind == "dangling":
        folder.symlink_to("nowhere")
    elif kind == "file":
        folder.touch()
    else:
        (folder / "inside").mkdir(parents=True)
    os.utime(folder, (0, 0), follow_symlinks=False)
    with pytest.raises(ConfigError, match=r"cannot lock .*a\.json.lock cannot be removed: "):
        update_json(tmp_path / "a.json", lambda old: {**old, "n": 1})


def test_a_held_lock_stays_fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_REFRESH_EVERY", 0.02)
    folder = tmp_path / "a.json.lock"
    with folder_lock(tmp_path / "a.json"):
        first = folder.stat().st_mtime_ns
        deadline = time.monotonic() + 20
        while folder.stat().st_mtime_ns == first and time.monotonic() < deadline:
            time.sleep(0.01)
        assert folder.stat().st_mtime_ns != first
    assert not folder.exists()


def test_a_lock_lost_to_another_is_left_to_it(tmp_path: Path) -> None:
    folder = tmp_path / "a.json.lock"
    with folder_lock(tmp_path / "a.json"):
        os.utime(folder, (1, 1))
    assert folder.exists()


def test_a_writer_that_lost_its_lock_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("{}")

    def slow(old: dict[str, object]) -> dict[str, object]:
        os.utime(tmp_path / "a.json.lock", (1, 1))
        return {"a": 1}

    with pytest.raises(ConfigError, match="nothing written"):
        update_json(path, slow)
    assert path.read_text() == "{}"


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    running = [subprocess.Popen([sys.executable, "-c", COUNT, str(path)]) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert json.loads(path.read_text()) == {"n": 45}
    assert os.listdir(tmp_path) == ["a.json"]


def test_update_keeps_order_and_unknown_keys(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"z": {"x": 1}, "a": "\\ud83d", "m": 2}')
    update_json(path, lambda old: {**old, "m": 3})
    assert list(json.loads(path.read_text()).items()) == [
        ("z", {"x": 1}),
        ("a", "\ud83d"),
        ("m", 3),
    ]
    if os.name != "nt":
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_modes_and_links(tmp_path: Path) -> None:
    real = tmp_path / "real.json"
    real.write_text("{}")
    real.chmod(0o640)
    link = tmp_path / "link.json"
    link.symlink_to(real)
    update_json(link, lambda old: {"a": 1}, mode=None)
    assert link.is_symlink()
    assert json.loads(real.read_text()) == {"a": 1}
    assert real.stat().st_mode & 0o777 == 0o640


def test_malformed_file_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("{bad")
    with pytest.raises(ConfigError, match="line 1 column 2"):
        update_json(path, lambda old: {"a": 1})
    assert path.read_text() == "{bad"
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_failing_change_leaves_everything(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("{}")

    def fail(old: dict[str, object]) -> dict[str, object]:
        raise KeyError("x")

    with pytest.raises(KeyError):
        update_json(path, fail)
    assert os.listdir(tmp_path) == ["a.json"]
    assert path.read_text() == "{}"


def test_a_folder_that_cannot_be_made_gives_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot lock"):
        update_json(tmp_path / "file" / "a.json", lambda old: {"n": 1})


def test_unwritable_place_gives_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot write"):
        write_atomically(tmp_path / "file" / "a.json", b"{}")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_file_is_neither_waited_for_nor_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    device = tmp_path / "device.json"
    device.symlink_to("/dev/zero")
    for path in (pipe, device):
        with pytest.raises(ConfigError, match="it is not a regular file"):
            update_json(path, lambda saved: {**saved, "a": 1})
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert os.readlink(device) == "/dev/zero"
