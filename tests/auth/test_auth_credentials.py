"""Where a key comes from, and how it travels."""

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pi.auth import AuthStore, Credentials
from pi.auth.oauth import OAUTH_PROVIDERS, add_flow, remove_flow
from pi.auth.providers import KEY_SOURCES
from pi.errors import AuthError, ConfigError
from pi.models.catalogue import provider_ids
from pi.models.custom import ProviderConfig
from pi.wire.model import Model

posix = pytest.mark.skipif(os.name == "nt", reason="the commands are a POSIX shell's")


def model(provider: str = "anthropic", **fields: Any) -> Model:
    fields.setdefault("base_url", "http://x")
    fields.setdefault("api", "anthropic-messages")
    return Model(id="m", provider=provider, **fields)


@pytest.fixture
def make(tmp_path: Path) -> Any:
    def build(stored: Any = None, env: dict[str, str] | None = None, **config: Any) -> Credentials:
        path = tmp_path / "auth.json"
        if stored is not None:
            path.write_text(stored if isinstance(stored, str) else json.dumps(stored))
            path.chmod(0o600)
        configs = {"anthropic": ProviderConfig("anthropic", **config)} if config else {}
        variables = {"PATH": os.environ["PATH"], **(env or {})}
        return Credentials(AuthStore(path), variables, configs, keyless={"demo"})

    return build


def stored(key: str, **more: Any) -> dict[str, Any]:
    return {"anthropic": {"type": "api_key", "key": key, **more}}


def test_precedence(make: Any) -> None:
    env = {"ANTHROPIC_API_KEY": "from-env"}
    every = make(stored("from-auth"), env, api_key="from-models")
    assert every.require(model(), api_key="from-flag").api_key == "from-flag"
    assert every.require(model()).api_key == "from-auth"
    found = make({}, env, api_key="from-models").require(model())
    assert (found.api_key, found.source) == ("from-models", "models.json")
    found = make({}, env).require(model())
    assert (found.api_key, found.source) == ("from-env", "$ANTHROPIC_API_KEY")


@pytest.mark.parametrize(
    ("env", "key", "header"),
    [
        ({"ANTHROPIC_API_KEY": "a"}, "a", None),
        ({"ANTHROPIC_OAUTH_TOKEN": "o"}, "o", None),
        ({"ANTHROPIC_OAUTH_TOKEN": "sk-ant-oat01-o"}, None, "Bearer sk-ant-oat01-o"),
        ({"ANTHROPIC_AUTH_TOKEN": "t"}, None, "Bearer t"),
        ({"ANTHROPIC_API_KEY": "a", "ANTHROPIC_OAUTH_TOKEN": "o"}, "o", None),
        ({"ANTHROPIC_API_KEY": "a", "ANTHROPIC_AUTH_TOKEN": "t"}, None, "Bearer t"),
        ({"ANTHROPIC_OAUTH_TOKEN": "o", "ANTHROPIC_AUTH_TOKEN": "t"}, None, "Bearer t"),
        ({"ANTHROPIC_API_KEY": "a", "ANTHROPIC_AUTH_TOKEN": ""}, "a", None),
    ],
)
def test_anthropic_variables(
    make: Any, env: dict[str, str], key: str | None, header: str | None
) -> None:
    credentials = make(env=env)
    assert credentials.has_credential("anthropic")
    found = credentials.require(model())
    assert (found.api_key, found.headers.get("Authorization")) == (key, header)


def test_stored_values_are_resolved(make: Any) -> None:
    env = {"A": "va"}
    assert make(stored("s$A"), env).require(model()).api_key == "sva"
    found = make(stored("s$A", env={"A": "over"}), env).require(model())
    assert (found.api_key, dict(found.env)) == ("sover", {"A": "over"})
    assert make(stored("s$Q", env={"Q": "$A"}), env).require(model()).api_key == "s$A"
    assert make({}, env).require(model(), api_key="flag$A").api_key == "flag$A"


@posix
def test_stored_commands_run_once(make: Any, tmp_path: Path) -> None:
    log = tmp_path / "log"
    credentials = make(stored(f"!echo run >> {log}; echo key"))
    assert credentials.has_credential("anthropic")
    assert not log.exists()
    assert [credentials.require(model()).api_key for _ in range(3)] == ["key"] * 3
    assert log.read_text() == "run\n"


@posix
def test_commands_of_models_json_run_each_time(make: Any, tmp_path: Path) -> None:
    log = tmp_path / "log"
    credentials = make({}, api_key=f"!echo run >> {log}; echo key")
    assert credentials.has_credential("anthropic")
    for _ in range(2):
        assert credentials.require(model()).api_key == "key"
    assert log.read_text() == "run\nrun\n"


@posix
def test_a_stored_key_of_no_use_falls_through(make: Any) -> None:
    for key in ("$UNSET", "!exit 3", ""):
        credentials = make(stored(key), {"ANTHROPIC_API_KEY": "a"})
        assert credentials.has_credential("anthropic")
        assert credentials.require(model()).api_key == "a"


@posix
@pytest.mark.parametrize(
    ("key", "reason"), [("$UNSET", "UNSET"), ("!exit 3", "its command failed: exit 3")]
)
def test_and_is_named_when_nothing_else_is_there(make: Any, key: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make(stored(key)).require(model())
    assert reason in str(caught.value)
    assert "auth.json" in str(caught.value)


def test_an_unresolved_key_of_models_json_is_an_error(make: Any) -> None:
    credentials = make({}, {"ANTHROPIC_API_KEY": "a"}, api_key="$NO")
    assert not credentials.has_credential("anthropic")
    with pytest.raises(ConfigError, match=r'the apiKey of provider "anthropic" in models\.json'):
        credentials.require(model())


def test_no_key_says_what_to_do(make: Any) -> None:
    credentials = make()
    assert not credentials.has_credential("anthropic")
    assert credentials.resolve(model()) is None
    with pytest.raises(AuthError) as caught:
        credentials.require(model())
    assert caught.value.exit_code == 1
    assert caught.value.hint is not None
    for way in ("ANTHROPIC_API_KEY", "auth.json", "--api-key"):
        assert way in caught.value.hint


def test_headers(make: Any) -> None:
    env = {"ANTHROPIC_API_KEY": "a", "A": "va"}
    found = make({}, env).require(model(headers={"x-a": "1$A", "x-b": "lit"}))
    assert found.headers == {"x-a": "1va", "x-b": "lit"}
    with pytest.raises(ConfigError, match='the header "x-a" of provider "anthropic"'):
        make({}, env).require(model(headers={"x-a": "$NO"}))
    found = make(stored("k", env={"Q": "z"})).require(model(headers={"x-a": "$Q"}))
    assert found.headers == {"x-a": "z"}


def test_auth_header(make: Any) -> None:
    credentials = make({}, api_key="k", auth_header=True)
    found = credentials.require(model())
    assert (found.api_key, found.headers) == ("k", {"Authorization": "Bearer k"})
    mine = credentials.require(model(headers={"authorization": "mine"}))
    assert mine.headers == {"authorization": "mine"}


def test_cloudflare_fills_its_address(make: Any) -> None:
    address = "https://x/{CLOUDFLARE_ACCOUNT_ID}/{CLOUDFLARE_GATEWAY_ID}/y"
    gateway = model("cloudflare-ai-gateway", base_url=address)
    partial = make(env={"CLOUDFLARE_API_KEY": "c", "CLOUDFLARE_ACCOUNT_ID": "acc"})
    assert not partial.has_credential("cloudflare-ai-gateway")
    assert partial.has_credential("cloudflare-workers-ai")
    with pytest.raises(AuthError, match="CLOUDFLARE_GATEWAY_ID"):
        partial.require(gateway)
    entry = {"type": "api_key", "key": "c", "env": {"CLOUDFLARE_GATEWAY_ID": "gw"}}
    full = make({"cloudflare-ai-gateway": entry}, {"CLOUDFLARE_ACCOUNT_ID": "acc"})
    assert full.has_credential("cloudflare-ai-gateway")
    found = full.require(gateway)
    assert found.base_url == "https://x/acc/gw/y"
    assert found.api_key is None
    assert found.headers == {"cf-aig-authorization": "Bearer c"}


@pytest.mark.parametrize(
    ("env", "address"),
    [
        ({"AZURE_OPENAI_RESOURCE_NAME": "nm"}, "https://nm.openai.azure.com/openai/v1"),
        ({"AZURE_OPENAI_BASE_URL": "https://r.ai.azure.com/"}, "https://r.ai.azure.com/openai/v1"),
        ({"AZURE_OPENAI_BASE_URL": "https://proxy/x/"}, "https://proxy/x"),
    ],
)
def test_azure_finds_its_address(make: Any, env: dict[str, str], address: str) -> None:
    credentials = make(env={"AZURE_OPENAI_API_KEY": "k", **env})
    assert credentials.require(model("azure", base_url="")).base_url == address


def test_azure_s_version_is_part_of_the_address_of_its_openai_models(make: Any) -> None:
    env = {"AZURE_OPENAI_API_KEY": "k", "AZURE_OPENAI_API_VERSION": "2025 1&x"}
    env["AZURE_OPENAI_BASE_URL"] = "https://r.openai.azure.com"
    credentials = make(env=env)
    openai = model("azure", base_url="", api="azure-openai-responses")
    address = "https://r.openai.azure.com/openai/v1"
    assert credentials.require(openai).base_url == f"{address}?api-version=2025%201%26x"
    foundry = model("azure", base_url="", api="openai-completions")
    assert credentials.require(foundry).base_url == address


@pytest.mark.parametrize(
    ("names", "found"),
    [("m=mine", "mine"), ("a=b, m = mine ,c", "mine"), ("m=", None), ("x=y", None), ("", None)],
)
def test_azure_deployments_have_names_of_their_own(
    make: Any, names: str, found: str | None
) -> None:
    env = {"AZURE_OPENAI_API_KEY": "k", "AZURE_OPENAI_DEPLOYMENT_NAME_MAP": names}
    credentials = make(env=env, api_key="k")
    assert credentials.require(model("azure")).deployment == found
    assert credentials.require(model("mock"), api_key="k").deployment is None


def test_azure_without_an_address(make: Any) -> None:
    with pytest.raises(AuthError, match="needs an address"):
        make(env={"AZURE_OPENAI_API_KEY": "k"}).require(model("azure", base_url=""))


def test_copilot_takes_a_bearer_token_whatever_the_api(make: Any) -> None:
    found = make(env={"COPILOT_GITHUB_TOKEN": "k"}).require(model("github-copilot"))
    assert (found.api_key, found.headers) == (None, {"Authorization": "Bearer k"})


def test_sign_ins(make: Any) -> None:
    later, before = (time.time() + 3600) * 1000, (time.time() - 3600) * 1000
    alive = {"anthropic": {"type": "oauth", "access": "sk-ant-oat01-x", "expires": later}}
    assert make(alive).has_credential("anthropic")
    assert make(alive).require(model()).headers == {"Authorization": "Bearer sk-ant-oat01-x"}
    expired = {"anthropic": {"type": "oauth", "access": "a", "expires": before}}
    assert not make(expired).has_credential("anthropic")
    with pytest.raises(AuthError, match="expired"):
        make(expired).require(model())
    assert make(expired, {"ANTHROPIC_API_KEY": "a"}).require(model()).api_key == "a"
    other = {"elsewhere": {"type": "oauth", "access": "a", "expires": later}}
    assert not make(other).has_credential("elsewhere")
    with pytest.raises(AuthError, match="only credential"):
        make(other).require(model("elsewhere"))


def test_a_sign_in_that_can_be_renewed_goes_before_other_keys(make: Any) -> None:
    before = (time.time() - 3600) * 1000
    expired = {"anthropic": {"type": "oauth", "access": "a", "refresh": "r", "expires": before}}
    credentials = make(expired, {"ANTHROPIC_API_KEY": "billed elsewhere"})
    assert credentials.has_credential("anthropic")
    with pytest.raises(AuthError, match="has expired") as caught:  # no network was given
        credentials.require(model())
    assert caught.value.hint == "Sign in again: pi auth login anthropic"


def test_what_a_server_beside_the_provider_is_sent(make: Any) -> None:
    """The key that is in use; but no other key in the place of a sign-in that is of no use."""
    later, before = (time.time() + 3600) * 1000, (time.time() - 3600) * 1000
    env = {"ANTHROPIC_API_KEY": "of the environment"}
    assert make(stored("a key"), env).bearer_of("anthropic") == "a key"
    assert make({}, env).bearer_of("anthropic") == "of the environment"
    assert make({}, {}).bearer_of("anthropic") is None
    alive = {"anthropic": {"type": "oauth", "access": "token", "expires": later}}
    assert make(alive, env).bearer_of("anthropic") == "token"
    expired = {"anthropic": {"type": "oauth", "access": "token", "expires": before}}
    assert make(expired, env).bearer_of("anthropic") is None


def test_the_token_of_an_extensions_sign_in_need_not_be_of_a_plan(make: Any) -> None:
    flow: Any = SimpleNamespace(subscription=False, api_key=lambda entry: entry["access"])
    add_flow("elsewhere", flow)
    try:
        later = (time.time() + 3600) * 1000
        entry = {"type": "oauth", "access": "token", "refresh": "r", "expires": later}
        assert make({"elsewhere": entry}).bearer_of("elsewhere") == "token"
    finally:
        remove_flow("elsewhere")


def test_copilots_token_says_where_requests_go(make: Any) -> None:
    usual = "https://api.individual.githubcopilot.com"
    copilot = model("github-copilot", base_url=usual)

    def address(access: str, **more: str) -> str:
        entry = {"type": "oauth", "access": access, "refresh": "r", "expires": 9e15, **more}
        address: str = make({"github-copilot": entry}).require(copilot).base_url
        return address

    assert address("tid=1;proxy-ep=proxy.business.githubcopilot.com;x=1") == (
        "https://api.business.githubcopilot.com"
    )
    assert address("tid=1", enterpriseUrl="my.ghe.com") == "https://copilot-api.my.ghe.com"
    assert address("tid=1") == usual
    assert address("proxy-ep=evil.example/path?") == usual
    own = model("github-copilot", base_url="http://127.0.0.1:1")
    assert make(env={"COPILOT_GITHUB_TOKEN": "proxy-ep=a.b"}).require(own).base_url == own.base_url


def test_a_plan_offers_what_it_lists(make: Any) -> None:
    entry = {"type": "oauth", "access": "a", "refresh": "r", "expires": 9e15}
    credentials = make({"github-copilot": {**entry, "availableModelIds": ["m1"]}, "xai": entry})
    assert credentials.offered("github-copilot") == {"m1"}
    assert credentials.offered("xai") is None
    assert credentials.offered("nobody") is None
    assert make("{bad").offered("xai") is None


def test_a_broken_file_matters_only_when_asked(make: Any) -> None:
    credentials = make("{bad", {"ANTHROPIC_API_KEY": "a"})
    assert credentials.has_credential("anthropic")
    assert not credentials.has_credential("openai")
    assert len(credentials.diagnostics()) == 1
    with pytest.raises(ConfigError, match="line 1 column 2"):
        credentials.require(model())
    assert credentials.require(model(), api_key="k").api_key == "k"


def test_a_broken_entry_hides_its_provider_only(make: Any) -> None:
    env = {"ANTHROPIC_API_KEY": "a", "GROQ_API_KEY": "g"}
    credentials = make({"anthropic": 5}, env)
    assert not credentials.has_credential("anthropic")
    assert credentials.has_credential("groq")
    with pytest.raises(ConfigError, match="anthropic: expected an object"):
        credentials.require(model())


def test_keyless_and_unknown_providers(make: Any) -> None:
    credentials = make()
    assert credentials.has_credential("demo")
    assert credentials.require(model("demo")).api_key is None
    assert not credentials.has_credential("nobody")


def test_every_shipped_provider_has_a_source(make: Any) -> None:
    sign_in_only = {"openai-codex"}
    assert set(provider_ids()) - set(KEY_SOURCES) == sign_in_only
    assert sign_in_only <= set(OAUTH_PROVIDERS)
    for provider in set(provider_ids()) - sign_in_only:
        source = KEY_SOURCES[provider]
        env = {source.variables[-1]: "k", **dict.fromkeys(source.needs, "n")}
        assert make(env=env).has_credential(provider), provider


def test_ambient_credentials_count(make: Any) -> None:
    assert make(env={"AWS_PROFILE": "p"}).has_credential("amazon-bedrock")
    assert not make(env={"AWS_ACCESS_KEY_ID": "p"}).has_credential("amazon-bedrock")


def test_secrets_stay_out_of_representations(make: Any) -> None:
    found = make(stored("secret-key")).require(model())
    assert "secret-key" not in repr(found)


@pytest.mark.parametrize("around", ["{}\r\n", "{}\n", " {} ", "\t{}"])
def test_blanks_around_a_key_are_not_of_it(make: Any, around: str) -> None:
    """A file with CRLF line ends leaves one at the end of `$(cat file)`."""
    key = around.format("k")
    assert make({}, {"ANTHROPIC_API_KEY": key}).require(model()).api_key == "k"
    assert make(stored(key)).require(model()).api_key == "k"
    assert make({}, {"K": key}, api_key="$K").require(model()).api_key == "k"
    assert make({}).require(model(), api_key=key).api_key == "k"


@pytest.mark.parametrize("blank", ["", " ", "\r\n"])
def test_a_blank_key_is_none(make: Any, blank: str) -> None:
    for credentials in (
        make({}, {"ANTHROPIC_API_KEY": blank}),
        make({}, {}, api_key=f" {blank}"),
        make(stored(f" {blank}")),
    ):
        assert not credentials.has_credential("anthropic")
        with pytest.raises(AuthError):
            credentials.require(model())
