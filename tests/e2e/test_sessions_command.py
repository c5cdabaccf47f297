"""`pi sessions`, run as a person or a script runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import COMMAND, Machine, Result
from tests.session.session_lines import (
    assistant,
    dump,
    entry,
    file_bytes,
    header,
    message,
    user,
    write,
)

FIRST = "11111111-1111-7111-8111-111111111111"
OTHER = "22222222-2222-7222-8222-222222222222"


def folder(machine: Machine, cwd: Path | str) -> Path:
    inner = str(cwd).lstrip("/").replace("/", "-")
    return machine.agent / "sessions" / f"--{inner}--"


def keep(machine: Machine, id: str, *lines: Any, cwd: Path | str | None = None) -> Path:
    """A session of this folder, or of another."""
    cwd = machine.project if cwd is None else cwd
    path = folder(machine, cwd) / f"2026-01-01T00-00-00-000Z_{id}.jsonl"
    return write(path, header(id=id, cwd=str(cwd)), *lines)


def ask(machine: Machine, *arguments: str, **env: str) -> Result:
    return machine.run("sessions", *arguments, **env)


def answer(machine: Machine, *arguments: str) -> Any:
    result = ask(machine, *arguments, "--json")
    assert (result.code, result.stderr) == (0, "")
    return json.loads(result.stdout)


@pytest.fixture
def two(machine: Machine) -> tuple[Path, Path]:
    """One here, with a name; one elsewhere, used later."""
    return (
        keep(
            machine, FIRST, user("u", None, "fix the parser"), assistant("a", "u"),
            entry("session_info", "n", "a", name="Parser work"),
        ),
        keep(
            machine, OTHER,
            message("v", None, "user", "paint the shed", timestamp=2), cwd="/else/where",
        ),
    )  # fmt: skip


def test_list(machine: Machine, two: tuple[Path, Path]) -> None:
    (here,) = answer(machine, "list")
    assert here["path"] == str(two[0])
    assert here["id"] == FIRST
    assert here["cwd"] == str(machine.project)
    assert here["name"] == "Parser work"
    assert here["firstMessage"] == "fix the parser"
    assert here["messageCount"] == 2
    assert here["modified"] == "1970-01-01T00:00:00.001Z"
    assert here["created"] == "2026-11-23T18:36:05.000Z"
    assert "parentSessionPath" not in here
    assert [one["id"] for one in answer(machine, "list", "--all")] == [OTHER, FIRST]
    assert [one["id"] for one in answer(machine, "list", "--all", "--limit", "1")] == [OTHER]
    assert [one["id"] for one in answer(machine, "list", "--all", "--name", "PARSER")] == [FIRST]
    assert answer(machine, "list", "--all", "--name", "shed") == []
    assert json.loads(machine.run("sessions", "list", "--json").stdout) == [here]


def test_list_for_people(machine: Machine, two: tuple[Path, Path]) -> None:
    result = ask(machine, "list", "--all", COLUMNS="60")
    assert result.stderr == ""
    head, first, second = result.text.splitlines()
    assert head.split() == ["ID", "LAST", "USED", "MESSAGES", "FOLDER", "SESSION"]
    assert first.startswith("22222222  1970-01-01         1  /else/where")
    assert "paint the shed" in first
    assert "Parser work" in second
    assert "\x1b" not in result.text
    assert ask(machine).text == ask(machine, "list").text
    limited = ask(machine, "list", "--all", "--limit", "1")
    assert len(limited.text.splitlines()) == 2
    assert "1 more" in limited.stderr


def test_nothing_to_list(machine: Machine) -> None:
    assert answer(machine, "list") == []
    result = ask(machine, "list")
    assert (result.code, result.text) == (0, "")
    assert "No sessions" in result.stderr


def test_sessions_that_pi_writes_show_up_and_deleted_ones_go(machine: Machine) -> None:
    machine.run("--provider", "demo", "-nt", "-p", "remember the armadillo")
    (one,) = answer(machine, "list")
    assert one["firstMessage"] == "remember the armadillo"
    (hit,) = answer(machine, "search", "armadillo", "--here")
    assert hit["session"] == one
    assert hit["role"] == "user"
    assert hit["entryId"] in [line.get("id") for line in machine.entries()]
    machine.run("-c", "--provider", "demo", "-nt", "-p", "and the pangolin")
    assert len(answer(machine, "search", "pangolin")) == 1
    machine.session().unlink()
    assert answer(machine, "list") == []
    assert answer(machine, "search", "armadillo") == []


def test_search(machine: Machine, two: tuple[Path, Path]) -> None:
    (hit,) = answer(machine, "search", "SHED", "paint")
    assert hit["session"]["path"] == str(two[1])
    assert (hit["entryId"], hit["role"]) == ("v", "user")
    assert hit["timestamp"] == "2026-11-23T18:36:05.000Z"
    assert hit["snippet"] == "paint the shed"
    assert hit["highlights"] == [[0, 5], [10, 14]]
    assert hit["score"] > 0
    assert answer(machine, "search", "shed", "--here") == []
    assert len(answer(machine, "search", "parser", "--entries")) == 2
    people = ask(machine, "search", "shed").text.splitlines()
    assert people[0].startswith("22222222  1970-01-01  /else/where  paint the shed")
    assert people[1] == "    user v: paint the *shed*"
    nothing = ask(machine, "search", "unheard")
    assert (nothing.code, nothing.text, nothing.stderr) == (0, "", "Nothing found.\n")


def test_show(machine: Machine) -> None:
    usage = {"input": 10, "output": 5, "cacheRead": 100, "cacheWrite": 1, "cost": {"total": 0.25}}
    path = keep(
        machine, FIRST, user("u", None, "first words"), assistant("a", "u", usage=usage),
        assistant("b", "u", usage=usage),
    )  # fmt: skip
    for text in (FIRST, FIRST[:6], str(path), os.path.relpath(path, machine.project)):
        shown = answer(machine, "show", text)
        assert shown["id"] == FIRST
    assert shown["tokens"] == {
        "input": 20, "output": 10, "cacheRead": 200, "cacheWrite": 2, "total": 232
    }  # fmt: skip
    assert (shown["cost"], shown["branches"], shown["leafId"]) == (0.5, 2, "b")
    assert shown["models"] == {"mock/m1": 2}
    assert shown["firstMessage"] == {"role": "user", "text": "first words"}
    assert shown["lastMessage"] == {"role": "assistant", "text": "b"}
    assert (shown["version"], shown["entries"], shown["notices"]) == (3, 3, [])
    people = ask(machine, "show", FIRST).text
    for fact in (FIRST, str(path), "2 branches", "$0.5000", "mock/m1 (2)", "first words", "232"):
        assert fact in people


def test_show_reads_old_versions_without_rewriting_them(machine: Machine) -> None:
    old = {"type": "message", "timestamp": "2026-01-05T00:00:00.000Z"}
    path = write(
        folder(machine, machine.project) / f"2025_{FIRST}.jsonl",
        header(id=FIRST, version=None, cwd=str(machine.project)),
        {**old, "message": {"role": "user", "content": "from long ago", "timestamp": 5}},
    )
    before = path.read_bytes()
    shown = answer(machine, "show", FIRST)
    assert (shown["version"], shown["entries"]) == (1, 1)
    assert shown["lastMessage"]["text"] == "from long ago"
    assert path.read_bytes() == before


def test_export(machine: Machine, two: tuple[Path, Path]) -> None:
    with two[0].open("ab") as out:
        out.write(b"damaged line\n" + dump(user("t", "a"))[:20])
    data = two[0].read_bytes() + b"\n"
    assert ask(machine, "export", FIRST[:4]).stdout == data
    assert ask(machine, "export", FIRST[:4], "-").stdout == data
    result = ask(machine, "export", FIRST, "copy.jsonl")
    assert (result.code, result.text) == (0, "")
    target = machine.project / "copy.jsonl"
    assert target.read_bytes() == data
    assert str(target) in result.stderr
    refused = ask(machine, "export", OTHER, "copy.jsonl")
    assert (refused.code, target.read_bytes()) == (1, data)
    assert "--force" in refused.stderr
    assert ask(machine, "export", OTHER, "copy.jsonl", "--force").code == 0
    assert target.read_bytes() == two[1].read_bytes()
    itself = ask(machine, "export", OTHER, str(two[1]), "--force")
    assert (itself.code, two[1].stat().st_size > 0) == (1, True)
    assert ask(machine, "export", OTHER, "no/such/folder.jsonl").code == 1
    assert [item.name for item in machine.project.iterdir()] == ["copy.jsonl"]


def test_doctor(machine: Machine, two: tuple[Path, Path]) -> None:
    sound = ask(machine, "doctor", "--all")
    assert (sound.code, sound.stderr) == (0, "")
    assert sound.text == "2 sessions examined, none damaged.\n"
    whole = two[0].read_bytes()
    two[0].write_bytes(whole + b"garbage\n" + dump(user("t", "a"))[:20])
    ill = ask(machine, "doctor")
    assert ill.code == 1
    assert str(two[0]) in ill.text
    assert "line 5 is not a record" in ill.text
    assert "1 session examined, 1 damaged." in ill.text
    result = ask(machine, "doctor", FIRST, "--json")
    assert result.code == 1
    (record,) = json.loads(result.stdout)
    assert record["damaged"] is True
    assert [one["kind"] for one in record["findings"]] == ["damaged-line", "torn-end"]
    assert ask(machine, "doctor", OTHER).code == 0
    result = ask(machine, "doctor", "--repair", "--json")
    assert result.code == 0
    (record,) = json.loads(result.stdout)
    assert record["repaired"] is True
    assert two[0].read_bytes() == whole
    assert Path(record["copy"]).read_bytes().startswith(whole + b"garbage\n")
    assert len(answer(machine, "list")) == 1, "the copy is no session of its own"
    assert ask(machine, "doctor").code == 0


def test_doctor_does_not_touch_a_session_in_use(machine: Machine, two: tuple[Path, Path]) -> None:
    with two[0].open("ab") as out:
        out.write(b"garbage\n")
    before = two[0].read_bytes()
    code = (
        "import sys, time; from pathlib import Path; from pi.session.journal import Journal\n"
        "journal = Journal.open(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(two[0])], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    result = ask(machine, "doctor", "--repair", FIRST)
    holder.communicate(timeout=60)
    assert result.code == 1
    assert "open in another pi" in result.text
    assert two[0].read_bytes() == before


def test_reindex(machine: Machine, two: tuple[Path, Path]) -> None:
    index = machine.agent / "session-index.sqlite"
    done = answer(machine, "reindex")
    assert (done["sessions"], done["messages"], done["index"]) == (2, 3, str(index))
    index.write_bytes(b"nonsense")
    assert ask(machine, "reindex").text == "Indexed 2 sessions with 3 messages.\n"
    assert len(answer(machine, "search", "shed")) == 1


def test_a_chosen_storage_holds_sessions_of_all_folders(machine: Machine, tmp_path: Path) -> None:
    chosen = tmp_path / "chosen"
    write(chosen / "a.jsonl", header(id="a", cwd=str(machine.project)), user("u", None, "mine"))
    write(chosen / "b.jsonl", header(id="b", cwd="/else"), user("u", None, "not mine"))
    where = ("--session-dir", str(chosen))
    assert [one["id"] for one in answer(machine, "list", *where)] == ["a"]
    assert len(answer(machine, "list", "--all", *where)) == 2
    assert answer(machine, "show", "b", *where)["id"] == "b"
    machine.environment["PI_CODING_AGENT_SESSION_DIR"] = str(chosen)
    assert len(answer(machine, "search", "mine")) == 2
    assert len(answer(machine, "search", "mine", "--here")) == 1


def test_unreadable_sessions_are_skipped_and_reported(
    machine: Machine, two: tuple[Path, Path]
) -> None:
    bad = two[0].with_name("bad.jsonl")
    bad.write_bytes(b"junk\n")
    result = ask(machine, "list", "--json")
    assert result.code == 0
    assert len(json.loads(result.stdout)) == 1
    assert str(bad) in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "fact"),
    [
        (["show", "nobody"], 1, "nobody"),
        (["show", "./nobody.jsonl"], 1, "nobody.jsonl"),
        (["export", "nobody"], 1, "nobody"),
        (["doctor", "nobody"], 1, "nobody"),
        (["show"], 2, "SESSION"),
        (["search"], 2, "WORDS"),
        (["search", "?!"], 2, "no word"),
        (["list", "--limit", "-1"], 2, "-1"),
        (["list", "--limit", "many"], 2, "many"),
        (["list", "extra"], 2, "extra"),
        (["nonsense"], 2, "nonsense"),
        (["--all"], 2, "--all"),
        (["are", "broken,", "why?"], 2, "pi -p -- sessions"),
    ],
)
def test_mistakes_are_told_in_a_line(
    machine: Machine, arguments: list[str], code: int, fact: str
) -> None:
    result = ask(machine, *arguments)
    assert (result.code, result.text) == (code, "")
    assert result.stderr.startswith("Error: ")
    assert fact in result.stderr
    assert len(result.stderr.splitlines()) <= 2


def test_no_word_that_is_no_text_breaks_it(machine: Machine, two: tuple[Path, Path]) -> None:
    done = subprocess.run(
        [*COMMAND, "sessions", "search", b"shed \xff"],
        capture_output=True,
        cwd=machine.project,
        env=machine.environment,
        check=False,
        timeout=60,
    )
    assert (done.returncode, b"*shed*" in done.stdout) == (0, True)


@pytest.mark.parametrize("command", ["", "list", "search", "show", "reindex", "doctor", "export"])
def test_help(machine: Machine, command: str) -> None:
    arguments = [command] if command else []
    long, short = ask(machine, *arguments, "--help"), ask(machine, *arguments, "-h")
    assert (long.code, long.stderr) == (0, "")
    assert long.text == short.text
    assert long.text.startswith(f"Usage: pi sessions {command}".rstrip())
    assert max(map(len, long.text.splitlines())) <= 100
    assert "sessions" in machine.run("--help").text


def test_a_reader_that_leaves_is_no_error(machine: Machine) -> None:
    for number in range(30):
        keep(machine, f"{number:08}", user("u", None, "x" * 400))
    done = subprocess.run(
        f"{COMMAND[0]} sessions list --json | head -c 10",
        shell=True, capture_output=True, cwd=machine.project, env=machine.environment,
        check=False, timeout=60,
    )  # fmt: skip
    assert (len(done.stdout), done.stderr) == (10, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_under_stdout_is_told(machine: Machine, two: tuple[Path, Path]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, "sessions", "list", "--all"],
            stdout=full, stderr=subprocess.PIPE, cwd=machine.project, env=machine.environment,
            check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith(b"Error: cannot write to stdout")
    assert done.stderr.count(b"\n") == 1


def test_a_run_neither_loads_nor_makes_the_index(machine: Machine) -> None:
    code = (
        "from pi.__main__ import main\nimport sys\n"
        "sys.argv[1:] = ['--provider', 'demo', '-nt', '-p', 'hello']\nmain()\n"
        "assert not {'sqlite3', 'pi.session.index', 'wcwidth'} & set(sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-c", code], cwd=machine.project, env=machine.environment,
        check=True, timeout=60, stdin=subprocess.DEVNULL, capture_output=True,
    )  # fmt: skip
    assert len(machine.sessions()) == 1
    assert not list(machine.agent.glob("session-index*"))


def test_file_bytes_stay_what_they_are(machine: Machine, two: tuple[Path, Path]) -> None:
    """No command but a repair writes to a session."""
    before = [path.read_bytes() for path in two]
    times = [path.stat().st_mtime_ns for path in two]
    for arguments in (["list", "--all"], ["search", "shed"], ["show", FIRST], ["reindex"],
                      ["doctor", "--all", "--repair"], ["export", FIRST]):  # fmt: skip
        assert ask(machine, *arguments).code == 0
    assert [path.read_bytes() for path in two] == before
    assert [path.stat().st_mtime_ns for path in two] == times
    assert before[0] == file_bytes(*map(json.loads, before[0].splitlines()))
