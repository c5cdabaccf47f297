"""What surrounds the entries: the frame of the page, its style, its script, its policy.

The policy names style and script by their hashes, made here from the very bytes that are written,
and forbids everything else: no other script, no handler in an attribute, no request, no frame, no
form. `trusted-types 'none'` closes the ways from a string to markup as well: the scripts build
elements and set texts, and the browser refuses them anything else.
"""

import html
import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from pi._version import __version__

__all__ = ["closing", "opening"]

SCRIPTS = (
    "dom.js",
    "data.js",
    "ansi.js",
    "highlight.js",
    "inline.js",
    "markdown.js",
    "tools.js",
    "entries.js",
    "conversation.js",
    "tree.js",
    "search.js",
    "app.js",
)
"""In the order in which they need each other."""

_CONTROLS = (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
_MARKS = (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF)
_UNSEEN: dict[int, str | None] = dict.fromkeys(_CONTROLS, " ") | dict.fromkeys(_MARKS)


def opening(title: str) -> bytes:
    """Everything before the entries."""
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(_script())}'",
            f"style-src '{_hash(_style())}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )
    fields = {
        "policy": policy,
        "title": html.escape(plain(title)),
        "generator": html.escape(f"pi {__version__}"),
        "style": _style(),
    }
    # In one pass: a title that looks like a placeholder stays a title.
    page = re.sub(r"\[\[(\w+)\]\]", lambda match: fields[match[1]], _read("page.html"))
    return page.encode()


def closing() -> bytes:
    """Everything behind the index."""
    return f"<script>{_script()}</script>\n</body>\n</html>\n".encode()


def plain(text: str) -> str:
    """Without what has no look of its own: controls, marks of direction, halves of pairs."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").translate(_UNSEEN)


def _style() -> str:
    return _read("page.css")


def _script() -> str:
    parts = "\n".join(_read(name) for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}\n}})();\n'


def _read(name: str) -> str:
    return (files("pi.session.export") / "page" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
