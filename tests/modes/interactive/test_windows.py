"""What prompt-toolkit makes of a Windows console, taken apart again."""

import pytest
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys

from pi.modes.interactive.windows import sequences


@pytest.mark.parametrize(
    "data",
    ["abc", "\r", "\x1b[A", "\x1b[1;3A", "\x1b[200~two\rlines\x1b[201~x", "\x1bb", "\x1b[27;2;13~"],
)
def test_what_was_parsed_comes_out_as_it_was_sent(data):
    presses = []
    parser = Vt100Parser(presses.append)
    parser.feed_and_flush(data)
    assert sequences(presses) == data


def test_keys_of_the_old_console_have_no_data():
    presses = [KeyPress(Keys.Up, ""), KeyPress(Keys.Escape, ""), KeyPress("b", "b")]
    assert sequences(presses) == "\x1b[A\x1bb"
