"""Markdown: how it looks, and that drawing it while it arrives ends in the same."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi.modes.interactive.cells import plain, width
from pi.modes.interactive.markdown import Drawing, Markdown
from pi.modes.interactive.palette import Theme
from pi.resources.themes import builtin_theme

THEME = Theme.of(builtin_theme("dark"))
DRAWING = Drawing(THEME)


def whole(text: str, columns: int = 40, drawing: Drawing = DRAWING) -> list[str]:
    markdown = Markdown(drawing)
    markdown.append(text)
    markdown.finish()
    return markdown.rows(columns)


def text(source: str, columns: int = 40) -> list[str]:
    return [plain(row).rstrip() for row in whole(source, columns)]


def test_headings_paragraphs_and_rules() -> None:
    assert text("# Title\n\nSome text that is longer than one row can be.\n\n---\nEnd") == [
        "Title",
        "",
        "Some text that is longer than one row",
        "can be.",
        "",
        "─" * 40,
        "",
        "End",
    ]


def test_line_breaks_are_kept() -> None:
    assert text("one\ntwo  \nthree") == ["one", "two", "three"]


def test_lists() -> None:
    source = "- one\n- two\n  - inner that needs more than one row of it\n- [ ] open\n- [x] done\n"
    assert text(source, 30) == [
        "• one",
        "• two",
        "  • inner that needs more than",
        "    one row of it",
        "☐ open",
        "☑ done",
    ]
    assert text("3. three\n4. four\n\n   more\n\n5. five") == [
        "3. three",
        "4. four",
        "",
        "   more",
        "",
        "5. five",
    ]


def test_code_is_indented_and_nothing_of_it_lost() -> None:
    assert text("```python\ndef f():\n    return 1\n```", 40) == ["  def f():", "      return 1"]
    assert text("```\n" + "x" * 50 + "\n```", 32) == ["  " + "x" * 30, "  " + "x" * 20]
    assert text("~~~mermaid\ngraph TD\n~~~") == ["  graph TD"]


def test_code_in_a_known_language_has_colors() -> None:
    assert "\x1b[38;" in whole("```python\nimport os\n```")[0]
    assert whole("```python\nimport os\n```", 40, Drawing(Theme("t", {}, depth="none"))) == [
        "  import os"
    ]


def test_quotes() -> None:
    assert text("> quoted text\n>\n> - item") == ["│ quoted text", "│", "│ • item"]


def test_tables_fit_by_wrapping_cells() -> None:
    source = "| Name | What it does |\n|---|--:|\n| a | short |\n| bb | words that need rows |\n"
    assert text(source, 40) == [
        "Name │         What it does",
        "─────┼─────────────────────",
        "a    │                short",
        "bb   │ words that need rows",
    ]
    assert text(source, 20) == [
        "Name │  What it does",
        "─────┼──────────────",
        "a    │         short",
        "─────┼──────────────",
        "bb   │    words that",
        "     │     need rows",
    ]
    assert text(source, 8)[0] == "Name: a"


def test_inline_styles_and_links() -> None:
    row = whole("**bold** *it* ~~gone~~ `code` [text](https://a.b)")[0]
    assert "\x1b[1mbold\x1b[22m" in row
    assert "\x1b[3mit\x1b[23m" in row
    assert "\x1b[9mgone\x1b[29m" in row
    assert "\x1b]8;;https://a.b\x1b\\" in row
    bare = whole("see https://a.b/c. There", drawing=Drawing(THEME, links=False))[0]
    assert plain(bare) == "see https://a.b/c. There"
    shown = whole("[text](https://a.b)", drawing=Drawing(THEME, links=False))[0]
    assert plain(shown) == "text (https://a.b)"
    assert "\x1b]8" not in whole("[text](javascript:alert)")[0]


def test_html_is_text() -> None:
    assert text("<div>\n<b>x</b>\n</div>\n\na <i>b</i>") == [
        "<div>",
        "<b>x</b>",
        "</div>",
        "",
        "a <i>b</i>",
    ]


def test_escape_sequences_of_a_model_are_removed() -> None:
    assert text("a\x1b[2Jb `c\x1b]0;t\x07d`") == ["ab cd"]
    assert text("```\nx\x1b[31my\n```") == ["  xy"]
    assert "\x07" not in "".join(whole("[x](https://a.b/\x07\x1b]0;evil\x07)"))


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_every_row_fits(columns: int) -> None:
    for row in whole(SAMPLE, columns):
        assert width(row) <= columns


def test_open_emphasis_is_drawn_closed_while_more_is_to_come() -> None:
    markdown = Markdown(DRAWING)
    markdown.append("this is **very imp")
    assert plain(markdown.rows(40)[0]) == "this is very imp"
    markdown.append("ortant** and `co")
    assert plain(markdown.rows(40)[0]) == "this is very important and co"
    markdown.append("de`\n\n```")
    assert [plain(row) for row in markdown.rows(40)] == ["this is very important and code"]


def test_the_same_list_while_nothing_changes() -> None:
    markdown = Markdown(DRAWING)
    markdown.append("text")
    assert markdown.rows(40) is markdown.rows(40)
    markdown.append(" more")
    assert [plain(row) for row in markdown.rows(40)] == ["text more"]
    markdown.finish("text more")
    rows = markdown.rows(40)
    assert markdown.rows(40) is rows
    markdown.finish("other")
    assert [plain(row) for row in markdown.rows(40)] == ["other"]


SAMPLE = """# A heading

A paragraph with **bold**, *emphasis*, `code` and a [link](https://example.com/path).
It has a second line, 漢字 and 👨‍👩‍👧 too.

1. first
2. second
   - nested
   - more nested text that goes on for a while and a while

     ```python
     def nested(): pass
     ```
3. third

* loose

* items

> A quote
> of two lines
>
> 1. with a list

| a | b | c |
|:--|:-:|--:|
| 1 | 2 | 3 |
| long cell with `code` | 5 | 6 |

```js
const x = 1; // comment

function f() { return "s"; }
```

Setext
======

<details>text</details>

- [ ] task
- [x] done
---
    indented code

Last **paragraph**.
"""

pieces = st.lists(
    st.sampled_from(
        [
            *[block + "\n\n" for block in SAMPLE.split("\n\n")],
            "text ",
            "\n",
            "- ",
            "**",
            "`",
            "```\n",
            "1. x\n",
            "> q\n",
            "# h\n",
            "\n\n| a | b |\n|---|---|\n",
            "    ",
            "* * *\n",
        ]
    ),
    max_size=12,
).map("".join)


@settings(max_examples=100)
@given(st.one_of(st.just(SAMPLE), pieces), st.integers(0, 2**32), st.sampled_from([24, 60]))
def test_drawn_piece_by_piece_it_ends_in_the_same(source: str, seed: int, columns: int) -> None:
    dice = random.Random(seed)
    markdown = Markdown(DRAWING)
    at = 0
    before: list[str] = []
    while at < len(source):
        size = dice.randint(1, 12)
        markdown.append(source[at : at + size])
        at += size
        if dice.random() < 0.7:
            rows = markdown.rows(columns)
            assert rows[: len(before)] == before
            before = rows[: markdown.settled]
            assert all(width(row) <= columns for row in rows)
    markdown.finish()
    rows = markdown.rows(columns)
    assert [plain(row) for row in rows] == [plain(row) for row in whole(source, columns)]
    assert rows[: len(before)] == before
    assert markdown.settled == len(rows)


@pytest.mark.parametrize(
    ("piece", "count"),
    [
        ("A paragraph of some words.\n\n", 400),
        ("word and another word with it ", 600),
        ("a **bold** word and `code` ", 600),
        ("- an item of a list\n", 600),
        ("1. an item of a list\n", 600),
        ("line of text in one paragraph\n", 600),
    ],
)
def test_an_update_costs_the_tail(piece: str, count: int) -> None:
    markdown = Markdown(DRAWING)
    for _ in range(count):
        markdown.append(piece)
        markdown.rows(80)
    # Each update parses no more than the tail, whatever has come before.
    assert markdown.parsed <= count * 8_000
    assert markdown.parsed / count <= 5_000
    once = [plain(row).rstrip() for row in whole(piece * count, 80)]
    markdown.finish()
    drawn = [plain(row).rstrip() for row in markdown.rows(80)]
    assert (
        drawn
        == [
            row.replace("1.", f"{at + 1}.") if piece[0] == "1" else row
            for at, row in enumerate(once)
        ]
        or drawn == once
    )


def test_a_long_code_block_keeps_its_lines_and_costs_the_tail() -> None:
    markdown = Markdown(DRAWING)
    lines = [f"value_{n} = {n}" if n % 7 else "" for n in range(1_000)]
    markdown.append("Look:\n\n```python\n")
    for line in lines:
        markdown.append(line + "\n")
        markdown.rows(80)
    markdown.append("```\n\nDone.")
    markdown.finish()
    assert [plain(row) for row in markdown.rows(80)] == [
        "Look:",
        "",
        *(f"  {line}" if line else "" for line in lines),
        "",
        "Done.",
    ]
    assert markdown.parsed < 3_000_000


@pytest.mark.parametrize(
    "piece", ["[", "![", "[a](", "*a ", "**a", "`", "> ", "- ", "<a ", "_a_", "&amp", "|a", "#"]
)
def test_a_hostile_answer_is_drawn_in_time(piece: str) -> None:
    markdown = Markdown(DRAWING)
    source = piece * (20_000 // len(piece))
    markdown.append(source)
    markdown.rows(80)
    markdown.finish()
    assert all(width(row) <= 80 for row in markdown.rows(80))
