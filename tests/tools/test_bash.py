import asyncio
import os
import re
import stat
import sys
import time
from pathlib import Path

import pytest

from pi.tools import bash, processes
from pi.tools.base import ToolContext
from tests.waiting import gone, is_alive

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="commands of a POSIX shell")


@pytest.mark.parametrize(
    ("command", "text", "code"),
    [
        ("echo hi", "hi\n", 0),
        ("printf hi", "hi", 0),
        ("true", "(no output)", 0),
        ("", "(no output)", 0),
        ("printf '\\n\\n'", "\n\n", 0),
        ("echo out; echo err >&2; echo out2", "out\nerr\nout2\n", 0),
        ("printf 'a\\033[31mred\\033[0m\\x00\\xff\\r\\nb'", "a\x1b[31mred\x1b[0m\0\ufffd\r\nb", 0),
        ("printf '\\303'", "\ufffd", 0),
        ("false", "(no output)\n\nExit code: 1", 1),
        ("printf a; exit 7", "a\n\nExit code: 7", 7),
        ("echo a; exit 300", "a\n\n\nExit code: 44", 44),
        ("kill -9 $$", "(no output)\n\nExit code: 137", 137),
        ("kill -TERM $$", "(no output)\n\nExit code: 143", 143),
    ],
)
def test_output_and_status(run, command: str, text: str, code: int) -> None:
    ran = run("bash", command=command)
    assert ran.text == text
    assert ran.details is None
    assert ran.is_error is (code != 0)
    assert ran.structured["exit_code"] == code
    assert ran.structured["truncated"] is False
    assert list(ran.structured) == ["output", "truncated", "exit_code", "wall_time_seconds"]


def test_where_it_runs_and_with_what(run) -> None:
    run.env["PI_SESSION_ID"] = "abc"
    ran = run(
        "bash", command="pwd -P; echo $PI_SESSION_ID; [ -t 0 ] || echo no tty; cat; echo $0 $-"
    )
    cwd = os.path.realpath(run.cwd)
    assert ran.text.startswith(f"{cwd}\nabc\nno tty\n")


def test_nothing_of_the_program_itself_leaks_in(run) -> None:
    assert "HOME=" in run("bash", command="env").text
    assert "PYTEST" not in run("bash", command="env").text


def test_there_is_no_terminal_to_ask_on(run) -> None:
    ran = run("bash", command="read x </dev/tty; echo $?")
    assert ran.text.endswith("1\n")


def test_a_prefix_and_another_shell(run) -> None:
    ran = asyncio.run(run.call("bash", {"command": "echo $X"}, shell_prefix="X=5"))
    assert ran.text == "5\n"
    ran = asyncio.run(run.call("bash", {"command": "echo $0"}, shell="/bin/sh"))
    assert ran.text == "/bin/sh\n"
    ran = asyncio.run(run.call("bash", {"command": "true"}, shell="/no/such/shell"))
    assert ran.is_error
    assert "/no/such/shell" in ran.text


def test_a_folder_that_is_gone(run) -> None:
    run.cwd.rmdir()
    ran = run("bash", command="true")
    assert ran.is_error
    assert str(run.cwd) in ran.text
    assert "\n" not in ran.text


# --- long output


def spilled(run) -> list[Path]:
    return sorted(Path(run.env["TMPDIR"]).iterdir())


def test_the_tail_is_kept_and_the_rest_is_in_a_private_file(run) -> None:
    ran = run("bash", command="seq 3000; exit 3")
    (path,) = spilled(run)
    assert re.fullmatch(r"pi-bash-[0-9a-f]{16}\.log", path.name)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "".join(f"{n}\n" for n in range(1, 3001))
    assert ran.text.startswith("1001\n1002\n")
    assert f"Lines 1001-3000 of 3000. Full output: {path}]\n\nExit code: 3" in ran.text
    assert list(ran.details) == ["truncation", "fullOutputPath"]
    assert ran.details["fullOutputPath"] == str(path)
    truncation = ran.details["truncation"]
    assert (truncation["totalLines"], truncation["totalBytes"]) == (3000, 13893)
    assert (truncation["outputLines"], truncation["outputBytes"]) == (2000, 9999)
    assert ran.structured["output"] == path.read_text()


def test_2000_lines_are_no_long_output(run) -> None:
    assert run("bash", command="seq 2000").details is None
    assert spilled(run) == []


@pytest.mark.parametrize("newline", ["", "; echo"])
def test_one_endless_line(run, newline: str) -> None:
    ran = run("bash", command=f"echo first; head -c 60000 /dev/zero | tr '\\0' x{newline}")
    assert "of line 2, which has 58.6KB" in ran.text
    assert ran.details["truncation"]["lastLinePartial"] is True
    assert ran.details["truncation"]["outputBytes"] == 51200


def test_much_output_is_bounded_in_memory_but_not_in_the_file(run) -> None:
    ran = run("bash", command="seq 400000")
    (path,) = spilled(run)
    assert path.stat().st_size == ran.details["truncation"]["totalBytes"] == 2688895
    assert ran.structured["truncated"] is True
    assert ran.structured["full_output_path"] == str(path)
    assert len(ran.structured["output"]) < 1_100_000
    assert ran.structured["output"].startswith("1\n2\n")
    assert ran.structured["output"].endswith("\n400000\n")


def test_a_folder_for_the_file_that_cannot_be_written_is_said(run) -> None:
    run.env["TMPDIR"] = str(run.cwd / "missing")
    ran = run("bash", command="seq 3000")
    assert not ran.is_error
    assert "could not be kept" in ran.text
    assert "fullOutputPath" not in ran.details
    assert ran.text.startswith("1001\n")


# --- updates


def test_updates_come_while_it_runs(run) -> None:
    ran = run("bash", command="echo 1; sleep 0.25; echo 2; sleep 0.25; echo 3")
    texts = [update.content[0]["text"] for update in ran.updates[1:]]
    assert ran.updates[0].content == []
    assert ran.updates[0].details is None
    assert texts == ["1\n", "1\n2\n", "1\n2\n3\n"]
    assert all(update.details == {} for update in ran.updates[1:])


def test_updates_are_not_more_than_ten_a_second(run) -> None:
    ran = run("bash", command="for i in $(seq 100); do echo $i; sleep 0.003; done")
    seconds = ran.structured["wall_time_seconds"]
    assert len(ran.updates) <= 4 + 10 * seconds
    assert ran.updates[-1].content[0]["text"] == ran.text


def test_updates_are_cut_like_the_result(run) -> None:
    ran = run("bash", command="seq 3000; sleep 0.3; echo end")
    last = ran.updates[-1]
    assert last.content[0]["text"].endswith("\nend")
    assert list(last.details) == ["truncation", "fullOutputPath"]


# --- the end


@pytest.mark.parametrize("timeout", [0, -1, 2147483.648, float("inf")])
def test_impossible_timeouts(run, timeout: float) -> None:
    ran = run("bash", command="echo hi", timeout=timeout)
    assert ran.is_error
    assert "timeout" in ran.text
    assert ran.details == {}


@pytest.mark.parametrize("timeout", [2147483.647, "5", None])
def test_possible_timeouts(run, timeout) -> None:
    assert run("bash", command="echo hi", timeout=timeout).text == "hi\n"


def test_a_timeout_keeps_the_output(run) -> None:
    ran = run("bash", command="echo a; sleep 60", timeout=1.5)
    assert ran.is_error
    assert ran.text.startswith("a\n\n\n")
    assert "timeout of 1.5 seconds" in ran.text
    assert ran.details == {}
    assert run("bash", command="sleep 60", timeout=0.2).text.startswith("Killed")


TREE = """
sleep 61 & echo $!
bash -c 'trap "" TERM HUP INT; sleep 62 & echo $!; wait' &
echo $!
setsid sleep 63 & echo $!
echo ready; wait
"""


def test_a_timeout_kills_the_whole_tree(run) -> None:
    ran = run("bash", command=TREE, timeout=1)
    pids = [int(word) for word in re.findall(r"^\d+$", ran.text, re.M)]
    assert len(pids) == 4
    if not os.path.isdir("/proc"):
        pids.pop()  # what left the session is only found by /proc
    assert gone(*pids)


def test_cancelling_kills_the_whole_tree_and_tells_what_there_was(run) -> None:
    async def cancelled() -> list[str]:
        ready = asyncio.Event()
        texts: list[str] = []

        def update(partial) -> None:
            if partial.content:
                texts.append(partial.content[0]["text"])
                if "ready" in texts[-1] and len(re.findall(r"^\d+$", texts[-1], re.M)) == 4:
                    ready.set()

        from pi.tools.registry import load

        context = ToolContext(call_id="c", cwd=run.cwd, env=run.env, update=update)
        task = asyncio.create_task(load("bash").run({"command": TREE}, context))
        await asyncio.wait_for(ready.wait(), 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return texts

    texts = asyncio.run(cancelled())
    assert "ready\n" in texts[-1]
    assert texts[-1].endswith("\n\n\nCommand aborted")
    pids = [int(word) for word in re.findall(r"^\d+$", texts[-1], re.M)]
    if not os.path.isdir("/proc"):
        pids.pop()
    assert gone(*pids)


# --- background children


def test_a_background_child_that_holds_the_pipe_does_not_hang(run) -> None:
    began = time.monotonic()
    ran = run("bash", command="sleep 30 & echo $!")
    assert time.monotonic() - began < 20
    pid = int(ran.text.split("\n")[0])
    assert is_alive(pid)
    os.kill(pid, 9)


def test_output_that_comes_soon_after_the_shell_is_collected(run, monkeypatch) -> None:
    monkeypatch.setattr(bash, "_QUIET", 10.0)  # a busy machine sleeps longer than it is told to
    monkeypatch.setattr(bash, "_GRACE", 10.0)
    ran = run("bash", command="(for i in 1 2 3 4 5; do sleep 0.04; echo late $i; done) & echo now")
    assert ran.text == "now\n" + "".join(f"late {i}\n" for i in range(1, 6))


def test_output_that_comes_later_is_in_a_file(run) -> None:
    ran = run("bash", command="(sleep 0.6; echo late; sleep 0.1; echo later) & echo now")
    assert ran.text.startswith("now\n\n\n[A background process still runs")
    assert ran.structured["output"] == "now\n"
    (path,) = spilled(run)
    assert str(path) in ran.text
    deadline = time.monotonic() + 20
    while path.read_text() != "now\nlate\nlater\n" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert path.read_text() == "now\nlate\nlater\n"


def test_a_detached_child_is_left_alone_and_not_mentioned(run) -> None:
    ran = run("bash", command="nohup sleep 30 >/dev/null 2>&1 & echo $!")
    assert re.fullmatch(r"\d+\n", ran.text)
    assert is_alive(int(ran.text))
    os.kill(int(ran.text), 9)


def test_a_chatty_background_child_does_not_hold_the_tool(run) -> None:
    began = time.monotonic()
    ran = run("bash", command="(while :; do echo x; sleep 0.02; done) & echo $!")
    assert time.monotonic() - began < 20
    pid = int(next(line for line in ran.text.split("\n") if line.isdecimal()))
    processes.kill_tree(pid)
    os.kill(pid, 9)


def test_the_loop_is_free_while_a_command_runs(run) -> None:
    async def both() -> int:
        task = asyncio.create_task(run.call("bash", {"command": "sleep 0.5"}))
        turns = 0
        while not task.done():
            await asyncio.sleep(0.01)
            turns += 1
        return turns

    assert asyncio.run(both()) > 5


def test_no_descriptor_is_left(run) -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("needs /proc")
    run("bash", command="seq 3000")

    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = count()
    for _ in range(5):
        run("bash", command="seq 3000")
        run("bash", command="sleep 9", timeout=0.05)
    deadline = time.monotonic() + 10
    while count() > before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert count() <= before


@pytest.mark.skipif(sys.platform == "win32", reason="process groups")
def test_cancelling_while_it_starts_leaves_nothing(run, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"

    async def start_and_cancel() -> int:
        command = f"sleep 300 & echo $! > {pid_file}; wait"
        task = asyncio.create_task(run.call("bash", {"command": command}))
        until = time.monotonic() + 20
        # The loop gets one step at a time: the shell is far ahead of the code that waits for it.
        while not (pid_file.exists() and pid_file.read_text().strip()):
            assert time.monotonic() < until
            await asyncio.sleep(0)
            time.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        return int(pid_file.read_text())

    assert gone(asyncio.run(start_and_cancel()))
