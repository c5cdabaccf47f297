import asyncio
import errno
import os
import stat
import sys
from pathlib import Path

import pytest

from pi.tools import files
from pi.tools.files import exclusive, write_atomically

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")


def test_a_new_file_with_its_folders(run) -> None:
    ran = run("write", path="new/deep/f.txt", content="héllo\r\nx")
    assert not ran.is_error
    assert ran.details is None
    assert (run.cwd / "new/deep/f.txt").read_bytes() == "héllo\r\nx".encode()


def test_an_existing_file_is_replaced(run, put) -> None:
    path = put("a", "old and longer")
    run("write", path="a", content="new")
    assert path.read_text() == "new"
    run("write", path="a", content="")
    assert path.read_bytes() == b""
    assert os.listdir(run.cwd) == ["a"]


@posix
def test_mode_and_links_are_kept(run, put) -> None:
    script = put("run.sh", "old")
    script.chmod(0o755)
    (run.cwd / "link").symlink_to("run.sh")
    (run.cwd / "dangling").symlink_to("elsewhere")
    run("write", path="link", content="new")
    assert (run.cwd / "link").is_symlink()
    assert script.read_text() == "new"
    assert stat.S_IMODE(script.stat().st_mode) == 0o755
    run("write", path="dangling", content="made")
    assert (run.cwd / "elsewhere").read_text() == "made"


@posix
def test_a_new_file_follows_the_umask(run) -> None:
    before = os.umask(0o027)
    try:
        run("write", path="a", content="x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((run.cwd / "a").stat().st_mode) == 0o640


@posix
def test_hard_links_stay_together(run, put) -> None:
    first = put("a", "old")
    os.link(first, run.cwd / "b")
    run("write", path="b", content="new")
    assert first.read_text() == "new"


@pytest.mark.parametrize(
    ("path", "code"), [("folder", "EISDIR"), ("file/x", "E(EXIST|NOTDIR)"), ("", "EISDIR")]
)
def test_what_cannot_be_written(run, put, path: str, code: str) -> None:
    import re

    put("file")
    (run.cwd / "folder").mkdir()
    ran = run("write", path=path, content="x")
    assert ran.is_error
    assert re.search(code, ran.text)
    assert ran.details == {}


@posix
def test_a_read_only_file_is_not_replaced_behind_its_back(run, put, monkeypatch) -> None:
    path = put("ro", "old")
    path.chmod(0o444)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anything
    ran = run("write", path="ro", content="new")
    assert "EACCES" in ran.text
    assert path.read_text() == "old"


def test_a_full_disk_leaves_the_old_content(run, put, monkeypatch) -> None:
    path = put("a", "precious")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "replace", full)
    ran = run("write", path="a", content="new")
    assert "ENOSPC" in ran.text
    assert path.read_text() == "precious"
    assert os.listdir(run.cwd) == ["a"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_device_is_written_not_replaced(run) -> None:
    assert "ENOSPC" in run("write", path="/dev/full", content="x").text
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_half_a_surrogate_pair_is_replaced(run) -> None:
    run("write", path="a", content="a\ud83db\ude00😀")
    assert (run.cwd / "a").read_text("utf-8") == "a\ufffdb\ufffd😀"


def test_changes_of_one_file_wait_for_each_other(run) -> None:
    async def together() -> list[bool]:
        calls = [run.call("write", {"path": "f", "content": "0"})]
        calls += [
            run.call("edit", {"path": "f", "edits": [{"oldText": str(n), "newText": str(n + 1)}]})
            for n in range(20)
        ]
        return [ran.is_error for ran in await asyncio.gather(*calls)]

    assert not any(asyncio.run(together()))
    assert (run.cwd / "f").read_text() == "20"


@posix
def test_a_link_and_its_target_share_a_lock(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "b").symlink_to("a")
    order = []

    async def hold(name: str, seconds: float) -> None:
        async with exclusive(tmp_path / name):
            order.append(f"{name} in")
            await asyncio.sleep(seconds)
            order.append(f"{name} out")

    async def both() -> None:
        await asyncio.gather(hold("a", 0.02), hold("b", 0))

    asyncio.run(both())
    assert order == ["a in", "a out", "b in", "b out"]


def test_replacing_is_atomic(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"1" * 1000)
    with path.open("rb") as reader:
        write_atomically(path, b"2" * 1000)
        assert reader.read() == b"1" * 1000
    assert path.read_bytes() == b"2" * 1000


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_that_nobody_reads_is_an_error_not_a_wait(run, put) -> None:
    fifo = put("before", "").parent / "fifo"
    os.mkfifo(fifo)
    ran = run("write", path="fifo", content="x")
    assert ran.is_error and "fifo" in ran.text
    assert fifo.is_fifo()
