"""From the command line, settings and a session to a model and a thinking level.

The expectations about shipped models were observed on the reference implementation.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pi.auth import AuthStore, Credentials
from pi.config import Settings
from pi.errors import ModelError, PiError
from pi.models import ModelRegistry, Selection, SessionModel, list_models, select_model
from pi.models.listing import short_count
from pi.wire.model import Model

SPOKEN = ("anthropic-messages", "openai-completions")
ALL = (
    *SPOKEN,
    "openai-responses",
    "azure-openai-responses",
    "bedrock-converse-stream",
    "pi-messages",
    "mistral-conversations",
    "google-generative-ai",
    "google-vertex",
)
A = {"ANTHROPIC_API_KEY": "x"}
O = {"OPENAI_API_KEY": "x"}  # noqa: E741
OR = {"OPENROUTER_API_KEY": "x"}
OC = {"OPENCODE_API_KEY": "x"}
GROQ = {"GROQ_API_KEY": "x"}
MOCK = {
    "mock": {
        "baseUrl": "http://x",
        "api": "anthropic-messages",
        "apiKey": "k",
        "models": [{"id": "m1", "contextWindow": 99}],
    }
}


class World:
    """A registry and credentials over files of this test."""

    def __init__(
        self,
        folder: Path,
        env: dict[str, str],
        custom: Any = None,
        apis: tuple[str, ...] = ALL,
        extra: tuple[Model, ...] = (),
    ) -> None:
        if custom is not None:
            (folder / "models.json").write_text(json.dumps({"providers": custom}))
        self.registry = ModelRegistry(
            folder / "models.json", supported_apis=apis, extra_models=extra
        )
        self.credentials = Credentials(
            AuthStore(folder / "auth.json"), env, self.registry.configs, keyless={"demo"}
        )

    def select(self, settings: Settings | None = None, **options: Any) -> Selection:
        return select_model(self.registry, self.credentials, settings or Settings(), **options)

    def said(self, settings: Settings | None = None, **options: Any) -> str:
        found = self.select(settings, **options)
        assert found.model is not None
        return f"{found.model.reference} {found.thinking}"


@pytest.mark.parametrize(
    ("env", "pattern", "provider", "expected"),
    [
        (A, "sonnet", None, "anthropic/claude-sonnet-5-5 medium"),
        (A, "sonnet:high", None, "anthropic/claude-sonnet-5-5 high"),
        (A, "claude", None, "anthropic/claude-sonnet-5-5 medium"),
        (A, "claude-opus-4-5", None, "anthropic/claude-opus-4-5 medium"),
        (A, "claude-opus-4-5-2025", None, "anthropic/claude-opus-4-5-20251101 medium"),
        (A, "anthropic/claude-opus-4-5:xhigh", None, "anthropic/claude-opus-4-5 high"),
        (A, "claude-opus-4-5:high:low", None, "anthropic/claude-opus-4-5 low"),
        (A, "Claude Opus 4.5", None, "anthropic/claude-opus-4-5 medium"),
        (A, "4.5", None, "anthropic/claude-sonnet-4-5 medium"),
        (A, "opus-4", None, "anthropic/claude-opus-4-8 medium"),
        (A, "SONNET", "ANTHROPIC", "anthropic/claude-sonnet-5-5 medium"),
        (O, "gpt-4o", None, "openai/gpt-4o off"),
        ({**A, **O}, "gpt-4o", None, "openai/gpt-4o off"),
        (O, "4o", None, "openai/gpt-4o-mini off"),
        (O, "gpt-4o-2024", None, "openai/gpt-4o-2024-11-20 off"),
        (O, "latest", None, "openai/gpt-daybreak-red-latest medium"),
        (OR, "openai/gpt-4o", None, "openrouter/openai/gpt-4o off"),
        ({}, "openai/gpt-4o", None, "openai/gpt-4o off"),
        ({**O, **OR}, "openai/gpt-4o", None, "openai/gpt-4o off"),
        (OR, "openai/4o", None, "openai/gpt-4o-mini off"),
        (OR, "openrouter/openai/gpt-4o", None, "openrouter/openai/gpt-4o off"),
        (OR, "openai/gpt-4o", "openrouter", "openrouter/openai/gpt-4o off"),
        (OR, "openrouter/openai/gpt-4o", "openrouter", "openrouter/openai/gpt-4o off"),
        (OR, "gpt-4o", "openrouter", "openrouter/openai/gpt-4o:batch off"),
        (OR, "anthropic/claude-opus-4.5:batch:high", None, "openrouter/anthropic/claude-opus-4.5:"),
        (GROQ, "openai/gpt-oss-120b", None, "groq/openai/gpt-oss-120b medium"),
        ({**OR, "MOONSHOT_API_KEY": "y"}, "kimi", None, "openrouter/moonshotai/kimi-k3.1-pro high"),
        (OC, "opus-4-5", None, "opencode/claude-opus-4-5 medium"),
    ],
)
def test_patterns(
    tmp_path: Path, env: dict[str, str], pattern: str, provider: str | None, expected: str
) -> None:
    world = World(tmp_path, env)
    assert world.said(model=pattern, provider=provider).startswith(expected)
    assert world.select(model=pattern, provider=provider).warnings == ()


@pytest.mark.parametrize(
    ("env", "pattern", "provider", "reason"),
    [
        (A, "nosuch", None, 'no model matches "nosuch"'),
        (A, "sonnet:bogus", None, "no model matches"),
        (A, "claude-opus-4-5:", None, "no model matches"),
        (A, "x", "nosuch", 'unknown provider "nosuch"'),
        (A, "gpt-4o", None, "none of them has a credential"),
        ({**A, **OC}, "claude-opus-4-5", None, "more than one of them has a credential"),
        ({**A, **OC}, "opus-4-5", None, "more than one of them has a credential"),
        (A, "anthropic/claude-opus-4.5", None, "openrouter/anthropic/claude-opus-4.5, vercel"),
        ({**GROQ, **OR}, "openai/gpt-oss-120b", None, "more than one of them"),
    ],
)
def test_patterns_that_choose_nothing(
    tmp_path: Path, env: dict[str, str], pattern: str, provider: str | None, reason: str
) -> None:
    with pytest.raises(ModelError, match=reason.replace(".", r"\.")) as caught:
        World(tmp_path, env).select(model=pattern, provider=provider)
    assert caught.value.exit_code == 1
    assert caught.value.hint


def test_a_given_key_chooses_no_provider(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="--api-key does not say"):
        World(tmp_path, {}).select(model="gpt-4o", key_given=True)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ({"model": "claude-opsu-4-5"}, "anthropic/claude-opus-4-5"),
        ({"model": "sonet-5:high"}, "anthropic/claude-sonnet-5"),
        ({"model": "x", "provider": "antropic"}, "anthropic"),
    ],
)
def test_mistakes_name_the_nearest(tmp_path: Path, wrong: dict[str, str], right: str) -> None:
    with pytest.raises(ModelError) as caught:
        World(tmp_path, A).select(**wrong)
    assert right in (caught.value.hint or "")


@pytest.mark.parametrize("pattern", ["anthropic/claude-opsu-9", "anthropic/claude-opsu-9:high"])
def test_an_unknown_id_is_used_with_a_warning(tmp_path: Path, pattern: str) -> None:
    found = World(tmp_path, A).select(model=pattern)
    assert found.model is not None
    assert found.model.reference == "anthropic/claude-opsu-9"
    assert found.model.context_window == 1_000_000  # its provider's usual model's
    assert found.thinking == ("high" if pattern.endswith("high") else "medium")
    assert len(found.warnings) == 1
    assert "claude-opus" in found.warnings[0]


def test_asking_an_unknown_model_to_think_makes_it_think(tmp_path: Path) -> None:
    world = World(tmp_path, {}, MOCK)
    assert world.said(model="mock/new:high") == "mock/new high"
    assert world.said(model="mock/new") == "mock/new off"
    assert world.said(model="mock/m1:high") == "mock/m1 off"


def test_unsupported_apis_are_named_and_never_offered(tmp_path: Path) -> None:
    world = World(tmp_path, {**A, **O}, apis=SPOKEN)
    with pytest.raises(ModelError, match='needs the API "openai-responses"') as caught:
        world.select(model="openai/gpt-4o")
    assert "anthropic-messages, openai-completions" in (caught.value.hint or "")
    with pytest.raises(ModelError, match="openai-responses"):
        world.select(model="gpt-4o")
    assert "openai" not in {m.provider for m in world.registry.available(world.credentials)}
    # radius offers it too, through an API that is not spoken: no ambiguity
    radius = World(tmp_path, {**A, "RADIUS_API_KEY": "r"}, apis=SPOKEN)
    assert radius.said(model="claude-opus-4-5") == "anthropic/claude-opus-4-5 medium"


@pytest.mark.parametrize(
    ("env", "patterns", "expected", "warnings"),
    [
        (A, ["sonnet", "haiku:low"], "anthropic/claude-sonnet-5-5 medium", 0),
        (A, ["anthropic/*"], "anthropic/claude-fable-5 medium", 0),
        (A, ["*sonnet*:high"], "anthropic/claude-sonnet-4-5 high", 0),
        (A, ["zzz"], "anthropic/claude-opus-5-5 medium", 1),
        (A, ["gpt-4o", "sonnet"], "anthropic/claude-sonnet-5-5 medium", 1),
        (A, ["claude-{opus,sonnet}-4-5"], "anthropic/claude-opus-5-5 medium", 1),
        (A, ["*{opus,sonnet}-4-6"], "anthropic/claude-opus-4-6 medium", 0),
        (A, ["!*opus*"], "anthropic/claude-fable-5 medium", 0),
        (A, ["sonnet:bogus"], "anthropic/claude-sonnet-5-5 medium", 1),
        (A, ["gpt-*:bogus"], "anthropic/claude-opus-5-5 medium", 1),
        (A, [""], "anthropic/claude-opus-5-5 medium", 1),
        (A, [], "anthropic/claude-opus-5-5 medium", 0),
        ({**A, **OC}, ["claude-opus-4-5"], "anthropic/claude-opus-4-5 medium", 1),
        (OR, ["*/*kimi*"], "openrouter/~moonshotai/kimi-latest high", 0),
        (OR, ["openai/gpt-4o"], "openrouter/openai/gpt-4o off", 0),
        ({**O, **OR}, ["openai/gpt-4o"], "openai/gpt-4o off", 0),
    ],
)
def test_scopes(
    tmp_path: Path, env: dict[str, str], patterns: list[str], expected: str, warnings: int
) -> None:
    world = World(tmp_path, env)
    assert world.said(scope_patterns=patterns) == expected
    assert len(world.select(scope_patterns=patterns).warnings) == warnings
    assert world.said(Settings(enabled_models=tuple(patterns))) == expected


def test_a_scope_takes_every_provider_of_an_id(tmp_path: Path) -> None:
    scope = World(tmp_path, {**A, **OC}).select(scope_patterns=["claude-opus-4-5", "sonnet"]).scope
    assert [one.model.reference for one in scope.models][:2] == [
        "anthropic/claude-opus-4-5",
        "opencode/claude-opus-4-5",
    ]


def test_the_default_model_starts_a_scope_it_is_in(tmp_path: Path) -> None:
    world = World(tmp_path, A)
    settings = Settings(default_provider="anthropic", default_model="claude-opus-4-5")
    assert world.said(settings, scope_patterns=["sonnet", "claude-opus-4-5:low"]) == (
        "anthropic/claude-opus-4-5 low"
    )
    assert world.said(settings, scope_patterns=["sonnet"]).startswith("anthropic/claude-sonnet")


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        (A, "anthropic/claude-opus-5-5 medium"),
        (O, "openai/gpt-6.1-sol medium"),
        ({**A, **O}, "anthropic/claude-opus-5-5 medium"),
        ({**GROQ, **OR, **O}, "openai/gpt-6.1-sol medium"),
        ({**GROQ, **OR}, "openrouter/moonshotai/kimi-k2.7-code medium"),
        ({"DEEPSEEK_API_KEY": "k"}, "deepseek/deepseek-v4-pro high"),
    ],
)
def test_nothing_said(tmp_path: Path, env: dict[str, str], expected: str) -> None:
    assert World(tmp_path, env).said() == expected


def test_a_provider_alone_means_its_usual_model(tmp_path: Path) -> None:
    world = World(tmp_path, A, MOCK, apis=SPOKEN)
    assert world.said(provider="mock") == "mock/m1 off"
    assert world.said(provider="Anthropic") == "anthropic/claude-opus-5-5 medium"
    with pytest.raises(ModelError, match="unknown provider"):
        world.select(provider="antropic")
    with pytest.raises(ModelError, match='no model of provider "openai"'):
        world.select(provider="openai")


def test_nothing_available(tmp_path: Path) -> None:
    found = World(tmp_path, {}).select()
    assert (found.model, found.thinking) == (None, "off")


def test_defaults_from_settings(tmp_path: Path) -> None:
    world = World(tmp_path, A, MOCK)
    mock = Settings(default_provider="mock", default_model="m1")
    assert world.said(mock) == "mock/m1 off"
    assert world.said() == "anthropic/claude-opus-5-5 medium"
    gone = Settings(default_provider="openai", default_model="gpt-4o")
    assert world.said(gone) == "anthropic/claude-opus-5-5 medium"
    alone = {"zz": {**MOCK["mock"], "models": [{"id": "b"}, {"id": "a"}]}, **MOCK}
    assert World(tmp_path, {}, alone).said() == "zz/b off"


def test_thinking_order(tmp_path: Path) -> None:
    world = World(tmp_path, A)
    opus = "anthropic/claude-opus-5-5"
    session = SessionModel("anthropic", "claude-opus-5-5", "xhigh")
    settings = Settings(model_thinking_levels={opus: "low"}, default_thinking_level="max")
    assert world.said(settings, model=opus) == f"{opus} low"
    assert world.said(Settings(default_thinking_level="max"), model=opus) == f"{opus} max"
    assert world.said(settings, session=session) == f"{opus} xhigh"
    assert world.said(settings, model=f"{opus}:high", session=session) == f"{opus} high"
    assert world.said(settings, model=f"{opus}:high", thinking="medium") == f"{opus} medium"
    assert world.said(settings, model=opus, thinking="off") == f"{opus} low"  # cannot be off
    found = world.select(settings, model=opus, thinking="HIGH")
    assert found.thinking == "low"
    assert "HIGH" in found.warnings[0]


def test_sessions(tmp_path: Path) -> None:
    world = World(tmp_path, A)
    session = SessionModel("anthropic", "claude-opus-4-6", "high")
    assert world.said(session=session) == "anthropic/claude-opus-4-6 high"
    assert world.said(session=session, scope_patterns=["sonnet:low"]) == (
        "anthropic/claude-opus-4-6 high"
    )
    assert world.said(session=session, model="sonnet") == "anthropic/claude-sonnet-5-5 high"
    for lost in (("anthropic", "nosuch"), ("openai", "gpt-4o"), ("nosuch", "x")):
        found = world.select(session=SessionModel(*lost, "high"))
        assert found.model is not None
        assert (found.model.reference, found.thinking) == ("anthropic/claude-opus-5-5", "high")
        assert f"{lost[0]}/{lost[1]}" in found.warnings[0]
        assert found.warnings[0].endswith("using anthropic/claude-opus-5-5")


def test_the_demo_provider_only_when_asked_for(tmp_path: Path) -> None:
    demo = Model(id="planner", provider="demo", api="demo", base_url="")
    world = World(tmp_path, {}, apis=(*SPOKEN, "demo"), extra=(demo,))
    assert world.select().model is None
    assert world.said(model="demo/planner") == "demo/planner off"
    assert world.said(model="planner", provider="demo") == "demo/planner off"
    assert world.said(provider="demo") == "demo/planner off"
    with pytest.raises(ModelError):
        world.select(model="planner")
    assert "planner" not in list_models(world.registry, world.credentials)


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        (
            {"off": None, "minimal": None, "medium": None, "xhigh": None, "max": "m"},
            "low low low high high max max",
        ),
        ({}, "off minimal low medium high high high"),
        ({"high": None, "medium": None}, "off minimal low low low low low"),
        (dict.fromkeys(("off", "minimal", "low", "medium", "high")), "off off off off off off off"),
    ],
)
def test_clamping(levels: dict[str, Any], expected: str) -> None:
    model = Model("m", "p", "a", "", reasoning=True, thinking_level_map=levels)
    wanted = ("off", "minimal", "low", "medium", "high", "xhigh", "max")
    assert " ".join(model.clamp_thinking(level) for level in wanted) == expected


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (7, "7"),
        (999, "999"),
        (4_096, "4.1K"),
        (8_192, "8.2K"),
        (4_250, "4.3K"),
        (118_000, "118K"),
        (117_964, "118.0K"),
        (131_072, "131.1K"),
        (200_000, "200K"),
        (1_000_000, "1M"),
        (1_048_576, "1.0M"),
        (1_050_000, "1.1M"),
        (10_000_000, "10M"),
    ],
)
def test_short_counts(count: int, text: str) -> None:
    assert short_count(count) == text


def test_listing(tmp_path: Path) -> None:
    world = World(tmp_path, {}, {**MOCK, "Aa": {**MOCK["mock"], "models": [{"id": "long-name"}]}})
    lines = list_models(world.registry, world.credentials).split("\n")
    assert lines == [
        "provider  model      context  max-out  thinking  images",
        "Aa        long-name  128K     16.4K    no        no    ",
        "mock      m1         99       16.4K    no        no    ",
    ]
    assert list_models(world.registry, world.credentials, "mk m1").split("\n")[1:] == [
        "mock      m1     99       16.4K    no        no    "
    ]
    assert list_models(world.registry, world.credentials, "zq") == 'No models matching "zq"'
    assert list_models(world.registry, world.credentials, " ").count("\n") == 2


def test_listing_without_keys(tmp_path: Path) -> None:
    world = World(tmp_path, {})
    assert list_models(world.registry, world.credentials).startswith("No models available")


@pytest.mark.parametrize(
    ("search", "count"), [("son", 5), ("snt45", 2), ("opus 4 5", 4), ("5opus", 8), ("4.5", 0)]
)
def test_listing_search(tmp_path: Path, search: str, count: int) -> None:
    world = World(tmp_path, A)
    assert list_models(world.registry, world.credentials, search).count("\n") == count


@given(
    pattern=st.text(alphabet="abcopus-45/:[*{,}!hig ", max_size=14),
    provider=st.sampled_from([None, "anthropic", "x"]),
)
@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_pattern_gives_a_model_or_one_line(
    tmp_path: Path, pattern: str, provider: str | None
) -> None:
    world = World(tmp_path, A, apis=SPOKEN)
    line = "one line"
    try:
        assert world.select(model=pattern, provider=provider).model is not None
    except PiError as error:
        line = str(error)
    assert "\n" not in line
    assert world.select(scope_patterns=[pattern]).model is not None
