"""Lists that depend on whose key asks."""

import json

import pytest

from pi.errors import PiError
from pi.models.personal import Access, gateway_list, openrouter_list

CATALOGUE = [
    {"id": "a/one", "type": "chat", "contextWindow": 1000, "maxTokens": 100, "cost": {"input": 9}},
    {"id": "a/two", "contextWindow": 2000, "maxTokens": 200},
    {"id": "a/none", "type": "chat"},
    {"id": "a/one", "type": "image"},
]


class Service:
    def __init__(self, status=200, body=None):
        self.status, self.body = status, body
        self.asked = []

    def __call__(self, url, headers):
        self.asked.append((url, dict(headers)))
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        return self.status, body


def test_what_a_key_may_use():
    service = Service(
        body={
            "data": [
                {
                    "id": "a/one",
                    "context_length": 500,
                    "top_provider": {"context_length": 400, "max_completion_tokens": 40},
                    "pricing": {
                        "prompt": "0.000003",
                        "completion": "0.0000151",
                        "input_cache_read": "-1",
                        "overrides": [
                            {"min_prompt_tokens": 200, "prompt": "0.000006"},
                            {"min_prompt_tokens": 300, "utc_start": 1},
                            {"prompt": "1"},
                        ],
                    },
                },
                {"id": "a/two", "context_length": 0, "top_provider": {"context_length": None}},
                {"id": "a/new"},
                {"id": 5},
                "?",
            ]
        }
    )
    kept = openrouter_list(CATALOGUE, Access("key"), service)
    assert kept == [
        {
            **CATALOGUE[0],
            "contextWindow": 400,
            "maxTokens": 40,
            "cost": {
                "input": 3.0,
                "output": 15.1,
                "cacheRead": 0,
                "cacheWrite": 0,
                "tiers": [
                    {
                        "inputTokensAbove": 200,
                        "input": 6.0,
                        "output": 15.1,
                        "cacheRead": 0,
                        "cacheWrite": 0,
                    }
                ],
            },
        },
        CATALOGUE[1],
        CATALOGUE[3],
    ]
    ((url, headers),) = service.asked
    assert url == "https://openrouter.ai/api/v1/models/user"
    assert headers["Authorization"] == "Bearer key"


def test_an_address_of_one_s_own():
    service = Service(body={"data": []})
    openrouter_list(CATALOGUE, Access("key", "https://us.openrouter.ai/api/v1/"), service)
    assert service.asked[0][0] == "https://us.openrouter.ai/api/v1/models/user"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_proxy_that_has_no_such_list(status):
    assert openrouter_list(CATALOGUE, Access("key"), Service(status, {})) == CATALOGUE


BAD = [Service(500, {}), Service(200, b"<html>"), Service(200, []), Service(200, {"data": {}})]


@pytest.mark.parametrize("service", BAD)
def test_answers_of_no_use(service):
    with pytest.raises(PiError):
        openrouter_list(CATALOGUE, Access("key"), service)


MODEL = {
    "id": "balanced",
    "name": "Balanced",
    "input": ["text"],
    "cost": {},
    "contextWindow": 1000,
    "maxTokens": 100,
}


def test_the_gateway_s_account():
    models = [MODEL, {**MODEL, "contextWindow": "many"}, {"id": "x"}, 5]
    service = Service(body={"baseUrl": "https://radius.test/v1", "models": models})
    own = {"api": "pi-messages", "provider": "radius", "baseUrl": "https://radius.test/v1"}
    assert gateway_list(Access("key"), service) == [{**MODEL, **own}]
    assert service.asked[0][0] == "https://radius.pi.dev/v1/config"
    gateway_list(Access("key", "http://gate.test:81/v1"), service)
    assert service.asked[1][0] == "http://gate.test:81/v1/config"


@pytest.mark.parametrize("body", [{"models": []}, {"baseUrl": "x"}, [], b"no"])
def test_a_gateway_of_no_use(body):
    with pytest.raises(PiError):
        gateway_list(Access("key"), Service(200, body))
