"""Skills, prompt templates and their commands: the same request from both programs.

See test_reference.py for how to run it.
"""

import difflib
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.differential import normal
from tests.differential.cases import Case
from tests.differential.programs import Program, commands, needs_reference
from tests.e2e.registries import NPM, git
from tests.scripted_provider import ScriptedProvider

pytestmark = needs_reference

DONE = {"blocks": [{"text": "ok"}]}
AGENT = "~/.pi/agent/"


def skill(name: str, description: str = "Does things", more: str = "", body: str = "# Do") -> bytes:
    return f"---\nname: {name}\ndescription: {description}\n{more}---\n\n{body}\n".encode()


def template(text: str) -> bytes:
    return f"---\ndescription: x\n---\n{text}\n".encode()


FILES: Mapping[str, bytes] = {
    f"{AGENT}skills/user-one/SKILL.md": skill("user-one"),
    f"{AGENT}skills/lone.md": skill("lone"),
    f"{AGENT}skills/notes.md": b"# no skill",
    f"{AGENT}skills/deep/er/SKILL.md": skill("deeper", "'Uses <b> & \"c\"'"),
    f"{AGENT}skills/deep/ignored.md": skill("not-at-depth"),
    f"{AGENT}skills/user-one/inner/SKILL.md": skill("inside-another"),
    f"{AGENT}skills/node_modules/x/SKILL.md": skill("dependency"),
    f"{AGENT}skills/.hidden/SKILL.md": skill("hidden-folder"),
    f"{AGENT}skills/secret/SKILL.md": skill("secret", more="disable-model-invocation: true\n"),
    f"{AGENT}skills/folded/SKILL.md": skill("folded", ">\n  one\n  two"),
    f"{AGENT}skills/literal/SKILL.md": skill("literal", "|\n  one\n  two"),
    f"{AGENT}skills/odd/SKILL.md": skill("Odd_Name", "yes"),
    f"{AGENT}skills/crlf/SKILL.md": b"---\r\nname: crlf\r\ndescription: x\r\n---\r\nA\r\nB\r\n",
    f"{AGENT}skills/unnamed/SKILL.md": b"---\ndescription: 2024-01-01\n---\nx",
    f"{AGENT}skills/broken/SKILL.md": b"---\nname: broken\ndescription: a: b\n---\nx",
    f"{AGENT}skills/.gitignore": b"skipped\n",
    f"{AGENT}skills/skipped/SKILL.md": skill("skipped"),
    f"{AGENT}skills/clash/SKILL.md": skill("clash", "the person's"),
    "~/.agents/skills/shared/SKILL.md": skill("shared"),
    "~/.agents/skills/top.md": skill("top-of-shared"),
    "~/.agents/skills/group/below.md": skill("below"),
    ".git/HEAD": b"ref: refs/heads/main\n",
    ".pi/skills/clash/SKILL.md": skill("clash", "the project's"),
    ".pi/skills/project-one/SKILL.md": skill("project-one"),
    ".agents/skills/here/SKILL.md": skill("here"),
    "named/SKILL.md": skill("named"),
    "named2/a/SKILL.md": skill("named-two"),
    "named2/b.md": skill("named-three"),
    f"{AGENT}prompts/rev.md": template("Review $1, then ${@:2}. ${3:-none} [$ARGUMENTS]"),
    f"{AGENT}prompts/plain.md": b"Just text with $@ and ${@:-nothing}.\r\n\r\n",
    f"{AGENT}prompts/sub/deep.md": template("deep"),
    f"{AGENT}prompts/both.md": template("the person's"),
    f"{AGENT}prompts/broken.md": b"---\na: [\n---\nx",
    ".pi/prompts/both.md": template("the project's"),
    ".pi/prompts/mine.md": template("mine $1"),
    "other/extra.md": template("extra $1"),
}

PROMPTS = (
    *("/rev", "/rev a", '/rev "a b" c d', "/rev it's 'c d'", "/rev\nx y", "/rev  x\\ y"),
    *("/plain", "/plain a  b", "/both", "/mine z", "/deep", "/broken", "/nothing here", "/extra 1"),
    *("/skill:user-one", "/skill:user-one do this\nand that ", "/skill:secret", "/skill:nope x"),
    *("/skill:crlf x", "/skill:clash", "/skill:named", "hi", " /rev a", "/", "/model x"),
)

RUNS: Mapping[str, list[str]] = {
    "trusted": ["-a"],
    "untrusted": ["-na"],
    "named": ["-a", "--skill", "named", "--skill", "named2", "--prompt-template", "other"],
    "without": ["-a", "-ns", "-np"],
    "only what is named": ["-ns", "-np", "--skill", "named/SKILL.md", "--prompt-template",
                           "other/extra.md"],
    "with bash alone": ["-a", "-t", "bash"],
    "without a reader": ["-a", "-t", "ls,grep"],
}  # fmt: skip

SETTINGS: Mapping[str, dict[str, object]] = {
    "excluded": {"skills": ["!deep/**", "-skills/user-one", "!**/shared"], "prompts": ["!r*"]},
    "brought back": {"skills": ["!**", "+skills/user-one/SKILL.md", "+./skills/lone.md"]},
    "patterns": {
        "skills": ["!{lone,below}*", "!**/[cl]*/SKILL.md", "!+(odd|folded)", "+skills/crlf"],
        "prompts": ["!pl?in.md", "!*.MD", "-both.md", "-prompts/rev.md", "!~/.pi/agent/x*"],
    },
    "chosen": {"skills": ["**/user*", "shared", "!deep"], "prompts": ["rev.md", "prompts/both*"]},
    "odd": {"skills": ["!", "+", "-", "!#", "-./skills/lone.md", "  more  "]},
    "listed": {"skills": ["more", "more/../alone/SKILL.md", "!b*"], "prompts": ["tree"]},
}
LISTED = {
    f"{AGENT}more/a/SKILL.md": skill("more-a"),
    f"{AGENT}more/b/SKILL.md": skill("more-b"),
    f"{AGENT}more/c.md": skill("more-c"),
    f"{AGENT}alone/SKILL.md": skill("alone"),
    f"{AGENT}tree/x/deep.md": template("deep $1"),
}


def told(program: Program) -> list[list[tuple[str, str, str]]]:
    """The skills of each request's system prompt."""
    found = []
    for request in program.server.requests:
        text = json.dumps(request.body["system"]).replace(str(program.project.parent), "<root>")
        found.append(
            re.findall(
                r"<skill>\\n +<name>(.*?)</name>\\n +<description>(.*?)</description>\\n +"
                r"<location>(.*?)</location>\\n +</skill>",
                text,
            )
        )
        assert ("<available_skills>" in text) == bool(found[-1])
    return found


def compare(tmp_path: Path, case: Case) -> None:
    seen = []
    for number, command in enumerate(commands()):
        with ScriptedProvider(list(case.turns)) as server:
            program = Program(command, tmp_path / str(number), server, "anthropic-messages", case)
            seen.append({**program.seen(), "told": told(program)})
            seen[-1] = json.loads(
                json.dumps(seen[-1]).replace(str(tmp_path / str(number)), "<root>")
            )
    theirs, ours = seen
    for part in ("exit", "told", "requests", "entries", "events"):
        if ours[part] != theirs[part]:
            lines = [json.dumps(side[part], indent=1).splitlines() for side in (theirs, ours)]
            pytest.fail(f"{part}\n" + "\n".join(difflib.unified_diff(*lines, "theirs", "ours")))


@pytest.mark.parametrize("name", RUNS)
def test_what_is_found(tmp_path: Path, name: str) -> None:
    prompts = PROMPTS if name in ("trusted", "named") else ("/rev a", "/extra 1", "/skill:here")
    case = Case([DONE] * len(prompts), [[*RUNS[name], "-p", *prompts]], FILES)
    compare(tmp_path, case)


@pytest.mark.parametrize("name", SETTINGS)
def test_filters(tmp_path: Path, name: str) -> None:
    prompts = ("/rev a", "/deep x", "/skill:user-one", "/skill:more-b")
    case = Case(
        [DONE] * len(prompts),
        [["-a", "-p", *prompts]],
        {**FILES, **LISTED},
        settings=SETTINGS[name],
    )
    compare(tmp_path, case)


@pytest.mark.parametrize("first", [0, 1], ids=["reference first", "pi first"])
def test_each_uses_what_the_other_installed(tmp_path: Path, first: int) -> None:
    """Packages from npm, git and a folder: the same places, the same settings, the same skills."""
    program = tmp_path / "npm.py"
    program.write_text(NPM)
    package = tmp_path / "registry" / "@team" / "tools" / "1.0.0"
    files = {
        package / "package.json": b'{"name": "@team/tools", "version": "1.0.0", '
        b'"pi": {"skills": ["./own/*"], "prompts": ["p/**/*.md", "!**/no.md"]}}',
        package / "own" / "a" / "SKILL.md": skill("from-npm"),
        package / "own" / "b" / "SKILL.md": skill("also-from-npm"),
        package / "p" / "x" / "yes.md": template("yes $1"),
        package / "p" / "no.md": template("no"),
        tmp_path / "hosted" / "team" / "tools" / "skills" / "c" / "SKILL.md": skill("from-git"),
        tmp_path / "local" / "skills" / "d" / "SKILL.md": skill("from-a-folder"),
    }
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    hosted = tmp_path / "hosted" / "team" / "tools"
    git(hosted, "init", "--quiet", "--initial-branch=main")
    git(hosted, "add", ".")
    git(hosted, "commit", "--quiet", "-m", "one")
    sources = ("npm:@team/tools@1.0.0", "git:example.org/team/tools@main", "../../local")
    case = Case(
        [DONE] * 4,
        [],
        {
            "~/.gitconfig": f'[url "file://{tmp_path}/hosted/"]\ninsteadOf = https://example.org/\n'.encode()
        },
        settings={"npmCommand": [sys.executable, str(program)]},
        env={"PI_OFFLINE": "0"},
    )
    with ScriptedProvider(list(case.turns)) as server:
        run = Program(commands()[first], tmp_path / "0", server, "anthropic-messages", case)
        for source in sources:
            done = run.run("install", source)
            assert done.returncode == 0, done.stderr
        settings = run.home / ".pi" / "agent" / "settings.json"
        assert json.loads(settings.read_text())["packages"] == [*sources[:2], "../../../../local"]
        listed = run.run("list").stdout
        run.command = commands()[1 - first]
        assert run.run("list").stdout == listed
        for command in commands():
            run.command = command
            done = run.run(
                *("--offline", "--provider", "mock", "--model", "m1", "-p"),
                *("/skill:from-git", "/yes 1"),
            )
            assert done.returncode == 0, done.stderr
        skills = [[name for name, _, _ in entry] for entry in told(run)]
        assert skills == [["from-npm", "also-from-npm", "from-git", "from-a-folder"]] * 4
        asked = [
            normal.request({"path": "", "headers": {}, "body": request.body}, set())
            for request in server.requests
        ]
        assert asked[:2] == asked[2:]
        run.command = commands()[1 - first]
        for source in ("npm:@team/tools", "git:example.org/team/tools", "../../local"):
            done = run.run("remove", source)
            assert done.returncode == 0, done.stderr
        assert json.loads(settings.read_text())["packages"] == []
        assert not list((run.home / ".pi" / "agent").rglob("SKILL.md"))
