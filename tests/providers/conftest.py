"""Fixtures of the provider tests; what they hand out is in exchange.py."""

from typing import Any

import pytest

from tests.providers.exchange import ANTHROPIC, COMPLETIONS, Exchange
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


@pytest.fixture(params=[ANTHROPIC, COMPLETIONS])
def api(request) -> str:
    return request.param
