import json
from pathlib import Path

from pi.auth.credentials import Credentials
from pi.auth.store import AuthStore
from pi.models.registry import ModelRegistry
from pi.modes.interactive.pickers.rows import model_rows, provider_rows
from pi.providers.registry import APIS
from pi.wire.model import Model


def made(tmp_path: Path) -> tuple[ModelRegistry, Credentials]:
    models = {
        "providers": {
            "mine": {
                "baseUrl": "http://x",
                "api": "anthropic-messages",
                "apiKey": "k",
                "models": [{"id": "m1", "name": "One", "reasoning": True, "input": ["text", "image"]}],  # noqa: E501
            }
        }
    }  # fmt: skip
    (tmp_path / "models.json").write_text(json.dumps(models))
    stored = {
        "anthropic": {"type": "oauth", "access": "A", "refresh": "R", "expires": 9e15},
        "groq": {"type": "api_key", "key": "$NOT_SET"},
        "xai": {"type": "nonsense"},
    }
    (tmp_path / "auth.json").write_text(json.dumps(stored))
    registry = ModelRegistry(tmp_path / "models.json", supported_apis=APIS)
    store = AuthStore(tmp_path / "auth.json")
    return registry, Credentials(store, {"OPENAI_API_KEY": "k"}, registry.configs)


def test_models(tmp_path: Path) -> None:
    registry, credentials = made(tmp_path)
    rows = {row.reference: row for row in model_rows(registry, credentials)}
    assert {row.provider for row in rows.values()} == {"anthropic", "openai", "mine"}
    mine = rows["mine/m1"]
    assert mine.images and mine.levels == ("off", "minimal", "low", "medium", "high")
    everything = model_rows(registry, credentials, unusable=True)
    assert len(everything) > len(rows)
    assert not next(row for row in everything if row.provider == "groq").usable


def test_a_model_in_use_that_nothing_offers(tmp_path: Path) -> None:
    registry, credentials = made(tmp_path)
    demo = Model("echo", "demo", "demo", "")
    assert "demo/echo" in [row.reference for row in model_rows(registry, credentials, extra=[demo])]


def test_providers(tmp_path: Path) -> None:
    rows = {row.id: row for row in provider_rows(*made(tmp_path))}
    anthropic = rows["anthropic"]
    assert anthropic.account and anthropic.stored == "account" and anthropic.status == "signed in"
    assert rows["groq"].stored == "key" and rows["groq"].status == "key stored, not found"
    assert rows["xai"].stored is None and "broken" in rows["xai"].status
    assert rows["openai"].status == "has a key from elsewhere"
    assert not rows["openai-codex"].key
    assert rows["mine"].status and not rows["mine"].account
