"""Classifiers and image models: found, asked, and never offered for chat."""

import json
import math
from typing import Any

import pytest

from tests.extensions.conftest import Extend, Extended
from tests.scripted_provider import Request, Turn

ASKS = """
from pi.errors import PiError
from pi.providers.operations import Classification

QUESTIONS = {
    "mood": {"type": "choice", "instructions": "How?", "criteria": {"good": "fine", "bad": ""}},
    "hurry": {"type": "score", "instructions": "How soon?", "criteria": ["never", "soon"]},
    "done": {"type": "bool", "instructions": "Done?", "criteria": {"true": "yes", "false": "no"}},
}
PICTURE = {"type": "image", "mimeType": "image/png", "data": "AAAA"}

def extend(pi):
    async def classify_it(model, asked, options):
        return Classification(model, {"q": {"type": "bool", "probability": asked.state["x"]}})

    pi.register_provider("mine", api_key="k", operations={"mine-api": classify_it}, models=[
        {"id": "m", "type": "classifier", "api": "mine-api"}])

    @pi.command("classify")
    async def classify(name, ctx):
        provider, model_id, *images = name.split(" ")
        model = ctx.models.find_of_type("classifier", provider, model_id)
        try:
            done = await ctx.models.classify(model, {"x": 1}, QUESTIONS,
                                             images=[PICTURE] * int(images[0]) if images else ())
        except PiError as error:
            ctx.ui.notify(str(error))
        else:
            pi.append_entry("answers", [done.answers, done.usage])

    @pi.command("draw")
    async def draw(name, ctx):
        provider, _, model_id = name.partition(" ")
        model = ctx.models.find_of_type("image", provider, model_id)
        done = await ctx.models.generate_images(model, "a fox")
        pi.append_entry("drawn", [done.output, done.images, done.usage["cost"]["total"] > 0])

    @pi.command("list")
    async def listed(kind, ctx):
        pi.append_entry("list", [model.reference for model in ctx.models.available_of_type(kind)])

    @pi.command("chat")
    async def chat(args, ctx):
        model = ctx.models.find("mock/m1")
        try:
            await ctx.models.classify(model, {}, {})
        except PiError as error:
            ctx.ui.notify(str(error))
"""
GIVEN = {
    "mood": {
        "type": "choice",
        "choice": "good",
        "confidence": 0.9,
        "probabilities": {"good": 0.9, "bad": 0.1},
    },
    "hurry": {"type": "score", "score": 0.25, "confidence": 0.5},
    "done": {"type": "noul", "noul": 0.75},
}
TOLD = {**GIVEN, "done": {"type": "bool", "probability": 0.75}}
USAGE = {"input_tokens": 1000, "output_tokens": 10}


def reply(request: Request) -> Turn:
    body: Any = {"answers": GIVEN, "usage": USAGE}
    if request.path.endswith("/run"):
        body = {"success": True, "result": {"state": "Completed", "result": body}}
    elif request.path.endswith("/chat/completions"):
        images = [{"image_url": {"url": "data:image/png;base64,AAAA"}}]
        usage = {"prompt_tokens": 100, "completion_tokens": 20}
        body = {"choices": [{"message": {"content": "", "images": images}}], "usage": usage}
    return {"status": 200, "body": body}


def start(extend: Extend, answer: Any = reply) -> Extended:
    pi = extend(ASKS, turns=[answer])
    path = pi.machine.agent / "models.json"
    providers = json.loads(path.read_text())["providers"]
    at = {"baseUrl": pi.script.server.url + "/api"}
    providers |= dict.fromkeys(("typesafe", "openrouter", "cloudflare-workers-ai", "openai"), at)
    providers["lab"] = {
        "baseUrl": at["baseUrl"],
        "api": "typesafe-system-one",
        "apiKey": "lk",
        "models": [{"id": "own", "type": "classifier"}, {"id": "art", "type": "image"}],
    }
    path.write_text(json.dumps({"providers": providers}))
    pi.machine.environment |= {
        "TYPESAFE_API_KEY": "tk",
        "OPENROUTER_API_KEY": "rk",
        "CLOUDFLARE_API_KEY": "ck",
        "CLOUDFLARE_ACCOUNT_ID": "acc",
    }
    return pi


def ask(pi: Extended, *words: str) -> tuple[list[Any], list[str]]:
    with pi.rpc() as person:
        for word in words:
            person.ask(word)
        entries = person.request({"type": "get_entries"})["data"]["entries"]
        person.finish()
    assert person.errors_of_extensions() == []
    return [e["data"] for e in entries if e["type"] == "custom"], person.notices()


def test_a_classifier(extend: Extend) -> None:
    pi = start(extend)
    told, _ = ask(pi, "/classify typesafe jev-latest", "/classify openrouter typesafe/jev-1.14 2")
    assert told[0][0] == TOLD
    assert (told[0][1]["input"], told[0][1]["output"]) == (1000, 10)
    assert told[1][1]["cost"]["total"] > 0, "by the catalogue's price"
    first, second = pi.script.server.requests
    assert (first.path, first.headers["authorization"]) == ("/api/systemone", "Bearer tk")
    assert first.body["questions"]["done"]["type"] == "noul"
    assert [part["type"] for part in second.body["state"][:2]] == ["image_url"] * 2


def test_ones_of_extensions_and_of_the_person(extend: Extend) -> None:
    pi = start(extend)
    told, _ = ask(pi, "/classify mine m", "/classify lab own", "/list classifier")
    assert told[0] == [{"q": {"type": "bool", "probability": 1}}, None]
    assert pi.script.server.requests[0].headers["authorization"] == "Bearer lk"
    assert {"mine/m", "lab/own", "typesafe/jev-latest"} <= set(told[2])
    assert not any(name.startswith("openai/") for name in told[2]), "there is no key for it"


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("/classify openrouter parallel/decisions-fast:free 1", "it takes no images"),
        ("/classify cloudflare-workers-ai @cf/cloudflare/clef 5", "it takes at most 4 images"),
        ("/chat", "mock/m1 is no classifier"),
    ],
)
def test_what_is_refused_before_it_is_sent(extend: Extend, word: str, told: str) -> None:
    pi = start(extend)
    _, notices = ask(pi, word)
    assert told in notices[0]
    assert pi.bodies == []


@pytest.mark.parametrize(
    ("turn", "told"),
    [
        ({"status": 401, "body": {"error": {"message": "bad key"}}}, "bad key"),
        ({"status": 200, "body": {"answers": {}}}, "malformed answer: no choice for 'mood'"),
        ({"status": 200, "body": "<html>"}, "malformed answer: no JSON object"),
    ],
)
def test_a_classifier_that_fails(extend: Extend, turn: Turn, told: str) -> None:
    pi = start(extend, turn)
    _, notices = ask(pi, "/classify typesafe jev-latest")
    assert told in notices[0]
    assert len(pi.bodies) == 1


def test_images(extend: Extend) -> None:
    pi = start(extend)
    told, _ = ask(pi, "/draw openrouter google/gemini-2.5-flash-image", "/list image")
    picture = {"type": "image", "data": "AAAA", "mimeType": "image/png"}
    assert told[0] == [[picture], [picture], True]
    assert pi.bodies[0]["modalities"] == ["image", "text"]
    assert "openrouter/google/gemini-2.5-flash-image" in told[1]


def test_they_are_not_for_chat(extend: Extend) -> None:
    pi = start(extend)
    listed = pi.machine.run(*pi.options, "--list-models").text
    for name in ("jev", "gemini-2.5-flash-image", "own", "art"):
        assert name not in [line.split()[1] for line in listed.splitlines()]
    failed = pi.machine.run(*pi.options, "--model", "lab/own", "-p", "hi")
    assert failed.code == 1


ODDS = {
    # An option is a letter, a level its number; what is no label does not count.
    "mood": {"A": 0.6, " A": 0.1, "B": 0.1, "The": 0.2},
    "hurry": {"0": 0.25, "1": 0.75},
    "done": {"Yes": 0.45, " No": 0.05, "yes": 0.1},
}


def on_llama(request: Request) -> Turn:
    """A llama.cpp server: a chat model whose next tokens are asked for, and a decision model."""
    if request.path == "/v1/systemone":
        return reply(request)
    if request.path == "/apply-template":
        told = "".join(f"<{m['role']}>{m['content']}" for m in request.body["messages"])
        return {"status": 200, "body": {"prompt": f"{told}<assistant>"}}
    assert request.path == "/completion"
    question = request.body["prompt"].rpartition("Question: ")[2]
    name = {"How?": "mood", "How soon?": "hurry", "Done?": "done"}[question.partition("\n")[0]]
    tops = [
        {"id": at, "token": token, "logprob": math.log(share)}
        for at, (token, share) in enumerate(ODDS[name].items())
    ]
    body = {
        "content": tops[0]["token"],
        "completion_probabilities": [{**tops[0], "top_logprobs": tops}],
        "tokens_evaluated": 100,
        "tokens_predicted": 1,
    }
    return {"status": 200, "body": body}


def on_llama_cpp(extend: Extend, answer: Any = on_llama) -> Extended:
    pi = start(extend, answer)
    path = pi.machine.agent / "models.json"
    providers = json.loads(path.read_text())["providers"]
    url = pi.script.server.url
    providers["llama"] = {
        "baseUrl": url,
        "apiKey": "none",
        "models": [
            {"id": "qwen", "type": "classifier", "api": "llama-cpp-classify"},
            {
                "id": "julia-1",
                "type": "classifier",
                "api": "typesafe-system-one",
                "baseUrl": f"{url}/v1",
            },
        ],
    }
    path.write_text(json.dumps({"providers": providers}))
    return pi


def test_models_of_a_llama_cpp_server(extend: Extend) -> None:
    pi = on_llama_cpp(extend)
    told, notices = ask(pi, "/classify llama qwen", "/classify llama julia-1")
    assert notices == []
    answers, usage = told[0]
    assert answers["mood"]["choice"] == "good"
    assert answers["mood"]["probabilities"] == pytest.approx({"good": 0.875, "bad": 0.125})
    assert answers["mood"]["confidence"] == pytest.approx(0.75)
    assert answers["hurry"]["score"] == pytest.approx(0.75)
    assert answers["hurry"]["confidence"] == pytest.approx(0.5)
    assert answers["done"] == {"type": "bool", "probability": pytest.approx(0.9)}
    assert (usage["input"], usage["output"]) == (300, 3)
    assert told[1][0] == TOLD
    prompts = [r.body["prompt"] for r in pi.script.server.requests if r.path == "/completion"]
    assert all(prompt.count('{"x":1}') == 2 for prompt in prompts)
    shared = {prompt.rpartition('{"x":1}\n\nQuestion: ')[0] for prompt in prompts}
    assert len(shared) == 1, "the server evaluates that once"
    assert "A. good: fine\nB. bad\n" in prompts[0]
    templates = [r.body for r in pi.script.server.requests if r.path == "/apply-template"]
    assert all(each["chat_template_kwargs"] == {"enable_thinking": False} for each in templates)


@pytest.mark.parametrize(
    ("tops", "told"),
    [
        ([{"token": "The", "logprob": -0.1}], "no label of 'mood' among the likely tokens"),
        (None, "no odds for 'mood'"),
        ([{"token": "A"}], "no odds for 'mood'"),
    ],
)
def test_a_llama_cpp_server_that_does_not_say(extend: Extend, tops: Any, told: str) -> None:
    def answer(request: Request) -> Turn:
        if request.path != "/completion":
            return on_llama(request)
        return {"status": 200, "body": {"completion_probabilities": [{"top_logprobs": tops}]}}

    _, notices = ask(on_llama_cpp(extend, answer), "/classify llama qwen")
    assert told in notices[0]


def test_what_a_llama_cpp_server_is_not_asked(extend: Extend) -> None:
    pi = on_llama_cpp(extend)
    _, notices = ask(pi, "/classify llama qwen 1")
    assert notices == ["llama/qwen: it takes no images"] and pi.bodies == []
