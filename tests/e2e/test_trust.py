"""Folders that want more than they are given: nothing of theirs is read before they are trusted."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Machine

DEMO = ("--provider", "demo", "--mode", "json", "-p")


def plant(folder: Path) -> None:
    """Everything a project can bring, each with a word to find it by."""
    pi = folder / ".pi"
    for name, text in {
        "settings.json": json.dumps(
            {
                "defaultTools": ["read"],
                "packages": ["../planted-package", "npm:planted"],
                "skills": ["../planted-elsewhere"],
                "npmCommand": ["touch", "../../planted-npm-ran"],
                "shellCommandPrefix": "touch ../planted-shell-ran;",
            }
        ),
        "SYSTEM.md": "planted system",
        "APPEND_SYSTEM.md": "planted addendum",
        "skills/a/SKILL.md": "---\nname: a\ndescription: planted skill\n---\n",
        "prompts/hello.md": "planted prompt",
        "themes/a.json": "planted theme, broken",
        "extensions/a.py": "planted extension",
        "extensions/b.ts": "planted extension",
        "mcp.json": "planted server",
        "../.agents/skills/b/SKILL.md": "---\nname: b\ndescription: planted shared\n---\n",
        "../planted-package/skills/c/SKILL.md": "---\nname: c\ndescription: planted packed\n---\n",
        "../planted-elsewhere/SKILL.md": "---\nname: d\ndescription: planted named\n---\n",
    }.items():
        path = pi / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def run(machine: Machine, *options: str, cwd: Path | None = None) -> Any:
    done = machine.run(*options, *DEMO, "/hello", cwd=cwd, PI_OFFLINE="0")
    assert done.code == 0, done.stderr
    return done


def is_clean(machine: Machine, done: Any) -> bool:
    ran = list(machine.project.parent.rglob("planted-*-ran"))
    return "planted" not in done.text + done.stderr and not ran


@pytest.mark.parametrize("options", [(), ("-na",)])
def test_an_unknown_folder_gives_nothing(machine: Machine, options: tuple[str, ...]) -> None:
    plant(machine.project)
    assert is_clean(machine, run(machine, *options))
    text = run(machine, "-a").text
    for word in ("system", "addendum", "skill", "prompt", "shared", "packed", "named"):
        assert f"planted {word}" in text, word


def test_saved_decisions_and_the_persons_default(machine: Machine) -> None:
    plant(machine.project)
    saved: Any
    for saved, default, trusted in (
        ({}, "always", True),
        ({machine.project: False}, "always", False),
        ({machine.project: True}, "never", True),
        ({machine.project.parent: True, machine.project: False}, "always", False),
        ({machine.project.parent: False, machine.project: True}, "never", True),
        ({Path(f"{machine.project}-other"): True}, "ask", False),
    ):
        machine.write("trust.json", {str(path): value for path, value in saved.items()})
        machine.write("settings.json", {"defaultProjectTrust": default})
        assert is_clean(machine, run(machine)) is not trusted, (saved, default)


def test_a_project_cannot_trust_itself(machine: Machine) -> None:
    plant(machine.project)
    file = machine.project / ".pi" / "settings.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "defaultProjectTrust": "always"}))
    (machine.project / ".pi" / "trust.json").write_text(json.dumps({str(machine.project): True}))
    (machine.project / ".pi" / "agent").mkdir()
    (machine.project / ".pi" / "agent" / "trust.json").write_text(
        json.dumps({str(machine.project): True})
    )
    assert is_clean(machine, run(machine))


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_lead_nowhere(machine: Machine, tmp_path: Path) -> None:
    """A trusted folder's name for an untrusted one, and the other way round."""
    hostile, trusted = tmp_path / "hostile", tmp_path / "trusted"
    plant(hostile)
    trusted.mkdir()
    machine.write("trust.json", {str(trusted): True})
    (trusted / "inside").symlink_to(hostile)
    assert is_clean(machine, run(machine, cwd=trusted / "inside"))
    # A folder below the hostile one that is itself trusted: what lies above it is not.
    good = hostile / "good"
    good.mkdir()
    machine.write("trust.json", {str(trusted): True, str(good): True})
    (hostile / "way").symlink_to(trusted)
    assert is_clean(machine, run(machine, cwd=hostile / "way"))
    # A project whose .pi, or a part of it, is another's.
    for name in (".pi", ".agents"):
        (machine.project / name).symlink_to(hostile / name)
    assert is_clean(machine, run(machine))
    (machine.project / ".pi").unlink()
    (machine.project / ".agents").unlink()
    (machine.project / ".pi").mkdir()
    (machine.project / ".pi" / "skills").symlink_to(hostile / ".pi" / "skills")
    assert is_clean(machine, run(machine))


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_session_cannot_lead_around(machine: Machine, tmp_path: Path) -> None:
    """A session that belongs to a folder by way of a link: real parents count."""
    hostile, trusted = tmp_path / "hostile", tmp_path / "trusted"
    plant(hostile)
    trusted.mkdir()
    (hostile / "way").symlink_to(trusted)
    (trusted / ".pi" / "skills").mkdir(parents=True)
    machine.write("trust.json", {str(trusted): True})
    header = {
        "type": "session",
        "version": 3,
        "id": "0",
        "timestamp": "2026-01-01T00:00:00.000Z",
        "cwd": str(hostile / "way"),
    }
    file = tmp_path / "s.jsonl"
    file.write_text(f"{json.dumps(header)}\n")
    assert is_clean(machine, run(machine, "--session", str(file)))


def test_shared_skills_above_are_asked_about(machine: Machine) -> None:
    above = machine.project.parent / ".agents" / "skills" / "b" / "SKILL.md"
    above.parent.mkdir(parents=True)
    above.write_text("---\nname: b\ndescription: planted above\n---\n")
    assert is_clean(machine, run(machine))
    assert "planted above" in run(machine, "-a").text
    (machine.project / ".git").mkdir()  # nothing above a repository is its own
    assert is_clean(machine, run(machine, "-a"))


def test_the_persons_own_shared_skills_need_no_trust(machine: Machine) -> None:
    own = machine.home / ".agents" / "skills" / "b" / "SKILL.md"
    own.parent.mkdir(parents=True)
    own.write_text("---\nname: b\ndescription: my own\n---\n")
    assert "my own" in run(machine).text
    assert run(machine, cwd=machine.home).text.count("my own") >= 1


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device here")
@pytest.mark.parametrize("target", ["/dev/zero", "pipe", ".", "nowhere", "loop"])
def test_files_that_are_none(machine: Machine, target: str) -> None:
    for name in ("settings.json", "SYSTEM.md", "skills/a/SKILL.md", "prompts/p.md", "mcp.json"):
        path = machine.project / ".pi" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if target == "pipe":
            os.mkfifo(path)
        elif target == "loop":
            path.symlink_to(path)
        else:
            path.symlink_to(target)
    for options in ((), ("-a",)):
        done = machine.run(*options, *DEMO, "hello")
        assert done.code == 0, done.stderr


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_folders_that_go_in_circles(machine: Machine) -> None:
    skills = machine.project / ".pi" / "skills"
    (skills / "deep").mkdir(parents=True)
    (skills / "deep" / "up").symlink_to("../..")
    (skills / "deep" / "again").symlink_to("../deep")
    (skills / "deep" / "SKILL.MD").write_text("x")
    (skills / "a" / "b").mkdir(parents=True)
    (skills / "a" / "b" / "SKILL.md").write_text("---\nname: b\ndescription: in circles\n---\n")
    assert run(machine, "-a").text.count("in circles") >= 1


def test_only_the_session_folder_is_taken_from_an_untrusted_project(machine: Machine) -> None:
    (machine.project / ".pi").mkdir()
    (machine.project / ".pi" / "settings.json").write_text('{"sessionDir": "here", "theme": 5}')
    done = run(machine)
    assert done.stderr == ""
    assert len(list((machine.project / "here").glob("*.jsonl"))) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="strace is Linux's")
def test_no_protected_file_is_even_opened(machine: Machine, tmp_path: Path) -> None:
    """By the operating system's word, where it can be had: Python's audit hook."""
    plant(machine.project)
    hook = tmp_path / "hook.py"
    hook.write_text(
        "import sys\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, args: seen.append(str(args[0])) "
        "if event in ('open', 'os.listdir', 'os.scandir', 'import') else None)\n"
        "from pi.__main__ import main\n"
        f"sys.argv[1:] = {['--provider', 'demo', '--no-session', '-p', 'hello']}\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('\\n=', *[p for p in seen if '.pi/' in p or '.agents' in p], sep='\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, str(hook)],
        capture_output=True,
        text=True,
        cwd=machine.project,
        env=machine.environment,
        timeout=60,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    opened = {line for line in done.stdout.rpartition("\n=")[2].split("\n") if line}
    inside = {path for path in opened if str(machine.project) in path}
    assert inside <= {str(machine.project / ".pi" / "settings.json")}
