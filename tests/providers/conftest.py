"""Fixtures of the provider tests; what they hand out is in exchange.py."""

from typing import Any

import pytest

from tests.providers.exchange import (
    ANTHROPIC,
    BEDROCK,
    COMPLETIONS,
    GOOGLE,
    RESPONSES,
    Exchange,
)
from tests.scripted_provider import ScriptedProvider


@pytest.fixture
def script(request):
    """script(api, turn, …) → an Exchange whose server runs until the test ends."""
    open_servers: list[ScriptedProvider] = []

    def start(api: str, *turns: Any) -> Exchange:
        exchange = Exchange(api, list(turns) or [{"blocks": [{"text": "ok"}]}])
        open_servers.append(exchange.server)
        exchange.server.__enter__()
        return exchange

    yield start
    for server in open_servers:
        server.__exit__()


@pytest.fixture
def exchange(script, request) -> Exchange:
    """One with the API that the test's module names, which answers "ok"."""
    return script(request.module.API)


@pytest.fixture(params=[ANTHROPIC, COMPLETIONS, RESPONSES, GOOGLE, BEDROCK])
def api(request) -> str:
    return request.param


@pytest.fixture(params=[ANTHROPIC, COMPLETIONS, RESPONSES, BEDROCK])
def text_api(request) -> str:
    """APIs whose calls carry their arguments as text."""
    return request.param
