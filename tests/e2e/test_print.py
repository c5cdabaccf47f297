"""`pi -p`: stdout, stderr and exit code, whole."""

import json
from typing import Any

import pytest

from tests.e2e.conftest import Machine, ScriptedFactory

APIS = ["anthropic-messages", "openai-completions"]


@pytest.mark.parametrize("api", APIS)
def test_answer_after_tools(scripted: ScriptedFactory, api: str) -> None:
    script = scripted(
        [
            {
                "blocks": [
                    {"thinking": "hm", "signature": "s"},
                    {"text": "Let me look."},
                    {"tool": "read", "id": "c1", "args": {"path": "a.txt"}},
                    {"tool": "bash", "id": "c2", "args": {"command": "echo out; exit 3"}},
                ],
                "stop": "toolUse",
            },
            {"blocks": [{"text": "It says hello."}]},
        ],
        api=api,
    )
    (script.machine.project / "a.txt").write_text("hello\n")
    result = script.run("-p", "what is in a.txt?")
    assert (result.code, result.text, result.stderr) == (0, "It says hello.\n", "")
    roles = [message["role"] for message in script.machine.messages()]
    assert roles == ["system", "user", "assistant", "toolResult", "toolResult", "assistant"]
    read, bash = script.machine.messages()[3:5]
    assert read["content"] == [{"type": "text", "text": "hello\n"}]
    assert (read["isError"], bash["isError"]) == (False, True)
    assert bash["content"][0]["text"].startswith("out\n")


def test_print_is_inferred_without_a_terminal(scripted: ScriptedFactory) -> None:
    script = scripted([{"blocks": [{"text": "ok"}]}])
    assert script.run("hi").text == "ok\n"


def test_only_the_last_reply_is_printed(scripted: ScriptedFactory) -> None:
    script = scripted([{"blocks": [{"text": "one"}]}, {"blocks": [{"text": "two"}]}])
    result = script.run("-p", "first", "second")
    assert (result.code, result.text) == (0, "two\n")
    assert [message["role"] for message in script.bodies[1]["messages"]] == [
        "user",
        "assistant",
        "user",
    ]


def test_every_text_block_is_printed(scripted: ScriptedFactory) -> None:
    blocks = [{"text": "a"}, {"thinking": "x"}, {"text": "b\n"}, {"text": "c"}]
    assert scripted([{"blocks": blocks}]).run("-p", "hi").text == "a\nb\n\nc\n"


def test_standard_input_comes_first(scripted: ScriptedFactory) -> None:
    script = scripted([{"blocks": [{"text": "ok"}]}])
    assert script.run("summarise", stdin=b"a diff\n").code == 0
    (block,) = script.bodies[0]["messages"][0]["content"]
    text = block["text"]
    assert text.index("a diff") < text.index("summarise")


def test_a_prompt_that_begins_with_a_dash(scripted: ScriptedFactory) -> None:
    script = scripted([{"blocks": [{"text": "ok"}]}])
    assert script.run("-p", "--", "- one").code == 0
    assert script.bodies[0]["messages"][0]["content"][0]["text"] == "- one"


@pytest.mark.parametrize("api", APIS)
def test_a_length_stop_prints_what_there_is(scripted: ScriptedFactory, api: str) -> None:
    usage = {"input": 10, "output": 16384}
    script = scripted([{"blocks": [{"text": "part"}], "stop": "length", "usage": usage}], api=api)
    result = script.run("-p", "hi")
    assert (result.code, result.text) == (1, "part\n")
    assert result.stderr.count("\n") == 1
    assert "output token limit" in result.stderr


@pytest.mark.parametrize("api", APIS)
def test_a_refused_key_is_one_line(scripted: ScriptedFactory, api: str) -> None:
    body = {"error": {"type": "authentication_error", "message": "bad key"}}
    result = scripted([{"status": 401, "body": body}], api=api).run("-p", "hi")
    assert (result.code, result.text) == (1, "")
    assert result.stderr.count("\n") == 1
    assert "401" in result.stderr
    assert "bad key" in result.stderr
    assert "secret-key" not in result.stderr


@pytest.mark.parametrize("api", APIS)
def test_failures_that_pass_are_not_seen(scripted: ScriptedFactory, api: str) -> None:
    overloaded = {"status": 529, "body": {"error": {"type": "overloaded_error", "message": "!"}}}
    cut = {"blocks": [{"text": "a long text that is cut in the middle"}], "cut": 3}
    script = scripted([overloaded, cut, {"blocks": [{"text": "ok"}]}], api=api)
    result = script.run("-p", "hi")
    assert (result.code, result.text, result.stderr) == (0, "ok\n", "")
    kinds = [entry["type"] for entry in script.machine.entries()]
    assert kinds.count("context_edit") == 2
    stops = [m["stopReason"] for m in script.machine.messages() if m["role"] == "assistant"]
    assert stops == ["error", "error", "stop"]


def test_retries_can_be_switched_off(scripted: ScriptedFactory) -> None:
    script = scripted([{"status": 500}], retry={"enabled": False})
    assert script.run("-p", "hi").code == 1
    assert len(script.bodies) == 1


@pytest.mark.parametrize("api", APIS)
def test_malformed_arguments_go_back_to_the_model(scripted: ScriptedFactory, api: str) -> None:
    broken = {"tool": "read", "id": "c1", "args_text": '{"path": "a.t'}
    script = scripted(
        [{"blocks": [broken], "stop": "toolUse"}, {"blocks": [{"text": "ok"}]}], api=api
    )
    assert script.run("-p", "hi").code == 0
    call = script.machine.messages()[2]["content"][0]
    assert call["arguments"] == {}
    assert call["argumentsError"]
    assert script.machine.messages()[3]["isError"]


def test_an_empty_prompt_sends_nothing(scripted: ScriptedFactory) -> None:
    script = scripted([{"blocks": [{"text": "ok"}]}])
    result = script.run("-p", "")
    assert (result.code, result.text, result.stderr) == (0, "", "")
    assert script.bodies == []
    assert script.machine.sessions() == []


def test_no_key_says_what_to_do(machine: Machine) -> None:
    result = machine.run("--model", "anthropic/claude-sonnet-4-5", "-p", "hi")
    assert (result.code, result.text) == (1, "")
    assert "ANTHROPIC_API_KEY" in result.stderr
    assert result.stderr.count("\n") <= 3
    assert machine.sessions() == []


def test_what_to_do_is_a_sentence_of_its_own(machine: Machine) -> None:
    provider = {
        "baseUrl": "http://127.0.0.1:9/v1",
        "api": "openai-completions",
        "apiKey": "k",
        "headers": {"x-team": "$TEAM"},
        "models": [{"id": "m"}],
    }
    machine.write("models.json", json.dumps({"providers": {"local": provider}}))
    result = machine.run("--model", "local/m", "-p", "hi")
    assert (result.code, result.text) == (1, "")
    assert "variable TEAM, which is not set. Set it, or " in result.stderr


def test_a_wrong_model_names_the_nearest(machine: Machine) -> None:
    result = machine.run("--model", "claude-sonet-4-5", "-p", "hi", ANTHROPIC_API_KEY="x")
    assert result.code == 1
    assert "claude-sonnet-4-5" in result.stderr


def test_usage_errors_exit_2(machine: Machine) -> None:
    result = machine.run("--modle", "x", "-p", "hi")
    assert (result.code, result.text) == (2, "")
    assert result.stderr.startswith("Error: ")
    assert "--model" in result.stderr


def test_the_demo_needs_neither_key_nor_network(machine: Machine) -> None:
    (machine.project / "README.md").write_text("# Zebra\n\nA project about zebras.\n")
    (machine.project / "src").mkdir()
    result = machine.run("--provider", "demo", "-p", "what is in this folder?")
    assert (result.code, result.stderr) == (0, "")
    assert "README.md" in result.text
    assert "src" in result.text
    assert "not a language model" in result.text or "no language model" in result.text
    assert {"assistant", "toolResult"} <= {message["role"] for message in machine.messages()}


def test_a_debug_run_shows_the_traceback(machine: Machine) -> None:
    result = machine.run("--model", "nope/nope", "-p", "hi", PI_DEBUG="1")
    assert result.code == 1
    assert "Traceback" in result.stderr


def test_the_key_is_used_and_never_stored(scripted: ScriptedFactory) -> None:
    script = scripted([{"blocks": [{"text": "ok"}]}], api="openai-completions")
    assert script.run("-p", "hi", "--api-key", "from-the-flag").code == 0
    assert script.server.requests[0].headers["authorization"] == "Bearer from-the-flag"
    assert b"from-the-flag" not in script.machine.session().read_bytes()
    assert b"secret-key" not in script.machine.session().read_bytes()


@pytest.mark.parametrize(
    ("settings", "variable", "named"),
    [
        ({}, None, True),
        ({"enableInstallTelemetry": False}, None, False),
        ({"enableInstallTelemetry": False}, "1", True),
        ({}, "0", False),
    ],
)
def test_services_are_told_the_program_unless_told_not_to(
    scripted: ScriptedFactory, settings: dict[str, Any], variable: str | None, named: bool
) -> None:
    script = scripted(
        [{"blocks": [{"text": "hi"}]}],
        api="openai-completions",
        provider={"headers": {"X-Own": "1"}},
    )
    models = script.machine.agent / "models.json"
    models.write_text(models.read_text().replace('"mock"', '"openrouter"'))
    script.machine.write("settings.json", settings)
    environment = {} if variable is None else {"PI_TELEMETRY": variable}
    options = ("--provider", "openrouter", "--model", "m1", "-p", "hi")
    assert script.machine.run(*options, **environment).code == 0
    headers = script.server.requests[0].headers
    assert headers["x-own"] == "1"
    assert ("x-openrouter-title" in headers) is named


def test_names_of_models_do_not_take_over_the_terminal(machine: Machine) -> None:
    model = {"id": "a\x1b]0;evil\x07", "name": "a"}
    table = {"baseUrl": "http://127.0.0.1:1/v1", "api": "openai-completions", "apiKey": "k"}
    machine.write("models.json", {"providers": {"local": {**table, "models": [model]}}})
    done = machine.run("--list-models", "evil")
    assert done.code == 0
    assert "a\\x1b]0;evil\\x07" in done.text and "\x1b" not in done.text
