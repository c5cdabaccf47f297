"""Sessions with every oddity a file can have, and the plain reading they are held to."""

import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

Figures = tuple[float, float, float, float, float]
Head = tuple[str, str, str | None]

IDS = st.sampled_from(
    ["a", "b", "c", "00000001", "0000000f", "é", 'q"q', "b\\s", "\u2028", "x" * 40]
)
KINDS = st.sampled_from(
    ["message", "message", "usage", "compaction", "branch_summary", "label", "custom", "ty\u0070é"]
)
NUMBERS = (
    st.integers(0, 10**6)
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0.30000000000000004, 1e22, 1e-7, 5e-324, 2**63, 0.1])
)
TEXT = st.text(max_size=12) | st.sampled_from(
    ['"id":"z"', '{"parentId":"z"}', "\\", '\\"', '"', "}}", '"usage":{"input":1}', "x" * 300]
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "type", "parentId", "message", "usage", "x"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)
USAGES = st.fixed_dictionaries(
    {},
    optional={
        "input": NUMBERS | VALUES,
        "output": NUMBERS,
        "cacheRead": NUMBERS,
        "cacheWrite": NUMBERS,
        "totalTokens": NUMBERS,
        "cost": VALUES
        | st.fixed_dictionaries({}, optional={"total": NUMBERS | VALUES, "input": NUMBERS}),
        "extra": VALUES,
    },
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "toolResult"]), "content": VALUES},
    optional={"usage": USAGES | VALUES, "details": VALUES, "timestamp": NUMBERS},
)


@st.composite
def entries(draw: st.DrawFn) -> bytes:
    """One entry as some writer may put it: keys in any order, spaced, escaped."""
    fields: dict[str, Any] = {
        "type": draw(KINDS),
        "id": draw(IDS),
        "parentId": draw(st.none() | IDS),
    }
    fields["timestamp"] = "t"
    fields |= draw(
        st.fixed_dictionaries(
            {},
            optional={
                "message": MESSAGES | VALUES,
                "usage": USAGES | VALUES,
                "data": VALUES,
                "targetId": IDS,
            },
        )
    )
    if draw(st.integers(0, 4)) == 0:
        order = draw(st.permutations(sorted(fields)))
        fields = {key: fields[key] for key in order}
    separators = draw(st.sampled_from([(",", ":"), (",", ":"), (", ", ": "), (" , ", " : ")]))
    text = json.dumps(fields, separators=separators, ensure_ascii=draw(st.booleans()))
    if draw(st.integers(0, 9)) == 0:
        text = text.replace('"usage"', '"us\\u0061ge"').replace('"id"', '"\\u0069d"')
    before, after = draw(
        st.sampled_from([("", ""), ("", ""), ("", "\r"), (" ", " "), ("\t", " " * 20)])
    )
    return f"{before}{text}{after}".encode(errors="surrogatepass")


DAMAGE = st.sampled_from([b"", b"  ", b"\r", b"null", b"42", b"{torn", b"\0\0\0", b"\xff\xfe{}"])
HEADER = b'{"type":"session","id":"s","parentId":null,"cwd":"/"}'
FUSED = b'{"type":"message","id":"a","parentId":null,"message":{"content":"'

LINES = st.lists(
    st.one_of(
        entries(),
        entries(),
        entries(),
        DAMAGE,
        st.just(HEADER),
        entries().map(lambda line: FUSED + line),
        # Cut, but not behind a brace: such a line is followed for its intact beginning.
        st.tuples(entries(), st.integers(0, 200)).map(
            lambda pair: pair[0][: pair[1]].rstrip(b"} ")
        ),
    ),
    max_size=14,
)


def read(line: bytes) -> dict[str, Any] | None:
    """A line as an entry, by the standard library alone."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    usable = isinstance(value, dict) and isinstance(value.get("id"), str) and value["id"]
    return value if usable and value.get("type") != "session" else None


def parse(line: bytes, offset: int) -> Head | None:
    entry = read(line)
    if entry is None:
        return None
    kind, parent = entry.get("type"), entry.get("parentId")
    return (
        kind if isinstance(kind, str) else "",
        entry["id"],
        parent if isinstance(parent, str) and parent else None,
    )


def measure(line: bytes) -> Figures | None:
    entry: Any = read(line)
    if isinstance(entry, dict) and entry.get("type") == "message":
        entry = entry.get("message")
    usage = entry.get("usage") if isinstance(entry, dict) else None
    if not isinstance(usage, dict):
        return None

    def figure(owner: Any, key: str) -> float:
        value = owner.get(key) if isinstance(owner, dict) else None
        return float(value) if type(value) in (int, float) else 0.0

    return (
        figure(usage, "input"),
        figure(usage, "output"),
        figure(usage, "cacheRead"),
        figure(usage, "cacheWrite"),
        figure(usage.get("cost"), "total"),
    )


@dataclass
class Plain:
    """The tree by decoding every line and comparing every pair."""

    heads: list[Head] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    usage: list[Figures | None] = field(default_factory=list)

    @classmethod
    def reading(cls, data: bytes) -> "Plain":
        plain, at = cls(), 0
        for line in data.split(b"\n"):
            head = parse(line, at)
            if head is not None:
                plain.heads.append(head)
                plain.spans.append((at, at + len(line)))
                counted = head[0] in ("message", "usage", "compaction", "branch_summary")
                plain.usage.append(measure(line) if counted else None)
            at += len(line) + 1
        return plain

    def parent(self, row: int) -> int | None:
        wanted = self.heads[row][2]
        rows = [other for other, head in enumerate(self.heads) if head[1] == wanted]
        before = [other for other in rows if other < row]
        return before[-1] if before else rows[-1] if rows else None

    def path(self, row: int | None) -> list[int]:
        found: list[int] = []
        while row is not None and row not in found:
            found.append(row)
            row = self.parent(row)
        return found

    def totals(self, rows: list[int]) -> Figures:
        sums = [0.0] * 5
        for row in rows:
            for at, figure in enumerate(self.usage[row] or ()):
                sums[at] += figure
        return sums[0], sums[1], sums[2], sums[3], sums[4]


def line(kind: str = "message", id: str = "a", parent: str | None = None, **fields: Any) -> bytes:
    """An entry as every writer of sessions writes it."""
    entry = {"type": kind, "id": id, "parentId": parent, "timestamp": "t", **fields}
    return json.dumps(entry, separators=(",", ":")).encode()
