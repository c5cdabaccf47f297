"""Keys and headers with blanks and line ends around them: sent alike by both programs.

See test_reference.py for how to run it.
"""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.differential.programs import commands, environment, furnish, needs_reference
from tests.scripted_provider import ScriptedProvider

pytestmark = needs_reference

AROUND = {
    "nothing": "{}",
    "blanks": " {} ",
    "tabs": "\t{}\t",
    "LF": "{}\n",
    "CR": "{}\r",
    "CRLF": "{}\r\n",
    "a blank inside": "a {}",
    "a letter of Latin-1": "é{}",
    "a break inside": "a\n{}",
    "a byte order mark": "\ufeff{}",
    "a letter of no header": "{}\u20ac",
}
NAMES = ("x-api-key", "authorization", "x-own")


def sent(root: Path, command: list[str], key: str, place: str) -> Any:
    """What a run sends of a key in `place`, and how it ends."""
    with ScriptedProvider([{"blocks": [{"text": "ok"}]}]) as server:
        provider: dict[str, Any] = {"baseUrl": server.url, "api": "anthropic-messages"}
        env: Mapping[str, str] = {}
        words: list[str] = []
        stored: dict[str, Any] = {}
        if place == "models.json":
            provider["apiKey"] = key
        elif place == "a header":
            provider |= {"apiKey": "k", "headers": {"x-own": "$OWN"}}
            env = {"OWN": key}
        elif place == "a variable":
            provider["apiKey"] = "$OWN"
            env = {"OWN": key}
        elif place == "auth.json":
            stored = {"mock": {"type": "api_key", "key": key}}
        else:
            words = ["--api-key", key]
        agent = furnish(root, {"mock": {**provider, "models": [{"id": "m1"}]}})
        (agent / "auth.json").write_text(json.dumps(stored))
        (agent / "auth.json").chmod(0o600)
        done = subprocess.run(
            [*command, "--model", "mock/m1", *words, "-p", "hi"],
            capture_output=True,
            cwd=root,
            env=environment(root, **env),
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
        requests = [
            {name: request.headers.get(name) for name in NAMES} for request in server.requests
        ]
        return done.returncode, done.stdout, requests


@pytest.mark.parametrize(
    "place", ["models.json", "a header", "a variable", "auth.json", "an option"]
)
@pytest.mark.parametrize("around", AROUND)
def test_what_is_sent_of_a_key(tmp_path: Path, around: str, place: str) -> None:
    key = AROUND[around].format("secret")
    theirs, ours = (
        sent(tmp_path / str(number), command, key, place)
        for number, command in enumerate(commands())
    )
    assert ours == theirs
