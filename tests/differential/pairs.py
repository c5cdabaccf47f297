"""Both programs at once, in RPC mode: many prompts in one process of each, and what was sent."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.differential.programs import commands, environment, mock
from tests.rpc_client import Record, RpcClient
from tests.scripted_provider import ScriptedProvider

__all__ = ["Asked", "both"]

DONE = {"blocks": [{"text": "ok"}]}


@dataclass
class Asked:
    """One of the two programs. root: with home and project below, named alike for both."""

    root: Path
    server: ScriptedProvider
    client: RpcClient

    def plain(self, value: Any) -> Any:
        """With what differs by place alone taken out."""
        text = json.dumps(value)
        return json.loads(text.replace(str(self.root), "<root>").replace(self.server.url, "<url>"))

    def data(self, kind: str, **given: Any) -> Any:
        response = self.client.request({"type": kind, **given})
        assert response["success"], response
        return self.plain(response.get("data"))

    def sent(self, prompt: str) -> Any:
        """The text of the last message of the request that a prompt leads to; None for none."""
        before = len(self.server.requests)
        self.client.skip()
        name = self.client.begin({"type": "prompt", "message": prompt})
        response: Record = self.client.response(name)
        if not response["success"] or response["data"]["disposition"] == "handled":
            return None
        self.client.until("agent_settled")
        if len(self.server.requests) == before:
            return None
        (block,) = self.body["messages"][-1]["content"]
        return self.plain(block["text"])

    @property
    def body(self) -> Any:
        """Of the last request."""
        return self.server.bodies[-1]

    @property
    def system(self) -> str:
        """The system prompt of the last request."""
        return str(self.plain("\n".join(block["text"] for block in self.body["system"])))


@contextmanager
def both(
    folder: Path,
    files: Mapping[str, bytes],
    options: Sequence[str] = ("-a",),
    *,
    where: str = "project",
    settings: Mapping[str, Any] | None = None,
    env: Mapping[str, str] = MappingProxyType({}),
    prepare: Callable[[Path], None] | None = None,
) -> Iterator[tuple[Asked, Asked]]:
    """Both programs, at work.

    files: by path below a root; "home/…" is the home folder. where: the working folder. prepare:
    makes what files alone cannot be, in each root. env: "<root>" in it stands for the root.
    """
    with ExitStack() as stack:
        running = []
        for number, command in enumerate(commands()):
            root = folder / str(number)
            if root.exists():
                shutil.rmtree(root)
            for name, content in files.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            if prepare is not None:
                prepare(root)
            (root / where).mkdir(parents=True, exist_ok=True)
            given = {name: value.replace("<root>", str(root)) for name, value in env.items()}
            agent = Path(given.get("PI_CODING_AGENT_DIR", root / "home" / ".pi" / "agent"))
            agent.mkdir(parents=True, exist_ok=True)
            server = stack.enter_context(ScriptedProvider([DONE]))
            (agent / "models.json").write_text(json.dumps({"providers": mock(server)}))
            if settings is not None:
                (agent / "settings.json").write_text(json.dumps(settings))
            client = RpcClient(
                [*command, "--model", "mock/m1", "--mode", "rpc", *options],
                cwd=root / where,
                env={**environment(root / "home"), **given},
            )
            running.append(Asked(root, server, stack.enter_context(client)))
        theirs, ours = running
        yield theirs, ours
