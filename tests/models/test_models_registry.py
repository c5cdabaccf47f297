"""The shipped catalogue, and models.json over it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pi.models import ModelRegistry
from pi.models.catalogue import catalogue_records, index, provider_ids
from pi.models.defaults import DEFAULT_MODELS
from pi.models.records import model_from_record
from pi.wire.model import Model

APIS = {"anthropic-messages", "openai-completions"}
GOOD = {"baseUrl": "http://x", "api": "anthropic-messages", "models": [{"id": "m1"}]}


@pytest.fixture
def make(tmp_path: Path) -> Any:
    def build(value: Any = None, **options: Any) -> ModelRegistry:
        path = tmp_path / "models.json"
        if value is not None:
            path.write_text(value if isinstance(value, str) else json.dumps(value))
        return ModelRegistry(path, supported_apis=APIS, **options)

    return build


def providers(**configs: Any) -> dict[str, Any]:
    return {"providers": configs}


def test_index_and_files_agree() -> None:
    for provider, groups in index().items():
        listed = [(api, i, n) for api, models in groups for i, n in models]
        records = list(catalogue_records(provider))
        assert [(r["api"], r["id"], r["name"]) for r in records] == listed
        for record in records:
            model = model_from_record(provider, record)
            assert model.context_window > 0
            assert model.clamp_thinking("medium") in (*model.thinking_levels(), "off")


def test_every_default_exists() -> None:
    assert set(DEFAULT_MODELS) == set(provider_ids())
    for provider, model_id in DEFAULT_MODELS.items():
        assert model_id in {record["id"] for record in catalogue_records(provider)}


def test_facts_of_a_shipped_model(make: Any) -> None:
    model = make().find("anthropic", "claude-opus-4-5")
    assert model.api == "anthropic-messages"
    assert model.base_url == "https://api.anthropic.com"
    assert model.reasoning
    assert model.takes_images
    assert (model.context_window, model.max_tokens) == (200_000, 64_000)
    assert (model.prices.input, model.prices.output) == (5, 25)
    assert make().find("anthropic", "nosuch") is None
    assert make().find("nosuch", "x") is None


def test_a_provider_of_ones_own(make: Any) -> None:
    tier = {"inputTokensAbove": 5, "input": 1, "output": 2, "cacheRead": 3, "cacheWrite": 4}
    registry = make(
        providers(
            mock={
                "baseUrl": "http://x",
                "api": "anthropic-messages",
                "headers": {"a": "p", "b": "p"},
                "compat": {"supportsTemperature": False, "supportsStrictTools": True},
                "models": [
                    {"id": "plain"},
                    {
                        "id": "full",
                        "name": "Full",
                        "api": "openai-completions",
                        "baseUrl": "http://y",
                        "reasoning": True,
                        "input": ["text", "image"],
                        "cost": {**tier, "tiers": [tier]},
                        "headers": {"b": "m"},
                        "compat": {"supportsTemperature": True},
                        "thinkingLevelMap": {"xhigh": "x", "low": None},
                        "samplingParams": {"t": 1},
                    },
                ],
                "modelOverrides": {"plain": {"contextWindow": 9}, "gone": {"name": "x"}},
            }
        )
    )
    assert registry.diagnostics == ()
    plain, full = registry.find("mock", "plain"), registry.find("mock", "full")
    assert (plain.name, plain.context_window, plain.max_tokens) == ("plain", 9, 16_384)
    assert plain.headers == {"a": "p", "b": "p"}
    assert (full.api, full.base_url, full.name) == ("openai-completions", "http://y", "Full")
    assert full.headers == {"a": "p", "b": "m"}
    assert full.compat == {"supportsTemperature": True, "supportsStrictTools": True}
    assert full.prices.tiers[0].input_tokens_above == 5
    assert full.thinking_levels() == ("off", "minimal", "medium", "high", "xhigh")
    assert registry.find("mock", "gone") is None


def test_changes_to_a_shipped_provider(make: Any) -> None:
    registry = make(
        providers(
            anthropic={
                "baseUrl": "http://proxy",
                "compat": {"supportsTemperature": False},
                "models": [{"id": "claude-haiku-4-5", "name": "mine"}, {"id": "new"}],
                "modelOverrides": {
                    "claude-opus-4-5": {
                        "cost": {"input": 99},
                        "compat": {"supportsStrictTools": False},
                        "inputLimits": {"maxRequestBytes": 5},
                    }
                },
            }
        )
    )
    opus = registry.find("anthropic", "claude-opus-4-5")
    assert opus.base_url == "http://proxy"
    assert (opus.prices.input, opus.prices.output) == (99, 25)
    assert opus.compat == {"supportsStrictTools": False, "supportsTemperature": False}
    assert opus.input_limits["maxRequestBytes"] == 5
    assert opus.input_limits["images"]["maxPerRequest"] == 100
    haiku = registry.find("anthropic", "claude-haiku-4-5")
    assert (haiku.name, haiku.reasoning, haiku.prices.input) == ("mine", False, 0)
    new = registry.find("anthropic", "new")
    assert (new.api, new.base_url) == ("anthropic-messages", "http://proxy")
    assert [n.name for n in registry.names("anthropic") if n.id == "claude-haiku-4-5"] == ["mine"]


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("{bad", "line 1 column 2"),
        ("[]", "expected an object, found a list"),
        ("null", "expected an object, found null"),
        ("", "the file is empty"),
        ("{}", "providers: missing"),
        ({"providers": []}, "providers: expected an object"),
        (providers(mock=5), "providers.mock: expected an object"),
        (providers(mock={**GOOD, "models": [{}]}), "providers.mock.models[0].id: missing"),
        (providers(mock={**GOOD, "models": [{"id": ""}]}), "models[0].id: expected a non-empty"),
        (providers(mock={**GOOD, "models": 5}), "providers.mock.models: expected a list"),
        (providers(mock={**GOOD, "apiKey": 5}), "providers.mock.apiKey: expected a non-empty"),
        (providers(mock={**GOOD, "authHeader": "x"}), "mock.authHeader: expected true or false"),
        (providers(mock={**GOOD, "oauth": "x"}), 'mock.oauth: expected "radius"'),
        (providers(mock={**GOOD, "headers": {"a": 5}}), "mock.headers.a: expected a string"),
        (providers(mock={**GOOD, "modelOverrides": {"m": 5}}), "mock.modelOverrides.m: expected"),
        *(
            (providers(mock={**GOOD, "models": [{"id": "m", **wrong}]}), place)
            for wrong, place in (
                ({"contextWindow": -1}, "models[0].contextWindow: expected a number above 0"),
                ({"maxTokens": 0}, "models[0].maxTokens: expected a number above 0"),
                ({"cost": {"input": 1}}, "models[0].cost.output: missing"),
                ({"input": ["audio"]}, 'models[0].input[0]: expected "text" or "image"'),
                ({"thinkingLevelMap": {"low": 5}}, "thinkingLevelMap.low: expected a string or nu"),
                ({"compat": {"supportsStore": "x"}}, "compat.supportsStore: expected true or fal"),
                ({"compat": {"thinkingFormat": "x"}}, "compat.thinkingFormat: expected"),
                ({"reasoning": 1}, "models[0].reasoning: expected true or false"),
                ({"samplingParams": 5}, "models[0].samplingParams: expected an object"),
            )
        ),
    ],
)
def test_malformed_files_load_nothing_and_say_where(
    make: Any, tmp_path: Path, value: Any, place: str
) -> None:
    if isinstance(value, dict) and isinstance(value.get("providers"), dict):
        value["providers"]["fine"] = GOOD
    registry = make(value)
    assert len(registry.diagnostics) == 1
    assert registry.diagnostics[0].startswith(str(tmp_path / "models.json"))
    assert place in registry.diagnostics[0]
    assert "\n" not in registry.diagnostics[0]
    assert registry.find("fine", "m1") is None
    assert registry.find("anthropic", "claude-opus-4-5") is not None


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({"api": "a", "models": [{"id": "m"}]}, "providers.mock.baseUrl: missing"),
        ({"baseUrl": "u", "models": [{"id": "m"}]}, "providers.mock.models[0].api: missing"),
        ({}, "providers.mock: expected at least one of"),
    ],
)
def test_an_incomplete_provider_is_left_out_alone(make: Any, config: Any, place: str) -> None:
    registry = make(providers(mock=config, fine=GOOD))
    assert len(registry.diagnostics) == 1
    assert place in registry.diagnostics[0]
    assert registry.find("mock", "m") is None
    assert registry.find("fine", "m1") is not None


def test_comments_are_fine(make: Any) -> None:
    registry = make('// mine\n{"providers": {"fine": ' + json.dumps(GOOD) + ",},}")
    assert registry.diagnostics == ()
    assert registry.find("fine", "m1") is not None


def test_extra_models_are_found_but_never_offered(make: Any) -> None:
    demo = Model(id="planner", provider="demo", api="demo", base_url="")
    registry = make(extra_models=[demo])
    assert registry.find("demo", "planner") is demo
    assert registry.provider_named("DEMO") == "demo"
    assert [name.id for name in registry.names("demo")] == ["planner"]
    assert "demo" not in {name.provider for name in registry.names()}


def test_one_models_file_is_all_that_is_parsed() -> None:
    code = (
        "import sys; from pathlib import Path; from pi.models import ModelRegistry\n"
        "r = ModelRegistry(Path('none'), supported_apis=['anthropic-messages'])\n"
        "r.find('anthropic', 'claude-opus-4-5')\n"
        "from pi.models.catalogue import _groups\n"
        "print(_groups.cache_info().currsize, 'difflib' in sys.modules, "
        "'pi.models.shapes' in sys.modules, 'subprocess' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["1", "False", "False", "False"]


SCRIPT = Path(__file__).parents[2] / "scripts" / "update_catalogue.py"


@pytest.mark.skipif(not SCRIPT.exists(), reason="a wheel is tested without the repository")
def test_catalogue_script(tmp_path: Path) -> None:
    record = {"api": "a", "provider": "p", "baseUrl": "u", "type": "chat", "reasoning": True}
    source = {
        "a": {
            "chat:x": {**record, "id": "x", "name": "X", "contextWindow": 5},
            "chat:y": {**record, "id": "y", "name": "Y", "contextWindow": 6, "input": ["text"]},
            "image:z": {**record, "type": "image", "id": "z", "name": "Z"},
        }
    }
    (tmp_path / "p.json").write_text(json.dumps(source))
    (tmp_path / "none.json").write_text(json.dumps({"a": {"image:z": source["a"]["image:z"]}}))
    code = (
        "import runpy, sys, json; from pathlib import Path\n"
        f"g = runpy.run_path({str(SCRIPT)!r})\n"
        f"print(json.dumps(g['build'](Path({str(tmp_path)!r}))))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    files = json.loads(out.stdout)
    assert set(files) == {"p.json", "index.json", "operations.json", "stamp.json"}
    other = {"api": "a", "baseUrl": "u", "type": "image", "reasoning": True}
    group = {"shared": other, "models": [{"id": "z", "name": "Z"}]}
    assert json.loads(files["operations.json"]) == {"none": [group], "p": [group]}
    assert json.loads(files["index.json"]) == {"p": [["a", [["x", "X"], ["y", "Y"]]]]}
    assert json.loads(files["p.json"]) == [
        {
            "shared": {"api": "a", "baseUrl": "u", "reasoning": True},
            "models": [
                {"id": "x", "name": "X", "contextWindow": 5},
                {"id": "y", "name": "Y", "contextWindow": 6, "input": ["text"]},
            ],
        }
    ]
