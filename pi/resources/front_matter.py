"""Front matter: the block of YAML between two lines of dashes at the head of a Markdown file.

Most are a few lines of `name: plain text`. Those are read here; a YAML parser is loaded for the
others only, since it takes longer to load than all the files of most people together.
"""

import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pi.wire.blanks import BLANKS

__all__ = ["Document", "FrontMatterError", "split_front_matter"]

# Compiled by `re` at their first use: most runs have no such file.
_OPENING = r"---(?!-)"
_KEY = r"([A-Za-z][A-Za-z0-9_-]*):[ \t]+"
# Text that means itself in YAML: begins like a word, holds neither a comment nor another key.
_PLAIN = r"([A-Za-z](?:[^\s:#]|(?<=\S)#|:(?=\S)|[ \t]+(?![\s#]))*)[ \t]*"
_QUOTED = r'"([^"\\]*)"[ \t]*|\'([^\']*)\'[ \t]*'
# Words YAML reads as something other than text.
_TRUTH = {"true": True, "false": False}
_SPECIAL = frozenset({"null", "true", "false"})
_REFUSED = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]"
_HIDING = 0xF0000
"""Where such characters are put while a parser looks: characters for private use."""


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
    if not re.match(_OPENING, text):
        return Document({}, text)
    end = text.find("\n---", 3)
    if end < 0:
        return Document({}, text)
    block = text[4:end]
    if not block.endswith("\n"):
        block += "\n"
    fields = _simple(block)
    if fields is None:
        fields = _parsed(block)
    return Document(fields, text[end + 4 :].strip(BLANKS))


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

    # It refuses control characters, and takes others for ends of lines as YAML 1.1 did.
    hidden = {ord(char): _HIDING + ord(char) for char in re.findall(_REFUSED, block)}
    try:
        value = yaml.load(block.translate(hidden), Loader=_loader())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error).partition("\n")[0]
        where = f"line {mark.line + 2}: " if mark is not None else ""
        raise FrontMatterError(f"{where}{what}") from None
    except (ValueError, RecursionError) as error:
        raise FrontMatterError(str(error)) from None
    if hidden:
        value = _translated(value, {new: old for old, new in hidden.items()}, {})
    if not isinstance(value, dict):
        return {}
    return {str(key): item for key, item in value.items()}


def _translated(value: Any, table: Mapping[int, int], known: dict[int, Any]) -> Any:
    """known: what became of lists and mappings, by id. Aliases make a few of them count as many,
    or lead back to where they began."""
    if isinstance(value, str):
        return value.translate(table)
    if not isinstance(value, list | dict):
        return value
    if id(value) not in known:
        new: Any = type(value)()
        known[id(value)] = new
        if isinstance(value, list):
            new += [_translated(item, table, known) for item in value]
        else:
            for key, item in value.items():
                new[_translated(key, table, known)] = _translated(item, table, known)
    return known[id(value)]


_cached: list[Any] = []


def _loader() -> Any:
    """PyYAML's loader with the types of YAML 1.2: `yes` and dates are text, 012 is twelve."""
    import yaml  # noqa: PLC0415  (see _parsed)

    if _cached:
        return _cached[0]

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (PyYAML's own way)

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            """A key that is there twice is a mistake; one that is a list counts as text."""
            mapping: dict[Any, Any] = {}
            for key_node, value_node in node.value:
                key = self.construct_object(key_node, deep=True)
                if isinstance(key, (list, dict, set)):
                    key = reprlib.repr(key)  # shortened: aliases may make it endless
                if key in mapping:
                    raise yaml.constructor.ConstructorError(
                        problem=f'the key "{key}" is there twice', problem_mark=key_node.start_mark
                    )
                mapping[key] = self.construct_object(value_node, deep=deep)
            return mapping

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
    )
    for kind, pattern, first in kinds:
        Loader.add_implicit_resolver(
            f"tag:yaml.org,2002:{kind}", re.compile(f"^(?:{pattern})$"), first
        )
    Loader.add_constructor("tag:yaml.org,2002:int", _whole)
    Loader.add_constructor(None, _untagged)
    _cached.append(Loader)
    return Loader


def _whole(loader: Any, node: Any) -> int | str:
    text = str(loader.construct_scalar(node))
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    try:
        return int(text[2:] if base != 10 else text, base)
    except ValueError:  # something else that is called a number
        return text


def _untagged(loader: Any, node: Any) -> Any:
    """A value with a tag of somebody's own, as if it had none."""
    if node.id == "mapping":
        return loader.construct_mapping(node, deep=True)
    if node.id == "sequence":
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)
