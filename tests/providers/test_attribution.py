"""Which services are told which program asks. The headers are the npm package's."""

import pytest

from pi.providers.hosts import attribution
from pi.wire.model import Model

OPENROUTER = {
    "http-referer": "https://pi.dev",
    "x-openrouter-title": "pi",
    "x-openrouter-categories": "cli-agent",
}


@pytest.mark.parametrize(
    ("provider", "url", "expected"),
    [
        ("openrouter", "https://openrouter.ai/api/v1", OPENROUTER),
        ("mine", "https://openrouter.ai/api/v1", OPENROUTER),
        ("nvidia", "https://integrate.api.nvidia.com/v1", {"x-billing-invoke-origin": "Pi"}),
        ("opencode", "https://opencode.ai/zen/v1", {"x-opencode-client": "pi"}),
        ("opencode-go", "https://go.example", {"x-opencode-client": "pi"}),
        ("anthropic", "https://api.anthropic.com", {}),
        ("mine", "http://127.0.0.1:8080/v1", {}),
    ],
)
def test_who_is_told(provider: str, url: str, expected: dict[str, str]) -> None:
    model = Model(id="m", provider=provider, api="openai-completions", base_url=url)
    assert attribution(model) == expected
