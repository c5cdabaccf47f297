"""The examples of docs/sdk.md run, and say what they should."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "sdk"
SAID = {
    "hello": ["This folder holds"],
    "chat": ["(0 questions so far)", "This folder holds", "[read]", "tokens, kept in "],
    "tools": ["18 degrees celsius in Lisbon, Portugal", "Take an umbrella."],
    "provider": ["HELLO THERE"],
    "steering": [
        "waiting: (['stop counting'], ['and now?'])",
        "answer: You said: stop counting",
        "answer: You said: and now?",
        "stopped: aborted",
    ],
    "sessions": [
        "to say again: What is in this folder?",
        "page: talk.html",
        "questions: 2",
        "kept: first steps 5",
        "found: first steps in What is in this folder?",
    ],
}


@pytest.mark.skipif(not FOLDER.exists(), reason="an installed package has no examples")
def test_all_examples_are_here() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == set(SAID)


@pytest.mark.skipif(not FOLDER.exists(), reason="an installed package has no examples")
@pytest.mark.parametrize("name", SAID)
def test_example(name: str, tmp_path: Path, home: Path) -> None:
    (tmp_path / "README.md").write_text("# A folder\n")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(FOLDER / f"{name}.py")],
        input="What is in this folder?\n\nread README.md\n",  # for the one that asks
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "HOME": str(home)},
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    for text in SAID[name]:
        assert text in done.stdout
