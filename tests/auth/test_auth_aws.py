"""AWS credentials: where they come from, the signature, and where Bedrock is."""

import hashlib
import hmac
import json
import sys
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import pytest

from pi.auth.aws import AwsKeys, bedrock_address, bedrock_region
from pi.auth.credentials import Credentials
from pi.auth.store import AuthStore
from pi.errors import AuthError
from pi.wire.model import Model
from tests.scripted_provider import ScriptedProvider

pytest.importorskip("botocore")

HOME = "https://bedrock-runtime.us-east-1.amazonaws.com"
URL = f"{HOME}/model/a%3Ab/converse-stream"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIA1", "AWS_SECRET_ACCESS_KEY": "secret1"}
BODY = b'{"a": 1}'


@pytest.fixture(autouse=True)
def no_machine(monkeypatch):
    """Nothing of the machine the tests run on, not even a look at whether it is AWS's."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def profiles(home):
    folder = home / ".aws"
    folder.mkdir()
    (folder / "credentials").write_text(
        "[one]\naws_access_key_id = AKIAONE\naws_secret_access_key = secretone\n"
        "[two]\naws_access_key_id = AKIATWO\naws_secret_access_key = secrettwo\n"
        "aws_session_token = tokentwo\n"
    )
    (folder / "config").write_text("[profile one]\nregion = eu-west-3\n[profile two]\n")


def model(**fields):
    known = {"id": "m1", "provider": "amazon-bedrock", "api": "bedrock-converse-stream"}
    return Model(**{"base_url": HOME, **known, **fields})


def signature(headers, secret, *, url=URL, region="us-east-1"):
    """Version 4 of the signature, made anew from what was sent. Source: AWS's documentation."""
    parts = dict(
        part.strip().split("=", 1)
        for part in headers["authorization"].removeprefix("AWS4-HMAC-SHA256").split(",")
    )
    signed = parts["SignedHeaders"]
    date = headers["x-amz-date"]
    scope = f"{date[:8]}/{region}/bedrock/aws4_request"
    where = urlsplit(url)
    known = {**headers, "host": where.netloc}
    lines = [
        "POST",
        quote(where.path, safe="/~"),
        "",
        *(f"{name}:{known[name]}" for name in signed.split(";")),
        "",
        signed,
        hashlib.sha256(BODY).hexdigest(),
    ]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    key = b"AWS4" + secret.encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope, digest])
    assert parts["Signature"] == hmac.new(key, text.encode(), "sha256").hexdigest()
    return parts["Credential"].partition("/")[0], signed.split(";")


def sign(variables, stored=None, *, region="us-east-1", url=URL):
    keys = AwsKeys(variables, stored or {}, region)
    return keys("POST", url, {"content-type": "application/json", "x-extra": "1"}, BODY)


def test_keys_of_the_environment():
    headers = sign(KEYS)
    who, signed = signature(headers, "secret1")
    assert who == "AKIA1" and {"host", "x-amz-date", "content-type"} <= set(signed)
    assert headers["content-type"] == "application/json" and headers["x-extra"] == "1"
    assert "x-amz-security-token" not in headers


def test_temporary_keys():
    headers = sign({**KEYS, "AWS_SESSION_TOKEN": "tok"})
    _, signed = signature(headers, "secret1")
    assert headers["x-amz-security-token"] == "tok" and "x-amz-security-token" in signed


@pytest.mark.usefixtures("profiles")
class TestProfiles:
    def test_one_of_the_environment(self):
        assert signature(sign({"AWS_PROFILE": "one"}), "secretone")[0] == "AKIAONE"

    def test_keys_count_over_a_profile_beside_them(self):
        assert signature(sign({**KEYS, "AWS_PROFILE": "one"}), "secret1")[0] == "AKIA1"

    def test_a_stored_one_counts_over_keys(self):
        headers = sign({**KEYS, "AWS_PROFILE": "one"}, {"AWS_PROFILE": "two"})
        assert signature(headers, "secrettwo")[0] == "AKIATWO"
        assert headers["x-amz-security-token"] == "tokentwo"

    def test_one_that_is_not_there(self):
        with pytest.raises(AuthError, match="nobody") as caught:
            sign({"AWS_PROFILE": "nobody"})
        assert caught.value.hint

    def test_its_region_counts_where_none_is_named(self):
        assert bedrock_region(model(), {"AWS_PROFILE": "one"}) == "eu-west-3"
        assert bedrock_region(model(), {"AWS_PROFILE": "two"}) == "us-east-1"
        assert bedrock_region(model(), {"AWS_PROFILE": "nobody"}) == "us-east-1"
        named = {"AWS_PROFILE": "one", "AWS_REGION": "eu-west-1"}
        assert bedrock_region(model(), named) == "eu-west-1"


def soon():
    return (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_container(monkeypatch):
    granted = {
        "AccessKeyId": "AKIACON",
        "SecretAccessKey": "secretcon",
        "Token": "tokencon",
        "Expiration": soon(),
    }
    with ScriptedProvider([{"status": 200, "body": granted}]) as server:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{server.url}/role")
        keys = AwsKeys({}, {}, "us-east-1")
        for _ in range(2):
            headers = keys("POST", URL, {"content-type": "application/json"}, BODY)
            assert signature(headers, "secretcon")[0] == "AKIACON"
        assert [request.target for request in server.requests] == ["/role"]


def test_a_web_identity(monkeypatch, tmp_path):
    (tmp_path / "token").write_text("identity")
    answer = (
        "<AssumeRoleWithWebIdentityResponse "
        'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>'
        "<Credentials><AccessKeyId>AKIAWEB</AccessKeyId><SecretAccessKey>secretweb"
        "</SecretAccessKey><SessionToken>tokenweb</SessionToken>"
        f"<Expiration>{soon()}</Expiration></Credentials>"
        "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
    )
    turn = {"status": 200, "body": answer, "headers": {"content-type": "text/xml"}}
    with ScriptedProvider([turn]) as server:
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
        monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/r")
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        headers = sign({"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token")})
        assert signature(headers, "secretweb")[0] == "AKIAWEB"
        assert b"WebIdentityToken=identity" in server.requests[0].body


def test_none_at_all(home):
    with pytest.raises(AuthError, match="no AWS credentials") as caught:
        sign({})
    assert "AWS_BEARER_TOKEN_BEDROCK" in caught.value.hint


def test_without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "botocore", None)
    with pytest.raises(AuthError, match="botocore") as caught:
        sign(KEYS)
    assert "pi-coding-agent-py[bedrock]" in caught.value.hint
    assert bedrock_region(model(), {"AWS_PROFILE": "one"}) == "us-east-1"


EU = "https://bedrock-runtime.eu-central-1.amazonaws.com"
ARN = "arn:aws:bedrock:ap-south-1:1:inference-profile/p"


@pytest.mark.parametrize(
    ("fields", "variables", "region", "address"),
    [
        ({}, {}, "us-east-1", HOME),
        ({"base_url": EU}, {}, "eu-central-1", EU),
        ({}, {"AWS_REGION": "eu-central-1"}, "eu-central-1", EU),
        ({}, {"AWS_DEFAULT_REGION": "eu-central-1"}, "eu-central-1", EU),
        (
            {"id": ARN},
            {"AWS_REGION": "eu-central-1"},
            "ap-south-1",
            "https://bedrock-runtime.ap-south-1.amazonaws.com",
        ),
        (
            {},
            {"AWS_REGION": "cn-north-1"},
            "cn-north-1",
            "https://bedrock-runtime.cn-north-1.amazonaws.com.cn",
        ),
        (
            {},
            {"AWS_USE_FIPS_ENDPOINT": "true"},
            "us-east-1",
            "https://bedrock-runtime-fips.us-east-1.amazonaws.com",
        ),
        ({"base_url": "https://x.test/b"}, {"AWS_REGION": "eu-west-1"}, "eu-west-1",
         "https://x.test/b"),
        ({"base_url": "https://x.test/b"}, {}, "us-east-1", "https://x.test/b"),
        ({}, {"AWS_ENDPOINT_URL": "https://e.test"}, "us-east-1", "https://e.test"),
        (
            {},
            {
                "AWS_ENDPOINT_URL": "https://e.test",
                "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "https://b.test",
            },
            "us-east-1",
            "https://b.test",
        ),
        (
            {},
            {
                "AWS_ENDPOINT_URL": "https://e.test",
                "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
            },
            "us-east-1",
            HOME,
        ),
    ],
)  # fmt: skip
def test_region_and_address(fields, variables, region, address):
    assert bedrock_region(model(**fields), variables) == region
    assert bedrock_address(model(**fields), variables) == address


def credentials(tmp_path, variables, entry=None):
    path = tmp_path / "auth.json"
    if entry is not None:
        path.write_text(json.dumps({"amazon-bedrock": entry}))
        path.chmod(0o600)
    return Credentials(AuthStore(path), variables)


@pytest.mark.parametrize(
    ("variables", "entry", "found"),
    [
        ({}, None, False),
        ({"AWS_REGION": "eu-west-1"}, None, False),
        ({"AWS_ACCESS_KEY_ID": "x"}, None, False),
        (KEYS, None, True),
        ({"AWS_PROFILE": "one"}, None, True),
        ({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"}, None, True),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/x"}, None, True),
        ({}, {"type": "api_key", "env": {"AWS_PROFILE": "one"}}, True),
        ({}, {"type": "api_key"}, True),
    ],
)
def test_whether_there_are_any(tmp_path, variables, entry, found):
    known = credentials(tmp_path, variables, entry)
    assert known.has_credential("amazon-bedrock") is found
    credential = known.resolve(model())
    if not found:
        assert credential is None
        return
    assert credential.sign is not None and credential.api_key is None
    assert "authorization" not in {name.lower() for name in credential.headers}


def test_a_bearer_token_counts_over_the_rest(tmp_path):
    found = credentials(tmp_path, {**KEYS, "AWS_BEARER_TOKEN_BEDROCK": "tok"}).resolve(model())
    assert (found.api_key, found.sign) == ("tok", None)


def test_what_was_fetched_is_kept_for_the_run(tmp_path):
    known = credentials(tmp_path, KEYS)
    assert known.resolve(model()).sign is known.resolve(model(id="m2")).sign
    assert known.resolve(model()).sign is not known.resolve(model(id=ARN)).sign
