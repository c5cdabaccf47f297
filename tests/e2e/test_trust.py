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
    for name in (
        *("settings.json", "SYSTEM.md", "skills/a/SKILL.md", "prompts/p.md", "mcp.json"),
        *("extensions/a/package.json", "extensions/b/pyproject.toml", "skills/.gitignore"),
    ):
        path = machine.project / ".pi" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if target == "pipe":
            os.mkfifo(path)
        elif target == "loop":
            path.symlink_to(path)
        else:
            path.symlink_to(target)
    (machine.project / ".git").mkdir()
    (machine.project / ".gitignore").symlink_to(machine.project / ".pi" / "settings.json")
    for options in ((), ("-a",)):
        done = machine.run(*options, *DEMO, "hello")
        assert done.code == 0, done.stderr
    # Others look into the settings, too, and nobody was asked about the folder.
    assert machine.run("--help").code == 0
    done = machine.run("auth", "check", "--provider", "openai")
    assert (done.code, done.text, done.stderr) == (1, "not_ready\n", "")
    # What cannot be read is not written to either.
    done = machine.run("install", "--local", "--approve", ".")
    writes = target == "nowhere"
    assert (done.code, "Error: cannot read" in done.stderr) == ((0, False) if writes else (1, True))


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


def test_what_comes_later_was_not_decided_on(machine: Machine) -> None:
    """A folder with nothing to trust, and then, while pi is at work, with everything."""
    with machine.rpc(*DEMO[:2]) as client:
        client.request({"type": "prompt", "message": "hello"})
        client.until("agent_settled")
        plant(machine.project)
        client.request({"type": "set_steering_mode", "mode": "all"})  # settings are read again
        client.request({"type": "bash", "command": "true"})
        for kind in ("new_session", "clone"):
            client.request({"type": kind})
            client.request({"type": "prompt", "message": "/hello"})
            client.until("agent_settled")
        client.request({"type": "get_commands"})
        assert client.finish() == 0
    said = json.dumps(client.records) + client.errors.decode()
    said += "".join(path.read_text() for path in machine.sessions())
    assert "planted" not in said
    assert not [*machine.project.parent.rglob("planted-*-ran")]


@pytest.mark.parametrize("value", ['"\\u0000"', '"\\ud800"', '["a"]', "5", '"/dev/null"', '" "'])
def test_a_session_folder_that_cannot_be(machine: Machine, value: str) -> None:
    file = machine.project / ".pi" / "settings.json"
    file.parent.mkdir()
    file.write_text(f'{{"sessionDir": {value}}}')
    for options in ((), ("-a",), ("-c",)):
        done = machine.run(*options, *DEMO, "hello")
        assert "fault" not in done.stderr
        assert done.code == (1 if "dev" in value else 0)


def test_a_session_folder_may_lie_anywhere_and_only_sessions_are_read(
    machine: Machine, tmp_path: Path
) -> None:
    """What lies in it is neither read as something else nor changed."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "id_rsa").write_text("planted key")
    (secrets / "notes.jsonl").write_text("planted notes\n")
    (machine.project / "way").symlink_to(secrets)
    (machine.project / ".pi").mkdir()
    for value in ("way", "../secrets", str(secrets), "way/../way"):
        file = machine.project / ".pi" / "settings.json"
        file.write_text(json.dumps({"sessionDir": value}))
        for options in ((), ("-c",)):
            done = machine.run(*options, *DEMO, "hello")
            assert done.code == 0
            assert "planted" not in done.text + done.stderr
    assert (secrets / "id_rsa").read_text() == "planted key"
    assert (secrets / "notes.jsonl").read_text() == "planted notes\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("target", ["/dev/zero", "pipe"])
def test_a_session_folder_with_something_else_in_it(machine: Machine, target: str) -> None:
    (machine.project / ".pi").mkdir()
    (machine.project / ".pi" / "settings.json").write_text('{"sessionDir": "s"}')
    name = "01a21708-2940-7716-a016-c57ee0bd75f0"
    file = machine.project / "s" / f"2099-01-01T00-00-00-000Z_{name}.jsonl"
    file.parent.mkdir()
    if target == "pipe":
        os.mkfifo(file)
    else:
        file.symlink_to(target)
    assert machine.run("-c", *DEMO, "hello").code == 0
    assert machine.run("sessions", "list").code == 0
    for options in (("--session", str(file)), ("--fork", str(file)), ("--session", name)):
        done = machine.run(*options, *DEMO, "hello")
        assert (done.code, done.text) == (1, "")
        assert done.stderr.startswith("Error: ")
    for command in (("--export", str(file)), ("sessions", "doctor")):
        done = machine.run(*command)
        assert done.code == 1
        assert "it is not a regular file" in done.text + done.stderr


def test_files_of_any_size_and_depth(machine: Machine) -> None:
    (machine.project / ".pi").mkdir()
    file = machine.project / ".pi" / "settings.json"
    for text in ('{"a":' * 200_000, '{"sessionDir":' + "[" * 200_000 + "]" * 200_000 + "}"):
        file.write_text(text)
        done = run(machine)
        assert len(done.stderr.splitlines()) == 1
    for path in (file, machine.project / "AGENTS.md"):
        with path.open("wb") as large:
            large.truncate(3 << 30)  # no disk is used for it
    done = run(machine)
    assert "3072 MB" in done.stderr
    assert "AGENTS.md cannot be read: it has 3072 MB" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="no pipes with names there")
def test_a_worktree_that_leads_to_a_pipe(machine: Machine) -> None:
    (machine.project / ".git").write_text("gitdir: gone\n")
    (machine.project / "gone").mkdir()
    os.mkfifo(machine.project / "gone" / "commondir")
    run(machine)


MODULES = ("pip", "json", "click", "httpx", "orjson", "pi", "sitecustomize", "yaml")


def test_no_module_of_the_folder_is_run(machine: Machine, tmp_path: Path) -> None:
    """A package is missing, so pip is started, in a folder with a pip.py of its own."""
    ran = tmp_path / "ran"
    for name in MODULES:
        (machine.project / f"{name}.py").write_text(f"open({str(ran)!r}, 'a').write(__name__)\n")
    machine.write("settings.json", {"packages": ["pip:nothing-like-that==1.0"]})
    done = machine.run(*DEMO, "hello", PI_OFFLINE="0", PIP_NO_INDEX="1")
    assert done.code == 0
    assert "nothing-like-that" in done.stderr
    done = machine.run("update", "--extensions", PI_OFFLINE="0", PIP_NO_INDEX="1")
    assert "nothing-like-that" in done.stderr
    assert not ran.exists()


def test_programs_do_not_take_configuration_from_the_folder(
    machine: Machine, tmp_path: Path
) -> None:
    npm = tmp_path / "npm.py"
    npm.write_text("import os, sys; sys.exit('npm ran in ' + os.getcwd())\n")
    machine.write(
        "settings.json", {"packages": ["npm:a@1.0.0"], "npmCommand": [sys.executable, str(npm)]}
    )
    (machine.project / ".npmrc").write_text("registry=http://127.0.0.1:9/${HOME}\n")
    done = machine.run(*DEMO, "hello", PI_OFFLINE="0")
    assert "npm ran in " in done.stderr
    assert str(machine.project) not in done.stderr


def test_a_session_of_another_folder_brings_nothing_of_it(machine: Machine, tmp_path: Path) -> None:
    other = tmp_path / "other"
    plant(other)
    run(machine, cwd=other)
    (theirs,) = machine.sessions()
    machine.write("trust.json", {str(machine.project): True})
    with machine.rpc(*DEMO[:2]) as client:
        assert client.request({"type": "switch_session", "sessionPath": str(theirs)})["success"]
        client.request({"type": "prompt", "message": "/hello"})
        client.until("agent_settled")
        client.request({"type": "get_commands"})
        assert client.finish() == 0
    assert "planted" not in json.dumps(client.records) + client.errors.decode()
