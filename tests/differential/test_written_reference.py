"""Sessions that an extension of the reference wrote into: `pi` says the same of them, and goes on.

The extension itself does not run here; what it left must not get lost. See test_reference.py.
"""

import base64
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.differential.cases import PICTURES
from tests.differential.programs import commands, environment, needs_reference
from tests.differential.rpc import BIG, ask, run
from tests.differential.test_exchange_reference import Bench, check
from tests.rpc_client import RpcClient
from tests.scripted_provider import ScriptedProvider, Turn

pytestmark = [
    needs_reference,
    pytest.mark.usefixtures("typescript"),
]
SCRIBE = Path(__file__).with_name("extensions") / "scribe.ts"
DONE: Turn = {"blocks": [{"text": "done"}]}
CALLS: Turn = {
    "blocks": [
        {"text": "calling"},
        *(
            {"tool": name, "id": f"call_{at}", "args": {}}
            for at, name in enumerate(("data", "throws", "picture", "nope", "data"))
        ),
    ],
    "stop": "toolUse",
}


def play(client: RpcClient, *steps: str) -> None:
    """Prompts, and commands of the extension."""
    for step in steps:
        if step.startswith("/"):
            assert ask(client, "prompt", message=step)["success"]
            # What it has begun is over once the session knows it.
            ask(client, "get_state")
            time.sleep(0.3)
        elif step.startswith("!"):
            ask(client, "compact", customInstructions=step[1:])
        else:
            run(client, step)


LONG = " word" * 600
SCRIPTS: Mapping[str, tuple[list[Turn], tuple[str, ...]]] = {
    "messages": ([CALLS, DONE], ("one", "/write", "two")),
    "nothing else": ([DONE], ("/write", "one")),
    "branches": (
        [CALLS, DONE],
        (
            *("one", "two", "three", "/write", "/goto user 1 sum", "instead"),
            *("/goto assistant 0 sum", "/goto user 0", "another root"),
        ),
    ),
    "compactions": (
        [BIG],
        (*(f"{n}{LONG}" for n in range(3)), "!Briefly", "/write", "four", "!", "/goto user 1 sum"),
    ),
    "seeded": ([CALLS, DONE], ("one", "/fresh", "two", "/write", "/level high")),
    "edits": (
        [CALLS, DONE],
        ("one", "/edit", "two", "/tools read", "three", "/tools read data bash", "four"),
    ),
}


@pytest.mark.parametrize("own", ["0", "1"], ids=["its summaries", "the extension's"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_goes_on(tmp_path: Path, name: str, own: str) -> None:
    turns, steps = SCRIPTS[name]
    more: dict[str, Any] = {
        "PIXEL": base64.b64encode(PICTURES["a.png"]).decode(),
        "OWN": own,
    }
    with ScriptedProvider(turns) as server:
        bench = Bench(tmp_path, server)
        words = [*commands()[0], "-e", str(SCRIBE), "--mode", "rpc", "--model", "mock/m1"]
        env = environment(bench.home, **more)
        with RpcClient(words, cwd=bench.project, env=env) as client:
            play(client, *steps)
            path = str(ask(client, "get_state")["data"]["sessionFile"])
            assert client.finish() == 0
        check(bench, path)
