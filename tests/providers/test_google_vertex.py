"""Google's models on Vertex AI: what differs from Google's own API."""

import pytest

from tests.providers.exchange import VERTEX, system, text, user


@pytest.fixture
def exchange(script):
    return script(VERTEX, {"blocks": [{"text": "hello"}], "usage": {"input": 7, "output": 2}})


def test_the_request(exchange):
    base = f"{exchange.server.url}/v1/projects/p/locations/l"
    model = {"base_url": base, "id": "gemini-2.5-pro"}
    exchange.ask([system(content="P"), user("go")], model=model, thinking="low")
    request = exchange.server.requests[0]
    assert request.target == (
        "/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro"
        ":streamGenerateContent?alt=sse"
    )
    assert request.headers["x-goog-api-key"] == "key"
    assert request.body == {
        "contents": [{"parts": [{"text": "go"}], "role": "user"}],
        "systemInstruction": {"parts": [{"text": "P"}], "role": "user"},
        "generationConfig": {
            "maxOutputTokens": 16384,
            "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 2048},
        },
    }
    assert exchange.message["content"] == [text("hello")]
    assert exchange.message["api"] == VERTEX and exchange.message["usage"]["totalTokens"] == 9


def test_a_token_of_the_platform(exchange):
    exchange.ask(api_key=None, headers={"authorization": "Bearer tok"})
    assert exchange.headers["authorization"] == "Bearer tok"
    assert "x-goog-api-key" not in exchange.headers


def test_a_model_by_its_whole_name(exchange):
    exchange.ask(model={"id": "publishers/other/models/m"})
    assert exchange.server.requests[0].path.startswith("/publishers/other/models/m:")
