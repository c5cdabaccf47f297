"""What is made of a stored conversation before any API sees it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.providers.arguments import parse_arguments, salvage_arguments
from pi.providers.errors import retry_after
from pi.providers.prompt import fold
from pi.providers.transform import NO_IMAGES, NO_TOOL_IMAGES, encode_body, replayable
from pi.wire.model import Model
from tests.providers.exchange import ANTHROPIC, assistant, call, image, result, system, text, user

MODEL = Model(id="m1", provider="mock", api=ANTHROPIC, base_url="", input=("text", "image"))
BLIND = Model(id="m1", provider="mock", api=ANTHROPIC, base_url="")


def reply(*content, **extra):
    return assistant(*content, api=ANTHROPIC, **extra)


def replay(*messages, model=MODEL):
    return replayable(messages, model, lambda call_id: call_id.replace("|", "_"))


@pytest.mark.parametrize(
    "failed",
    [
        reply(text("half"), stopReason="aborted"),
        reply(text("half"), stopReason="error", errorMessage="x"),
        reply(),
        reply(text("")),
        reply(text("  \n")),
        reply({"type": "thinking", "thinking": ""}),
    ],
)
def test_replies_that_say_nothing_are_gone(failed):
    assert [m["role"] for m in replay(user("q"), failed, user("r"))] == ["user", "user"]


def test_length_stops_and_partial_blocks_stay():
    kept = replay(reply(text("a"), text(" "), stopReason="length"))
    assert [m["content"] for m in kept] == [[text("a")]]


def test_missing_results_are_filled_in_behind_those_there_are():
    kept = replay(reply(call("c1"), call("c2"), call("c3")), result("c2"), user("q"))
    assert [m.get("toolCallId") for m in kept] == [None, "c2", "c1", "c3", None]
    assert [m.get("isError") for m in kept[1:4]] == [False, True, True]
    at_end = replay(reply(call("c1")))
    assert at_end[1]["toolCallId"] == "c1" and at_end[1]["content"][0]["text"]
    between = replay(reply(call("c1")), reply(text("x")))
    assert [m["role"] for m in between] == ["assistant", "toolResult", "assistant"]


def test_a_system_message_does_not_separate_a_call_from_its_result():
    kept = replay(reply(call("c1")), system(), result("c1"))
    assert [m.get("isError") for m in kept] == [None, False]


def test_stray_and_repeated_results_stay():
    kept = replay(result("c9"), reply(call("c1")), result("c1"), result("c1"))
    assert [m.get("toolCallId") for m in kept] == ["c9", None, "c1", "c1"]


def test_failed_calls_leave_their_results():
    kept = replay(reply(call("c1"), stopReason="aborted"), result("c1"))
    assert [m["role"] for m in kept] == ["toolResult"]


def test_malformed_arguments_go_back_as_none():
    (sent, _) = replay(reply(call("c1", argumentsError="bad", arguments={"half": 1})))
    assert sent["content"][0]["arguments"] == {}


def test_images_for_a_model_that_takes_none():
    kept = replay(
        user([text("see"), image(), image(), text("and"), image()]),
        user([image()]),
        result("c1", image()),
        model=BLIND,
    )
    note = text(NO_IMAGES)
    assert kept[0]["content"] == [text("see"), note, text("and"), note]
    assert kept[1]["content"] == [note]
    assert kept[2]["content"] == [text(NO_TOOL_IMAGES)]
    seen = replay(user([image()]), result("c1", image()))
    assert [m["content"] for m in seen] == [[image()], [image()]]


def test_empty_user_parts_are_gone():
    kept = replay(user([]), user([text("")]), user([text("a"), text("")]), user("b"))
    assert [m["content"] for m in kept] == [[text("a")], "b"]


def test_another_model_s_marks_are_gone():
    block = call("a|b", thoughtSignature="s")
    signed = {**text("t"), "textSignature": "s"}
    thought = {"type": "thinking", "thinking": "t", "thinkingSignature": "s"}
    own = replay(reply(thought, signed, block), result("a|b"))
    assert own[0]["content"] == [thought, signed, block]
    assert own[1]["toolCallId"] == "a|b"
    other = replay(reply(thought, signed, block, model="m2"), result("a|b"))
    assert other[0]["content"] == [text("t"), call("a_b")]
    assert other[1]["toolCallId"] == "a_b"


def test_the_stored_messages_are_not_touched():
    history = [
        reply(call("a|b", argumentsError="x", arguments={"k": 1}), model="m2"),
        user([image()]),
    ]
    before = json.dumps(history)
    replay(*history, model=BLIND)
    assert json.dumps(history) == before


def test_lone_surrogates_are_dropped():
    body = {"a": ["x\ud83d y", "\ude00", "\ud83d\ude00", "😀"], "k\udc00": {"n": 1}, "t": (1,)}
    assert json.loads(encode_body(body)) == {"a": ["x y", "", "😀", "😀"], "k": {"n": 1}, "t": [1]}
    assert json.loads(encode_body({"a": "\\ud83d"})) == {"a": "\\ud83d"}


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_can_be_sent(value):
    sent = json.loads(encode_body({"t": value}))["t"]
    sent.encode()
    if not any("\ud800" <= char <= "\udfff" for char in value):
        assert sent == value


class TestPrompt:
    def test_sections_follow_free_text(self):
        prompt = fold([system(content="free", sections={"a": "A", "b": "B"}), user("x")])
        assert prompt.text == "free\n\nA\n\nB"

    def test_later_messages_patch(self):
        tool = {"name": "t", "description": "", "parameters": {}}
        prompt = fold(
            [
                system(sections={"a": "A", "b": "B"}, toolsAdded=[tool, {**tool, "name": "u"}]),
                user("q"),
                system(sections={"a": None, "b": "BB", "c": "C"}, toolsRemoved=[{"name": "t"}]),
                system(content=[text("more")], toolsAdded=[{**tool, "description": "new"}]),
                system(toolsRemoved=[{"name": "unknown"}]),
            ]
        )
        assert prompt.text == "more\n\nBB\n\nC"
        assert [(t["name"], t["description"]) for t in prompt.tools] == [("t", "new"), ("u", "")]

    def test_none(self):
        assert fold([user("x")]).text == "" and fold([]).tools == ()


# Beyond 64 bits a number becomes a float, as it does in JavaScript beyond 53.
INTEGERS = st.integers(-(2**63), 2**63 - 1)


class TestArguments:
    @given(st.dictionaries(st.text(), INTEGERS | st.text() | st.lists(st.text())))
    def test_whole(self, value):
        whole = json.dumps(value)
        assert parse_arguments(whole) == (json.loads(whole), None)

    @given(st.text())
    def test_anything(self, value):
        found, problem = parse_arguments(value)
        assert isinstance(found, dict)
        assert problem is None or (found == {} and problem.endswith(value))
        assert isinstance(salvage_arguments(value), dict)

    @given(
        st.dictionaries(st.text(min_size=1), st.text() | INTEGERS | st.lists(st.text())),
        st.data(),
    )
    def test_cut_anywhere(self, value, data):
        whole = json.dumps(value, ensure_ascii=data.draw(st.booleans()))
        cut = data.draw(st.integers(0, len(whole)))
        kept = salvage_arguments(whole[:cut])
        assert list(kept) == list(value)[: len(kept)]
        # All but the last member are complete.
        for name in list(kept)[:-1]:
            assert kept[name] == value[name]
        if kept and isinstance(last := kept[list(kept)[-1]], str):
            assert value[list(kept)[-1]].startswith(last)

    @pytest.mark.parametrize(
        ("cut", "kept"),
        [
            ('{"path": "a.', {"path": "a."}),
            ('{"path"', {}),
            ('{"a": 1, "b": [1, {"c": "d', {"a": 1, "b": [1, {"c": "d"}]}),
            ('{"a": "x\\', {"a": "x"}),
            ('{"a": "x\\u00', {"a": "x"}),
            ('{"a": 1, "b": tr', {"a": 1}),
            ("", {}),
            ("[1, 2", {}),
            ("nonsense", {}),
        ],
    )
    def test_salvage(self, cut, kept):
        assert salvage_arguments(cut) == kept


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("headers", "body", "seconds"),
        [
            ({}, b"", None),
            ({"retry-after": "7"}, b"", 7),
            ({"retry-after": "0.5"}, b"", 0.5),
            ({"retry-after": "-3"}, b"", 0),
            ({"retry-after-ms": "250", "retry-after": "7"}, b"", 0.25),
            ({"retry-after-ms": "soon", "retry-after": "7"}, b"", 7),
            ({"retry-after": "soon"}, b"", None),
            ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, b"", 0),
            ({}, b'{"error": {"message": "Please try again in 20s."}}', 20),
            ({}, b"Please try again in 1m30.5s", 90.5),
            ({}, b"try again in 350ms", 0.35),
            ({}, b"Please retry after 12 seconds", 12),
            ({}, b"retry in 2h", 7200),
            ({}, b'{"details": [{"@type": "RetryInfo", "retryDelay": "20.5s"}]}', 20.5),
            ({}, b"try again later", None),
            ({}, b"\xff\xfe", None),
        ],
    )
    def test_forms(self, headers, body, seconds):
        assert retry_after(headers, body) == pytest.approx(seconds)
