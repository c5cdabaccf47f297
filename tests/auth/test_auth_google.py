"""Google Cloud credentials: which files there are, the tokens they become, and where Vertex is."""

import json
import sys
from urllib.parse import parse_qs

import pytest

from pi.auth.credentials import Credentials
from pi.auth.google import GoogleKeys, default_credentials, vertex_address
from pi.auth.oauth.base import Reply, Surroundings
from pi.auth.store import AuthStore
from pi.errors import AuthError, NetworkError
from pi.providers.http import HttpOptions
from pi.runtime.network import Sender
from pi.wire.model import Model
from tests.scripted_provider import ScriptedProvider

pytest.importorskip("google.auth")

CATALOGUE = "https://{location}-aiplatform.googleapis.com"
PLACE = {"GOOGLE_CLOUD_PROJECT": "p1", "GOOGLE_CLOUD_LOCATION": "us-central1"}
PERSON = {
    "type": "authorized_user",
    "client_id": "c",
    "client_secret": "s",
    "refresh_token": "r",
    "quota_project_id": "payer",
}


def model(**fields):
    known = {"id": "m1", "provider": "google-vertex", "api": "google-vertex"}
    return Model(**{"base_url": CATALOGUE, **known, **fields})


def granted(token, seconds=3600):
    return {"access_token": token, "expires_in": seconds, "token_type": "Bearer"}


@pytest.fixture
def service_account(tmp_path):
    """A key file whose tokens come from `server`."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    pem = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

    def write(server):
        path = tmp_path / "account.json"
        account = {
            "type": "service_account",
            "project_id": "p1",
            "private_key_id": "k",
            "private_key": pem.decode(),
            "client_email": "a@p1.iam.gserviceaccount.com",
            "token_uri": f"{server.url}/token",
        }
        path.write_text(json.dumps(account))
        return path

    return write


def keys(path, send=None):
    variables = {"GOOGLE_APPLICATION_CREDENTIALS": str(path)}
    return GoogleKeys(variables, send or Sender(HttpOptions()))


def test_a_service_account(service_account):
    with ScriptedProvider([{"status": 200, "body": granted("tok1")}]) as server:
        found = keys(service_account(server))
        for _ in range(2):  # a token is kept while it is good
            headers = {name.lower(): value for name, value in found.headers().items()}
            assert headers["authorization"] == "Bearer tok1"
        (request,) = server.requests
        asked = parse_qs(request.body.decode())
        assert asked["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        assert asked["assertion"][0].count(".") == 2


def test_a_token_near_its_end_is_renewed(service_account):
    turns = [{"status": 200, "body": granted(f"tok{n}", 10)} for n in (1, 2)]
    with ScriptedProvider(turns) as server:
        found = keys(service_account(server))
        tokens = {found.headers()["authorization"] for _ in range(2)}
    assert tokens == {"Bearer tok1", "Bearer tok2"}


def test_a_person(tmp_path):
    sent = []

    def send(method, url, headers, content=b""):
        sent.append((method, url, parse_qs(content.decode())))
        return Reply(200, json.dumps(granted("tok")).encode())

    path = tmp_path / "adc.json"
    path.write_text(json.dumps(PERSON))
    headers = {name.lower(): value for name, value in keys(path, send).headers().items()}
    assert headers["authorization"] == "Bearer tok"
    assert headers["x-goog-user-project"] == "payer"
    ((method, url, asked),) = sent
    assert method == "POST" and url.startswith("https://oauth2.googleapis.com/")
    assert asked["refresh_token"] == ["r"] and asked["grant_type"] == ["refresh_token"]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"type": "x"}', '{"type": "service_account"}']
)
def test_files_of_no_use(tmp_path, content):
    path = tmp_path / "adc.json"
    path.write_text(content)
    with pytest.raises(AuthError, match=r"adc\.json") as caught:
        keys(path).headers()
    assert "gcloud" in caught.value.hint


def test_a_refused_renewal_says_so(tmp_path):
    path = tmp_path / "adc.json"
    path.write_text(json.dumps(PERSON))
    refusal = json.dumps({"error": "invalid_grant", "error_description": "revoked"}).encode()
    with pytest.raises(AuthError, match="invalid_grant") as caught:
        keys(path, lambda *_: Reply(400, refusal)).headers()
    assert '"r"' not in str(caught.value)


def test_no_network(tmp_path):
    path = tmp_path / "adc.json"
    path.write_text(json.dumps(PERSON))

    def send(*_):
        raise NetworkError("no route")

    with pytest.raises(NetworkError, match="no route"):
        keys(path, send).headers()


def test_without_the_extra(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("google.auth")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "google.auth", None)
    with pytest.raises(AuthError, match="google-auth") as caught:
        keys(tmp_path / "x").headers()
    assert "pi-coding-agent-py[vertex]" in caught.value.hint


@pytest.mark.parametrize(
    ("variables", "path"),
    [
        ({"GOOGLE_APPLICATION_CREDENTIALS": "/k.json", "HOME": "/h"}, "/k.json"),
        ({"CLOUDSDK_CONFIG": "/c", "HOME": "/h"}, "/c/application_default_credentials.json"),
        ({"HOME": "/h"}, "/h/.config/gcloud/application_default_credentials.json"),
    ],
)
def test_where_the_file_is(variables, path):
    assert default_credentials(variables).as_posix() == path


@pytest.mark.parametrize(
    ("base", "location", "keyed", "address"),
    [
        (CATALOGUE, "us-central1", False,
         "https://us-central1-aiplatform.googleapis.com/v1/projects/p1/locations/us-central1"),
        (CATALOGUE, "global", False,
         "https://aiplatform.googleapis.com/v1/projects/p1/locations/global"),
        (CATALOGUE, "eu", False,
         "https://aiplatform.eu.rep.googleapis.com/v1/projects/p1/locations/eu"),
        (CATALOGUE, "us-central1", True, "https://aiplatform.googleapis.com/v1"),
        ("https://x.test/", "us-central1", False, "https://x.test/v1"),
        ("https://x.test/v1beta1/a", "us-central1", True, "https://x.test/v1beta1/a"),
    ],
)  # fmt: skip
def test_addresses(base, location, keyed, address):
    variables = {**PLACE, "GOOGLE_CLOUD_LOCATION": location}
    assert vertex_address(model(base_url=base), variables, keyed=keyed) == address


@pytest.mark.parametrize("missing", ["GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"])
def test_what_is_missing_is_named(missing):
    variables = {name: value for name, value in PLACE.items() if name != missing}
    with pytest.raises(AuthError, match=missing):
        vertex_address(model(), variables, keyed=False)


def credentials(tmp_path, variables, entry=None, send=None):
    path = tmp_path / "auth.json"
    if entry is not None:
        path.write_text(json.dumps({"google-vertex": entry}))
        path.chmod(0o600)
    around = None if send is None else Surroundings(send=send)
    return Credentials(AuthStore(path), {"HOME": str(tmp_path), **variables}, around=around)


def test_whether_there_are_any(tmp_path):
    file = tmp_path / "adc.json"
    named = {"GOOGLE_APPLICATION_CREDENTIALS": str(file)}

    def found(variables, entry=None):
        return credentials(tmp_path, variables, entry).has_credential("google-vertex")

    assert not found({**PLACE, **named})
    file.write_text(json.dumps(PERSON))
    assert found({**PLACE, **named})
    assert found({"GCLOUD_PROJECT": "p", "GOOGLE_CLOUD_LOCATION": "l", **named})
    assert not found(named) and not found({"GOOGLE_CLOUD_PROJECT": "p", **named})
    assert found({}, {"type": "api_key", "env": {**PLACE, **named}})
    usual = tmp_path / ".config" / "gcloud" / "application_default_credentials.json"
    (tmp_path / "auth.json").unlink()
    assert not found(PLACE)
    usual.parent.mkdir(parents=True)
    usual.write_text("{}")
    assert found(PLACE)
    usual.unlink()
    assert found({"GOOGLE_CLOUD_API_KEY": "k"})


def test_what_a_request_carries(tmp_path):
    file = tmp_path / "adc.json"
    file.write_text(json.dumps(PERSON))
    variables = {**PLACE, "GOOGLE_APPLICATION_CREDENTIALS": str(file)}
    replies = []

    def send(*_):
        replies.append(1)
        return Reply(200, json.dumps(granted("tok")).encode())

    known = credentials(tmp_path, variables, send=send)
    for _ in range(2):
        found = known.resolve(model())
        assert found.api_key is None and found.headers["authorization"] == "Bearer tok"
        assert found.base_url.endswith("/v1/projects/p1/locations/us-central1")
    assert len(replies) == 1
    keyed = credentials(tmp_path, {**variables, "GOOGLE_CLOUD_API_KEY": "k"}).resolve(model())
    assert keyed.api_key == "k" and keyed.base_url == "https://aiplatform.googleapis.com/v1"
