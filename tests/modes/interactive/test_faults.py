"""Errors of providers, as they are shown."""

import pytest

from pi.modes.interactive.faults import fault_text

ANTHROPIC = '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded, \\n sorry"}}'
OPENAI = '{"error": {"message": "No such model", "type": "invalid_request_error", "code": "x"}}'
GOOGLE = '{"error": {"code": 429, "message": "Slow down", "status": "RESOURCE_EXHAUSTED"}}'


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (f"529 {ANTHROPIC}", "529 overloaded_error: Overloaded, \n sorry"),
        (f"404 {OPENAI}\n", "404 invalid_request_error: No such model"),
        (GOOGLE, "RESOURCE_EXHAUSTED: Slow down"),
        ('500 {"error": "out of memory"}', "500 out of memory"),
        ('400 {"message": "bad_thing: no", "type": "bad_thing"}', "400 bad_thing: no"),
        *((text, text) for text in (
            "Request timed out", "", "401 Unauthorized", '400 {"error": {"message": 7}}', "{}",
            "500 {not json}", '503 {"error": {"message": ""}}', 'see {"message": "x"}', "[1]",
        )),
    ],
)  # fmt: skip
def test_the_words_of_an_answer(error: str, shown: str) -> None:
    assert fault_text(error) == shown
