import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.modes.interactive.completion.tokens import Token, token_before, written


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("", Token(0, "", False, False)),
        ("a b", Token(2, "b", False, False)),
        ("a ", Token(2, "", False, False)),
        ("see @src/a", Token(4, "src/a", True, False)),
        ("@", Token(0, "", True, False)),
        ("x\n@y", Token(2, "y", True, False)),
        ('@"my fi', Token(0, "my fi", True, True)),
        ('@"my file" ', Token(11, "", False, False)),
        ('"my fi', Token(0, "my fi", False, True)),
        ("my\\ fi", Token(0, "my fi", False, False)),
        ("a@b", Token(0, "a@b", False, False)),
        ('say "hi', Token(4, "hi", False, True)),
        ('a"b c', Token(4, "c", False, False)),
    ],
)
def test_the_token_before_the_caret(text, token):
    assert token_before(text, len(text)) == token
    assert token_before(text + " more", len(text)) == token


NAMES = st.text(
    st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters='"\\'), min_size=1
)


@given(NAMES)
def test_what_is_written_is_read_again(name):
    name = name.replace("@", "")
    name = name.strip() or "x"
    for start in ("", "@"):
        token = token_before(start, len(start))
        text = written(f"./{name}", token, shell=False, done=False)
        assert token_before(text, len(text)).path in (f"./{name}", f"./{name}")


@given(NAMES)
def test_a_shell_reads_the_same(name):
    token = token_before("", 0)
    assert shlex.split(written(name, token, shell=True, done=True)) == [name]
