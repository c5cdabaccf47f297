"""A folder of sessions, and the index beside it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pi.session.index.catalog import SessionIndex
from tests.session.session_lines import header, message, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "agent" / "sessions"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def file(root: Path) -> Path:
    return root.parent / "session-index.sqlite"


@pytest.fixture
def index(file: Path) -> Iterator[SessionIndex]:
    with SessionIndex(file) as opened:
        yield opened


@pytest.fixture
def talk(root: Path) -> Callable[..., Path]:
    """Write a session: an id, then what the user and the assistant say in turn."""

    def make(id: str, *texts: str, project: str = "--work--", **fields: Any) -> Path:
        lines: list[Any] = [header(id=id, **fields)]
        parent = None
        for number, text in enumerate(texts):
            name = f"{id}-{number}"
            content = [{"type": "text", "text": text}]
            role = "assistant" if number % 2 else "user"
            lines.append(message(name, parent, role, content))
            parent = name
        return write(root / project / f"2026-01-01T00-00-00-000Z_{id}.jsonl", *lines)

    return make
