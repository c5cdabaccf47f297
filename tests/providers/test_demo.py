"""The demo provider in the place of a model: its tools are played here, its answers read."""

import pytest

from pi.providers.demo import DEMO_MODEL
from tests.providers.exchange import collect, result, system, text, user

TOOLS = ("ls", "read", "grep", "bash")


class Talk:
    """A conversation: replies until there is an answer. returns: what each tool gives."""

    def __init__(self, tools=TOOLS, **returns):
        declared = [{"name": name, "description": "", "parameters": {}} for name in tools]
        self.messages = [system(toolsAdded=declared)]
        self.returns = {"ls": "README.md\nsrc/\na.py", "read": "# Title\n\nwords", **returns}
        self.calls = []
        self.thinking = "medium"

    def ask(self, prompt):
        self.messages.append(user(prompt))
        for _ in range(6):
            events = collect(DEMO_MODEL, self.messages, thinking=self.thinking)
            assert events[0]["type"] == "start" and events[-1]["type"] == "done"
            message = events[-1]["message"]
            self.messages.append(message)
            calls = [block for block in message["content"] if block["type"] == "toolCall"]
            assert message["stopReason"] == ("toolUse" if calls else "stop")
            if not calls:
                return "".join(b["text"] for b in message["content"] if b["type"] == "text")
            for made in calls:
                self.calls.append((made["name"], made["arguments"]))
                output = self.returns.get(made["name"], OSError("not found"))
                failed = isinstance(output, Exception)
                self.messages.append(
                    {
                        **result(made["id"], text(str(output)), error=failed),
                        "toolName": made["name"],
                    }
                )
        raise AssertionError("it never answers")


FOLDER = "what is in this folder?"


def test_the_folder():
    talk = Talk(grep="a.py:3: # TODO: x\na.py:9: TODO")
    answer = talk.ask(FOLDER)
    assert [name for name, _ in talk.calls] == ["ls", "read", "grep"]
    assert talk.calls[1][1]["path"] == "README.md"
    for part in ("2 files", "1 folder", "`README.md`", "`src/`", "> # Title", "2 lines"):
        assert part in answer
    assert "not a language model" in answer and "ANTHROPIC_API_KEY" in answer
    first = talk.messages[2]["content"]
    assert first[0]["type"] == "thinking" and first[0]["thinking"]
    ids = [
        b["id"]
        for m in talk.messages
        if m["role"] == "assistant"
        for b in m["content"]
        if "id" in b
    ]
    assert len(set(ids)) == 3


def test_an_empty_folder():
    assert "0 files and 0 folders." in Talk(ls="(empty directory)").ask(FOLDER)


@pytest.mark.parametrize(
    ("tools", "called"),
    [
        ((), []),
        (("write",), []),
        (("ls",), ["ls"]),
        (("ls", "grep"), ["ls", "grep"]),
        (("bash",), ["bash"]),
        (("read",), []),
    ],
)
def test_only_declared_tools_are_called(tools, called):
    talk = Talk(tools, bash="./\n../\nREADME.md\nsrc/", grep="none")
    answer = talk.ask(FOLDER)
    assert [name for name, _ in talk.calls] == called
    assert answer and ("could not" in answer) == (not called)


@pytest.mark.parametrize("broken", TOOLS)
@pytest.mark.parametrize("prompt", [FOLDER, "read a.py", "find TODO"])
def test_failing_tools_end_in_an_answer(broken, prompt):
    talk = Talk(**{"grep": "a:1: x", broken: OSError("disk on fire")})
    answer = talk.ask(prompt)
    if {"read a.py": "read", "find TODO": "grep", FOLDER: "ls"}[prompt] == broken:
        assert "disk on fire" in answer


@pytest.mark.parametrize(
    ("prompt", "path"),
    [
        ("read a.py", "a.py"),
        ("Please read the file `my file.txt`.", "my file.txt"),
        ("show me src/here.py, please", "src/here.py"),
        ('cat "a b"', "a b"),
    ],
)
def test_read(prompt, path):
    talk = Talk()
    answer = talk.ask(prompt)
    assert talk.calls == [("read", {"path": path})]
    assert f"`{path}`" in answer and "> # Title" in answer


def test_find():
    talk = Talk(grep="a.py:1: needle here")
    assert "a.py:1: needle here" in talk.ask("find 'needle here' in all files")
    assert talk.calls[0][1]["pattern"] == "needle here"


def test_find_with_bash_quotes_what_it_looks_for():
    talk = Talk(("bash",), bash="a.py:1: it's")
    assert "a.py:1" in talk.ask("find it's")
    assert "'it'\\''s'" in talk.calls[0][1]["command"]


@pytest.mark.parametrize("prompt", ["", "hello", "žluťoučký 😀", "\n\n", "find", "read"])
def test_anything_else_is_told_what_it_can_do(prompt):
    talk = Talk()
    answer = talk.ask(prompt)
    assert talk.calls == []
    assert "not a language model" in answer and "read FILE" in answer


def test_each_prompt_is_planned_anew():
    talk = Talk(grep="none")
    talk.ask("read a.py")
    talk.ask("read b.py")
    talk.ask(FOLDER)
    assert [name for name, _ in talk.calls] == ["read", "read", "ls", "read", "grep"]


def test_it_streams_in_pieces_and_counts():
    talk = Talk()
    talk.thinking = "off"
    events = collect(DEMO_MODEL, [user("hello")], thinking="off")
    assert sum(event["type"] == "text_delta" for event in events) > 5
    assert not any(event["type"].startswith("thinking") for event in events)
    usage = events[-1]["message"]["usage"]
    assert usage["input"] > 0 and usage["output"] > 0 and usage["cost"]["total"] == 0


def test_a_conversation_without_a_prompt():
    assert collect(DEMO_MODEL, [])[-1]["type"] == "done"
