"""Slips of authors: each is told with the extension's name and what was wanted, and pi goes on."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from pi.auth.oauth.base import Surroundings
from pi.errors import AuthError
from pi.extensions.signing import ExtensionFlow, OAuth
from tests.e2e.conftest import Machine, ScriptedFactory
from tests.e2e.interactive.tmux import TMUX
from tests.extensions.conftest import SAYS_DONE, SOUND, Extend, calls
from tests.extensions.screens import READY, say, settled

if TYPE_CHECKING:
    from pi.auth.oauth.base import Person, Send

AT_LOADING = {
    "@pi.command\ndef deploy(args): pass": "a command comes with its name, as in @pi",
    "@pi.command('/deploy')\ndef deploy(args): pass": "'/deploy' is no name: a command is written",
    "@pi.command('de ploy')\ndef deploy(args): pass": "'de ploy' is no name",
    "@pi.command('x', complete=['a'])\ndef x(args): pass": "complete of /x is a function",
    "@pi.command('x')\ndef x(args):\n    yield 1": "the command /x yields, so nothing of it would",
    "@pi.on\ndef tool_call(event): pass": "a handler comes with its event, as in pi.on(",
    "pi.on('tool_call', 5)": "a handler of tool_call is a function, not 5",
    "@pi.on('turn_start')\ndef h(event):\n    yield 1": "a handler of turn_start yields",
    "@pi.on('turn_start')\nasync def h(event):\n    yield 1": "a handler of turn_start yields",
    "@pi.on('turn_start')\ndef h(a, b, c): pass": "h needs 3 values; it is given one, and ctx",
    "@pi.shortcut\ndef key(ctx): pass": "a shortcut comes with its name",
    "pi.flag('--dry')": "'--dry' is no name: a flag is written as in pi.flag(\"dry\")",
    "pi.flag('n', kind='int')": 'a flag is of the kind "boolean" or "string", not \'int\'',
    "@pi.message_renderer\ndef r(m, d, t): pass": "a renderer comes with its name",
    "pi.entry_renderer('x')(5)": "the renderer of x is a function, not 5",
    "pi.markdown_transformer(message_types='user')(len)": "message_types is a list of texts",
    "pi.markdown_transformer(message_types=['usr'])(len)": "'usr' is no message type; there are",
    "pi.events.on('x', 5)": "a listener of x is a function, not 5",
    "@pi.tool\ndef t():\n    yield 'a'": "the tool t yields",
    "@pi.tool(guidelines='Use t.')\ndef t(): pass": "guidelines of t is a list of texts",
    "@pi.tool(annotations=['readOnlyHint'])\ndef t(): pass": "annotations of t are a dict",
    "@pi.tool(namespace='n')\ndef t(): pass": "namespace of t is a Namespace(…), not 'n'",
    "@pi.tool(output_schema='object')\ndef t(): pass": "the output_schema of t is no JSON Schema",
    "@pi.tool(sampling='strict')\ndef t(): pass": "sampling of t is a dict, not 'strict'",
    "class T: name = 't'\npi.register_tool(T())": "T is no tool: description is a text",
    "pi.register_virtual_model('r', 'a', 5)": "the router of r/a is a function, not 5",
    "pi.register_provider('z', models=['a'])": "providers.z.models: a dict each, not 'a'",
    "pi.register_provider('z', oauth={'name': 'Z'})": "oauth is an OAuth(…), not {'name': 'Z'}",
    "pi.set_prompt_section('rules', 5)": "a section is a text or None, not 5",
    "yield": "it yields, so nothing of it runs",
}
"""By what an extension does while it is loaded: what is said of it."""


def indented(body: str) -> str:
    return "".join(f"    {line}\n" for line in body.splitlines())


def test_slips_while_loading_are_told_at_once(machine: Machine, scripted: ScriptedFactory) -> None:
    folder = machine.home / ".pi/agent/extensions"
    folder.mkdir(parents=True)
    for number, body in enumerate(AT_LOADING):
        (folder / f"slip_{number}.py").write_text(f"def extend(pi):\n{indented(body)}")
    (folder / "sound.py").write_text(SOUND)
    done = scripted([SAYS_DONE]).run("-p", "hi")
    assert (done.code, done.stdout) == (0, b"done\n")
    told = done.stderr.splitlines()
    for number, said in enumerate(AT_LOADING.values()):
        assert any(f"slip_{number}.py" in line and said in line for line in told), (said, told)
    assert any(entry.get("customType") == "sound" for entry in machine.entries())


HEAD = "from pi.extensions import *\ndef extend(pi):\n"

IN_A_RUN = {
    "@pi.on('context')\ndef h(e): return ['a']": "in context: 'a' is no message",
    "@pi.on('context')\ndef h(e): e.messages.append('x')": "'x' is no message",
    "@pi.on('context_with_system')\ndef h(e): e.messages.append('x')": "'x' is no message",
    "@pi.on('before_provider_headers')\ndef h(e): e.headers['x'] = '€'": "HTTP cannot carry",
    "@pi.on('before_provider_headers')\ndef h(e): e.headers = 5": "headers are a dict, not 5",
    "@pi.on('before_provider_request')\ndef h(e): e.payload = 'x'": "the payload is dict, not 'x'",
    "@pi.on('input')\ndef h(e): return Transform('x', images=5)": "Transform.images is a list of",
    "@pi.on('before_agent_start')\ndef h(e): return Start(message='x')": "a message is {",
    "@pi.on('before_agent_start')\ndef h(e): return Start(system_prompt=5)": "Start.system_prompt",
    "@pi.on('before_agent_start')\ndef h(e): e.system_prompt_options.prompt_guidelines = 'Hi'": (
        "system_prompt_options.prompt_guidelines is a list of texts, not 'Hi'"
    ),
    "@pi.on('tool_result')\ndef h(e): return ResultPatch(content='x')": "content is a list of",
    "@pi.on('tool_result')\ndef h(e): return ResultPatch(is_error='no')": "ResultPatch.is_error is",
    "@pi.on('agent_before_settle')\ndef h(e): return Boundary('x')": "Boundary.entries is a list",
    "@pi.on('resources_discover')\ndef h(e): return Resources(skills='x')": "Resources.skills is a",
    "@pi.on('resources_discover')\ndef h(e): return Resources(skills=[5])": "Resources.skills is a",
    "@pi.on('message_start')\ndef h(e): e.message['content'] = 5": "they were put back",
    "@pi.on('message_update')\ndef h(e): e.message['content'] = []": "they were put back",
    "@pi.on('message_end')\ndef h(e): e.message['content'] = 5": "they were put back",
    "@pi.on('message_end')\ndef h(e): e.message['x'] = {1}": "they were put back",
    "@pi.on('turn_end')\ndef h(e):\n    e.message['content'] = 5\n    e.context.clear()": "back",
    "@pi.on('turn_end')\ndef h(e, ctx): ctx.session.messages()[0].clear() or 1 / 0": "ZeroDi",
    "@pi.on('agent_settled')\ndef h(e, ctx): ctx.compact(on_error=len)": "in compact: TypeE",
    "@pi.on('turn_start')\ndef h(e): pi.set_active_tools('bash')": "set_active_tools is a list of",
    "@pi.on('turn_start')\ndef h(e): pi.set_thinking_level('huge')": "'huge' is no thinking level",
    "@pi.on('turn_start')\ndef h(e): pi.set_model('mock/m1')": "a model is what ctx.models.find(…)",
    "@pi.on('turn_start')\ndef h(e): pi.set_session_name(5)": "a session's name is a text, not 5",
    "@pi.on('turn_start')\ndef h(e): pi.append_entry(5)": "an entry comes with its name",
    "@pi.on('turn_start')\ndef h(e): pi.send_user_message(5)": "content is a list of blocks, not 5",
    "@pi.on('turn_start')\ndef h(e, ctx): ctx.ui.notify('x', 'warn')": (
        'the kind of a notice is "info" or "warning" or "error", not \'warn\''
    ),
    "@pi.on('turn_start')\ndef h(e, ctx): ctx.ui.set_widget('a', ['x'], 'below')": (
        'placement is "aboveEditor" or "belowEditor", not \'below\''
    ),
    "@pi.on('turn_start')\ndef h(e, ctx): ctx.ui.set_widget('a', 'x')": "a widget is a list",
    "@pi.on('turn_start')\nasync def h(e, ctx): await ctx.ui.select('a', [1])": "options of select",
}
"""By what an extension does in a run: what is said of it. All of them run together."""


def test_slips_in_a_run_are_told_by_name_and_pass(
    machine: Machine, scripted: ScriptedFactory
) -> None:
    folder = machine.home / ".pi/agent/extensions"
    folder.mkdir(parents=True)
    for number, body in enumerate(IN_A_RUN):
        name = f"slip_{number:02}.py"
        # A list that was changed in place is nobody's: such handlers are the only ones they hear.
        (folder / name).write_text(HEAD + indented(body))
    (folder / "sound.py").write_text(SOUND)
    turns = [calls("bash", {"command": "echo ran"}), SAYS_DONE]
    done = scripted(turns).run("-p", "hi")
    assert (done.code, done.stdout) == (0, b"done\n"), done.stderr
    told = done.stderr.splitlines()
    for number, (body, said) in enumerate(IN_A_RUN.items()):
        assert any(said in line for line in told), (body, told)
        if "append('x')" not in body and "payload" not in body and "back" not in said:
            assert any(f"slip_{number:02}.py" in line and said in line for line in told), told
    sent = str(machine.entries())
    assert "'customType': 'sound'" in sent
    assert "ran" in sent


def test_a_request_that_is_spoiled_is_sent_as_it_was(extend: Extend) -> None:
    pi = extend(
        f"{HEAD}    @pi.on('before_provider_request')\n    def h(e): e.payload['x'] = {{1}}\n"
    )
    done = pi.run("-p", "hi")
    assert (done.code, done.stdout) == (0, b"done\n")
    assert "extension_0.py, in before_provider_request: ValueError: it is no JSON" in done.stderr
    assert "x" not in pi.bodies[0]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("def p(args): raise SystemExit(3)\n@pi.tool(prepare=p)", "t failed to prepare its arg"),
        ("@pi.tool(prepare=lambda args: 1 / 0)", "t failed to prepare its arguments: ZeroDivis"),
        ("@pi.tool(prepare_loadout=lambda loadout: 5)", "fine"),
    ],
)
def test_functions_beside_a_tool_may_fail(extend: Extend, body: str, said: str) -> None:
    source = f"def extend(pi):\n{indented(body)}    def t(): return 'fine'\n"
    pi = extend(source, turns=[calls("t", {}), SAYS_DONE])
    done = pi.run("-p", "hi")
    assert (done.code, done.stdout) == (0, b"done\n"), done.stderr
    assert said in str(pi.tool_results()[0]["content"])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "async def s(m, c, o): return []",
            "stream is an async generator function, and gave a corou",
        ),
        (
            "def s(m, c, o): yield 'x'",
            "stream is an async generator function, and gave a generator",
        ),
        ("async def s(m, c, o): yield 'x'", "stream yields events, not 'x'"),
        (
            "async def s(m, c, o): yield {'type': 'done', 'reason': 'stop'}",
            "a done event needs messa",
        ),
    ],
)
def test_a_stream_that_is_none_fails_the_answer(extend: Extend, body: str, said: str) -> None:
    register = "pi.register_provider('z', api_key='k', models=[{'id': 'a'}], stream=s)"
    done = extend(f"def extend(pi):\n{indented(body)}    {register}\n", SOUND).run(
        "--provider", "z", "--model", "a", "-p", "hi"
    )
    assert done.code == 1
    assert done.stderr.startswith("the provider z failed: TypeError: " + said), done.stderr


def test_another_input_may_take_the_place_of_the_one_that_is_shown(extend: Extend) -> None:
    change = "@pi.on('tool_call')\ndef h(e): e.input = {**e.input, 'command': 'echo changed'}"
    spoil = "@pi.on('tool_call')\ndef h(e): e.input = None if 'changed' in str(e.input) else {}"
    turns = [calls("bash", {"command": "echo asked"}), SAYS_DONE]
    pi = extend(HEAD + indented(change), turns=turns)
    assert pi.run("-p", "hi").code == 0
    assert "changed" in str(pi.tool_results()[0]["content"])
    pi.machine.session().unlink()
    pi = extend(HEAD + indented(change), HEAD + indented(spoil), turns=turns)
    assert pi.run("-p", "hi").code == 0
    assert "input is a dict, not None" in str(pi.tool_results()[0]["content"])


def test_one_that_spoils_the_prompt_does_not_take_from_others(
    extend: Extend, tmp_path: Path
) -> None:
    advise = (
        "@pi.on('before_agent_start')\ndef h(e): e.system_prompt_options.sections['way'] = '{}'"
    )
    spoil = "@pi.on('before_agent_start')\ndef h(e): e.system_prompt_options.sections = None"
    first, last = advise.format("Be terse."), advise.replace("way", "end").format("Be kind.")
    pi = extend(*(HEAD + indented(each) for each in (first, spoil, last)))
    assert pi.run("-p", "hi").code == 0
    system = str(pi.bodies[0]["system"])
    assert "Be terse." in system
    assert "Be kind." in system


EXITS = """
import sys
from pi.extensions.ui import Part

class Exits(Part):
    def __init__(self, screen, theme, keys, *done):
        screen.later(0, lambda: sys.exit(5))

    def render(self, width):
        raise KeyboardInterrupt

class Leaves(Part):
    def __init__(self, screen, theme, keys, *done):
        pass

    def render(self, width):
        return ["press a key"]

    def handle(self, key):
        sys.exit(6)

def extend(pi):
    @pi.on("session_start")
    def start(event, ctx):
        ctx.ui.set_widget_component("w", Exits)
        ctx.ui.add_completion(lambda before: sys.exit(2), triggers="#")

    @pi.message_renderer("note")
    def note(message, drawing, theme):
        sys.exit(3)

    @pi.shortcut("ctrl+alt+k")
    def key(ctx):
        pi.send_message({"customType": "note", "content": "a note"})
        sys.exit(4)

    @pi.command("leave")
    async def leave(arguments, ctx):
        await ctx.ui.custom(Leaves)
"""


@pytest.mark.skipif(TMUX is None, reason="no tmux here")
def test_nothing_that_exits_on_the_screen_ends_pi(extend: Extend) -> None:
    with settled(extend(EXITS, READY)) as screen:
        screen.press("C-M-k")
        screen.wait("SystemExit: 4")
        screen.wait("a note")
        say(screen, "/leave")
        screen.wait("press a key")
        screen.type("x")
        screen.wait("SystemExit: 6")
        screen.type("#")
        screen.wait("SystemExit: 2")
        screen.press("BSpace")
        say(screen, "hi")
        screen.wait("done")


KEYS = """
def extend(pi):
    @pi.shortcut("ctrl+shift+foo")
    def none():
        pass

    @pi.shortcut("alt+ctrl+k")
    def key(ctx):
        ctx.ui.notify("key heard")
"""


@pytest.mark.skipif(TMUX is None, reason="no tmux here")
def test_keys_are_written_as_in_the_file_for_them(extend: Extend) -> None:
    with settled(extend(KEYS, READY)) as screen:
        screen.wait("key 'ctrl+shift+foo'")
        screen.press("C-M-k")
        screen.wait("key heard")


COMMANDS = """
import asyncio
def extend(pi):
    @pi.command("cancelled")
    async def cancelled(arguments, ctx):
        raise asyncio.CancelledError

    @pi.command("sideways")
    async def sideways(arguments, ctx):
        await ctx.fork(ctx.session.leaf_id, position="after")

    @pi.command("begin")
    async def begin(arguments, ctx):
        told = {"role": "user"} if arguments == "user" else {"role": "assistant", "content": []}
        await ctx.new_session(setup=lambda store: store.append_message(told))
"""


def test_a_command_that_goes_wrong_is_answered_and_leaves_the_session(extend: Extend) -> None:
    with extend(COMMANDS).rpc() as person:
        person.ask("hi")
        for command in ("/cancelled", "/sideways", "/begin user", "/begin assistant"):
            assert person.ask(command)["success"]
        assert person.ask("hi again")["success"]
        errors = [record["error"] for record in person.errors_of_extensions()]
        person.finish()
    assert errors == [
        "CancelledError",
        'ValueError: position is "before" or "at", not \'after\'',
        "ValueError: in a message of role user: content is a list of blocks, not None",
        "ValueError: an assistant message needs api, provider, model, usage, stopReason",
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "sign_in gave no tokens"),
        ({"access": "a", "expires": "soon"}, "sign_in gave expires as 'soon', no Unix ms"),
        ({"access": "a", "scopes": {"x"}}, "what sign_in gave cannot be kept: it is no JSON"),
    ],
)
def test_a_sign_in_that_gives_what_cannot_be_kept(given: Any, said: str) -> None:
    flow = ExtensionFlow("z", OAuth("Z", lambda: given, dict))
    with pytest.raises(AuthError, match=f"Z: {said}"):
        flow.sign_in(cast("Person", None), Surroundings(cast("Send", None)), "browser")
