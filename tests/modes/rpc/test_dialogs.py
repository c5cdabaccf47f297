"""Extensions' questions: what a client is sent, and what its answers come to."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pi.modes.rpc.dialogs import Dialogs

Sent = list[dict[str, Any]]
Ask = Callable[[Dialogs], Awaitable[Any]]


async def answered(ask: Ask, answer: dict[str, Any] | None, sent: Sent) -> Any:
    """What `ask` returns when the client answers with these fields; None: closed instead."""
    dialogs = Dialogs(sent.append)
    asking = asyncio.ensure_future(ask(dialogs))
    await asyncio.sleep(0)
    dialogs.answer({"type": "extension_ui_response", "id": "of nobody", "value": "x"})
    dialogs.answer({"type": "extension_ui_response", "value": "x"})
    assert not asking.done()
    if answer is None:
        dialogs.close()
    else:
        for _ in range(2):  # a second answer is ignored
            dialogs.answer({"type": "extension_ui_response", "id": sent[0]["id"], **answer})
    return await asking


QUESTIONS: list[tuple[Ask, dict[str, Any]]] = [
    (
        lambda d: d.select("Which?", ["a", "b"]),
        {"method": "select", "title": "Which?", "options": ["a", "b"]},
    ),
    (
        lambda d: d.confirm("Sure?", "All goes.", seconds=60),
        {"method": "confirm", "title": "Sure?", "message": "All goes.", "timeout": 60_000},
    ),
    (
        lambda d: d.input("Name?", "type"),
        {"method": "input", "title": "Name?", "placeholder": "type"},
    ),
    (lambda d: d.input("Name?"), {"method": "input", "title": "Name?"}),
    (
        lambda d: d.editor("Text", "so far"),
        {"method": "editor", "title": "Text", "prefill": "so far"},
    ),
]


@pytest.mark.parametrize(
    ("ask", "fields"), QUESTIONS, ids=lambda v: v.get("method") if isinstance(v, dict) else ""
)
def test_questions_and_answers(ask: Ask, fields: dict[str, Any]) -> None:
    sent: Sent = []
    if fields["method"] == "confirm":
        answers = [({"confirmed": True}, True), ({"confirmed": False}, False), ({}, False)]
        answers += [({"cancelled": True, "confirmed": True}, False), (None, False)]
    else:
        answers = [({"value": "b"}, "b"), ({"value": 5}, None), ({"cancelled": True}, None)]
        answers += [(None, None)]
    for answer, result in answers:
        sent.clear()
        assert asyncio.run(answered(ask, answer, sent)) == result
        (request,) = sent
        assert request.pop("id")
        assert request == {"type": "extension_ui_request", **fields}


def test_a_dialog_ends_by_itself() -> None:
    async def work() -> None:
        sent: Sent = []
        dialogs = Dialogs(sent.append)
        assert await dialogs.select("?", ["a"], seconds=0.01) is None
        assert sent[0]["timeout"] == 10
        dialogs.answer({"id": sent[0]["id"], "value": "a"})  # too late

    asyncio.run(work())


def test_what_needs_no_answer() -> None:
    sent: Sent = []
    dialogs = Dialogs(sent.append)
    dialogs.notify("hello")
    dialogs.notify("no", "error")
    dialogs.set_status("k", "busy")
    dialogs.set_status("k", None)
    dialogs.set_widget("w", ["a", "b"], "belowEditor")
    dialogs.set_widget("w", None)
    dialogs.set_title("t")
    dialogs.set_editor_text("e")
    dialogs.close()
    dialogs.notify("after the end")
    assert len({record.pop("id") for record in sent}) == len(sent) == 8
    assert all(record.pop("type") == "extension_ui_request" for record in sent)
    assert sent == [
        {"method": "notify", "message": "hello", "notifyType": "info"},
        {"method": "notify", "message": "no", "notifyType": "error"},
        {"method": "setStatus", "statusKey": "k", "statusText": "busy"},
        {"method": "setStatus", "statusKey": "k"},
        {
            "method": "setWidget",
            "widgetKey": "w",
            "widgetLines": ["a", "b"],
            "widgetPlacement": "belowEditor",
        },
        {"method": "setWidget", "widgetKey": "w"},
        {"method": "setTitle", "title": "t"},
        {"method": "set_editor_text", "text": "e"},
    ]


def test_nothing_is_asked_after_the_end() -> None:
    sent: Sent = []
    dialogs = Dialogs(sent.append)
    dialogs.close()
    assert asyncio.run(dialogs.select("?", ["a"])) is None
    assert not sent
