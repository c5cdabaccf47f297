"""Services whose address and token depend on the account: GitHub Copilot, and Vertex AI with ADC.

Both programs go through a proxy that answers for every host itself, so nothing of what they send is
left out: the exchange of tokens, hosts, headers and bodies.
"""

import json
import shutil
import ssl
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.differential import normal
from tests.differential.cases import DONE, PICTURES, READ
from tests.differential.programs import commands, environment, needs_reference
from tests.scripted_provider import Request, ScriptedProvider, Turn

OPENSSL = shutil.which("openssl")
pytestmark = [
    needs_reference,
    pytest.mark.skipif(OPENSSL is None, reason="there is no openssl to make a certificate"),
]
HOSTS = (
    *("api.individual.githubcopilot.com", "api.business.githubcopilot.com"),
    *("api.github.com", "api.company.ghe.com", "copilot-api.company.ghe.com"),
    *("oauth2.googleapis.com", "*.googleapis.com", "aiplatform.eu.rep.googleapis.com"),
    *("sts.googleapis.com", "iamcredentials.googleapis.com"),
)
LATER = 4_102_444_800_000
# Each client's own: how it keeps connections, what it is called, what it can unpack.
INCIDENTAL = {
    *("connection", "accept-encoding", "accept-language", "sec-fetch-mode", "keep-alive"),
    *("content-length", "transfer-encoding", "x-goog-api-client", "date"),
}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of all the hosts, signed by itself; key and certificate in one file."""
    folder = tmp_path_factory.mktemp("certificate")
    names = ",".join(f"DNS:{host}" for host in HOSTS)
    assert OPENSSL is not None
    subprocess.run(
        [
            *(OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=pi tests", "-addext", f"subjectAltName={names}"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")),
        ],
        check=True,
        capture_output=True,
    )
    return folder


def answer(turns: list[Turn]) -> Any:
    """Tokens and lists of models by their paths; the conversation by its turns."""
    left = list(turns)

    def reply(request: Request) -> Turn:
        if request.path.endswith("/copilot_internal/v2/token"):
            token = "tid=new;exp=1;proxy-ep=proxy.business.githubcopilot.com;st=dotcom"
            return {"status": 200, "body": {"token": token, "expires_at": LATER // 1000}}
        if request.path == "/models":
            listed = [
                {"id": "gpt-5.4-nano", "model_picker_enabled": True},
                {"id": "hidden", "model_picker_enabled": False},
                {"id": "off", "model_picker_enabled": True, "policy": {"state": "disabled"}},
                {
                    "id": "mute",
                    "model_picker_enabled": True,
                    "capabilities": {"supports": {"tool_calls": False}},
                },
            ]
            return {"status": 200, "body": {"data": listed}}
        if request.path == "/token":
            return {
                "status": 200,
                "body": {"access_token": "at-1", "expires_in": 3599, "token_type": "Bearer"},
            }
        if request.method == "GET" or request.path.endswith("/policy"):
            return {"status": 200, "body": {}}
        return left.pop(0) if len(left) > 1 else left[0]

    return reply


def run(
    command: list[str],
    root: Path,
    certificate: Path,
    model: str,
    *,
    auth: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    files: Mapping[str, Any] | None = None,
    turns: list[Turn] | None = None,
    words: tuple[str, ...] = ("-p", "hi"),
) -> dict[str, Any]:
    home, project = root / "home", root / "project"
    agent = home / ".pi" / "agent"
    agent.mkdir(parents=True)
    project.mkdir()
    (project / "a.txt").write_text("hello\n")
    (project / "p.png").write_bytes(PICTURES["a.png"])
    for name, value in (files or {}).items():
        (root / name).write_text(json.dumps(value))
    if auth is not None:
        (agent / "auth.json").write_text(json.dumps(auth))
        (agent / "auth.json").chmod(0o600)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
    turns = turns or [DONE]
    with ScriptedProvider([answer(turns)], tunnel_tls=context) as server:
        variables = environment(
            home,
            HTTPS_PROXY=server.url,
            HTTP_PROXY=server.url,
            NODE_USE_ENV_PROXY="1",
            NODE_EXTRA_CA_CERTS=str(certificate / "certificate.pem"),
            **{key: value.format(root=root) for key, value in (env or {}).items()},
        )
        done = subprocess.run(
            [*command, "--model", model, *words],
            cwd=project,
            env=variables,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        sent = [
            {"path": r.headers["host"] + r.target, "headers": r.headers, "body": r.body}
            for r in server.requests
        ]
    stored = json.loads((agent / "auth.json").read_text()) if auth is not None else None
    told = [_plain(request) for request in sent]
    # The reference asks Google for a token before each request.
    told = [
        r for number, r in enumerate(told) if "/token" not in r["path"] or r not in told[:number]
    ]
    result: dict[str, Any] = json.loads(
        json.dumps({"sent": told, "stored": stored}).replace(str(root), "<root>")
    )
    return result


def _plain(request: dict[str, Any]) -> Any:
    headers = {k: v for k, v in request["headers"].items() if k not in INCIDENTAL}
    if isinstance(request["body"], dict) and request["path"].rpartition("/")[2] != "token":
        request = normal.request({**request, "headers": headers}, set())
        for limit in ("max_tokens", "max_completion_tokens", "max_output_tokens"):
            request["body"].pop(limit, None)
        return request
    body = request["body"]
    if isinstance(body, bytes):
        body = sorted(body.decode().split("&"))
    # Who asks for a token says what it is.
    headers = {
        name: value.partition(";")[0]
        for name, value in headers.items()
        if name in ("authorization", "content-type")
    }
    return {**request, "headers": headers, "body": body}


def both(root: Path, certificate: Path, model: str, **options: Any) -> None:
    seen = [
        run(command, root / str(number), certificate, model, **options)
        for number, command in enumerate(commands())
    ]
    found = [*normal.differences(*seen)]
    assert not found, "\n".join(found)
    assert seen[1]["sent"]


ACCESS = "tid=x;exp=4102444800;proxy-ep=proxy.business.githubcopilot.com;st=dotcom"
SIGNED_IN = {"type": "oauth", "refresh": "ghu", "access": ACCESS, "expires": LATER}
LOOK: Turn = {"blocks": [{"text": "Look."}, READ], "stop": "toolUse"}
MODELS = ("claude-opus-5", "gemini-3.8-flash", "gpt-5.4-nano")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("account", ["signed in", "enterprise", "token"])
def test_copilot(tmp_path: Path, certificate: Path, model: str, account: str) -> None:
    entry = {**SIGNED_IN, "access": "tid=x;exp=1", "enterpriseUrl": "company.ghe.com"}
    auth = {"github-copilot": entry if account == "enterprise" else SIGNED_IN}
    both(
        tmp_path,
        certificate,
        f"github-copilot/{model}",
        auth=None if account == "token" else auth,
        env={"COPILOT_GITHUB_TOKEN": "gho-1"} if account == "token" else None,
        turns=[LOOK, DONE],
    )


@pytest.mark.parametrize("model", MODELS)
def test_copilot_with_a_picture(tmp_path: Path, certificate: Path, model: str) -> None:
    auth = {"github-copilot": SIGNED_IN}
    words = ("--thinking", "high", "-p", "@p.png", "what is this?")
    both(tmp_path, certificate, f"github-copilot/{model}", auth=auth, words=words)


@pytest.mark.parametrize("domain", [None, "company.ghe.com"])
def test_copilot_renews(tmp_path: Path, certificate: Path, domain: str | None) -> None:
    entry = {**SIGNED_IN, "expires": 1000, **({"enterpriseUrl": domain} if domain else {})}
    both(tmp_path, certificate, "github-copilot/gpt-5.4-nano", auth={"github-copilot": entry})


PERSON = {
    "type": "authorized_user",
    "client_id": "id",
    "client_secret": "secret",
    "refresh_token": "rt",
}


@pytest.mark.parametrize("location", ["us-central1", "global", "eu"])
@pytest.mark.parametrize("quota", [None, "payer"])
def test_vertex(tmp_path: Path, certificate: Path, location: str, quota: str | None) -> None:
    both(
        tmp_path,
        certificate,
        "google-vertex/gemini-3.8-flash",
        files={"adc.json": {**PERSON, **({"quota_project_id": quota} if quota else {})}},
        env={
            "GOOGLE_CLOUD_PROJECT": "project",
            "GOOGLE_CLOUD_LOCATION": location,
            "GOOGLE_APPLICATION_CREDENTIALS": "{root}/adc.json",
        },
        turns=[LOOK, DONE],
    )


def test_vertex_by_key(tmp_path: Path, certificate: Path) -> None:
    both(
        tmp_path,
        certificate,
        "google-vertex/gemini-3.8-flash",
        env={"GOOGLE_CLOUD_API_KEY": "gk", "GOOGLE_CLOUD_PROJECT": "project"},
    )
