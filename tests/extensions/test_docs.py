"""Every sample about extensions in docs/ runs as it stands, and does what its page says."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.interactive.tmux import TMUX, Screen
from tests.extensions.conftest import SAYS_DONE, Extend, Extended, calls
from tests.extensions.screens import READY, say, settled
from tests.extensions.test_examples_tools import declared, text_of
from tests.scripted_provider import Request, Turn

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("extensions.md", "custom-providers.md", "virtual-models.md")
pytestmark = pytest.mark.skipif(not DOCS.exists(), reason="an installed package has no docs")
posix = pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")


def samples() -> dict[str, str]:
    """By the page and the number of the sample there."""
    found = {}
    for page in PAGES:
        parts = (DOCS / page).read_text().split("```python\n")[1:] if DOCS.exists() else []
        for number, part in enumerate(parts):
            found[f"{page.removesuffix('.md')} {number}"] = part.partition("```")[0]
    return found


def sample(word: str) -> str:
    """The only one with this word in it."""
    (found,) = [text for text in samples().values() if word in text]
    return found


RUNS: dict[str, Callable[[Extend], None]] = {}
"""By a word that only this sample has: what it does."""


def runs(word: str) -> Callable[[Callable[[Extend], None]], Callable[[Extend], None]]:
    def keep(function: Callable[[Extend], None]) -> Callable[[Extend], None]:
        RUNS[word] = function
        return function

    return keep


def test_every_sample_is_run() -> None:
    assert set(SEEN) == set(SHOWN)
    words = [*RUNS, *SHOWN]
    for name, text in samples().items():
        assert [word for word in words if word in text], f"{name} is run by no test:\n{text}"
        assert "def extend(pi: Pi)" in text, f"{name} is no whole extension"
    assert len([sample(word) for word in words]) == len(samples())


@pytest.mark.parametrize("word", RUNS)
def test_sample(extend: Extend, word: str) -> None:
    RUNS[word](extend)


@runs("def no_sudo")
def _(extend: Extend) -> None:
    turns = [calls("roll", {"sides": 1}), calls("bash", {"command": "sudo true"}), SAYS_DONE]
    pi = extend(sample("def no_sudo"), turns=turns)
    done = pi.run("-p", "roll")
    assert (done.code, done.stderr) == (0, "")
    assert [text_of(result) for result in pi.tool_results()] == ["1", "No sudo here"]


@runs("def gate")
@posix
def _(extend: Extend) -> None:
    turns = [calls("bash", {"command": "rm -rf nothing && echo gone"}), SAYS_DONE]
    pi = extend(sample("def gate"), turns=[*turns, *turns])
    pi.run("-p", "clean up")
    assert text_of(pi.tool_results()[0]) == "This was not allowed"
    pi.machine.session().unlink()
    with pi.rpc(confirm=True) as person:
        person.ask("clean up")
        person.finish()
    assert text_of(pi.tool_results()[0]) == "gone\n"


@runs("Read your changes once more")
def _(extend: Extend) -> None:
    pi = extend(sample("Read your changes once more"))
    with pi.rpc() as person:
        person.ask("one")
        person.ask("two")
        person.finish()
    asked = [text_of(body["messages"][-1]) for body in pi.bodies]
    review = "Read your changes once more before you say that you are done."
    assert asked == ["one", review, "two", review]


@runs("Deploy with make release")
def _(extend: Extend) -> None:
    pi = extend(sample("Deploy with make release"))
    assert pi.run("-p", "hi").code == 0
    system = json.dumps(pi.bodies[0]["system"])
    assert "Use uv, not pip." in system
    assert "<deploy>\\nDeploy with make release.\\n</deploy>" in system
    assert "bash" not in declared(pi)


@runs("def handoff")
def _(extend: Extend) -> None:
    said: Turn = {"blocks": [{"text": "We built a boat."}]}
    pi = extend(sample("def handoff"), turns=[SAYS_DONE, said, SAYS_DONE])
    with pi.rpc() as person:
        person.ask("build a boat")
        person.ask("/handoff paint it")
        person.until("agent_settled")
        person.finish()
    assert person.errors_of_extensions() == []
    assert "Sum this up." in json.dumps(pi.bodies[1]["system"])
    (message,) = pi.bodies[2]["messages"]
    assert text_of(message) == "We built a boat.\n\nNow: paint it"
    assert len(pi.machine.sessions()) == 2


@runs("def weather")
def _(extend: Extend) -> None:
    turns = [calls("weather", {"city": "Lima", "days": "2"}), calls("weather", {"city": "Rome"})]
    late = calls("weather", {"city": "Oslo", "days": 9})
    pi = extend(sample("def weather"), turns=[*turns, late, SAYS_DONE])
    done = pi.json("-p", "go")
    first, second, third = pi.tool_results()
    assert text_of(first) == "Lima: sunny, for 2 days"
    assert (first["details"]["asked"], second["details"]["asked"]) == (1, 2)
    assert (third["isError"], text_of(third)) == (True, "The forecast has 1 to 7 days.")
    updates = [e for e in done.events if e["type"] == "tool_execution_update"]
    assert text_of(updates[0]["partialResult"]) == "asking about Lima…"
    tool = next(t for t in pi.bodies[0]["tools"] if t["name"] == "weather")
    assert tool["input_schema"]["properties"]["days"]["description"] == "1 to 7"


@runs('name="bash"')
@posix
def _(extend: Extend) -> None:
    commands = [calls("bash", {"command": f"echo {what}"}) for what in ("CI is $CI", "$NOWHERE")]
    pi = extend(sample('name="bash"'), turns=[*commands, SAYS_DONE])
    assert pi.run("-p", "go").code == 0
    first, second = pi.tool_results()
    assert text_of(first) == "CI is 1\n"
    assert second["isError"] and "NOWHERE" in text_of(second)


@runs("def deploy")
def _(extend: Extend) -> None:
    pi = extend(sample("def deploy"))
    with pi.rpc("--dry", "--target", "prod") as person:
        person.ask("/deploy")
        person.ask("/deploy dev")
        person.finish()
    assert person.notices() == ["deploy prod", "deploy dev"]


def listed(pi: Extended, provider: str) -> str:
    pi.machine.environment["ACME_API_KEY"] = "acme-key"
    done = pi.machine.run(*pi.options, "--list-models", provider)
    assert (done.code, done.stderr) == (0, "")
    return done.text


@runs("# from the environment")
def _(extend: Extend) -> None:
    assert "acme-chat" in listed(extend(sample("# from the environment")), "acme")


@runs("# its models stay as they are")
def _(extend: Extend) -> None:
    text = sample("# its models stay as they are")
    pi = extend(text)
    assert "acme-chat" in listed(pi, "acme")
    path = pi.machine.agent / "models.json"
    providers = json.loads(path.read_text())["providers"]
    providers["openai"] = {"baseUrl": f"{pi.script.server.url}/v1", "apiKey": "k"}
    path.write_text(json.dumps({"providers": providers}))
    pi.script.options = ("--model", "openai/gpt-4.1")
    assert pi.run("-p", "hi").text == "done\n"
    assert pi.script.server.requests[0].headers["x-team"] == "blue"


def at_server(text: str, pi: Extended) -> None:
    """Put the scripted server in the place of the addresses in a sample."""
    url = pi.script.server.url
    text = text.replace("https://api.acme.example", url).replace("https://acme.example", url)
    (pi.folder / "extension_0.py").write_text(text)


@runs("refresh_models=models")
def _(extend: Extend) -> None:
    text = sample("refresh_models=models")

    def reply(request: Request) -> Turn:
        if request.path == "/v1/models":
            return {"status": 200, "body": {"data": [{"id": "acme-new"}]}}
        return SAYS_DONE

    pi = extend(text, turns=[reply])
    at_server(text, pi)
    pi.machine.environment["ACME_API_KEY"] = "acme-key"
    folder = pi.machine.agent / "extensions"
    folder.mkdir()
    (pi.folder / "extension_0.py").rename(folder / "acme.py")  # for a command that takes no -e
    pi.options = ()
    del pi.machine.environment["PI_OFFLINE"]
    assert pi.machine.run("update", "--models").code == 0
    pi.machine.environment["PI_OFFLINE"] = "1"
    assert "acme-new" in listed(pi, "acme")
    pi.script.options = ("--model", "acme/acme-new")
    assert pi.run("-p", "hi").text == "done\n"


@runs("OAuth(")
def _(extend: Extend) -> None:
    text = sample("OAuth(")

    def reply(request: Request) -> Turn:
        if request.path == "/token":
            tokens = {"access": "fresh", "refresh": "next", "expires_in": 3600}
            return {"status": 200, "body": tokens}
        return SAYS_DONE

    pi = extend(text, turns=[reply])
    at_server(text, pi)
    old = {"type": "oauth", "access": "old", "refresh": "before", "expires": 1000}
    pi.machine.write("auth.json", {"acme": old}).chmod(0o600)
    pi.script.options = ("--model", "acme/acme-chat")
    done = pi.run("-p", "hi")
    assert (done.stderr, done.text) == ("", "done\n")
    token, chat = pi.script.server.requests
    assert b"refresh=before" in token.body
    assert chat.headers["authorization"] == "Bearer fresh"
    stored = json.loads((pi.machine.agent / "auth.json").read_text())["acme"]
    assert (stored["access"], stored["refresh"]) == ("fresh", "next")


@runs("stream=stream")
def _(extend: Extend) -> None:
    text = sample("stream=stream")
    pi = extend(text)
    at_server(text, pi)
    pi.machine.environment["ACME_API_KEY"] = "acme-key"
    pi.script.options = ("--model", "acme/acme-chat")
    assert pi.run("-p", "hi").text == "done\n"
    (request,) = pi.script.server.requests
    assert request.headers["authorization"] == "Bearer token-for-acme-key"


@runs("ctx.models.classify")
def _(extend: Extend) -> None:
    answers = {"approved": {"type": "noul", "noul": 0.75}}
    body = {"answers": answers, "usage": {"input_tokens": 10, "output_tokens": 1}}
    pi = extend(sample("ctx.models.classify"), turns=[{"status": 200, "body": body}])
    path = pi.machine.agent / "models.json"
    providers = json.loads(path.read_text())["providers"]
    providers["typesafe"] = {"baseUrl": f"{pi.script.server.url}/api"}
    path.write_text(json.dumps({"providers": providers}))
    pi.machine.environment["TYPESAFE_API_KEY"] = "tk"
    with pi.rpc() as person:
        person.ask("/content")
        person.finish()
    assert person.notices() == ["0.75"]


@runs('"router", "auto"')
def _(extend: Extend) -> None:
    pi = extend(sample('"router", "auto"'))
    path = pi.machine.agent / "models.json"
    providers = json.loads(path.read_text())["providers"]
    providers["anthropic"] = {"baseUrl": pi.script.server.url, "apiKey": "k"}
    path.write_text(json.dumps({"providers": providers}))
    for level, model in (("low", "claude-haiku-4-5"), ("high", "claude-opus-5-5")):
        pi.script.options = ("--model", f"router/auto:{level}")
        assert pi.run("-p", "hi").text == "done\n"
        assert pi.bodies[-1]["model"] == model


@runs("register_mcp_server")
def _(extend: Extend) -> None:
    text = sample("register_mcp_server")
    pi = extend(text)
    nowhere = text.replace("https://mcp.example.com", "http://127.0.0.1:9")
    (pi.folder / "extension_0.py").write_text(nowhere)
    with pi.rpc() as person:
        person.ask("hi")
        assert "jira" in shown_servers(person)
        person.ask("/no-jira")
        assert "jira" not in shown_servers(person)
        person.finish()
    assert person.errors_of_extensions() == []


def shown_servers(person: Any) -> str:
    person.records.clear()
    person.skip()
    person.ask("/mcp")
    return "\n".join(person.notices())


# What is seen in the terminal

SEEN = ("class Issues", "def measure", "def quiet", "def arrows", "def pick", "class Counter")
SHOWN: dict[str, tuple[list[Turn], Callable[[Screen], None]]] = {}


def shows(word: str, *turns: Turn) -> Callable[[Callable[[Screen], None]], None]:
    def keep(function: Callable[[Screen], None]) -> None:
        SHOWN[word] = ([*turns, SAYS_DONE], function)

    return keep


@pytest.mark.skipif(TMUX is None, reason="no tmux here")
@pytest.mark.parametrize("word", SEEN)
def test_sample_on_the_screen(extend: Extend, word: str) -> None:
    turns, steps = SHOWN[word]
    pi = extend(sample(word), READY, turns=turns)
    (pi.machine.project / "a.txt").write_text("nobody needs to see this")
    with settled(pi) as screen:
        steps(screen)
        assert "rror" not in screen.text()


@shows("class Issues")
def _(screen: Screen) -> None:
    screen.type("see #")
    screen.wait("what is asked")
    screen.press("Tab")
    screen.type("now")
    screen.wait("see #42 now")


@shows("def measure", calls("measure", {"path": "a.txt"}))
def _(screen: Screen) -> None:
    say(screen, "how large?")
    screen.wait("measure a.txt")
    screen.wait("24 bytes")
    screen.wait("done")
    say(screen, "/show")
    screen.wait("note a note of mine ctrl+o to expand")
    screen.wait("Indexed")
    screen.wait("17 files")


@shows("def quiet", calls("read", {"path": "a.txt"}))
def _(screen: Screen) -> None:
    say(screen, "read it")
    screen.wait("read a.txt")
    assert "nobody needs" not in screen.wait("done")


@shows("def arrows", {"blocks": [{"text": "one --> two"}]})
def _(screen: Screen) -> None:
    say(screen, "hello")
    screen.wait("one → two")


@shows("def pick")
def _(screen: Screen) -> None:
    say(screen, "/pick")
    screen.wait("Where to?")
    screen.press("Down", "Enter")
    screen.wait("chosen: production")


@shows("class Counter")
def _(screen: Screen) -> None:
    say(screen, "/count")
    screen.wait("> 1")
    screen.press("Enter")
    screen.wait_words("counted to")
