"""The same scripts through both programs: what `models` gives them, sends, and costs.

The reference needs its package quickjs-wasi for this; without it these tests are skipped.
"""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.builtin.codemode.test_codemode import PIXEL
from tests.differential import normal
from tests.differential.programs import commands, environment, furnish, mock, needs_reference
from tests.differential.test_operations_reference import failing, reply
from tests.scripted_provider import Request, ScriptedProvider, Turn

pytest.importorskip("_quickjs")

pytestmark = needs_reference
QUESTIONS = """
const q = {
  mood: {type: "choice", instructions: "How?", criteria: {good: "fine", bad: ""}},
  hurry: {type: "score", instructions: "How soon?", criteria: ["never", "soon"]},
  done: {type: "bool", instructions: "Done?", criteria: {true: "yes", false: ""}},
};
const jev = {provider: "typesafe", id: "jev-latest", baseUrl: "http://evil"};
const fox = {input: [{type: "text", text: "a fox"}]};
const painter = {provider: "openrouter", id: "google/gemini-2.5-flash-image"};
const ask = (model, state, more = {}) => models.classify(model, {state, questions: q, ...more});
const told = (result) => {
  const {timestamp, errorMessage, ...rest} = result;
  return {...rest, said: typeof errorMessage, when: typeof timestamp};
};
"""
SCRIPTS = [
    "return Object.keys(models)",
    "return (await models.getModelsOfType('classifier', 'typesafe'))",
    "return (await models.getModelsOfType('classifier')).map(m => m.provider + '/' + m.id).sort()",
    "return (await models.getModelsOfType('image', 'openrouter'))"
    ".sort((a, b) => a.id < b.id ? -1 : 1).slice(0, 5)",
    "return (await models.getAvailableOfType('classifier')).map(m => m.id).sort()",
    "return [await models.getModelOfType('image', 'typesafe', 'jev-latest')]",
    "return told(await ask(jev, {x: 1, t: 'hé', deep: [[{}]], n: null, big: 2 ** 70}))",
    "return told(await ask({provider: 'openai', id: 'gpt-6-luna'}, {x: 1}))",
    "return told(await ask(jev, {}, {images: [await tools.read({path: 'a.png'})]}))",
    "const gif = {type: 'image', data: 'AA', mimeType: 'image/gif'};\n"
    "return told(await ask(jev, {}, {images: [gif]}))",
    "return told(await models.classify(jev, {state: {}, questions: {other: q.done}}))",
    "return told(await models.classify({provider: 'vercel-ai-gateway', id: 'typesafe-ai/jev'},\n"
    "  {state: {}, questions: q}))",
    "const r = await models.generateImages(painter, fox); return told(r)",
    "await Promise.all([1, 2, 3].map(n => ask(jev, {n})));\n"
    "await models.generateImages(painter, fox)",
    *(
        f"try {{ await models.{call} }} catch (e) {{ return e instanceof Error }}"
        for call in (
            "getModelsOfType('x')",
            "getModelsOfType('chat', 1)",
            "getModelOfType('chat', 'mock/m1')",
            "classify()",
            "classify(null, {})",
            "classify('typesafe/jev-latest', {})",
            "classify(jev)",
            "classify(painter, {state: {}, questions: q})",
            "classify(jev, {state: [], questions: q})",
            "classify(jev, {state: {}, questions: {}})",
            "classify(jev, {state: {}, questions: q, images: {}})",
            "classify(jev, {state: {}, questions: {a: {...q.done, type: 'x'}}})",
            "classify(jev, {state: {}, questions: {a: {...q.mood, criteria: {}}}})",
            "classify(jev, {state: {n: 1n}, questions: q})",
            "generateImages(painter, {prompt: 'x'})",
            "generateImages(painter, {input: []})",
            "generateImages(painter, {input: ['x']})",
        )
    ),
]


def side(command: list[str], root: Path, answer: Any) -> Any:
    home, project = root / "home", root / "project"
    project.mkdir(parents=True)
    (project / "a.png").write_bytes(base64.b64decode(PIXEL))
    turns: list[Turn] = [
        {
            "blocks": [{"tool": "codemode", "id": f"c{n}", "args": {"code": QUESTIONS + script}}],
            "stop": "toolUse",
        }
        for n, script in enumerate(SCRIPTS)
    ]
    asked = iter([*turns, {"blocks": [{"text": "done"}]}])

    def play(request: Request) -> Turn:
        turn: Turn = next(asked) if request.path.endswith("/messages") else answer(request)
        return turn

    with ScriptedProvider([play]) as server:
        at = {"baseUrl": server.url + "/api"}
        names = ("typesafe", "openrouter", "openai", "vercel-ai-gateway")
        model = {"id": "m1", "input": ["text", "image"]}
        providers = {**dict.fromkeys(names, at), **mock(server, model)}
        agent = furnish(home, providers, {"retry": {"provider": {"maxRetries": 0}}})
        env = environment(home, TYPESAFE_API_KEY="tk", OPENROUTER_API_KEY="rk", OPENAI_API_KEY="ok")
        words = ("--provider", "mock", "--model", "m1", "--tools", "+codemode", "-p", "go")
        subprocess.run(
            [*command, *words], cwd=project, env=env, check=True, stdin=subprocess.DEVNULL
        )
        sent = [{"path": r.path, "body": r.body} for r in server.requests]
        address = server.url
    (file,) = (agent / "sessions").rglob("*.jsonl")
    entries = [json.loads(line) for line in file.read_text().splitlines()]
    results = [e["message"] for e in entries if e.get("message", {}).get("role") == "toolResult"]
    if any("quickjs-wasi" in json.dumps(result["content"]) for result in results):
        pytest.skip("this copy of the reference runs no scripts")
    told = [
        {
            "script": script,
            "error": result["isError"],
            "said": said(result),
            "usage": result.get("usage"),
            "nested": [c["name"] for c in result.get("nestedCalls", {}).get("calls", ())],
            "calls": [
                {
                    key: type(value).__name__ if key == "error" else value
                    for key, value in call.items()
                    if key != "durationMs" and (call["name"], key) != ("read", "args")
                }
                for call in result["details"]["calls"]
            ],
        }
        for script, result in zip(SCRIPTS, results, strict=True)
    ]
    # Some are sent at once: which of those comes first is chance.
    aside = sorted((r for r in sent if not r["path"].endswith("/messages")), key=json.dumps)
    seen = {"told": told, "sent": aside}
    return json.loads(json.dumps(seen).replace(address, "<url>"))


def said(result: Any) -> Any:
    """What a script returned; words of each program's own are cut off."""
    text = result["content"][1]["text"] if len(result["content"]) > 1 else ""
    try:
        return json.JSONDecoder().raw_decode(text)[0]
    except ValueError:
        return None


@pytest.mark.parametrize("answer", [reply, failing(401)], ids=["answers", "refuses"])
def test_models_in_scripts(tmp_path: Path, answer: Any) -> None:
    theirs, ours = (side(c, tmp_path / str(n), answer) for n, c in enumerate(commands()))
    found = [*normal.differences(theirs, ours)]
    assert not found, "\n".join(found)
