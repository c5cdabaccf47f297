"""Which tools a few words are about: BM25 over what tools say of themselves."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import log
from typing import Any

__all__ = ["rank"]

SATURATION = 1.2
"""How soon more of a word counts for no more (k1)."""
LENGTH = 0.75
"""How much a long text counts for less (b)."""

_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_EMPTY = re.compile(
    "a|an|and|are|as|at|be|but|by|for|from|has|have|if|in|into|is|it|its|no|not|now|of|on|or|so|such"
    "|that|the|their|then|there|these|they|this|to|was|will|with|you|your"
)


def rank(query: str, tools: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those of `tools` that the query is about, the best first; equal ones as they come.

    tools: as Pi.all_tools gives them. Names, descriptions, parameters and namespaces count.
    """
    texts = [Counter(_words(_texts(tool))) for tool in tools]
    lengths = [sum(text.values()) for text in texts]
    average = sum(lengths) / len(lengths) if lengths else 1
    scores = [0.0] * len(tools)
    for word in set(_words([query])):
        holding = sum(word in text for text in texts)
        if not holding:
            continue
        rarity = log(1 + (len(tools) - holding + 0.5) / (holding + 0.5))
        for index, text in enumerate(texts):
            if count := text[word]:
                size = 1 - LENGTH + LENGTH * lengths[index] / average
                scores[index] += rarity * count * (SATURATION + 1) / (count + SATURATION * size)
    found = (index for index, score in enumerate(scores) if score > 0)
    return [tools[index] for index in sorted(found, key=lambda index: (-scores[index], index))]


def _texts(tool: Mapping[str, Any]) -> Iterator[str]:
    yield tool["name"]
    yield tool["description"]
    yield from _schema_texts(tool["parameters"])
    namespace = tool.get("namespace")
    if namespace is not None:
        yield from (namespace.name, namespace.description, namespace.instructions)


def _schema_texts(schema: Any) -> Iterator[str]:
    """Names and descriptions of parameters, however deep."""
    if isinstance(schema, Mapping):
        properties = schema.get("properties")
        for name, each in properties.items() if isinstance(properties, Mapping) else ():
            yield str(name)
            if isinstance(each, Mapping) and isinstance(each.get("description"), str):
                yield each["description"]
            yield from _schema_texts(each)
        yield from _schema_texts(schema.get("items"))


def _words(texts: Iterable[str]) -> Iterator[str]:
    """In lower case and the singular, empty words left out: listTheIssues is list, issue."""
    for text in texts:
        for match in _WORD.finditer(text):
            for part in _HUMP.split(match[0]):
                word = part.lower()
                if not _EMPTY.fullmatch(word):
                    yield _singular(word)


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
