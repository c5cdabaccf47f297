"""Writes pi/_speedups/pattern/tables.py and scripts.py: the character sets of search patterns.

Run with any Python; the Unicode version is that of its `unicodedata`. The scripts come from a
Scripts.txt of the Unicode Character Database named on the command line:

    python scripts/make_unicode_tables.py path/to/Scripts.txt
"""

import re
import sys
import textwrap
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

TARGET = Path(__file__).parent.parent / "pi" / "_speedups" / "pattern"
# Other_Alphabetic outside the marks: the circled and squared Latin letters.
CIRCLED = [(0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189)]


def ranges(points: Iterable[int]) -> str:
    out: list[list[int]] = []
    for point in sorted(points):
        if out and out[-1][1] == point - 1:
            out[-1][1] = point
        else:
            out.append([point, point])
    return " ".join(f"{a:x}-{b:x}" if a != b else f"{a:x}" for a, b in out)


def word() -> set[int]:
    points = {0x200C, 0x200D}
    for first, last in CIRCLED:
        points.update(range(first, last + 1))
    for point in range(0x110000):
        category = unicodedata.category(chr(point))
        if category[0] in "LM" or category in ("Nd", "Nl", "Pc"):
            points.add(point)
    return points


def folds() -> list[str]:
    """Groups of characters that are equal under simple case folding, two or more in each."""
    groups: dict[str, set[str]] = defaultdict(set)
    for point in range(0x110000):
        char = chr(point)
        folded = char.casefold()
        if len(folded) != 1:
            folded = char.lower() if len(char.lower()) == 1 else char
        if folded != char:
            groups[folded] |= {folded, char}
    return ["".join(sorted(group)) for _, group in sorted(groups.items())]


def literal(name: str, text: str) -> str:
    lines = textwrap.wrap(text, 88, break_on_hyphens=False, break_long_words=False)
    body = "\n".join(f'    "{line} "' for line in lines)
    return f"{name} = (\n{body}\n)\n"


def main(scripts: Path) -> None:
    version = unicodedata.unidata_version
    text = f'"""Character sets of Unicode {version}, hexadecimal ranges.\n\n'
    text += 'Written by scripts/make_unicode_tables.py, not by hand.\n"""\n\n'
    digits = [p for p in range(0x110000) if unicodedata.category(chr(p)) == "Nd"]
    spaces = [p for p in range(0x110000) if chr(p).isspace() and not 0x1C <= p <= 0x1F]
    text += literal("WORD", ranges(word())) + "\n"
    text += literal("DIGIT", ranges(digits)) + "\n"
    text += literal("SPACE", ranges(spaces)) + "\n"
    text += "# Groups equal under simple case folding.\n"
    groups = [",".join(f"{ord(c):x}" for c in group) for group in folds()]
    text += literal("FOLDS", " ".join(groups))
    (TARGET / "tables.py").write_text(text, encoding="utf-8")
    found: dict[str, set[int]] = defaultdict(set)
    for line in scripts.read_text(encoding="utf-8").splitlines():
        match = re.match(r"([0-9A-F]+)(?:\.\.([0-9A-F]+))?\s*;\s*(\w+)", line)
        if match:
            first = int(match[1], 16)
            found[match[3]].update(range(first, int(match[2] or match[1], 16) + 1))
    text = '"""The scripts of Unicode, hexadecimal ranges by lower-case name.\n\n'
    text += 'Written by scripts/make_unicode_tables.py, not by hand.\n"""\n\n'
    text += "SCRIPTS: dict[str, str] = {}\n"
    for name, points in sorted(found.items()):
        plain = name.replace("_", "").lower()
        text += literal(f'SCRIPTS["{plain}"]', ranges(points))
    (TARGET / "scripts.py").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
