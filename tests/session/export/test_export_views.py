"""What of an entry goes into the page."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pi.session.export.views import kind_of, spent_by, view
from tests.session.session_lines import assistant, compaction, edit, entry, message, user


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (user("a", None), "u"),
        (assistant("a", None), "a"),
        (assistant("a", None) | {"message": {"role": "assistant", "stopReason": "aborted"}}, "f"),
        (message("a", None, "assistant", [{"type": "toolCall", "name": "ls"}]), "t"),
        (message("a", None, "assistant", [{"type": "text", "text": " "}]), "t"),
        (message("a", None, "assistant", "hi"), "a"),
        (message("a", None, "toolResult", []), "r"),
        (message("a", None, "bashExecution", None), "!"),
        (message("a", None, "custom", "x", display=True), "x"),
        (message("a", None, "hookMessage", "x", display=False), "h"),
        (message("a", None, "system", "x"), "s"),
        (message("a", None, "martian", "x"), "?"),
        (message("a", None, ["list"], "x"), "?"),  # type: ignore[arg-type]
        (entry("message", "a", None, message=3), "?"),
        (entry("custom_message", "a", None, display=True), "x"),
        (entry("custom_message", "a", None), "h"),
        (compaction("a", None, "b"), "c"),
        (edit("a", None, "b", None), "d"),
        (entry("of the future", "a", None), "?"),
    ],
)
def test_kinds(line: dict[str, Any], kind: str) -> None:
    assert kind_of(line) == kind


def test_dead_weight_stays_behind_and_the_entry_as_it_was() -> None:
    blocks = [
        {"type": "thinking", "thinking": "hm", "thinkingSignature": "A" * 99},
        {"type": "toolCall", "id": "c1", "name": "ls", "arguments": {}, "thoughtSignature": "B"},
    ]
    line = message("a", "p", "assistant", blocks, responseId="resp_1", model="m1")
    shown = view(line)
    assert shown["message"]["content"] == [
        {"type": "thinking", "thinking": "hm"},
        {"type": "toolCall", "id": "c1", "name": "ls", "arguments": {}},
    ]
    assert shown["message"]["model"] == "m1"
    assert not {"id", "parentId", "responseId"} & {*shown, *shown["message"]}
    assert line["message"]["content"] == blocks and line["id"] == "a"


@pytest.mark.parametrize(
    ("details", "kept"),
    [
        ({"diff": "-1 a", "patch": "long", "firstChangedLine": 1}, {"diff": "-1 a"}),
        ({"truncation": {"lines": 3}}, None),
        ({"mine": [1, 2]}, {"mine": [1, 2]}),
        ({"mine": "x" * 100_000}, None),
        ("text", "text"),
        (None, None),
    ],
)
def test_details(details: Any, kept: Any) -> None:
    line = message("a", None, "toolResult", [], details=details)
    assert view(line)["message"].get("details") == kept


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input": 3, "output": 4, "cost": {"total": 0.5}}, (3, 4, 0, 0, 0.5)),
        ({"input": "3", "output": None, "cacheRead": True, "cost": 7}, None),
        ({"input": float("nan"), "output": 1e99, "cacheWrite": 2}, (0, 0, 0, 2, 0)),
        ([], None),
        (None, None),
    ],
)
def test_usage_of_a_message_or_of_the_entry_itself(usage: Any, expected: Any) -> None:
    assert spent_by(message("a", None, "assistant", [], usage=usage)) == expected
    assert spent_by(compaction("a", None, "b", usage=usage)) == expected


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "a", "text", "assistant", "error", "message"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "role", "content", "message", "details", "usage", "cost", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["type", "message", "details", "usage", "id"]), ANYTHING))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_an_entry_holds(line: dict[str, Any]) -> None:
    assert len(kind_of(line)) == 1
    view(line)
    spent_by(line)


def test_a_session_cannot_say_what_extensions_draw() -> None:
    drawn = {"rows": ["no"]}
    block = {"type": "toolCall", "name": "x", "drawn": drawn}
    line = {"type": "message", "drawn": drawn, "message": {"role": "assistant", "drawn": drawn}}
    line["message"]["content"] = [block]  # type: ignore[index]
    assert "drawn" not in str(view(line))
    card = view({"type": "custom", "customType": "card", "data": 1, "drawn": drawn})
    assert (kind_of(card), card.get("drawn")) == ("k", None)
