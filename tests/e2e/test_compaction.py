"""Compaction as the command does it: by the settings file, and a session continued afterwards."""

from tests.e2e.conftest import ScriptedFactory


def test_a_session_is_compacted_by_its_settings_and_goes_on(scripted: ScriptedFactory) -> None:
    script = scripted(
        [
            {"blocks": [{"text": "word " * 60}], "usage": {"input": 3500, "output": 5}},
            {"blocks": [{"text": "the gist"}]},
            {"blocks": [{"text": "again"}]},
        ],
        model={"contextWindow": 8000, "maxTokens": 1000, "reasoning": False},
    )
    limits = {"reserveTokens": 9, "keepRecentTokens": 60}
    limits["modelOverrides"] = {"mock/m1": {"reserveTokens": 5000}}  # type: ignore[assignment]
    script.machine.write("settings.json", {"compaction": limits})
    result = script.run("--mode", "json", "-p", "question " * 20)
    assert (result.code, result.stderr) == (0, "")
    assert result.kinds()[-4:] == [
        "agent_end",
        "compaction_start",
        "compaction_end",
        "agent_settled",
    ]
    request, summary = script.bodies
    assert "cache_control" in str(request)
    assert "cache_control" not in str(summary)
    assert "tools" not in summary
    assert script.machine.entries()[-1]["type"] == "compaction"

    continued = script.run("-c", "-p", "and now?")
    assert (continued.code, continued.text) == (0, "again\n")
    roles = [message["role"] for message in script.bodies[-1]["messages"]]
    assert roles == ["user", "assistant", "user"]
    assert "the gist" in str(script.bodies[-1]["messages"][0])
