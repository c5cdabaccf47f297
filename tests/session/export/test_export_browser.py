"""The page in a browser: drawn, clicked, searched, and safe with what a session may hold."""

import json
import re
from typing import Any

import pytest

from tests.session.export.browser import Browser
from tests.session.export.conftest import Pages
from tests.session.session_lines import (
    assistant,
    compaction,
    edit,
    entry,
    header,
    message,
    user,
)

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC"
)


def said(id: str, parent: str | None, *blocks: Any, **fields: Any) -> dict[str, Any]:
    parts = [{"type": "text", "text": part} if isinstance(part, str) else part for part in blocks]
    fields = {"provider": "mock", "model": "m1", "stopReason": "stop", **fields}
    return message(id, parent, "assistant", parts, **fields)


def call(id: str, name: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "toolCall", "id": id, "name": name, "arguments": arguments}


def result(id: str, parent: str, of: str, name: str, text: str, **fields: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": text}]
    fields = {"toolCallId": of, "toolName": name, "isError": False, **fields}
    return message(id, parent, "toolResult", content, **fields)


def text(browser: Browser, selector: str) -> str:
    return str(browser.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))


def texts(browser: Browser, selector: str) -> list[str]:
    found = browser.run(
        f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => e.innerText)"
    )
    return [str(one) for one in found]


def test_a_conversation(pages: Pages) -> None:
    listing = "\n".join(f"line {number}" for number in range(40))
    browser = pages.show(
        header(cwd="/home/me"),
        entry("model_change", "m1", None, provider="mock", modelId="m1"),
        message("s1", "m1", "system", "", sections={"intro": "Be brief."}, toolsAdded=[]),
        user("u1", "s1", "Do *it*"),
        said(
            "a1",
            "u1",
            {"type": "thinking", "thinking": "Let me think."},
            "I will.",
            call("c1", "bash", command="make all"),
            call("c2", "edit", path="src/a.py", edits=[]),
            call("c3", "mystery", depth=3),
            stopReason="toolUse",
        ),
        result("r2", "a1", "c2", "edit", "ok", details={"diff": " 1 a\n-2 b\n+2 c"}),
        result("r1", "r2", "c1", "bash", listing, isError=True),
        message("u2", "r1", "user", [{"type": "image", "data": PIXEL, "mimeType": "image/png"}]),
        said("a2", "u2", stopReason="error", errorMessage="529 overloaded"),
        edit("d1", "a2", "a2", None),
        compaction("c1", "d1", "u2", summary="It was **long**", usage={"input": 5}),
        said("a3", "c1", "Half", stopReason="aborted"),
        message("b1", "a3", "bashExecution", None, command="ls", output="a\n", exitCode=2),
        entry("custom_message", "x1", "b1", customType="note", content="hidden", display=False),
        entry("custom_message", "x2", "x1", customType="note", content="shown", display=True),
    )
    assert browser.complaints() == []
    assert texts(browser, ".entry:not(.minor) .role") == [
        *("System", "User", "Assistant", "User", "Assistant", "Compaction", "Assistant"),
        *("Shell command", "note"),
    ]
    assert texts(browser, ".entry.minor .note") == ["Model: mock/m1"]
    assert texts(browser, ".tool header b") == ["bash", "edit", "mystery"]
    assert texts(browser, ".tool .state") == ["failed", "", "no result"]
    assert texts(browser, ".line.del") == ["-2 b"] and texts(browser, ".line.add") == ["+2 c"]
    assert "shown" in text(browser, "#entries") and "hidden" not in text(browser, "#entries")
    assert texts(browser, ".error") == ["529 overloaded", "Aborted"]
    assert texts(browser, ".badge") == ["left out of the context"]
    assert browser.run("document.querySelector('.picture').naturalWidth") == 1
    assert "exit code 2" in text(browser, ".entry.shell")
    assert browser.requests()[0].startswith("file:")
    assert all(url.startswith("data:image/png") for url in browser.requests()[1:])
    # Thinking is folded until somebody wants it.
    assert "Let me think." not in texts(browser, ".thinking .inside")
    browser.click(".thinking summary")
    browser.wait("document.querySelector('.thinking .inside')?.innerText === 'Let me think.'")
    # So is the beginning of what a command printed.
    tool = "document.querySelector('.tool .output:not(.command .output) pre').innerText"
    assert "line 39" in browser.run(tool) and "line 5\n" not in browser.run(tool)
    browser.click(".tool button.more")
    browser.wait(f"{tool}.includes('line 5\\n')")
    browser.click(".tool button.more")
    browser.wait(f"!{tool}.includes('line 5\\n')")
    # What the conversation does without is there on request.
    browser.press("h")
    browser.wait("document.querySelector('#entries').innerText.includes('hidden')")


BRANCHES = [
    header(),
    user("u1", None, "root"),
    said("a1", "u1", "answer"),
    user("u2", "a1", "first way"),
    said("a2", "u2", "first end"),
    user("u3", "a1", "second way"),
    said("a3", "u3", "second end"),
]


def test_branches(pages: Pages) -> None:
    browser = pages.show(*BRANCHES)
    shown = "document.querySelector('#entries').innerText"
    assert "second end" in browser.run(shown) and "first way" not in browser.run(shown)
    rows = texts(browser, ".node .words")
    assert rows == ["root", "answer", "first way", "first end", "second way", "second end"]
    assert texts(browser, ".node.off .words") == ["first way", "first end"]
    assert text(browser, ".fork span") == "Branch 2 of 2"
    browser.click(".fork button")
    browser.wait(f"{shown}.includes('first end') && !{shown}.includes('second')")
    assert text(browser, ".fork span") == "Branch 1 of 2"
    browser.press("]")
    browser.wait(f"{shown}.includes('second end')")
    browser.click(".node:nth-child(3)")
    browser.wait(f"{shown}.includes('first end')")
    assert text(browser, ".entry.current .prose") == "first way"
    # The tree by keyboard: t goes there, arrows move, Enter shows.
    browser.press("t")
    browser.wait("document.body.classList.contains('tree-shut')")
    browser.press("t")
    browser.wait("document.activeElement.id === 'tree'")
    for _ in range(3):
        browser.press("ArrowDown")
    browser.press("Enter")
    browser.wait(f"{shown}.includes('second end')")
    browser.run("document.querySelector('#tree-filter').value = 'prompts'")
    browser.run("document.querySelector('#tree-filter').dispatchEvent(new Event('change'))")
    assert texts(browser, ".node .words") == ["root", "first way", "second way"]


def test_an_address_leads_to_its_entry_on_any_branch(pages: Pages) -> None:
    browser = pages.show(*BRANCHES, fragment="#e3")
    assert text(browser, ".entry.current .prose") == "first end"


def test_keys(pages: Pages) -> None:
    browser = pages.show(*BRANCHES)
    current = "document.querySelector('.entry.current .prose')?.innerText"
    for key, expected in (
        ("j", "root"),
        ("j", "answer"),
        ("k", "root"),
        ("G", "second end"),
        ("g", "root"),
        ("J", "second way"),
        ("K", "root"),
    ):
        browser.press(key)
        assert browser.run(current) == expected, key
    browser.press("?")
    assert browser.run("document.querySelector('#help').open") is True
    browser.press("Escape")
    assert browser.run("document.querySelector('#help').open") is False
    background = "getComputedStyle(document.body).backgroundColor"
    light = browser.run(background)
    browser.press("d")
    dark = browser.run(background)
    assert light != dark
    browser.press("d")
    assert browser.run(background) == light
    browser.press("d")
    browser.scheme("dark")
    assert browser.run(background) == dark


def search(browser: Browser, words: str) -> str:
    browser.press("Escape")
    browser.press("/")
    browser.type(words)
    browser.wait(f"document.querySelector('#search').value === {json.dumps(words)}")
    browser.press("Enter")
    browser.wait("!['', '…'].includes(document.querySelector('#search-count').innerText)")
    browser.wait("!document.querySelector('#search-count').innerText.includes('+')")
    return text(browser, "#search-count")


def test_search(pages: Pages) -> None:
    deep = "\n".join(f"row {number}" for number in range(60)) + '\nNeedle \u00dcber "quoted" end'
    browser = pages.show(
        header(),
        user("u1", None, "a needle here"),
        said("a1", "u1", "none", call("c1", "read", path="x")),
        result("r1", "a1", "c1", "read", deep),
        user("u2", "r1", "last"),
        said("a2", "r1", "NEEDLE elsewhere"),
        user("u3", "u2", "the end \u0434\u0430\u043d\u043d\u044b\u0435 needle"),
    )
    assert search(browser, "needle") == "1 / 3"
    assert text(browser, ".entry.current .prose") == "a needle here"
    browser.press("Enter")
    assert text(browser, "#search-count") == "2 / 3"
    # The hit was in the folded part of a result: it is unfolded now, and marked.
    assert "Needle" in text(browser, ".tool .output")
    marked = "[...CSS.highlights.get('found-now')].map((range) => range.toString())"
    assert browser.run(marked) == ["Needle"]
    browser.click("#search-next")
    assert text(browser, "#search-count") == "3 / 3"
    browser.click("#search-previous")
    assert text(browser, "#search-count") == "2 / 3"
    browser.click("#search-all")
    browser.wait("document.querySelector('#search-count').innerText.endsWith('/ 4')")
    for words, count in (
        ('"quoted"', "1 / 1"),
        ("\u00fcber", "1 / 1"),
        ("\u0414\u0410\u041d\u041d\u042b\u0415", "1 / 1"),
        ("(", "none"),
        ("toolCall", "none"),
    ):
        assert search(browser, words) == count, words
    browser.press("Escape")
    assert text(browser, "#search-count") == ""


def test_a_long_session_is_drawn_where_one_looks(pages: Pages) -> None:
    lines: list[Any] = [header(), user("n0", None, "begin")]
    for number in range(1, 3000):
        make = user if number % 2 else assistant
        lines.append(make(f"n{number}", f"n{number - 1}"))
    browser = pages.show(*lines)
    drawn = "document.querySelectorAll('.entry').length"
    assert 0 < browser.run(drawn) < 200
    browser.press("G")
    assert text(browser, ".entry.current .prose") == "n2999"
    browser.wait(f"{drawn} < 200")
    assert search(browser, "n1500") == "1 / 1"
    assert text(browser, ".entry.current .prose") == "n1500"
    browser.run("dispatchEvent(new Event('beforeprint'))")
    assert browser.run(drawn) == 3000
    browser.run("dispatchEvent(new Event('afterprint'))")


MARKDOWN = [
    ("a *b* **c** ~~d~~ `e`", "<p>a <em>b</em> <strong>c</strong> <del>d</del> <code>e</code></p>"),
    (
        "***x*** _y_ snake_case_name 2*3*4",
        "<p><em><strong>x</strong></em> <em>y</em> snake_case_name 2<em>3</em>4</p>",
    ),
    ("# T #\n\nS\n=\n", "<h3 class=level1>T</h3><h3 class=level1>S</h3>"),
    ("- a\n  - b\n- c", "<ul><li><p>a</p><ul><li><p>b</p></li></ul></li><li><p>c</p></li></ul>"),
    ("3. x\n4. y", "<ol start=3><li><p>x</p></li><li><p>y</p></li></ol>"),
    ("> q\nlazy", "<blockquote><p>q\nlazy</p></blockquote>"),
    ("a  \nb\\\nc", "<p>a  <br>b<br>c</p>"),
    ("---", "<hr>"),
    ("\\*a\\* &amp; &#65; &bogus;", "<p>*a* &amp; A &amp;bogus;</p>"),
    ("<b>x</b> <!-- y -->", "<p>&lt;b&gt;x&lt;/b&gt; &lt;!-- y --&gt;</p>"),
    ("`` a`b `` and `open", "<p><code>a`b</code> and `open</p>"),
    (
        "**\u300c\u592a\u5b57\u300d**\u3067\u3059",
        "<p><strong>\u300c\u592a\u5b57\u300d</strong>\u3067\u3059</p>",
    ),
]


def test_markdown(pages: Pages) -> None:
    lines: list[Any] = [header()]
    for number, (source, _) in enumerate(MARKDOWN):
        lines.append(user(f"u{number}", f"u{number - 1}" if number else None, source))
    browser = pages.show(*lines)
    found = browser.run(
        "[...document.querySelectorAll('.entry.user .prose')].map((e) => e.innerHTML)"
    )
    for (source, expected), rendered in zip(MARKDOWN, found, strict=True):
        plain = re.sub(r' (dir="\w+"|class="tight")', "", rendered).replace('"', "")
        assert plain == expected, source


def test_markdown_code_tables_and_links(pages: Pages) -> None:
    source = """\
```python
def f(): return "x"  # why
```

| a | b |
|---|--:|
| 1 | `x|y` |

[site](https://example.org/a_(b) "t"), <https://example.org>, https://example.net/x. and [r][ref]
![img](https://example.org/i.png) [file](src/a.py) [![badge](https://e.org/b)](https://e.org/c)

[ref]: https://example.com/ref
"""
    browser = pages.show(header(), user("u1", None, source))
    assert text(browser, ".code code") == 'def f(): return "x"  # why'
    assert texts(browser, ".c-keyword") == ["def", "return"]
    assert texts(browser, ".c-string") == ['"x"'] and texts(browser, ".c-comment") == ["# why"]
    assert texts(browser, "td") == ["1", "x|y"]
    assert browser.run("document.querySelector('td:nth-child(2)').className") == "right"
    links = browser.run("[...document.querySelectorAll('.prose a')].map((a) => a.href)")
    assert links == [
        *("https://example.org/a_(b)", "https://example.org/", "https://example.net/x"),
        *("https://example.com/ref", "https://example.org/i.png"),
        "https://e.org/c",
    ]
    assert browser.run("document.querySelector('.no-link').innerText") == "file"
    assert browser.requests()[1:] == []


EVIL = [
    "<script>window.pwned = 1</script>",
    "<img src=x onerror='window.pwned = 1'>",
    "</script></style></title><svg onload='window.pwned = 1'>",
    "[a](javascript:window.pwned=1)",
    "[a](java\nscript:window.pwned=1) [b](\u0001javascript:window.pwned=1) [c](JaVaScRiPt:x)",
    "[a](data:text/html,<script>opener.pwned=1</script>) [b](vbscript:x) [c](file:///etc/passwd)",
    "<javascript:window.pwned=1> ![x](javascript:window.pwned=1)",
    '[a](https://x.org/"onmouseover="window.pwned=1")',
    "[a]: javascript:window.pwned=1\n\n[a] [b][a]",
    '```"><script>window.pwned=1</script>\nx\n```',
    "`<script>window.pwned = 1</script>`",
    "<style>body{display:none}</style><iframe srcdoc='<script>parent.pwned=1</script>'>",
    "a\u202egnp.exe\u202c \u200b \ufeff \x00 \x07",
    "<a href='https://example.org' target=_top><base href='https://example.org'>",
    "[[policy]] ${window.pwned=1} {{7*7}}",
]


def test_hostile_content_does_not_run(pages: Pages) -> None:
    lines: list[Any] = [header(id="<script>window.pwned=1</script>", cwd=EVIL[2])]
    last: str | None = None
    for number, evil in enumerate(EVIL):
        ids = [f"{part}{number}" for part in "uarbctl"]
        bad_call = {"type": "toolCall", "id": evil, "name": evil, "arguments": {evil: evil}}
        lines += [
            user(ids[0], last, evil),
            said(
                ids[1],
                ids[0],
                evil,
                {"type": "thinking", "thinking": evil},
                bad_call,
                call(f"c{number}", "edit", path=evil, edits=[{"oldText": evil, "newText": evil}]),
                call(f"d{number}", "grep", pattern=evil, path=evil, glob=evil),
                model=evil,
                stopReason="error",
                errorMessage=evil,
            ),
            result(ids[2], ids[1], evil, evil, evil, isError=True, details={evil: evil}),
            message(ids[3], ids[2], "bashExecution", None, command=evil, output=evil),
            entry("compaction", ids[4], ids[3], summary=evil, details={"readFiles": [evil]}),
            entry("custom_message", ids[5], ids[4], customType=evil, content=evil, display=True),
            entry("label", ids[6], ids[5], targetId=ids[0], label=evil),
        ]
        last = ids[6]
    for kind in ("image/svg+xml", "text/html", 'image/png" onerror="window.pwned=1'):
        data = "PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+"
        lines.append(
            message(f"i{kind}", last, "user", [{"type": "image", "data": data, "mimeType": kind}])
        )
        last = f"i{kind}"
    lines.append(entry("session_info", "n1", last, name=EVIL[0]))
    browser = pages.show(*lines)
    title = browser.run("document.title")
    assert title == EVIL[0]
    # Draw every entry, with everything unfolded.
    for key in ("e", "i", "h"):
        browser.press(key)
    browser.run("dispatchEvent(new Event('beforeprint'))")
    browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    browser.run("new Promise((done) => setTimeout(done, 100))")
    assert browser.run("document.querySelectorAll('.entry').length") > 5 * len(EVIL)
    assert browser.run("window.pwned") is None
    assert browser.run("document.title") == title
    assert browser.complaints() == []
    assert browser.requests()[1:] == []
    assert browser.run("document.querySelectorAll('#entries img').length") == 0
    schemes = browser.run(
        "[...new Set([...document.querySelectorAll('#entries a')].map((a) => a.protocol))].sort()"
    )
    assert set(schemes) <= {"https:", "file:"}  # file: is the page's own, for permanent links
    outside = browser.run(
        "[...document.querySelectorAll('#entries a[target]')].every((a) =>"
        " a.protocol === 'https:' && a.rel.includes('noopener'))"
    )
    assert outside is True
    strangers = browser.run(
        "[...document.querySelectorAll('#entries *')].filter((e) =>"
        " /^(script|style|iframe|svg|base|object|embed|link|meta)$/i.test(e.tagName)"
        " || [...e.attributes].some((a) => a.name.startsWith('on') || a.name === 'srcdoc')).length"
    )
    assert strangers == 0
    assert "U+202E" in texts(browser, ".mark")
    assert "\u202e" not in browser.run("document.querySelector('#entries').innerText")


ROWS = [
    "\x1b[1;38;2;255;0;16mred\x1b[0m \x1b[48;5;196mback\x1b[49m \x1b[34mblue\x1b[39m",
    "\x1b[38;5;999mnone\x1b[38;2;1mfew\x1b[0m<img src=x onerror='window.pwned=1'>",
    "\x1b]8;;https://a.example/?q=<b>\x1b\\to a\x1b]8;;\x07 and \x1b]8;;javascript:pwned=1\x07not"
    "\x1b]8;;\x07",
    *EVIL,
]


def draw_rows(line: Any, shown: dict[str, Any]) -> None:
    """As extensions would, in each place there is."""
    if line["type"] == "custom":
        shown["drawn"] = {"rows": ROWS}
    message = shown.get("message", {})
    if message.get("role") == "toolResult":
        message["drawn"] = {"rows": [*ROWS, "all of it"], "folded": ["a part"]}
    for block in message.get("content", ()):
        if block.get("type") == "toolCall":
            block["drawn"] = {"rows": ["MY \x1b[32mCALL\x1b[39m"]}


def test_what_extensions_draw(pages: Pages) -> None:
    browser = pages.show(
        header(),
        user("u1", None, "go"),
        said("a1", "u1", "look", call("c1", "mine", path="a")),
        result("r1", "a1", "c1", "mine", "not shown"),
        entry("custom", "k1", "r1", customType="card", data=1),
        draw=draw_rows,
    )
    assert text(browser, ".tool").splitlines() == ["mine", "MY CALL", "a part", "… more"]
    assert text(browser, ".fg2") == "CALL"
    browser.click(".tool .more")
    assert "all of it" in text(browser, ".tool")
    card = "document.querySelector('.custom .drawn')"
    spans = f"[...{card}.querySelectorAll('span')]"
    style = f"(word) => getComputedStyle({spans}.find((e) => e.innerText === word))"
    assert browser.run(f"({style})('red').color") == "rgb(255, 0, 16)"
    assert browser.run(f"({style})('back').backgroundColor") == "rgb(255, 0, 0)"
    assert browser.run(f"[...{card}.querySelectorAll('a')].map((a) => a.href)") == [
        "https://a.example/?q=%3Cb%3E"
    ]
    assert browser.run("window.pwned") is None
    assert browser.complaints() == []
    assert browser.run(f"{card}.querySelectorAll('img').length") == 0
    for row in ROWS[:2]:
        assert row.split("m")[-1] in text(browser, ".custom .drawn")
    assert search(browser, "my call") == "1 / 1"


def test_calls_that_a_tool_made(pages: Pages) -> None:
    made = [
        {"id": "c1/1", "name": "grep", "arguments": {"pattern": "<b>"}, "status": "ok"},
        {
            "id": "c1/2",
            "name": "read",
            "argumentsBytes": 9000,
            "status": "error",
            "error": "gone\nx",
        },
        {"id": "c1/3", "name": "ls", "arguments": {}, "status": "unfinished", "durationMs": 7},
    ]
    browser = pages.show(
        header(),
        user("u1", None, "go"),
        said("a1", "u1", call("c1", "mine", path="a")),
        result("r1", "a1", "c1", "mine", "ok", nestedCalls={"calls": made, "complete": False}),
    )
    title = "3 nested calls, not all of them recorded ✓ grep, ✗ read, … ls"
    assert text(browser, ".tool summary") == title
    browser.click(".tool summary")
    browser.wait("document.querySelectorAll('.nested li').length === 3")
    assert [line.split("\n")[0] for line in texts(browser, ".nested li")] == [
        '✓ grep {"pattern":"<b>"}',
        "✗ read 9,000 bytes of arguments",
        "… ls {} 7 ms",
    ]
    assert text(browser, ".nested pre") == "gone\nx"


def test_the_policy_holds_even_if_a_script_were_smuggled_in(pages: Pages) -> None:
    browser = pages.show(*BRANCHES)
    browser.run(
        "(() => { const s = document.createElement('script');"
        " try { s.textContent = 'window.pwned = 1'; } catch {}"
        " document.body.append(s);"
        " const i = document.createElement('img'); i.src = 'https://example.org/i.png';"
        " document.body.append(i); })()"
    )
    assert browser.run("window.pwned") is None
    assert len(browser.complaints()) >= 2
    with pytest.raises(RuntimeError, match="TrustedHTML"):
        browser.run("document.body.innerHTML = '<b>x</b>'")


def test_whatever_an_entry_holds_there_is_something_to_show(pages: Pages) -> None:
    odd: list[Any] = [None, 3, "x", [], {}, [None], [3], [[]], [{"type": 3}], {"type": "text"}]
    lines: list[Any] = [header()]
    last = None
    for number, value in enumerate(odd):
        for kind in ("user", "assistant", "toolResult", "bashExecution", "system", "custom"):
            ident = f"{kind}{number}"
            fields = dict.fromkeys(
                ("details", "usage", "command", "output", "sections", "toolsAdded", "toolName"),
                value,
            )
            lines.append(message(ident, last, kind, value, display=True, **fields))
            last = ident
        block = {"type": "toolCall", "id": value, "name": value, "arguments": value}
        lines.append(said(f"t{number}", last, block))
        last = f"t{number}"
        for kind in ("compaction", "branch_summary", "custom_message", "label", "odd", "custom"):
            ident = f"{kind}{number}"
            lines.append(
                entry(kind, ident, last, summary=value, content=value, data=value, display=True)
            )
            last = ident
    browser = pages.show(*lines)
    browser.press("h")
    browser.run("dispatchEvent(new Event('beforeprint'))")
    browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert browser.complaints() == []
    assert "cannot be shown" not in text(browser, "#entries")


def test_long_hostile_texts_do_not_hang_the_page(pages: Pages) -> None:
    size = 30_000
    seeds = ["[", "*", "_a", "`", "](", "![", "<", "> ", "- ", "**a", "[a](", "~~", "|", "&", "\\"]
    lines: list[Any] = [header()]
    for number, seed in enumerate(seeds):
        lines.append(
            user(f"u{number}", f"u{number - 1}" if number else None, seed * (size // len(seed)))
        )
    browser = pages.show(*lines)
    browser.run("dispatchEvent(new Event('beforeprint'))")
    assert browser.run("document.querySelectorAll('.entry').length") == len(seeds)
    assert browser.complaints() == []


def test_a_phone_shows_the_tree_over_the_page(pages: Pages) -> None:
    browser = pages.show(*BRANCHES)
    browser.size(390, 800, phone=True)
    browser.open(pages.folder / "page.html")
    assert browser.run("document.documentElement.scrollWidth") <= 390
    panel = "getComputedStyle(document.querySelector('#tree-panel')).display"
    assert browser.run(panel) == "none"
    browser.click("#toggle-tree")
    browser.wait(f"{panel} === 'flex'")
    browser.click(".node:nth-child(4)")
    browser.wait(f"{panel} === 'none'")
    assert text(browser, ".entry.current .prose") == "first end"
