"""Classifiers and image models, asked by the same extension in each program's language."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.differential import normal
from tests.differential.programs import environment, furnish, needs_reference, twins
from tests.rpc_client import RpcClient
from tests.scripted_provider import Request, ScriptedProvider, Turn

pytestmark = [
    needs_reference,
    pytest.mark.usefixtures("typescript"),
]
OPERATIONS = Path(__file__).with_name("extensions") / "operations"
USAGE = {"input_tokens": 1000, "output_tokens": 10}
ANSWERS = {
    "mood": {
        "type": "choice",
        "choice": "good",
        "confidence": 0.9,
        "probabilities": {"good": 0.9, "bad": 0.1},
    },
    "hurry": {"type": "score", "score": 0.25, "confidence": 0.5},
    "done": {"type": "noul", "noul": 0.75},
}
DECIDED = [
    {
        "type": "choice",
        "name": "mood",
        "choice": "good",
        "confidence": 0.9,
        "probabilities": [{"value": "good", "probability": 0.9}],
    },
    {"type": "score", "name": "hurry", "score": 0.25, "confidence": 0.5},
    {"type": "predicate", "name": "done", "probability": 0.75},
]
DRAWN = {
    "id": "gen-1",
    "choices": [
        {
            "message": {
                "content": "Here.",
                "images": [
                    {"image_url": {"url": "data:image/png;base64,AAAA"}},
                    {"image_url": "data:image/webp;base64,BBBB"},
                    {"image_url": {"url": "https://elsewhere"}},
                ],
            }
        }
    ],
    "usage": {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 30},
    },
}
ODD = {"answers": {**ANSWERS, "done": {"type": "noul"}}, "usage": USAGE}
# Each client's own.
INCIDENTAL = {
    *("connection", "accept-encoding", "accept-language", "sec-fetch-mode", "content-length"),
    *("host", "accept"),
}


def reply(request: Request) -> Turn:
    body: Any = {"answers": ANSWERS, "usage": USAGE}
    if request.path.endswith("/run"):
        whole = {"state": "Completed", "result": body}
        direct = request.body["model"].startswith("@cf/")
        body = {"success": True, "result": body if direct else whole}
    elif request.path.endswith("/decisions"):
        body = {"answers": DECIDED, "usage": USAGE}
    elif request.path.endswith("/chat/completions"):
        body = DRAWN
    return {"status": 200, "body": body}


def failing(status: int) -> Any:
    return lambda request: {"status": status, "body": {"error": {"message": "no"}}}


def odd(request: Request) -> Turn:
    return {"status": 200, "body": ODD}


def side(command: list[str], suffix: str, root: Path, words: list[str], answer: Any) -> Any:
    with ScriptedProvider([answer]) as server:
        at = {"baseUrl": server.url + "/api"}
        names = ("typesafe", "openrouter", "cloudflare-workers-ai", "openai", "opencode")
        providers = dict.fromkeys((*names, "github-copilot", "vercel-ai-gateway"), at)
        furnish(root / "home", providers, {"retry": {"provider": {"maxRetries": 0}}})
        env = environment(
            root / "home",
            TYPESAFE_API_KEY="tk",
            OPENROUTER_API_KEY="rk",
            OPENAI_API_KEY="ok",
            CLOUDFLARE_API_KEY="ck",
            CLOUDFLARE_ACCOUNT_ID="acc",
            COPILOT_GITHUB_TOKEN="gt",
            OPENCODE_API_KEY="zk",
            AI_GATEWAY_API_KEY="vk",
        )
        started = [*command, "-e", str(OPERATIONS.with_suffix(suffix)), "--mode", "rpc"]
        with RpcClient(started, cwd=root, env=env) as client:
            for word in words:
                client.request({"type": "prompt", "message": word})
            entries = client.request({"type": "get_entries"})["data"]["entries"]
            assert client.finish() == 0
        sent = [
            {
                "path": r.path,
                "body": r.body,
                "headers": {
                    name: "<agent>" if value.startswith(("pi", "node", "OpenAI")) else value
                    for name, value in r.headers.items()
                    if name not in INCIDENTAL and not name.startswith("x-stainless")
                },
            }
            for r in server.requests
        ]
    told = [entry["data"] for entry in entries if entry.get("customType") == "told"]
    return json.loads(json.dumps({"sent": sent, "told": told}))


def sides(root: Path, words: list[str], answer: Any = reply) -> list[Any]:
    return [side(*twin, root / twin[1][1:], words, answer) for twin in twins()]


def both(root: Path, words: list[str]) -> Any:
    theirs, ours = sides(root, words)
    found = [*normal.differences(theirs, ours)]
    assert not found, "\n".join(found)
    return ours


CLASSIFIERS = [
    "typesafe jev-latest",
    "openrouter typesafe/jev-1.14",
    "cloudflare-workers-ai typesafe/jev",
    "cloudflare-workers-ai @cf/cloudflare/clef",
    "openai gpt-6-luna",
    "github-copilot microsoft-decision-1",
    "opencode jev-1.13",
    "vercel-ai-gateway typesafe-ai/jev",
]


@pytest.mark.parametrize("model", CLASSIFIERS)
def test_classifiers(tmp_path: Path, model: str) -> None:
    seen = both(tmp_path, [f"/classify {model}", f"/classify {model} image"])
    assert seen["told"][0]["answers"]["done"] == {"type": "bool", "probability": 0.75}


@pytest.mark.parametrize("answer", [failing(401), failing(500), odd], ids=["401", "500", "odd"])
def test_classifiers_that_fail(tmp_path: Path, answer: Any) -> None:
    words = ["/classify typesafe jev-latest", "/draw openrouter google/gemini-2.5-flash-image"]
    theirs, ours = sides(tmp_path, words, answer)
    assert [t["failed"] for t in theirs["told"]] == [t["failed"] for t in ours["told"]]
    assert [r["path"] for r in theirs["sent"]] == [r["path"] for r in ours["sent"]]


def test_images(tmp_path: Path) -> None:
    models = ("google/gemini-2.5-flash-image", "black-forest-labs/flux.2-pro")
    both(tmp_path, [f"/draw openrouter {model}" for model in models])


def test_models_of_an_extension(tmp_path: Path) -> None:
    words = ["/classify media c", "/draw media i"]
    seen = both(tmp_path, words)
    assert seen["told"][1]["output"] == [{"type": "text", "text": "a fox http://media mk"}]


@pytest.mark.parametrize("kind", ["classifier", "image"])
def test_lists(tmp_path: Path, kind: str) -> None:
    both(tmp_path, [f"/list {kind}"])
