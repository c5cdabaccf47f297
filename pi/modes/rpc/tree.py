"""The entries of a session as JSON text, in a row or as a tree.

They are given as they were written: a session of a gigabyte is not to be taken apart and put
together again. A conversation of thousands of turns is a tree thousands of levels deep: more than a
JSON writer that calls itself for each level can do, so this one does not.
"""

from collections.abc import Iterator

from pi.session.store import SessionStore
from pi.wire.jsonio import dumps

__all__ = ["entries_json", "tree_json"]


def entries_json(store: SessionStore, first: int = 0) -> bytes:
    """An array of the entries from a row on, in the order of the file."""
    history = store.history
    texts = (history.text_at(row) for row in range(first, len(history.index())))
    return b"[%b]" % b",".join(text for text in texts if text is not None)


def tree_json(store: SessionStore) -> bytes:
    """An array of roots, each `{entry, children, label?, labelTimestamp?}`."""
    return b"".join(_pieces(store))


def _pieces(store: SessionStore) -> Iterator[bytes]:
    history = store.history
    index = history.index()
    children = index.children()
    labels = _labels(store)
    yield b"["
    # What is still to be written, the next at the end: rows, and the text that closes a node.
    todo: list[int | bytes] = list(reversed(children.get(None, [])))
    after_value = False
    while todo:
        item = todo.pop()
        if isinstance(item, bytes):
            yield item
            after_value = True
            continue
        entry = history.text_at(item)
        below = children.get(item, [])
        closing = b"]" + labels.get(index.id(item), b"") + b"}"
        if entry is None:  # damaged behind an intact beginning: its children move up
            todo += reversed(below)
            continue
        yield (b"," if after_value else b"") + b'{"entry":' + entry + b',"children":['
        after_value = False
        todo.append(closing)
        todo += reversed(below)
    yield b"]"


def _labels(store: SessionStore) -> dict[str, bytes]:
    """By entry, the fields of the label that is in force."""
    found: dict[str, bytes] = {}
    index = store.history.index()
    for row in index.of_type("label"):
        entry = store.history.at(row)
        if entry is None or entry["type"] != "label":
            continue
        target, label = entry["targetId"], entry.get("label")
        found.pop(target, None)
        if label:
            found[target] = (
                b',"label":' + dumps(label) + b',"labelTimestamp":' + dumps(entry["timestamp"])
            )
    return found
