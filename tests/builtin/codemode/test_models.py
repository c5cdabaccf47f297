"""`models` in scripts: classifiers and image models, against an extension's provider."""

import base64
import json
from pathlib import Path

import pytest

from tests.builtin.codemode.test_codemode import ON, PIXEL, outcomes, scripts
from tests.extensions.conftest import Extend, extend, machine, scripted

__all__ = ["extend", "machine", "scripted"]

pytest.importorskip("_quickjs")

# A classifier whose answer tells what it was asked, and one that counts how many ask at once.
PROVIDER = """
import asyncio

from pi.errors import ProviderError
from pi.providers.operations import Classification, Drawn

PIXEL = "<pixel>"
USAGE = {"input": 7, "output": 1, "cacheRead": 0, "cacheWrite": 0, "totalTokens": 8,
         "cost": {"input": 0.5, "output": 0, "cacheRead": 0, "cacheWrite": 0, "total": 0.5}}
STATE = {"now": 0, "most": 0, "all": 0}
HANGS = asyncio.Event()


def extend(pi):
    async def classify(model, asked, options):
        STATE["all"] += 1
        STATE["now"] += 1
        STATE["most"] = max(STATE["most"], STATE["now"])
        try:
            if asked.state.get("hang"):
                pi.append_entry("hangs", None)
                HANGS.set()
                await asyncio.sleep(600)
            while asked.state.get("wait") and STATE["now"] < 4 and STATE["all"] < 8:
                await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            pi.append_entry("ended", None)
            raise
        finally:
            STATE["now"] -= 1
        if asked.state.get("fail"):
            error = ProviderError("it is down")
            error.usage = USAGE
            raise error
        if asked.state.get("crash"):
            raise KeyError("oops")
        told = {"type": "choice", "choice": repr((dict(asked.state), model.base_url,
                options.api_key, [sorted(image) for image in asked.images], len(str(asked.state)))),
                "probabilities": {}, "confidence": STATE["most"]}
        return Classification(model, {name: told for name in asked.questions}, USAGE)

    @pi.tool(exposure="codemode")
    async def until_it_hangs() -> str:
        '''Wait'''
        await HANGS.wait()
        return ""

    async def draw(model, asked, options):
        told = {"type": "text", "text": repr(asked.input)}
        image = {"type": "image", "data": PIXEL, "mimeType": "image/png"}
        return Drawn(model, [told, image], USAGE, "r1")

    at = {"baseUrl": "http://media"}
    pi.register_provider("media", api_key="mk", models=[
        {**at, "type": "image", "id": "i", "api": "media-images", "headers": {"x-secret": "s"}},
        {**at, "type": "classifier", "id": "c", "api": "media-classifier"},
    ], operations={"media-images": draw, "media-classifier": classify})
    pi.register_provider("wired", api_key="k", models=[
        {"baseUrl": "http://127.0.0.1:9", "type": "classifier", "id": "w",
         "api": "typesafe-system-one"},
    ])
    pi.register_provider("keyless", models=[
        {**at, "type": "classifier", "id": "k", "api": "media-classifier"},
    ], operations={"media-classifier": classify})
""".replace("<pixel>", PIXEL)

ASK = """
const q = {a: {type: "bool", instructions: "?", criteria: {true: "y", false: "n"}}};
const c = {provider: "media", id: "c", baseUrl: "http://evil", headers: {a: "b"}};
const ask = (state, more = {}) => models.classify(c, {state, questions: q, ...more});
"""
ERROR = "catch (e) { return [e instanceof Error, e.message.split(';')[0]] }"

CASES: list[tuple[str, str]] = [
    ("return (await models.getModelsOfType('classifier', 'media')).map(m => [m.type, m.id])",
     '[["classifier","c"]]'),
    ("return (await models.getAvailableOfType('classifier')).map(m => m.provider).join()",
     "media,wired"),
    ("return Object.keys((await models.getModelOfType('image', 'media', 'i'))).sort().join()",
     "api,baseUrl,cost,id,input,name,output,provider,type"),
    ("return [await models.getModelOfType('image', 'media', 'c')]", "[null]"),
    ("return typeof (await models.getModelOfType('chat', 'mock', 'no'))", "undefined"),
    ("return (await models.getModelOfType('chat', 'mock', 'm1')).id", "m1"),
    (f"try {{ return await models.getModelsOfType('x') }} {ERROR}",
     '[true,"models.getModelsOfType: the type is \\"x\\""]'),
    (f"try {{ return await models.getModelOfType('chat', 'mock/m1') }} {ERROR}",
     '[true,"models.getModelOfType(type, provider, id): provider and id must be strings, '
     'each by itself"]'),
    # Only provider and id of what is given count.
    (f"{ASK} const r = await ask({{x: 1}}); return [r.stopReason, r.model, r.answers.a.choice]",
     """["stop","c","({'x': 1}, 'http://media', 'mk', [], 8)"]"""),
    # An image of `read`, as it is.
    (f"{ASK} const i = await tools.read({{path: 'a.png'}});\n"
     "return (await ask({}, {images: [i]})).answers.a.choice",
     "({}, 'http://media', 'mk', [['data', 'mimeType', 'type']], 2)"),
    # What goes wrong at the provider is a result.
    (f"{ASK} const r = await ask({{fail: 1}});\n"
     "return [r.stopReason, r.errorMessage, r.answers, r.usage.input]",
     '["error","it is down",{},7]'),
    (f"{ASK} const r = await ask({{crash: 1}}); return [r.stopReason, r.errorMessage]",
     '["error","\'oops\'"]'),
    (f"{ASK} const r = await models.classify({{provider: 'keyless', id: 'k'}},\n"
     "{state: {}, questions: q}); return [r.stopReason, r.errorMessage]",
     '["error","no API key for provider \\"keyless\\""]'),
    # What goes wrong in the script is an exception.
    *((f"{ASK} try {{ return await models.classify({given}) }} {ERROR}", f'[true,"{told}"]')
      for given, told in (
          ("", "models.classify: the model is undefined or null, which is what getModelOfType "
               "gives for unknown ones"),
          ("[]", "models.classify: the model is a list"),
          ("{id: 'c'}", "models.classify: a model has a provider and an id"),
          ("{provider: 'media', id: 'x'}", "models.classify: there is no classifier model media/x"),
          ("{provider: 'media', id: 'i'}",
           "models.classify: media/i is a model of the type image, not classifier"),
          ("c", "models.classify: the second argument is undefined or null, no object"),
          ("c, {state: [], questions: q}", "models.classify: context.state is a list, no object"),
          ("c, {state: {}}",
           "models.classify: context.questions is undefined or null, no questions by ID"),
          ("c, {state: {}, questions: q, images: [1]}",
           "models.classify: context.images must be a list of image blocks"),
          ("c, {state: {}, questions: {a: 1}}",
           "models.classify: the question 'a' is a number, no object"),
          ("c, {state: {}, questions: {a: {type: 'bool'}}}",
           "models.classify: the question 'a' has no instructions"),
          ("c, {state: {}, questions: {a: {...q.a, type: 'score'}}}",
           "models.classify: the question 'a' has no type, or not the criteria that its type has"),
      )),
    (f"{ASK} try {{ return await ask({{n: 10n}}) }} {ERROR}",
     '[true,"BigInt are forbidden in JSON.stringify"]'),
    (f"{ASK} const s = {{}}; s.s = s; try {{ return await ask(s) }} {ERROR}",
     '[true,"circular reference"]'),
    ("const i = {provider: 'media', id: 'i'};\n"
     f"try {{ return await models.generateImages(i, {{prompt: 'x'}}) }} {ERROR}",
     '[true,"models.generateImages: context.input is undefined or null, no blocks"]'),
    # A million characters, odd numbers, half characters, names with a meaning to JavaScript.
    (f"{ASK} const r = await ask({{x: 'x'.repeat(1e6)}});\n"
     "return r.answers.a.choice.endsWith(' 1000009)')",
     "true"),
    (f"{ASK} const s = JSON.parse('{{\"__proto__\": {{\"toJSON\": 1}}, \"n\": 1e400}}');\n"
     "s.m = NaN; s.u = undefined; s.b = 2 ** 80; s.h = '\\ud83d';\n"
     "return (await ask(s)).answers.a.choice.split(', \\'http')[0]",
     "({'__proto__': {'toJSON': 1}, 'n': None, 'm': None, 'b': 1.2089258196146292e+24, "
     "'h': '\\ud83d'}"),
    (f"{ASK} const own = {{['__proto__']: q.a, constructor: q.a}};\n"
     "const r = await models.classify(c, {state: {}, questions: own});\n"
     "return Object.keys(r.answers).join()", "__proto__,constructor"),
    (f"{ASK} let deep = {{}}; for (let n = 0; n < 900; n++) deep = {{deep}};\n"
     "const wired = {provider: 'wired', id: 'w'};\n"
     "const r = await models.classify(wired, {state: deep, questions: q}); return r.errorMessage",
     "what is asked is nested too deep"),
    # What a script changes is its own affair.
    (f"{ASK} Object.prototype.provider = 'evil'; Array.prototype.then = 1;\n"
     "Promise.prototype.then = 1; Map.prototype.get = 1; JSON.stringify = 1;\n"
     "Function.prototype.call = 1; globalThis.Promise = 1;\n"
     "const r = await ask({}); text(r.stopReason)", "stop"),
    ("try { 'use strict'; models.classify = 1 } catch {} models = 1;\n"
     "return typeof models.classify", "function"),
]  # fmt: skip


def test_what_models_give_scripts(extend: Extend) -> None:
    pi = extend(PROVIDER, turns=scripts(*(source for source, _ in CASES)))
    (pi.machine.project / "a.png").write_bytes(base64.b64decode(PIXEL))
    done = pi.json(*ON, "-p", "go")
    assert (done.code, done.stderr) == (0, "")
    told = outcomes(pi)
    assert len(told) == len(CASES)
    for (source, expected), (_, text) in zip(CASES, told, strict=True):
        assert (source, text) == (source, expected)


def test_calls_are_listed_and_counted(extend: Extend) -> None:
    source = f"{ASK} await ask({{x: 'no prompt'}}); await ask({{fail: 1}});\n" + (
        "const r = await models.generateImages({provider: 'media', id: 'i'},\n"
        "{input: [{type: 'text', text: 'a fox'}]}); return r.responseId + r.output[0].text"
    )
    pi = extend(PROVIDER, turns=scripts(source))
    pi.run(*ON, "-p", "go")
    (result,) = pi.tool_results()
    listed = result["details"]["calls"]
    assert [(c["id"], c["args"], c["status"], c["cost"]) for c in listed] == [
        ("c0/models.classify/1", "media/c", "ok", 0.5),
        ("c0/models.classify/2", "media/c", "error", 0.5),
        ("c0/models.generateImages/3", "media/i", "ok", 0.5),
    ]
    assert listed[1]["error"] == "it is down"
    assert "no prompt" not in json.dumps(result["details"])
    assert result["usage"]["input"] == 21
    assert result["usage"]["cost"]["total"] == 1.5
    assert result["usage"]["cost"]["totalFromProvider"] is False
    assert "nestedCalls" not in result
    text = result["content"][1]["text"]
    assert text.startswith("r1[{'type': 'text', 'text': 'a fox'}]")
    assert "[Images generated, but not put out: 1;" in text


def test_images_are_shown_and_saved(extend: Extend) -> None:
    source = (
        "const r = await models.generateImages({provider: 'media', id: 'i'},\n"
        "{input: [{type: 'text', text: 'x'}]}); image(r.output[1]);\n"
        "image({type: 'image', data: 'AAAA', mimeType: 'image/png'})"
    )
    pi = extend(PROVIDER, turns=scripts(source))
    pi.run(*ON, "-p", "go")
    (result,) = pi.tool_results()
    _, note, image, left_out = result["content"]
    saved = Path(note["text"].split(" to ")[1].split(" (")[0])
    assert saved.read_bytes() == base64.b64decode(PIXEL)
    saved.unlink()
    assert image == {"type": "image", "data": PIXEL, "mimeType": "image/png"}
    assert "no PNG, JPEG, GIF or WebP" in left_out["text"]


def test_four_at_once(extend: Extend) -> None:
    """All four places are taken, whatever the machine's speed, and never a fifth."""
    source = f"{ASK} const all = await Promise.all(Array(9).fill({{wait: 1}}).map(s => ask(s)));\n"
    source += "return all.map(r => r.answers.a.confidence).at(-1)"
    pi = extend(PROVIDER, turns=scripts(source))
    pi.run(*ON, "-p", "go")
    assert outcomes(pi) == [(False, "4")]


@pytest.mark.parametrize("ending", ["abort", "timeout", "unawaited"])
def test_calls_end_with_the_script(extend: Extend, ending: str) -> None:
    source = f"{ASK} await ask({{}});"
    if ending == "unawaited":
        source += " ask({hang: 1}); await tools.until_it_hangs({})"
    else:
        source += " await ask({hang: 1})"
    if ending == "timeout":
        source = '// @options: {"timeout_ms": 3000}\n' + source
    pi = extend(PROVIDER, turns=scripts(source))
    with pi.rpc(*ON) as person:
        person.begin({"type": "prompt", "message": "go"})
        if ending == "abort":
            person.wait(lambda r: r.get("entry", {}).get("customType") == "hangs")
            assert person.request({"type": "abort"})["success"]
        person.until("agent_settled")
        person.finish()
    (result,) = pi.tool_results()
    calls = [c for c in result["details"]["calls"] if c["name"] == "models.classify"]
    assert [c["status"] for c in calls] == ["ok", "cancelled"]
    assert result["usage"]["input"] == 7
    assert any(entry.get("customType") == "ended" for entry in pi.entries())
