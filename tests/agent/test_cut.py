"""Where conversations are cut: any sequence of messages, any size."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pi.agent.cut import find_cut
from pi.agent.tokens import message_tokens
from pi.session.context import ActiveEntries

ROLES = ("user", "assistant", "call", "bashExecution", "metadata", "omitted")


def conversation(steps: list[tuple[str, int]]) -> ActiveEntries:
    """Entries of the given kinds and sizes; "call" is an answer with a call, and its result."""
    entries: list[Any] = []

    def add(kind: str, **fields: Any) -> None:
        entries.append({"type": kind, "id": f"e{len(entries)}", "parentId": None, **fields})

    for kind, size in steps:
        text = [{"type": "text", "text": "x" * size}]
        if kind == "metadata":
            add("model_change", provider="p", modelId="m")
        elif kind == "bashExecution":
            add("message", message={"role": kind, "command": "c", "output": "x" * size})
        elif kind == "call":
            block = {"type": "toolCall", "id": str(len(entries)), "name": "t", "arguments": {}}
            add("message", message={"role": "assistant", "content": [block]})
            result = {"role": "toolResult", "toolCallId": block["id"], "content": text}
            add("message", message=result)
        else:
            role = "assistant" if kind == "omitted" else kind
            add("message", message={"role": role, "content": text})
            if kind == "omitted":
                add("context_edit", targetId=entries[-1]["id"], replacement=None)
    return ActiveEntries(None, entries, 0)


@given(
    st.lists(st.tuples(st.sampled_from(ROLES), st.integers(0, 400)), max_size=12),
    st.integers(0, 300),
    st.none() | st.integers(1, 300),
)
def test_nothing_is_lost_and_no_result_loses_its_call(
    steps: list[tuple[str, int]], keep: int, room: int | None
) -> None:
    active = conversation(steps)
    cut = find_cut(active, keep, room)
    if cut is None:
        return
    omitted = {e["targetId"] for e in active.entries if e["type"] == "context_edit"}
    shown = [
        e["message"] for e in active.entries if e["type"] == "message" and e["id"] not in omitted
    ]
    assert cut.history + cut.prefix + cut.kept == shown
    assert cut.history or cut.prefix
    assert not cut.kept or cut.kept[0]["role"] != "toolResult"
    if cut.prefix:
        assert cut.prefix[0]["role"] in ("user", "bashExecution")
    if room is not None and cut.kept:
        assert sum(map(message_tokens, cut.kept)) <= room
    ids = [entry["id"] for entry in active.entries]
    if cut.kept:
        at = ids.index(cut.first_kept)
        kept_from = active.entries[at:]
        assert sum(e["type"] == "message" and e["id"] not in omitted for e in kept_from) == len(
            cut.kept
        )


def test_a_cut_between_requests_and_one_within() -> None:
    active = conversation([("user", 40), ("assistant", 40), ("metadata", 0), ("user", 40)])
    between = find_cut(active, 10)
    assert between is not None
    assert (len(between.history), len(between.prefix), between.first_kept) == (2, 0, "e2")
    within = find_cut(conversation([("user", 40), ("assistant", 40), ("assistant", 40)]), 10)
    assert within is not None
    assert (len(within.history), len(within.prefix), within.first_kept) == (0, 2, "e2")


def test_a_refused_request_is_not_kept() -> None:
    cut = find_cut(conversation([("user", 8), ("user", 400), ("omitted", 0)]), 100)
    assert cut is not None
    assert (len(cut.history), len(cut.prefix), cut.first_kept) == (1, 1, "e2")


def test_all_of_a_short_conversation_is_recent() -> None:
    assert find_cut(conversation([("user", 40), ("assistant", 40)]), 21) is None
    assert find_cut(conversation([]), 0) is None
