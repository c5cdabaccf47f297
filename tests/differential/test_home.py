"""A home folder with all that settings.md lists, used by both: the same lists, requests and files.

See test_reference.py for how to run it.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from tests.differential.pairs import Asked, both
from tests.differential.programs import needs_reference
from tests.differential.test_generated import listed, shown

pytestmark = needs_reference

SETTINGS: dict[str, Any] = {
    "$schema": "https://pi.dev/schemas/settings.schema.json",
    "lastChangelogVersion": "1.5.2",
    "defaultProvider": "mock",
    "defaultModel": "m1",
    "defaultThinkingLevel": "high",
    "modelThinkingLevels": {"mock/m2": "low", "mock/m1": "medium"},
    "thinkingBudgets": {"minimal": 500, "low": 1000, "medium": 2000, "high": 4000},
    "enabledModels": ["mock/*", "nope/*"],
    "hideThinkingBlock": True,
    "showCacheMissNotices": True,
    "cacheWarming": "off",
    "steeringMode": "all",
    "followUpMode": "one-at-a-time",
    "externalEditor": "vi",
    "doubleEscapeAction": "fork",
    "treeFilterMode": "no-tools",
    "defaultProjectTrust": "never",
    "defaultTools": ["+grep", "-write"],
    "codemode": {"mode": "only", "inlineBudget": 0},
    "sessionShareDestination": "gist",
    "compaction": {
        "enabled": False,
        "reserveTokens": 1000,
        "keepRecentTokens": 2000,
        "modelOverrides": {"mock/m1": {"reserveTokens": 5}},
    },
    "branchSummary": {"reserveTokens": 100, "skipPrompt": True},
    "theme": "mine",
    "quietStartup": "header",
    "tuiMode": "regular",
    "fullscreenExitOutput": "resume-hint",
    "fullscreenScrollbar": "always",
    "fullscreenCopyOnSelect": False,
    "fullscreenWheelScrollLines": 3,
    "editorPaddingX": 2,
    "outputPad": 0,
    "autocompleteMaxVisible": 7,
    "showHardwareCursor": True,
    "terminal": {
        "showImages": False,
        "imageWidthCells": 40,
        "clearOnShrink": True,
        "showTerminalProgress": True,
        "hyperlinks": "auto",
        "images": False,
        "trueColor": True,
    },
    "images": {"autoResize": False, "blockImages": True},
    "markdown": {"codeBlockIndent": "", "mermaid": "final"},
    "transport": "sse",
    "httpIdleTimeoutMs": "disabled",
    "websocketConnectTimeoutMs": 0,
    "retry": {
        "enabled": True,
        "maxRetries": 1,
        "baseDelayMs": 10,
        "maxAgentDelayMs": 100,
        "provider": {"timeoutMs": 5000, "maxRetries": 0, "maxRetryDelayMs": 0},
    },
    "shellPath": "/bin/bash",
    "shellCommandPrefix": "export A=1;",
    "npmCommand": ["npm"],
    "packages": ["../../pack", {"source": "../../pack2", "skills": ["!no*"], "prompts": []}],
    "skills": ["../../extra"],
    "prompts": ["../../more.md"],
    "themes": [],
    "extensions": ["-builtin:mcp"],
    "enableSkillCommands": False,
    "collapseChangelog": True,
    "enableInstallTelemetry": False,
    "enableAnalytics": False,
    "warnings": {"anthropicExtraUsage": False},
    "unknown": {"a": [1, 2.50, 1e3]},
}
PROMPT = b"---\ndescription: x\n---\nq $1"


def skill(name: str) -> bytes:
    return f"---\nname: {name}\ndescription: d {name}\n---\nbody".encode()


AGENT = "home/.pi/agent/"
OLD = {
    "type": "session",
    "id": "x",
    "timestamp": "2025-01-01T00:00:00.000Z",
    "cwd": "/old",
    "provider": "mock",
    "modelId": "m1",
    "thinkingLevel": "off",
}
FILES = {
    f"{AGENT}keybindings.json": b'{"app.clear": "ctrl+k", "tui.input.submit": ["enter", "ctrl+j"], '
    b'"nope": "x", "app.exit": []}',
    f"{AGENT}auth.json": b'{"other": {"type": "oauth", "access": "a", "refresh": "r", '
    b'"expires": 1}, "x": {"type": "weird"}}',
    f"{AGENT}trust.json": b'{"/nope": true, "/gone": null}',
    f"{AGENT}AGENTS.md": b"global",
    f"{AGENT}APPEND_SYSTEM.md": b"app",
    f"{AGENT}prompts/a.md": PROMPT,
    f"{AGENT}skills/s/SKILL.md": skill("s"),
    f"{AGENT}skills/lone.md": skill("lone"),
    "home/.agents/skills/g/SKILL.md": skill("g"),
    f"{AGENT}themes/mine.json": b"{}",
    f"{AGENT}session-index.sqlite": b"not a database",
    f"{AGENT}models-store.json": b"{}",
    f"{AGENT}sessions/--old--/2025-01-01T00-00-00-000Z_x.jsonl": json.dumps(OLD).encode() + b"\n",
    "home/pack/package.json": b'{"name": "p", "pi": {"skills": ["sk"], '
    b'"prompts": ["pr/*.md", "!pr/no.md"]}}',
    "home/pack/sk/ps/SKILL.md": skill("ps"),
    "home/pack/pr/yes.md": PROMPT,
    "home/pack/pr/no.md": PROMPT,
    "home/pack2/skills/no-one/SKILL.md": skill("no-one"),
    "home/pack2/skills/yes-one/SKILL.md": skill("yes-one"),
    "home/pack2/prompts/p2.md": PROMPT,
    "home/extra/e/SKILL.md": skill("e"),
    "home/more.md": PROMPT,
}
PROMPTS = ("hi", "/a x", "/yes 1", "/no 1", "/p2 1", "/more z", "/skill:yes-one", "/skill:no-one")


def files(root: Path) -> dict[str, str]:
    """Every file of the home folder, by what it holds."""
    found = {}
    for path in (root / "home").rglob("*"):
        name = re.sub(r"\d{4}-\d\d-\d\dT[\d-]+Z_[0-9a-f-]{36}", "<id>", str(path.relative_to(root)))
        name = re.sub(r"sessions/--tmp-[^/]*--", "sessions/<cwd>", name)
        found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    return found


def used(side: Asked) -> dict[str, Any]:
    before = files(side.root)
    commands = listed(side)
    state = side.data("get_state")
    asked = [shown(side.sent(prompt)) for prompt in PROMPTS]
    shell = side.client.request({"type": "bash", "command": "echo $A"})["data"]
    assert side.client.finish() == 0
    after = files(side.root)
    return {
        "commands": commands,
        "state": {k: v for k, v in state.items() if k not in ("sessionFile", "sessionId")},
        "asked": asked,
        "tools": [tool["name"] for tool in side.body["tools"]],
        "thinking": side.body.get("thinking"),
        "shell": shell,
        "changed": sorted(name for name in after if before.get(name) != after[name]),
        "gone": sorted(before.keys() - after.keys()),
    }


def test_everything_of_a_home_folder(tmp_path: Path) -> None:
    with both(tmp_path, FILES, ("-na",), settings=SETTINGS) as pair:
        theirs, ours = (used(side) for side in pair)
    assert ours == theirs
