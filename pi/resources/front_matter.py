"""Front matter: the block of YAML between two lines of dashes at the head of a Markdown file.

Most are a few lines of `name: plain text`. Those are read here; a YAML parser is loaded for the
others only, since it takes longer to load than all the files of most people together.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Document", "FrontMatterError", "split_front_matter"]

# Compiled by `re` at their first use: most runs have no such file.
_OPENING = r"---[ \t]*\n"
_KEY = r"([A-Za-z][A-Za-z0-9_-]*):[ \t]+"
# Text that means itself in YAML: begins like a word, holds neither a comment nor another key.
_PLAIN = r"([A-Za-z](?:[^\s:#]|(?<=\S)#|:(?=\S)|[ \t]+(?![\s#]))*)[ \t]*"
_QUOTED = r'"([^"\\]*)"[ \t]*|\'([^\']*)\'[ \t]*'
# Words YAML reads as something other than text.
_TRUTH = {"true": True, "false": False}
_SPECIAL = frozenset({"null", "true", "false"})


class FrontMatterError(ValueError):
    """The block is no YAML. The message says where, counting the file's lines."""


@dataclass(frozen=True, slots=True)
class Document:
    """fields: empty without front matter, or where it is no mapping. body: what follows it.

    Line endings of the body are "\\n"; after front matter, blanks at both its ends are taken off.
    """

    fields: Mapping[str, Any]
    body: str


def split_front_matter(text: str) -> Document:
    """Raises FrontMatterError."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    opening = re.match(_OPENING, text)
    if opening is None:
        return Document({}, text)
    end = text.find("\n---", opening.end() - 1)
    if end < 0:
        return Document({}, text)
    block = text[opening.end() : end + 1]
    fields = _simple(block)
    if fields is None:
        fields = _parsed(block)
    return Document(fields, text[end + 4 :].strip())


def _simple(block: str) -> Mapping[str, Any] | None:
    """The fields, where every line is one that needs no parser; else None."""
    fields: dict[str, Any] = {}
    for line in block.split("\n"):
        if not line or line.isspace():
            continue
        key = re.match(_KEY, line)
        if key is None or key[1] in fields or key[1].lower() in _SPECIAL:
            return None
        rest = line[key.end() :]
        if plain := re.fullmatch(_PLAIN, rest):
            value: Any = plain[1]
            if value.lower() in _SPECIAL:
                if value not in _TRUTH:
                    return None
                value = _TRUTH[value]
        elif quoted := re.fullmatch(_QUOTED, rest):
            value = quoted[1] if quoted[1] is not None else quoted[2]
        else:
            return None
        fields[key[1]] = value
    # A parser may find fault with characters that a file of text does not hold.
    return fields if block.replace("\n", "").isprintable() else None


def _parsed(block: str) -> Mapping[str, Any]:
    import yaml  # noqa: PLC0415  (for what `_simple` cannot read; PyYAML is the maintained one)

    try:
        value = yaml.load(block, Loader=_loader())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error).partition("\n")[0]
        where = f"line {mark.line + 2}: " if mark is not None else ""
        raise FrontMatterError(f"{where}{what}") from None
    except (ValueError, RecursionError) as error:
        raise FrontMatterError(str(error)) from None
    if not isinstance(value, dict):
        return {}
    return {str(key): item for key, item in value.items()}


_cached: list[Any] = []


def _loader() -> Any:
    """PyYAML's loader with the types of YAML 1.2: `yes` and dates are text, 012 is twelve."""
    import yaml  # noqa: PLC0415  (see _parsed)

    if _cached:
        return _cached[0]

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (PyYAML's own way)

    kinds = (
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
        ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
        (
            "float",
            r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
            list("-+0123456789."),
        ),
        ("merge", r"<<", ["<"]),
    )
    for kind, pattern, first in kinds:
        Loader.add_implicit_resolver(
            f"tag:yaml.org,2002:{kind}", re.compile(f"^(?:{pattern})$"), first
        )
    Loader.add_constructor("tag:yaml.org,2002:int", _whole)
    _cached.append(Loader)
    return Loader


def _whole(loader: Any, node: Any) -> int:
    text = loader.construct_scalar(node)
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    return int(text[2:] if base != 10 else text, base)
