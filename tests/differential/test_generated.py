"""Prompt templates and skills made at random: each prompt is the same request from both programs.

Many prompts go through one process of each program, so that a few hundred cost seconds. More of
them: PI_GENERATED=5000. See test_reference.py for how to run it.
"""

import json
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.differential.pairs import Asked, both
from tests.differential.programs import needs_reference

pytestmark = needs_reference

COUNT = int(os.environ.get("PI_GENERATED", "150"))
PROMPTS = "home/.pi/agent/prompts/"
SKILLS = "home/.pi/agent/skills/"

ODD = ("\xa0", "\u3000", "\ufeff", "\x85", "\x1c", "\x0b", "\x0c", "\u2028", "\u200b", "😀", "é")
PLACEHOLDERS = (
    *("$1", "$2", "$10", "$0", "$01", "$@", "$ARGUMENTS", "$ARGUMENT", "${1}", "${1:-", "${2:-d}"),
    *("${@:", "${@:2}", "${@:1:2}", "${@:0:2}", "${@:-x}", "${ARGUMENTS:-y}", "${ARGUMENTS:2}"),
    *(
        "${@: 2}",
        "${@:2:}",
        "${@:-1}",
        "${01:-z}",
        "${1:-$2}",
        "${1:-a b c}",
        "${1:-}",
        "$１",
        "$٣",
    ),
    *("${99999999999999999999:-q}", "$99999999999999999999", "${@:99999999999}"),
    *(
        "}",
        "{",
        ":",
        "-",
        "3",
        "a",
        "B ",
        " ",
        "\n",
        "\r\n",
        "\r",
        "\t",
        "$",
        "\\",
        "---\n",
        "\n---",
    ),
    *ODD,
)
ARGUMENTS = (
    *('"', "'", "\\", '\\"', "\\'", '""', "''", " ", "  ", "\t", "\n", "\r\n", "\r"),
    *("a", "bc", "1", "$1", "$@", "-x", "--y=1", "`"),
    *ODD,
)
LINES = (
    *("description: plain", "description: 'it''s'", 'description: "a\\tb"', "description: a # b"),
    *("description: >", "description: |", "  more", "  - x", "", "# note", "argument-hint: '[x]'"),
    *("argument-hint: <x>", "argument-hint: [x]", "license: MIT", "metadata:", "  author: me"),
    *("description: yes", "description: 5", "description: ~", "description: a:b", "x: {a: 1}"),
    *("disable-model-invocation: true", "disable-model-invocation: 'true'", "x: a: b", "x: 'open"),
    *("description: é😀", "description: a\u2028b", "description: a\x07b", "x: !y z", "---", "--- "),
    *("\tx: y", "x:\ty", "description:", "description : a", "name: other-name", "x: &a b"),
)


def compared(pair: tuple[Asked, Asked], prompts: list[str]) -> Iterator[tuple[str, Any, Any]]:
    """Prompts whose requests differ."""
    for number, prompt in enumerate(prompts):
        theirs, ours = (shown(side.sent(prompt)) for side in pair)
        # A message of nothing but controls is sent by one and not by the other.
        if theirs != ours and re.search(r"[^\s\ufeff]", theirs or ""):
            yield prompt, theirs, ours
        if number % 40 == 39:
            for side in pair:
                side.data("new_session")


def shown(text: str | None) -> str | None:
    """With the note on relative paths taken out, which each words in its own way."""
    return text and re.sub(r"(<skill name=[^\n]*>\n)[^\n]*?(/[^\n]*?)\.?\n\n", r"\1<\2>\n\n", text)


def listed(side: Asked) -> list[Any]:
    commands = side.data("get_commands")["commands"]
    return [c for c in commands if c["sourceInfo"]["source"] != "builtin"]


@pytest.mark.parametrize("seed", [1, 2])
def test_placeholders_and_arguments(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    files = {}
    prompts = []
    for number in range(COUNT):
        text = "".join(chance.choices(PLACEHOLDERS, k=chance.randint(1, 8)))
        files[f"{PROMPTS}t{number}.md"] = f"[{text}]".encode()
        between = chance.choice((" ", " ", " ", "  ", "\n", "\t", *ODD))
        said = "".join(chance.choices(ARGUMENTS, k=chance.randint(0, 10)))
        prompts.append(f"/t{number}{between}{said}")
    with both(tmp_path, files) as pair:
        found = [*compared(pair, prompts)]
    assert [(files[f"{PROMPTS}{p[1:].split()[0]}.md"], *rest) for p, *rest in found] == []


@pytest.mark.parametrize("seed", [3, 4])
def test_front_matter(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    files: dict[str, bytes] = {}
    prompts = []
    for number in range(COUNT // 2):
        lines = chance.choices(LINES, k=chance.randint(1, 5))
        end = chance.choice(("\n", "\n", "\r\n"))
        mark = chance.choice(("", "", "", "\ufeff"))
        text = mark + end.join(("---", *lines, "---", "", "Do $1.", ""))
        files[f"{PROMPTS}t{number:03}.md"] = text.encode()
        files[f"{SKILLS}s{number:03}/SKILL.md"] = text.encode()
        prompts += [f"/t{number:03} x", f"/skill:s{number:03} y"]
    with both(tmp_path, files) as pair:
        assert [*compared(pair, [*prompts, "plain"])] == []
        theirs, ours = (listed(side) for side in pair)
        told = [
            re.findall(r"<name>(.*?)</name>\s+<description>([^<]*)<", side.system) for side in pair
        ]
    assert ours == theirs
    assert told[1] == told[0]


FOLDERS = ("a", "b", "deep", "node_modules", ".hidden", "x y", "skills", "prompts", "É", "Z", "_")
FILES = (
    "SKILL.md",
    "SKILL.md",
    "skill.md",
    "one.md",
    "two.md",
    "README.md",
    "N.MD",
    "é.md",
    "x.txt",
)
IGNORED = (
    "a",
    "a/",
    "/b",
    "*.md",
    "!one.md",
    "**/deep",
    "deep/**",
    "SKILL.md",
    "#a",
    "\\#a",
    "x y",
)
IGNORE_FILES = (".gitignore", ".ignore", ".fdignore")
PLACES = (
    "home/.pi/agent/skills",
    "home/.pi/agent/prompts",
    "home/.agents/skills",
    "up/.agents/skills",
    "up/project/.agents/skills",
    "up/project/.pi/skills",
    "up/project/.pi/prompts",
    "home/.pi/agent/more",
    "up/project/.pi/other",
    "named",
)
ENTRIES = (
    *("more", "more/a", "./more/b", "~/.pi/agent/more", "nowhere", "other"),
    *("!a", "!**/a/**", "!*.md", "!one.md", "-skills/a", "-skills/a/SKILL.md", "+skills/a", "+a"),
    *(
        "!skills/*",
        "!**",
        "+skills/deep/SKILL.md",
        "**/a*",
        "*",
        "-prompts/one.md",
        "+prompts/two.md",
    ),
    *("!{a,b}*", "!**/[ab]/*", "!x y", "-./skills/b", "one", "!~/.agents/**", "more/*", "!more/**"),
)


def grow(root: Path, chance: random.Random, depth: int = 0) -> None:
    """Folders with whatever may be in them."""
    root.mkdir(parents=True, exist_ok=True)
    for name in chance.sample(FILES, k=chance.randint(0, 4)):
        word = f"n{chance.randrange(12)}"
        head = chance.choice((f"name: {word}\n", "", f"name: {word}\n"))
        described = chance.choice(("description: does\n", "description: does\n", ""))
        (root / name).write_text(f"---\n{head}{described}---\n$1\n")
    if chance.random() < 0.3:
        lines = chance.choices(IGNORED, k=chance.randint(1, 3))
        (root / chance.choice(IGNORE_FILES)).write_text("\n".join(lines) + "\n")
    if depth < 3:
        for name in chance.sample(FOLDERS, k=chance.randint(0, 4 - depth)):
            grow(root / name, chance, depth + 1)


def link(root: Path, chance: random.Random) -> None:
    """Links to folders and files that are found by no other way, and to nothing.

    None in a circle: the npm package goes round until the system says no.
    """
    grow(root / "linked", chance)
    targets = [*(root / "linked").rglob("*"), Path("nowhere")]
    folders = sorted(
        path for place in PLACES for path in (root / place).rglob("*") if path.is_dir()
    )
    for number in range(chance.randint(0, 4) if folders else 0):
        way = chance.choice(folders) / f"l{number}{chance.choice(('', '.md'))}"
        way.symlink_to(chance.choice(sorted(targets)))


@pytest.mark.parametrize("seed", range(10, 10 + max(6, COUNT // 25)))
def test_folders_and_filters(tmp_path: Path, seed: int) -> None:
    def prepare(root: Path) -> None:
        chance = random.Random(seed)
        for place in PLACES:
            if chance.random() < 0.6:
                grow(root / place, chance)
        link(root, chance)
        if chance.random() < 0.5:
            (root / chance.choice(("up", "up/project")) / ".git").mkdir(parents=True)
        for folder in ("home/.pi/agent", "up/project/.pi"):
            settings = {
                kind: chance.choices(ENTRIES, k=chance.randint(1, 4))
                for kind in ("skills", "prompts")
                if chance.random() < 0.6
            }
            (root / folder).mkdir(parents=True, exist_ok=True)
            (root / folder / "settings.json").write_text(json.dumps(settings))

    chance = random.Random(seed)
    options = [chance.choice(("-a", "-a", "-na"))]
    if chance.random() < 0.3:
        options += ["--skill", "../../named", "--prompt-template", "../../named"]
    with both(tmp_path, {}, options, where="up/project", prepare=prepare) as pair:
        theirs, ours = (listed(side) for side in pair)
    assert ours == theirs
