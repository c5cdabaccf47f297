"""Scripts in the installed command: what they reach, what comes back, what is kept."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Machine
from tests.extensions.conftest import SAYS_DONE, Extend, Extended, extend, machine, scripted
from tests.extensions.test_examples_tools import declared
from tests.scripted_provider import Turn

__all__ = ["extend", "machine", "scripted"]

pytest.importorskip("_quickjs")

ON = ("--tools", "+codemode")
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SERVER = """
from pi.extensions import Namespace, ToolFailure, ToolResult

DOCS = Namespace("mcp__my-docs", ["my-docs"], "Manuals.", "Ask in English.")

def extend(pi):
    @pi.tool(name="mcp__my-docs__find", exposure="deferred", namespace=DOCS, structured=True,
             output_schema={"type": "object"}, guidelines=["Give mcp__my-docs__find one word."])
    def find(word: str) -> dict:
        '''Find a page in the manuals'''
        return {"page": word + ".html"}

    @pi.tool(exposure="codemode")
    def fails() -> str:
        '''Fails'''
        raise ToolFailure("it went wrong")

    @pi.tool(exposure="model-only")
    def asks() -> str:
        '''Only for the model'''
        return "x"

    pi.command("only")(lambda: pi.set_active_tools(["codemode"]))
"""


def scripts(*sources: str) -> list[Turn]:
    """A turn for each."""
    return [
        *(
            {
                "blocks": [{"tool": "codemode", "id": f"c{number}", "args": {"code": source}}],
                "stop": "toolUse",
            }
            for number, source in enumerate(sources)
        ),
        SAYS_DONE,
    ]


def outcomes(pi: Extended) -> list[tuple[bool, str]]:
    """For each script whether it failed, and what it put out."""
    results = [m for m in pi.tool_results() if m["toolName"] == "codemode"]
    told = []
    for result in results:
        head, *rest = result["content"]
        expected = "Script failed" if result["isError"] else "Script completed"
        assert head["text"].startswith(f"{expected}\nWall time ")
        assert head["text"].endswith(" seconds\nOutput:\n")
        told.append((result["isError"], "\n".join(block.get("text", "(image)") for block in rest)))
    return told


SCRIPTS: list[tuple[str, bool, str]] = [
    ("return 1 + 1", False, "2"),
    (
        "text('a'); text({b: 1}); console.log('x', {y: [1]}, void 0); console.log('z'); return 2",
        False,
        '==> text 1/3 <==\na\n==> text 2/3 <==\n{"b":1}\n==> text 3/3 <==\n2\n'
        '<console_output>\nx {"y":[1]} undefined\nz\n</console_output>',
    ),
    ("", True, ""),
    ("return undefined", False, ""),
    ("text('a'); exit(); text('b')", False, "a"),
    ("try { exit() } catch {} text('b')", False, ""),
    ("return 'half \\ud83d'", False, "half \ufffd"),
    (
        "text('before');\nthrow new TypeError('boom')",
        True,
        "before\nScript error:\nTypeError: boom\n    at anonymous (codemode.js:2:11)\n\n"
        "It had called no tools.",
    ),
    ("throw 'text'", True, "Script error:\nError: text\n\nIt had called no tools."),
    ("throw null", True, "Script error:\nError: null\n\nIt had called no tools."),
    (
        "return (",
        True,
        "Script error:\nSyntaxError: unexpected token in expression: '}'\n"
        "    at codemode.js:2:1\n\nIt had called no tools.",
    ),
    ("import('fs'); return [typeof require, typeof process, typeof setTimeout].join()", False,
     "undefined,undefined,undefined"),
    ("const r = await tools.bash({command: 'echo hi; exit 3'}); return [r.output, r.exit_code]",
     False, '["hi\\n",3]'),
    ("return await tools.read({path: 'a.txt'})", False, "here\n"),
    ("const i = await tools.read({path: 'a.png'}); image(i); return [i.type, i.mimeType]",
     False, ""),
    ("try { await tools.read({path: 'no'}) } catch (e) { return [e instanceof Error, e.message] }",
     False, '[true,"Cannot read no: no such file or directory (ENOENT)"]'),
    ("return await tools.write('x')", True, ""),
    ("return Object.keys(tools).includes('fails') && 'asks' in tools", False, "false"),
    ("const all = await Promise.allSettled([tools.fails({}), tools.bash({command: 'true'})]);\n"
     "return all.map(each => each.status + (each.reason?.message ?? ''))", False,
     '["rejectedit went wrong","fulfilled"]'),
    ("return await tools.mcp__my_docs__find({word: 'pi'})", False, '{"page":"pi.html"}'),
    ("return (await searchTools('manual page')).map(tool => tool.name)", False,
     '["mcp__my_docs__find"]'),
    ("return (await searchTools('fails', {namespace: 'my_docs'})).length", False, "0"),
    ("return [(await describeNamespace('my-docs')).instructions, await describeNamespace('x')]",
     False, '["Ask in English.",null]'),
    ("const d = await describeTool('mcp__my-docs__find');\n"
     "return [d.includes('one word'), d.includes('word: string'), await describeTool('no')]",
     False, "[true,true,null]"),
    ("return ALL_TOOLS.map(tool => tool.name).join()", False,
     "read,bash,edit,write,mcp__my_docs__find,fails"),
    ("store('k', {a: [1]}); store('gone', 1); return load('k')", False, '{"a":[1]}'),
    ("store('gone', undefined); return [load('k'), load('gone'), load('toString')]", False,
     '[{"a":[1]},null,null]'),
    ("store('k', 2); throw new Error('no')", True, ""),
    ("return [load('k'), load('gone')]", False, '[{"a":[1]},null]'),
    ("store('k', 'x'.repeat(262144))", True, ""),
    ("for (let n = 0; n < 5; n++) store('v' + n, 'x'.repeat(262100))", True, ""),
    ("return await new Promise(() => {})", True, ""),
    ("const it = {}; it.it = it; return it", True, ""),
    ("image('https://example.com/a.png')", True, ""),
    ("image({type: 'image', data: 'x', mimeType: 'image/tiff'})", True, ""),
    ("image('data:image/png;base64,?')", False, "[an image is left out: its data is no base64]"),
    ("// @options: {\"max_output_tokens\": 10}\ntext('s'.repeat(30) + 'e'.repeat(30))", False, ""),
    ("text('x')\n// @options: {}", True, ""),
]  # fmt: skip


def test_what_scripts_put_out(extend: Extend) -> None:

    pi = extend(SERVER, turns=scripts(*(source for source, _, _ in SCRIPTS)))
    (pi.machine.project / "a.txt").write_text("here\n")
    (pi.machine.project / "a.png").write_bytes(base64.b64decode(PIXEL))
    done = pi.json(*ON, "-p", "go")
    assert (done.code, done.stderr) == (0, "")
    results = pi.tool_results()
    assert len(results) == len(SCRIPTS)
    for (source, failed, expected), result in zip(SCRIPTS, results, strict=True):
        text = "\n".join(block.get("text", "") for block in result["content"][1:])
        assert (source, result["isError"]) == (source, failed), text
        assert not expected or (source, text) == (source, expected)
    by_source = {source: result for (source, _, _), result in zip(SCRIPTS, results, strict=True)}
    shown = next(result for source, result in by_source.items() if "a.png'}); image" in source)
    kinds = [block["type"] for block in shown["content"]]
    assert kinds == ["text", "text", "image", "text"]
    saved = Path(shown["content"][1]["text"].split(" to ")[1].split(" (")[0])
    assert saved.read_bytes() == base64.b64decode(PIXEL)
    assert saved.stat().st_mode & 0o777 == 0o600
    saved.unlink()
    cut = next(result for source, result in by_source.items() if "'s'.repeat(30)" in source)
    text = cut["content"][1]["text"]
    assert text.startswith("s" * 20 + "\n[20 characters left out]\n" + "e" * 20)
    whole = Path(cut["details"]["fullOutputPath"])
    assert str(whole) in text
    assert whole.read_text() == "s" * 30 + "e" * 30
    whole.unlink()
    kept = [e["data"] for e in pi.entries() if e.get("customType") == "codemode-store"]
    assert kept == [
        {"set": {"k": {"a": [1]}, "gone": 1}, "delete": []},
        {"set": {}, "delete": ["gone"]},
    ]


def test_calls_are_recorded_and_told(extend: Extend) -> None:
    source = "await tools.bash({command: 'echo 1'}); try { await tools.fails() } catch {}"
    source += " tools.bash({command: 'sleep 60'})"
    pi = extend(SERVER, turns=scripts(source))
    done = pi.json(*ON, "-p", "go")
    (result,) = pi.tool_results()
    assert [(c["id"], c["name"], c["status"]) for c in result["details"]["calls"]] == [
        ("c0/1", "bash", "ok"),
        ("c0/2", "fails", "error"),
        ("c0/3", "bash", "cancelled"),
    ]
    assert result["details"]["calls"][1]["error"] == "it went wrong"
    nested = [(c["name"], c["status"]) for c in result["nestedCalls"]["calls"]]
    assert nested[:2] == [("bash", "ok"), ("fails", "error")]
    told = [e for e in done.events if e["type"] == "tool_execution_end"]
    assert [e["toolName"] for e in told if e.get("parentToolCallId") == "c0"][:2] == [
        "bash",
        "fails",
    ]


def test_values_are_there_when_the_session_is_resumed(extend: Extend) -> None:
    pi = extend(turns=scripts("store('k', 'kept'); return 1"))
    pi.run(*ON, "-p", "go")
    again = extend(turns=scripts("return load('k')"))
    again.run("-c", "-p", "go on")
    assert outcomes(again)[-1] == (False, "kept")


def test_what_the_model_is_told(extend: Extend) -> None:
    pi = extend(SERVER)
    pi.run(*ON, "-p", "go")
    tools = {tool["name"]: tool["description"] for tool in pi.bodies[0]["tools"]}
    assert list(tools) == ["read", "bash", "edit", "write", "codemode", "asks"]
    assert tools["write"].endswith("In codemode: `await tools.write(args)` gives `string`.")
    assert "In codemode" not in tools["asks"]
    assert "tools.fails(" in tools["codemode"]
    assert "tools.write(" not in tools["codemode"]
    assert "mcp__my" not in tools["codemode"]
    added = pi.machine.messages()[0]["toolsAdded"]
    sampling = next(tool for tool in added if tool["name"] == "codemode")["constrainedSampling"]
    assert (sampling["type"], list(sampling["variants"])) == ("grammar", ["openai_lark"])


@pytest.mark.parametrize(
    ("budget", "listed"), [(3000, ("read", "bash", "edit", "write", "fails")), (0, ())]
)
def test_only_through_scripts(extend: Extend, budget: int, listed: tuple[str, ...]) -> None:
    pi = extend(SERVER, turns=scripts("return await tools.bash({command: 'echo 1'})"))
    settings = pi.machine.agent / "settings.json"
    settings.write_text(
        json.dumps(
            {
                "defaultTools": ["+codemode"],
                "codemode": {"mode": "only", "inlineBudget": budget},
            }
        )
    )
    pi.run("-p", "go")
    assert declared(pi) == ["codemode", "asks"]
    description = pi.bodies[0]["tools"][0]["description"]
    names = ("read", "bash", "edit", "write", "fails")
    assert tuple(n for n in names if f"tools.{n}(" in description) == listed
    assert ("searchTools()." in description) is (budget == 0)
    prompt = pi.bodies[0]["system"][0]["text"]
    assert "- codemode:" in prompt
    assert "- bash:" not in prompt
    assert not outcomes(pi)[0][0]
    added = [tool["name"] for tool in pi.machine.messages()[0]["toolsAdded"]]
    assert added == ["read", "bash", "edit", "write", "codemode", "asks"]
    kept = settings.read_text()
    again = extend(SERVER, turns=scripts("return Object.keys(tools).join()"))
    settings.write_text(kept)
    again.run("-c", "-p", "go on")
    assert outcomes(again)[-1] == (False, "read,bash,edit,write,mcp__my_docs__find,fails")
    assert declared(again) == ["codemode", "asks"]


def test_without_quickjs(extend: Extend) -> None:
    hide = "import sys\nsys.modules['_quickjs'] = None\n\ndef extend(pi):\n    pass\n"
    pi = extend(hide, turns=scripts("return 1"))
    pi.run(*ON, "-p", "go")
    (result,) = pi.tool_results()
    assert result["isError"]
    (block,) = result["content"]
    assert "needs the package quickjs-ng" in block["text"]
    assert "\n" not in block["text"]


def test_nothing_of_the_host_is_in_reach(extend: Extend) -> None:
    """Neither its environment nor the one function that leads out."""
    probe = """
const seen = [];
const names = (o) => {
  for (; o; o = Object.getPrototypeOf(o)) for (const k of Reflect.ownKeys(o)) seen.push(String(k));
};
names(globalThis); names(tools); names(console);
(function () { try { seen.push(String(arguments.callee.caller)) } catch {} })();
try { seen.push(new Error("x").stack) } catch {}
return seen.join(" ");
"""
    pi = extend(turns=scripts(probe))
    pi.run(*ON, "-p", "go")
    ((failed, text),) = outcomes(pi)
    assert not failed
    assert not {"__send", "__setup", "std", "os", "print", "Worker", "require"} & set(text.split())
    assert not any(value in text for value in os.environ.values() if len(value) > 12)


def test_it_is_off_until_asked_for(extend: Extend) -> None:
    pi = extend()
    pi.run("-p", "go")
    assert declared(pi) == ["read", "bash", "edit", "write"]


def test_an_aborted_script_is_gone_and_keeps_what_it_said(extend: Extend) -> None:
    source = "text('so far'); await tools.bash({command: 'echo $PPID > ppid'}); while (true) {}"
    pi = extend(turns=scripts(source))
    with pi.rpc(*ON) as person:
        person.begin({"type": "prompt", "message": "go"})
        person.wait(
            lambda r: r["type"] == "tool_execution_end" and r.get("parentToolCallId") == "c0"
        )
        assert person.request({"type": "abort"})["success"]
        person.finish()
    (result,) = pi.tool_results()
    assert result["isError"]
    text = result["content"][1]["text"]
    assert text.startswith("so far\nScript error:\nError: cancelled")
    assert "bash (ok)" in text


def test_a_program_has_it_with_extensions(machine: Machine) -> None:
    """`extend=load_for` brings what comes with pi along."""
    program = (
        "import asyncio, pi\n"
        "from pi.extensions import load_for\n\n"
        "async def main():\n"
        "    async with pi.new_session(model='demo/demo-1', tools=['+codemode'], extend=load_for,\n"
        "                              in_memory=True) as session:\n"
        "        print(','.join(session.tools))\n\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=machine.project,
        env=machine.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("read,bash,edit,write,codemode\n", "")
