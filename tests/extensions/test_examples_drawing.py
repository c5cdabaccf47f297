"""The examples that change what is drawn, looked at in a terminal."""

import re

import pytest

from tests.e2e.interactive.tmux import TMUX
from tests.extensions.conftest import SAYS_DONE, Extend, calls
from tests.extensions.screens import say, sitting
from tests.extensions.test_examples_tools import EXAMPLES, needs_examples
from tests.scripted_provider import Turn

pytestmark = [needs_examples, pytest.mark.skipif(TMUX is None, reason="no tmux here")]


def test_minimal_mode(extend: Extend) -> None:
    turns = [
        calls("bash", {"command": "seq 100 103"}),
        calls("ls", {"path": "."}, "call_2"),
        calls("bash", {"command": "echo broken; false"}, "call_3"),
        SAYS_DONE,
    ]
    pi = extend(EXAMPLES / "minimal_mode.py", turns=turns)
    (pi.machine.project / "a.txt").write_text("a")
    with sitting(pi, "--tools", "bash,ls") as screen:
        say(screen, "go")
        screen.wait("done")
        shown = screen.text()
        assert "$ seq 100 103" in shown
        assert "102" not in shown
        assert re.search(r"→ \d+ entries", shown)
        assert "  broken" in shown
        screen.press("C-o")
        screen.wait("   102")
        screen.press("C-o")
        screen.wait_until(lambda shown: "   102" not in shown, "folded again")
        say(screen, "/minimal")
        screen.wait("Minimal mode is off")
        screen.wait("   102")


def test_framed_bash(extend: Extend) -> None:
    command = f"for n in $(seq 12); do echo line $n; done; sleep 1; echo {'x' * 200}"
    turns = [calls("bash", {"command": command}), SAYS_DONE]
    with sitting(extend(EXAMPLES / "framed_bash.py", turns=turns)) as screen:
        say(screen, "go")
        seen: set[str] = set()

        def turned(shown: str) -> bool:
            seen.update(re.findall(r"╭─ ([◐◓◑◒])", shown))
            return len(seen) > 1

        screen.wait_until(turned, "a sign that turns")
        screen.wait("╭─ ✓ for n in ")
        shown = screen.text()
        assert re.search(r"╭─ ✓ for n in .*…", shown)
        assert "│ … 10 earlier lines ctrl+o for all of it\n│ line 11\n│ line 12\n│ xxx" in shown
        screen.press("C-o")
        screen.wait("│ line 1\n│ line 2")


def test_a_status_card_stays_with_the_session(extend: Extend) -> None:
    pi = extend(EXAMPLES / "status_card.py")
    with sitting(pi) as screen:
        say(screen, "hello")
        screen.wait("done")
        say(screen, "/status-card Built 17 files")
        screen.wait("[status] Built 17 files ctrl+o for more")
        screen.press("C-o")
        screen.wait("put there on 20")
    with sitting(pi, "-c") as screen:
        screen.wait("[status] Built 17 files ctrl+o for more")
    assert "Built 17 files" not in str(pi.bodies)


def test_issue_links(extend: Extend) -> None:
    says: Turn = {"blocks": [{"text": "Mended #12, see `#13` and a#14."}], "stop": "stop"}
    pi = extend(EXAMPLES / "issue_links.py", turns=[says])
    (pi.machine.agent / "settings.json").write_text('{"terminal": {"hyperlinks": false}}')
    with sitting(pi, "--issues", "https://bugs.example/") as screen:
        say(screen, "what of #7?")
        # Without links in the terminal, where they lead stands behind them.
        screen.wait("Mended #12 (https://bugs.example/12), see #13 and a#14.")
        screen.wait("what of #7 (https://bugs.example/7)?")
    assert "bugs.example" not in str(pi.bodies)
    assert "bugs.example" not in str(pi.entries())


def test_thinking_label(extend: Extend) -> None:
    thinks: Turn = {"blocks": [{"thinking": "deep thought"}, {"text": "done"}], "stop": "stop"}
    with sitting(extend(EXAMPLES / "thinking_label.py", turns=[thinks])) as screen:
        say(screen, "hello")
        screen.wait("deep thought")
        screen.press("C-t")
        screen.wait("Pondering …")
        say(screen, "/thinking-label Brewing")
        screen.wait("\n Brewing")
        say(screen, "/thinking-label")
        screen.wait("Thought (ctrl+t)")
