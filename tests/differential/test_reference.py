"""The same scripted conversation through the reference and through `pi`.

    PI_REFERENCE="command of the reference" make compare

Skipped, loudly, where PI_REFERENCE is not set: the project's own tests do not need it.
"""

import json
from pathlib import Path

import pytest

from tests.differential.cases import CASES, SCRIPTS, Case
from tests.differential.normal import differences
from tests.differential.programs import Program, commands, needs_reference
from tests.scripted_provider import ScriptedProvider

pytestmark = needs_reference


OTHERS = [
    "azure-openai-responses",
    "bedrock-converse-stream",
    "google-generative-ai",
    "google-vertex",
    "mistral-conversations",
    "openai-codex-responses",
    "openai-responses",
]
# What differs by API: what is asked, and how a reply is read.
SHARED = [
    "text",
    "tools",
    "refused",
    "bad calls",
    "length",
    "two prompts",
    "thinking off",
    "thinking low",
    "thinking max",
    "images in the prompt",
    "images in results",
    "images for a blind model",
    "cache long",
    "other tools",
    "another prompt",
]
# Refused with a status that the reference does not tell, or with none, over a WebSocket.
UNREFUSED = {"google-generative-ai", "google-vertex", "openai-codex-responses"}


@pytest.mark.parametrize(
    ("api", "name"),
    [
        *((api, name) for name in CASES for api in ("anthropic-messages", "openai-completions")),
        *(
            (api, name)
            for api in OTHERS
            for name in SHARED
            if name != "refused" or api not in UNREFUSED
        ),
    ],
)
def test_the_same_conversation(tmp_path: Path, api: str, name: str) -> None:
    case = CASES[name]
    if case.api not in (None, api):
        pytest.skip(f"only {case.api} has this")
    seen = []
    for number, command in enumerate(commands()):
        with ScriptedProvider(list(case.turns)) as server:
            seen.append(Program(command, tmp_path / str(number), server, api, case).seen())
    theirs, ours = seen
    for part in ("exit", "requests", "entries", "events"):
        assert not (found := [*differences(theirs[part], ours[part], part)]), "\n".join(found)


@pytest.mark.parametrize("api", ["anthropic-messages", "openai-completions"])
def test_each_continues_the_other(tmp_path: Path, api: str) -> None:
    for number, (first, second) in enumerate((commands(), commands()[::-1])):
        turns, _ = SCRIPTS["tools"]
        with ScriptedProvider([*turns, {"blocks": [{"text": "more"}]}]) as server:
            case = Case(turns, [["-p", "what is in a.txt?"]])
            program = Program(first, tmp_path / str(number), server, api, case)
            program.seen()
            program.command = second
            done = program.run("-c", "-p", "and now?")
            assert (done.returncode, done.stdout) == (0, b"more\n"), done.stderr
            program.command = first
            done = program.run("-c", "-p", "and then?")
            assert done.returncode == 0, done.stderr
            asked = server.bodies[-1]["messages"]
            assert [message["role"] for message in asked[-3:]] == ["user", "assistant", "user"]
            said = [message for message in asked if message["role"] == "assistant"]
            assert "more" in json.dumps(said[-1])
