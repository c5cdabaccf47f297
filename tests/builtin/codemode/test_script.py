"""What the first line of a script may say."""

import pytest

from pi.builtin.codemode import _reached
from pi.builtin.codemode.script import TOKENS, Script, read_script
from pi.extensions import ToolFailure


@pytest.mark.parametrize(
    ("code", "tokens", "seconds"),
    [
        ("return 1", TOKENS, None),
        ("// @options: {}\nreturn 1", TOKENS, None),
        ('// @options: {"max_output_tokens": 5}\r\nreturn 1', 5, None),
        ('  // @options: {"timeout_ms": 250, "max_output_tokens": 7}', 7, 0.25),
        ('// @options: {"timeout_ms": 2.0}\n', TOKENS, 0.002),
        ("'// @options: {}'\n`x // @options: nothing`", TOKENS, None),
    ],
)
def test_options(code: str, tokens: int, seconds: float | None) -> None:
    assert read_script(code) == Script(code, tokens, seconds)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("", "there is no script"),
        (" \n", "there is no script"),
        ("x\n// @options: {}", "line 2 has @options"),
        ("\n\n  // @options: {}", "line 3 has @options"),
        ("// @options: nope\nx", "cannot be read"),
        ("// @options: []\nx", "no object"),
        ('// @options: {"max": 1}\nx', "there is no max"),
        ('// @options: {"timeout_ms": 0}\nx', "whole number"),
        ('// @options: {"timeout_ms": 1.5}\nx', "whole number"),
        ('// @options: {"timeout_ms": true}\nx', "whole number"),
        ('// @options: {"timeout_ms": "5"}\nx', "whole number"),
        ('// @options: {"timeout_ms": 2147483648}\nx', "whole number"),
        ('// @options: {"timeout_ms": null}\nx', "whole number"),
    ],
)
def test_wrong_ones(code: str, said: str) -> None:
    with pytest.raises(ToolFailure, match=said):
        read_script(code)


@pytest.mark.parametrize(
    ("code", "reached"),
    [
        ("return await tools.read({path: x})", ["return", "await", "tools", "read", "path", "x"]),
        ("tools[name]()", "all"),
        ("Object.keys(tools)", "all"),
        ("const {read} = tools;", "all"),
        ("searchTools('x')", "all"),
        ("ALL_TOOLS", "all"),
    ],
)
def test_what_it_may_reach(code: str, reached: object) -> None:
    assert _reached({"code": code}) == reached
    assert _reached({}) == []
