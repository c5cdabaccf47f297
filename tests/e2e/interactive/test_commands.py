"""Every command and the pickers behind them, opened and used."""

import json
import os
import re
import time
from pathlib import Path

import pytest

import pi
from tests.e2e.interactive.conftest import Sitting
from tests.e2e.interactive.tmux import Screen


def say(screen: Screen, text: str) -> None:
    screen.type(text)
    screen.wait(text[:30])
    screen.press("Enter")


def talk(screen: Screen, text: str = "a first question") -> None:
    answer = "Hello from the model."
    before = screen.text(scrollback=True).count(answer)
    say(screen, text)
    screen.wait_until(lambda shown: shown.count(answer) > before, answer, scrollback=True)
    screen.wait("↓")


def test_the_menu_finds_commands(sit: Sitting) -> None:
    screen = sit()
    screen.type("/comp")
    screen.wait("→ compact")
    screen.press("Escape")
    screen.wait_gone("→ compact")


def test_model(sit: Sitting) -> None:
    sit.serve(provider={"models": [{"id": "m1", "reasoning": True}, {"id": "other-model"}]})
    screen = sit()
    say(screen, "/model")
    screen.wait("other-model")
    screen.type("other")
    screen.wait("other")
    screen.press("Enter")
    screen.wait("Model: mock/other-model")
    screen.press("C-p")
    screen.wait("m1 • ")
    say(screen, "/model mock/other-model")
    screen.wait_until(lambda s: s.rstrip().endswith("other-model"), "the model in the footer")


def test_arguments_are_completed(sit: Sitting) -> None:
    sit.serve(provider={"models": [{"id": "m1", "reasoning": True}, {"id": "other-model"}]})
    screen = sit()
    screen.type("/model oth")
    screen.wait("→ other-model")
    screen.press("Enter")
    screen.wait("Model: mock/other-model")


def test_thinking(sit: Sitting) -> None:
    screen = sit()
    screen.press("BTab")
    screen.wait("m1 • high")
    say(screen, "/thinking low")
    screen.wait("m1 • low")
    say(screen, "/thinking")
    screen.wait("minimal")
    screen.press("Up", "Enter")
    screen.wait("m1 • minimal")
    say(screen, "/thinking nonsense")
    screen.wait("nonsense")


def test_scoped_models(sit: Sitting) -> None:
    models = [{"id": f"m{n}", "reasoning": True} for n in (1, 2, 3)]
    sit.serve(provider={"models": models})
    screen = sit()
    say(screen, "/scoped-models")
    screen.wait("Models to cycle through")
    screen.type("m3")
    screen.press("C-x", "Escape")
    screen.wait_gone("Models to cycle through")
    screen.press("C-p")
    screen.wait("m2 • ")
    screen.press("C-p")
    screen.wait("m1 • ")


def test_settings_take_effect_and_are_kept(sit: Sitting) -> None:
    screen = sit()
    say(screen, "/settings")
    screen.wait("Settings")
    screen.type("margin of the editor")
    screen.wait("→ Margin of the editor")
    screen.press("Enter")
    screen.press("Escape")
    screen.wait_gone("Margin of the editor")
    saved = json.loads((sit.machine.agent / "settings.json").read_text())
    assert saved["editorPaddingX"] == 1
    assert saved["retry"] == {"baseDelayMs": 10}


def test_name_and_session(sit: Sitting) -> None:
    screen = sit()
    talk(screen)
    say(screen, "/name the good one")
    screen.wait("• the good one")
    say(screen, "/session")
    shown = screen.wait("Filled")
    assert "the good one" in shown and str(sit.machine.session())[-20:-10] in shown.replace(
        "\n", ""
    )
    assert any(entry.get("name") == "the good one" for entry in sit.machine.entries())


def test_new_resume_and_the_list_on_the_command_line(sit: Sitting) -> None:
    screen = sit()
    talk(screen, "about quinces")
    say(screen, "/new")
    screen.wait("A new session.")
    talk(screen, "about pears")
    assert len(sit.machine.sessions()) == 2
    say(screen, "/resume")
    screen.wait("Resume session")
    screen.type("quinces")  # folders are searched, too: none is likely to have these letters
    screen.wait("→ about quinces")
    screen.press("Enter")
    screen.wait_gone("Resume session")
    screen.press("C-d")
    screen.wait_end()
    listed = sit("--resume", ready="about pears")
    assert "about quinces" in listed.text()
    listed.type("pears")
    listed.press("Enter")
    listed.wait("❯ about pears")


@pytest.mark.parametrize("command", ["/resume", "/model", "/settings", "/tree", "/login"])
def test_what_is_typed_on_after_a_command_is_for_what_it_opens(sit: Sitting, command: str) -> None:
    screen = sit()
    talk(screen, "about pears")
    screen.press(command, "Enter", "qqq")  # one write
    screen.wait("> qqq")
    screen.press("Escape")
    screen.wait_gone("qqq")


def test_resume_is_left_without_a_session(sit: Sitting) -> None:
    screen = sit("--resume", ready="essions")
    screen.press("Escape")
    assert screen.wait_end() == 0


def test_tree(sit: Sitting) -> None:
    screen = sit(rows=40)
    talk(screen, "about apples")
    say(screen, "/tree")
    screen.wait("user: about apples")
    screen.press("Up", "Enter")
    screen.wait("ummar")
    screen.press("Enter")
    screen.wait_until(lambda s: s.count("about apples") == 1, "the message to edit")
    screen.type(" and pears")
    screen.press("Enter")
    screen.wait("❯ about apples and pears")
    screen.wait("↓10")
    users = [m["content"][0]["text"] for m in sit.machine.messages() if m["role"] == "user"]
    assert users == ["about apples", "about apples and pears"]


def test_fork_and_clone(sit: Sitting) -> None:
    screen = sit(rows=40)
    talk(screen, "about apples")
    say(screen, "/clone")
    screen.wait("the session before is as it was")
    assert len(sit.machine.sessions()) == 2
    say(screen, "/fork")
    screen.wait("Fork before a message")
    screen.press("Enter")
    screen.wait("A new session, with what came before")
    assert "about apples" in screen.text()
    screen.press("Enter")
    screen.wait("❯ about apples")
    screen.wait_until(lambda _: len(sit.machine.sessions()) == 3, "a third session")


def test_compact(sit: Sitting) -> None:
    sit.serve()  # writes settings of its own
    sit.settings(compaction={"keepRecentTokens": 1})
    screen = sit(rows=40)
    say(screen, "/compact")
    screen.wait("othing")
    talk(screen, "a long story " * 10)
    talk(screen, "and another one")
    say(screen, "/compact only the names")
    screen.wait("Compacted")
    assert any(entry["type"] == "compaction" for entry in sit.machine.entries())


def test_what_is_said_while_the_context_is_compacted(sit: Sitting) -> None:
    hi = {"blocks": [{"text": "Hello from the model."}]}
    summary = {"blocks": [{"text": "all that was said", "piece": 1}], "delay": 0.2}
    sit.serve([hi, hi, summary, {"blocks": [{"text": "After that."}]}])
    sit.settings(compaction={"keepRecentTokens": 1})
    screen = sit(rows=40)
    talk(screen, "a long story " * 10)
    talk(screen, "and another one")
    say(screen, "/compact")
    screen.wait("Summarising")
    say(screen, "meanwhile")
    screen.wait("Steering: meanwhile")
    screen.wait("After that.")
    screen.wait_gone("Steering")


@pytest.mark.parametrize("command", ["new", "clone"])
def test_what_is_typed_on_is_said_in_the_next_session(sit: Sitting, command: str) -> None:
    screen = sit(rows=40)
    talk(screen, "in the first")
    (first,) = sit.machine.sessions()
    before = first.read_bytes()
    screen.type(f"/{command}\rin the second\r")  # all at once
    screen.wait_until(lambda _: len(sit.machine.sessions()) == 2, "another session")
    screen.wait_until(lambda _: sit.script is not None and len(sit.script.bodies) == 2, "a request")
    screen.wait("❯ in the second")
    assert first.read_bytes() == before


def test_a_draft_is_kept_when_a_fork_brings_its_text(sit: Sitting) -> None:
    screen = sit(rows=40)
    talk(screen, "a first question")
    say(screen, "/fork")
    screen.wait("→ a first question")
    screen.type("\rand more")
    screen.wait("A new session, with what came before")
    # Typed before the text came, or after it.
    screen.wait_until(
        lambda shown: re.search(r"^a first question(\n\n)?and more$", shown, re.MULTILINE), "both"
    )


def test_export_import_and_copy(sit: Sitting, tmp_path: Path) -> None:
    screen = sit(columns=140)
    talk(screen)
    say(screen, "/export page.html")
    screen.wait("Exported to")
    assert b"<html" in (sit.machine.project / "page.html").read_bytes()[:200]
    say(screen, "/export copy.jsonl")
    screen.wait("copy.jsonl")
    screen.wait_until(lambda _: (sit.machine.project / "copy.jsonl").exists(), "the copy")
    say(screen, "/copy")
    screen.wait("Copied the last answer.")
    say(screen, "/import copy.jsonl")
    screen.wait("Leave this session")
    screen.type("y")
    screen.wait_gone("Leave this session")
    screen.wait_until(lambda _: len(sit.machine.sessions()) == 2, "the imported session")
    say(screen, "/import nowhere.jsonl")
    screen.wait("there is no file")


def test_share_without_gh(sit: Sitting) -> None:
    screen = sit(PATH="/nonexistent:/usr/bin-nothing")
    talk(screen)
    say(screen, "/share")
    screen.wait("GitHub's command line")


@pytest.mark.skipif(os.name == "nt", reason="a script of the shell")
@pytest.mark.parametrize("viewer", ["", "https://view.example/"])
def test_share_gives_an_address(sit: Sitting, tmp_path: Path, viewer: str) -> None:
    gh = tmp_path / "bin" / "gh"
    gh.parent.mkdir()
    gh.write_text("#!/bin/sh\necho https://gist.github.com/me/0123abcd\n")
    gh.chmod(0o755)
    path = f"{gh.parent}{os.pathsep}{sit.machine.environment['PATH']}"
    screen = sit(PATH=path, PI_SHARE_VIEWER_URL=viewer)
    talk(screen)
    say(screen, "/share")
    gist = "https://gist.github.com/me/0123abcd"
    expected = f"{viewer}#0123abcd ({gist})" if viewer else gist
    screen.wait_words(f"Shared as {expected}")


def test_share_goes_to_no_other_place_than_the_wanted(sit: Sitting) -> None:
    sit.serve()
    sit.settings(sessionShareDestination="radius")
    screen = sit()
    talk(screen)
    say(screen, "/share")
    screen.wait("sharing through Radius is not there yet")


@pytest.mark.parametrize(
    ("command", "expected"),
    [("/hotkeys", "shift+enter"), ("/changelog", "Unreleased"), ("/debug", "pi-debug.log")],
)
def test_what_is_only_shown(sit: Sitting, command: str, expected: str) -> None:
    screen = sit(rows=60)
    say(screen, command)
    screen.wait(expected, scrollback=True)


def test_login_stores_a_key_and_logout_forgets_it(sit: Sitting) -> None:
    screen = sit()
    say(screen, "/login groq")
    screen.wait("Store an API key")
    screen.press("Enter")
    screen.wait("API key for groq:")
    screen.type("secret-groq-key")
    screen.press("Enter")
    screen.wait("Stored a key for groq.")
    assert "secret-groq-key" not in screen.text(scrollback=True)
    kept = json.loads((sit.machine.agent / "auth.json").read_text())
    assert kept["groq"]["key"] == "secret-groq-key"
    say(screen, "/logout")
    screen.wait("Log out")
    screen.press("Enter")
    screen.wait("Forgot the credentials of groq.")
    assert json.loads((sit.machine.agent / "auth.json").read_text()) == {}


@pytest.mark.parametrize("wanted", [True, False])
def test_login_offers_the_mcp_server_of_radius(sit: Sitting, wanted: bool) -> None:
    screen = sit(HTTPS_PROXY="http://127.0.0.1:9")  # where nobody is
    path = sit.machine.agent / "mcp.json"
    say(screen, "/login radius")
    screen.wait("Store an API key")
    screen.press("Down")
    screen.press("Enter")
    screen.wait("API key for radius:")
    screen.type("k")
    screen.press("Enter")
    screen.wait("Use the MCP server of Radius, too?")
    assert "mcp.json" in screen.text()
    screen.type("y" if wanted else "n")
    if not wanted:
        talk(screen)
        assert not path.exists()
        return
    screen.wait('The MCP server "radius" was added')
    screen.wait("Read settings, keys, models")
    entry = {"url": "https://radius.pi.dev/mcp", "auth": {"provider": "radius"}}
    assert json.loads(path.read_text()) == {"mcpServers": {"radius": entry}}
    say(screen, "/mcp")
    screen.wait("radius.pi.dev")


def test_the_first_steps_without_any_key(sit: Sitting) -> None:
    sit.serve()
    (sit.machine.agent / "models.json").unlink()
    assert sit.script is not None
    sit.script.options = ()
    screen = sit(ready="/login", rows=40)
    assert "--provider demo" in screen.text()
    say(screen, "hello")
    screen.wait("no model can be used")
    assert "hello" in screen.text()
    screen.press("C-c")
    say(screen, "/login groq")
    screen.wait("Store an API key")
    screen.press("Enter")
    screen.wait("API key for groq:")
    screen.type("k")
    screen.press("Enter")
    screen.wait("Model: groq/")


def test_a_command_that_outlives_an_answer_can_be_stopped(sit: Sitting) -> None:
    screen = sit(rows=40)
    say(screen, "!sleep 1000")
    screen.wait("Running a command")
    say(screen, "!sleep 2000")
    talk(screen)
    screen.wait("Running a command")
    screen.press("Escape")
    screen.wait_gone("Running a command")
    assert screen.text().count("cancelled") == 2


def test_reload_does_not_stop_an_answer(sit: Sitting) -> None:
    slow = {"blocks": [{"text": "one two three four five", "piece": 1}], "delay": 0.2}
    screen = sit(turns=[slow])
    say(screen, "go")
    screen.wait("one")
    say(screen, "/reload")
    screen.wait("/reload when that is over")
    shown = screen.wait("one two three four five")
    assert "Stopped" not in shown
    screen.wait_gone("esc to stop")
    say(screen, "/reload")
    screen.wait("Read settings, keys")


def test_reload_takes_up_keys(sit: Sitting) -> None:
    screen = sit()
    sit.machine.write("keybindings.json", {"app.session.new": "f5", "app.nonsense": "f6"})
    say(screen, "/reload")
    screen.wait("app.nonsense")
    screen.press("F5")
    screen.wait("A new session.")


def test_trust(sit: Sitting) -> None:
    (sit.machine.project / ".pi").mkdir()
    (sit.machine.project / ".pi" / "SYSTEM.md").write_text("Talk like a pirate.")
    screen = sit(ready="Trust this folder?")
    assert "SYSTEM.md" in screen.text()
    screen.press("Enter")
    screen.wait("0.0%")
    talk(screen)
    assert sit.script is not None
    assert "pirate" in str(sit.script.bodies[-1]["system"])
    say(screen, "/trust")
    screen.wait("Kept so far: trusted")
    screen.press("Escape")
    saved = json.loads((sit.machine.agent / "trust.json").read_text())
    assert list(saved.values()) == [True]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_an_answer_that_cannot_be_kept_holds_all_the_same(sit: Sitting) -> None:
    """On a disk that is full, say: to leave would be worse."""
    (sit.machine.project / ".pi").mkdir()
    (sit.machine.project / ".pi" / "SYSTEM.md").write_text("Talk like a pirate.")
    sit.serve()
    (sit.machine.agent / "trust.json").symlink_to("/dev/null/trust.json")
    screen = sit(ready="Trust this folder?")
    screen.press("Enter")
    screen.wait("holds for this run only")
    talk(screen)
    assert sit.script is not None
    assert "pirate" in str(sit.script.bodies[-1]["system"])


def test_left_alone_a_folder_is_not_trusted(sit: Sitting) -> None:
    (sit.machine.project / ".pi").mkdir()
    (sit.machine.project / ".pi" / "SYSTEM.md").write_text("Talk like a pirate.")
    screen = sit(ready="Trust this folder?")
    screen.press("Escape")
    screen.wait("0.0%")
    talk(screen)
    assert sit.script is not None
    assert "pirate" not in str(sit.script.bodies[-1])
    assert not (sit.machine.agent / "trust.json").exists()


def test_quit(sit: Sitting) -> None:
    screen = sit()
    say(screen, "/quit")
    assert screen.wait_end() == 0
    screen = sit()
    screen.type("something")
    screen.press("C-c")
    screen.wait_gone("something")
    screen.press("C-c", "C-c")
    assert screen.wait_end() == 0
    assert not sit.machine.sessions()


def test_double_escape_opens_the_tree(sit: Sitting) -> None:
    screen = sit()
    talk(screen)
    screen.press("Escape", "Escape")
    screen.wait("Session tree")


def test_a_session_whose_folder_is_gone(sit: Sitting) -> None:
    sit.serve()
    assert sit.script is not None
    elsewhere = sit.machine.project.parent / "elsewhere"
    elsewhere.mkdir()
    sit.script.run("-p", "from elsewhere", cwd=elsewhere)
    elsewhere.rmdir()
    screen = sit("--session", str(sit.machine.session()), ready="folder is gone")
    screen.press("Enter")
    screen.wait("❯ from elsewhere")


def test_a_theme_is_taken_up_again_when_its_file_changes(sit: Sitting) -> None:
    (sit.machine.agent / "themes").mkdir(parents=True)
    own = sit.machine.agent / "themes" / "own.json"
    theme = json.loads((Path(pi.__file__).parent / "resources" / "data" / "dark.json").read_text())
    theme |= {"name": "own"}
    theme["colors"] |= {"accent": "#010203"}
    own.write_text(json.dumps(theme))
    screen = sit("--use-theme", "own", COLORTERM="truecolor")
    screen.wait_until(lambda _: "38;2;1;2;3" in screen.text(styles=True), "the accent")
    theme["colors"] |= {"accent": "#040506"}
    own.write_text(json.dumps(theme))
    screen.wait_until(lambda _: "38;2;4;5;6" in screen.text(styles=True), "the other accent")


@pytest.mark.parametrize("warned", [True, False])
def test_a_subscription_that_does_not_pay_for_this(sit: Sitting, warned: bool) -> None:
    sit.serve()
    if not warned:
        sit.settings(warnings={"anthropicExtraUsage": False})
    token = {"ANTHROPIC_OAUTH_TOKEN": "sk-ant-oat-1"}
    screen = sit("--provider", "anthropic", "--model", "claude-opus-4-8", ready="(auto)", **token)
    assert ("billed by the token" in " ".join(screen.text().split())) is warned


def test_it_is_told_whether_a_plan_or_the_token_is_billed(sit: Sitting) -> None:
    sit.serve()
    chosen = ("--provider", "anthropic", "--model", "claude-opus-4-8")
    screen = sit(*chosen, ready="(auto)", ANTHROPIC_API_KEY="sk-ant-api")
    assert "(sub)" not in screen.text()
    say(screen, "/quit")
    assert screen.wait_end() == 0
    entry = {"type": "oauth", "access": "a", "refresh": "r", "expires": 4_000_000_000_000}
    sit.machine.write("auth.json", {"anthropic": entry})
    shown = sit(*chosen, ready="(sub)").text()
    assert "$0.000 (sub)" in shown
    assert "billed by the token" in " ".join(shown.split())


@pytest.mark.parametrize(
    ("setting", "variable", "filled"),
    [(None, "1", True), (False, "1", False), (True, "0", True), (None, "0", False)],
)
def test_rows_that_become_free(
    sit: Sitting, setting: bool | None, variable: str, filled: bool
) -> None:
    sit.serve([{"blocks": [{"text": "\n\n".join(f"line {n}" for n in range(20))}]}])
    if setting is not None:
        sit.settings(terminal={"clearOnShrink": setting})
    screen = sit(PI_CLEAR_ON_SHRINK=variable)
    say(screen, "go")
    screen.wait("line 19")
    before = screen.wait_gone("Working")
    screen.type("/")
    screen.wait("Change settings")
    screen.press("BSpace")
    after = screen.wait_gone("Change settings")
    assert (after == before) is filled


@pytest.mark.parametrize(
    ("setting", "variable", "terminals"),
    [(None, "1", True), (False, "1", False), (True, "0", True), (None, "0", False)],
)
def test_whose_cursor_is_shown(
    sit: Sitting, setting: bool | None, variable: str, terminals: bool
) -> None:
    sit.serve()
    if setting is not None:
        sit.settings(showHardwareCursor=setting)
    screen = sit(PI_HARDWARE_CURSOR=variable)
    screen.type("abc")
    screen.wait("abc")
    drawn = "\x1b[7m" in screen.text(styles=True)
    assert drawn is not terminals


@pytest.mark.parametrize(
    ("setting", "variable", "linked"),
    [(None, "1", True), (False, "1", False), (True, "0", True), (None, "", False)],
)
def test_links_are_links_where_somebody_says_so(
    sit: Sitting, setting: bool | None, variable: str, linked: bool
) -> None:
    """tmux may not pass them on: by itself pi makes none there."""
    sit.serve([{"blocks": [{"text": "See [the page](https://example.org/page)."}]}])
    if setting is not None:
        sit.settings(terminal={"hyperlinks": setting})
    screen = sit(PI_HYPERLINKS=variable, TMUX="/tmp/none,1,0")
    say(screen, "go")
    screen.wait("the page")
    screen.wait_gone("Working")
    assert ("(https://example.org/page)" in screen.text()) is not linked


def test_a_slow_line_may_have_its_time_for_escape(sit: Sitting) -> None:
    """Alt+B that arrives in two parts is what it is, where the person says how long to wait."""
    screen = sit(PI_TUI_ESC_TIMEOUT="2000")
    screen.type("first")
    screen.press("Escape")
    time.sleep(0.4)
    screen.press("b")  # Alt+B: to the beginning of the word
    screen.type("X")
    screen.wait("Xfirst")
