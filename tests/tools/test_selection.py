"""The table of selections, as the command line and settings spell them."""

import pytest

from pi.tools.selection import select_tools

KNOWN = ("read", "bash", "edit", "write", "grep", "find", "ls")
BASE = ("read", "bash", "edit", "write")


@pytest.mark.parametrize(
    ("wanted", "excluded", "names"),
    [
        (None, (), "read bash edit write"),
        ((), (), ""),
        (("ls", "find", "read"), (), "ls find read"),
        (("foo", "read"), (), "read"),
        (("+grep", "-write"), (), "read bash edit grep"),
        (("-bash", "+ls", "+grep"), (), "read edit write ls grep"),
        (("+read",), (), "read bash edit write"),
        (("+foo",), (), "read bash edit write"),
        (("read", "+grep", "-read"), (), "grep"),
        (("*",), (), "read bash edit write grep find ls"),
        (("r*", "*e*"), (), "read edit write grep"),
        (("r[e]ad",), (), ""),
        (None, ("b*",), "read edit write"),
        (("-read",), ("write",), "bash edit"),
        (("read", "ls"), ("*",), ""),
    ],
)
def test_selection(wanted: tuple[str, ...] | None, excluded: tuple[str, ...], names: str) -> None:
    assert " ".join(select_tools(KNOWN, BASE, wanted, excluded).names) == names


def test_unknown_names_are_reported() -> None:
    assert select_tools(KNOWN, BASE, ("foo", "read", "mcp__*")).unknown == ("foo", "mcp__*")
    assert select_tools(KNOWN, BASE, ("+foo", "-bar")).unknown == ("foo",)


def test_a_base_of_another_version_is_reduced_to_what_there_is() -> None:
    assert select_tools(KNOWN, ("read", "codemode", "read")).names == ("read",)
