"""$NAME, ${NAME}, $$, $! and !command."""

import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.config import values
from pi.config.values import UnresolvedValue, can_resolve, resolve_value

ENV = {"A": "va", "B_1": "vb", "EMPTY": "", "PATH": os.environ["PATH"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("pre-$A-post", "pre-va-post"),
        ("${A}x", "vax"),
        ("$$A", "$A"),
        ("$!cmd", "!cmd"),
        ("$B_1", "vb"),
        ("$1", "$1"),
        ("${A", "${A"),
        ("a$", "a$"),
        ("${}", "${}"),
        ("${B-1}", "${B-1}"),
        ("a $A$A", "a vava"),
        ("\\$A", "\\va"),
        ("$$$A", "$va"),
    ],
)
def test_interpolation(text: str, expected: str) -> None:
    assert resolve_value(text, ENV, what="x") == expected
    assert can_resolve(text, ENV)


@pytest.mark.parametrize("text", ["$UNSET", "${UNSET}", "$EMPTY", "x$EMPTY", "$B_1x", "$A$NO"])
def test_unset_variables(text: str) -> None:
    assert not can_resolve(text, ENV)
    with pytest.raises(UnresolvedValue, match=r"the key of p needs the environment variable \w+"):
        resolve_value(text, ENV, what="the key of p")


@given(st.text(alphabet=st.characters(codec="latin-1", exclude_characters="$", min_codepoint=32)))
def test_text_without_dollars_is_itself(text: str) -> None:
    if not text.startswith("!") and "\x7f" not in text:
        assert resolve_value(text, {}, what="x") == text.strip(" ")
        assert resolve_value(text, {}, what="x", sendable=False) == text


@given(st.text(alphabet="$!{}Aa1_", max_size=12))
def test_nothing_else_than_unset_can_go_wrong(text: str) -> None:
    if text.startswith("!"):
        return
    env = dict.fromkeys(("A", "a", "Aa", "_", "A1"), "v")
    try:
        resolve_value(text, env, what="x")
    except UnresolvedValue:
        assert not can_resolve(text, env)
    else:
        assert can_resolve(text, env) or not text


@pytest.mark.parametrize("text", ["a\nb", "é\u20ac", "a\x00", "\ufeffa"])
def test_what_no_header_can_carry(text: str) -> None:
    with pytest.raises(UnresolvedValue) as caught:
        resolve_value(text, {}, what="the header")
    assert text not in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="the commands are a POSIX shell's")
class TestCommands:
    def test_output_is_trimmed(self) -> None:
        assert resolve_value("!printf ' x '", ENV, what="x") == "x"
        assert resolve_value('!echo "$A"', ENV, what="x") == "va"

    @pytest.mark.parametrize(
        ("command", "reason"), [("exit 3", "exited with 3"), ("true", "printed nothing")]
    )
    def test_failures(self, command: str, reason: str) -> None:
        with pytest.raises(UnresolvedValue, match=reason) as caught:
            resolve_value("!" + command, ENV, what="the key")
        assert command in str(caught.value)

    def test_output_of_a_failed_command_is_not_shown(self) -> None:
        with pytest.raises(UnresolvedValue) as caught:
            resolve_value("!echo sec''ret; exit 1", ENV, what="the key")
        assert "secret" not in str(caught.value)

    def test_a_child_that_keeps_the_pipe_does_not_hold_us_up(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(values, "COMMAND_TIMEOUT", 0.2)
        command = f"{sys.executable} -c 'import time; time.sleep(60)' | cat"
        with pytest.raises(UnresolvedValue, match="longer than"):
            resolve_value("!" + command, ENV, what="the key")
