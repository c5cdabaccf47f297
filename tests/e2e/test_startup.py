"""What is imported on each path: a regression shows as a name, not as noise."""

import subprocess
import sys

import pytest

from tests.e2e.conftest import Machine, ScriptedFactory

HEAVY = {
    "asyncio",
    "httpx",
    "ssl",
    "click",
    "prompt_toolkit",
    "PIL",
    "pathspec",
    "jsonschema_rs",
    "truststore",
    "sqlite3",
    "email",
    "importlib.metadata",
}


def imported(machine: Machine, code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('\\n=', *sys.modules)"],
        capture_output=True,
        text=True,
        cwd=machine.project,
        env=machine.environment,
        timeout=60,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return set(done.stdout.rpartition("\n=")[2].split())


def test_version_imports_next_to_nothing(machine: Machine) -> None:
    bare = imported(machine, "")
    loaded = imported(
        machine, "from pi.__main__ import main\nimport sys\nsys.argv[1:] = ['-v']\nmain()"
    )
    assert loaded - bare <= {"pi", "pi.__main__", "pi._version", "pi.cli"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version", "--verbose"], ["--nonsense"]])
def test_no_run_no_machinery(machine: Machine, arguments: list[str]) -> None:
    loaded = imported(
        machine, f"from pi.__main__ import main\nimport sys\nsys.argv[1:] = {arguments}\nmain()"
    )
    assert not (HEAVY - {"click"}) & loaded


def test_a_run_loads_only_its_own_provider_and_tools(machine: Machine) -> None:
    loaded = imported(
        machine,
        "from pi.__main__ import main\nimport sys\n"
        "sys.argv[1:] = ['--provider', 'demo', '--no-session', '-nt', '-p', 'hello']\nmain()",
    )
    assert "asyncio" in loaded
    assert not {"httpx", "prompt_toolkit", "PIL", "pathspec", "truststore", "difflib"} & loaded
    assert not {"pi.providers.anthropic_messages", "pi.tools.bash", "pi.tools.grep"} & loaded


PACKAGES = {"pi", "click", "orjson", "httpx", "httpcore", "h11", "anyio", "sniffio", "idna"}
PACKAGES |= {"certifi", "typing_extensions", "cython_runtime"}
"""All that a run over HTTP loads besides the standard library."""

RARE = {
    *("difflib", "secrets", "sqlite3", "importlib.metadata", "multiprocessing", "xml", "unittest"),
    *("concurrent.futures.process", "argparse", "pdb", "optparse", "zipfile", "curses"),
}
"""Of the standard library: each once crept in, or is known to."""


def test_a_request_over_http_loads_its_own_api_only(scripted: ScriptedFactory) -> None:
    online = scripted([{"blocks": [{"text": "done"}]}])
    bare = imported(online.machine, "")
    arguments = [*online.options, "-p", "hello", "-t", "read"]
    loaded = imported(
        online.machine,
        f"from pi.__main__ import main\nimport sys\nsys.argv[1:] = {arguments}\nmain()",
    )
    new = {name for name in loaded - bare if name.partition(".")[0] not in sys.stdlib_module_names}
    packages = {name.partition(".")[0] for name in new if not name.startswith("_cython_")}
    assert packages <= PACKAGES
    assert not RARE & loaded
    apis = {"pi.providers.demo", "pi.providers.openai_completions", "pi.providers.openai_responses"}
    assert "pi.providers.anthropic_messages" in loaded
    assert not apis & loaded
    assert not {"pi.modes.json_events", "pi.modes.interactive", "pi.modes.rpc"} & loaded
    unused = {f"pi.tools.{name}" for name in ("bash", "edit", "write", "grep", "find", "ls")}
    assert not unused & loaded


def test_resources_load_what_they_need(machine: Machine) -> None:
    """None: a look whether there are any. Ordinary ones: no parser, no patterns, no packages."""
    code = (
        "from pi.__main__ import main\nimport sys\n"
        "sys.argv[1:] = ['--provider', 'demo', '--no-session', '-nt', '-p', 'hello']\nmain()"
    )
    loaded = imported(machine, code)
    assert {name for name in loaded if name.startswith("pi.resources.")} == {
        *("pi.resources.builtin", "pi.resources.context_files", "pi.resources.found"),
        *("pi.resources.loading", "pi.resources.system_prompt", "pi.resources.textfile"),
    }
    skill = machine.agent / "skills" / "a" / "SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text('---\nname: a\ndescription: "Does this: that"\n---\nDo it.')
    loaded = imported(machine, code)
    assert "pi.resources.skills" in loaded
    rare = {"yaml", "wcmatch", "nodesemver", "tomllib", "pi._speedups.ignore"}
    assert not (rare | {"pi.resources.packages", "pi.resources.themes"}) & loaded


def test_version(machine: Machine) -> None:
    result = machine.run("--version")
    assert (result.code, result.stderr) == (0, "")
    assert result.text.count("\n") == 1
    verbose = machine.run("--version", "--verbose").text
    assert verbose.startswith(result.text.strip())
    expected = "pure Python" if machine.environment.get("PI_PURE") else "compiled"
    assert expected in verbose or "PI_EXPECT" not in machine.environment


def test_a_network_is_never_asked_for(machine: Machine) -> None:
    proxy = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    assert machine.run("--provider", "demo", "-p", "hello", **proxy).code == 0
    assert machine.run("--list-models", **proxy).code == 0


NO_NETWORK = """
import sys
def audit(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        if not isinstance(arguments[-1], str) or not arguments[-1].startswith("/"):
            print("asked for the network:", event, arguments, file=sys.stderr)
            import os
            os._exit(77)
sys.addaudithook(audit)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["--help"],
        ["--list-models"],
        ["--provider", "demo", "-p", "hello"],
        ["--provider", "demo", "--mode", "rpc"],
        ["sessions"],
        ["list"],
    ],
)
def test_nobody_is_asked_before_there_is_something_to_ask(
    machine: Machine, arguments: list[str]
) -> None:
    """Not even for a name. Nothing says that this run is offline."""
    del machine.environment["PI_OFFLINE"]
    machine.environment["ANTHROPIC_API_KEY"] = "k"
    code = (
        f"{NO_NETWORK}\nfrom pi.__main__ import main\nsys.argv[1:] = {arguments}\nsys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=machine.project,
        env=machine.environment,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert "network" not in done.stderr
    assert done.returncode == 0
