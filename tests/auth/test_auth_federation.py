"""Workload identity: a platform's identity token exchanged for one of Anthropic's."""

import json

import pytest

from pi.auth.credentials import Credentials
from pi.auth.oauth.base import Reply, Surroundings
from pi.auth.store import AuthStore
from pi.errors import AuthError, NetworkError
from pi.wire.model import Model

MODEL = Model(id="m", provider="anthropic", api="anthropic-messages", base_url="https://x.test/")
RULE = {"ANTHROPIC_FEDERATION_RULE_ID": "fr", "ANTHROPIC_ORGANIZATION_ID": "org"}


class Server:
    """Answers the exchanges one after the other; the last answer is repeated."""

    def __init__(self, *answers):
        self.answers = list(answers) or [(200, {"access_token": "tok", "expires_in": 3600})]
        self.asked = []

    def __call__(self, method, url, headers, content=b""):
        self.asked.append((method, url, dict(headers), json.loads(content)))
        status, body = self.answers[min(len(self.asked), len(self.answers)) - 1]
        return Reply(status, json.dumps(body).encode())


@pytest.fixture
def make(tmp_path):
    def build(server, *, now=lambda: 0.0, token="identity", **variables):
        path = tmp_path / "token"
        if token is not None:
            path.write_text(token)
        env = {**RULE, "ANTHROPIC_IDENTITY_TOKEN_FILE": str(path), **variables}
        around = Surroundings(send=server, now=now, sleep=lambda _: None)
        return Credentials(AuthStore(tmp_path / "auth.json"), env, around=around), path

    return build


def test_the_exchange(make):
    server = Server()
    known, _ = make(server, ANTHROPIC_SERVICE_ACCOUNT_ID="sa", ANTHROPIC_WORKSPACE_ID="ws")
    assert known.has_credential("anthropic") and server.asked == []
    found = known.resolve(MODEL)
    assert found.api_key is None and found.headers["Authorization"] == "Bearer tok"
    ((method, url, headers, fields),) = server.asked
    assert (method, url) == ("POST", "https://x.test/v1/oauth/token")
    assert headers["anthropic-beta"] == "oauth-2025-04-20,oidc-federation-2026-04-01"
    assert fields == {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": "identity",
        "federation_rule_id": "fr",
        "organization_id": "org",
        "service_account_id": "sa",
        "workspace_id": "ws",
    }


def test_a_token_is_used_until_shortly_before_its_end(make):
    clock = [0.0]
    turns = [(200, {"access_token": f"tok{n}", "expires_in": 600}) for n in (1, 2)]
    server = Server(*turns)
    known, path = make(server, now=lambda: clock[0])
    tokens = []
    for minutes in (0, 8, 9.5):
        clock[0] = minutes * 60_000
        path.write_text(f"identity at {minutes}")
        tokens.append(known.resolve(MODEL).headers["Authorization"])
    assert tokens == ["Bearer tok1", "Bearer tok1", "Bearer tok2"]
    assert [fields["assertion"] for *_, fields in server.asked] == [
        "identity at 0",
        "identity at 9.5",
    ]


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"])
def test_a_key_counts_over_it(make, name):
    server = Server()
    known, _ = make(server, **{name: "own"})
    known.resolve(MODEL)
    assert server.asked == []


@pytest.mark.parametrize("missing", [*RULE, "ANTHROPIC_IDENTITY_TOKEN_FILE"])
def test_all_three_variables_are_needed(make, missing):
    known, _ = make(Server(), **{missing: ""})
    assert not known.has_credential("anthropic") and known.resolve(MODEL) is None


def test_other_providers_have_no_part_in_it(make):
    known, _ = make(Server())
    other = Model(id="m", provider="minimax", api="anthropic-messages", base_url="https://x.test")
    assert known.resolve(other) is None


@pytest.mark.parametrize("token", [None, "", " \n"])
def test_no_identity(make, token):
    known, path = make(Server(), token=token)
    with pytest.raises(AuthError, match="identity token") as caught:
        known.resolve(MODEL)
    assert str(path) in str(caught.value)


def test_a_refusal_does_not_show_the_identity(make):
    body = {"error": {"type": "invalid_grant", "message": "identity is bad: identity"}}
    known, _ = make(Server((400, body)))
    with pytest.raises(AuthError, match="invalid_grant") as caught:
        known.resolve(MODEL)
    assert "bad: identity" not in str(caught.value)


def test_an_answer_of_no_use(make):
    known, _ = make(Server((200, {"access_token": "tok"})))
    with pytest.raises(AuthError):
        known.resolve(MODEL)


def test_no_network(make):
    def down(*_):
        raise NetworkError("no route")

    known, _ = make(down)
    with pytest.raises(NetworkError):
        known.resolve(MODEL)
