"""The table of selections, as the command line and settings spell them."""

import pytest

from pi.tools.selection import ToolRules

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
        (("*",), (), "read bash edit write grep find ls"),
        (("r*", "*e*"), (), "read edit write grep"),
        (("r[e]ad",), (), ""),
        (None, ("b*",), "read edit write"),
        (("-read",), ("write",), "bash edit"),
        (("read", "ls"), ("*",), ""),
    ],
)
def test_selection(wanted: tuple[str, ...] | None, excluded: tuple[str, ...], names: str) -> None:
    assert " ".join(ToolRules.of(wanted, excluded).select(KNOWN, BASE).names) == names


def test_unknown_names_are_reported() -> None:
    assert ToolRules.of(("foo", "read", "x*")).select(KNOWN, BASE).unknown == ("foo", "x*")
    assert ToolRules.of(("+foo", "-bar")).select(KNOWN, BASE).unknown == ("foo",)
    # A server may bring it later.
    assert ToolRules.of(("read", "mcp__*")).select(KNOWN, BASE).unknown == ()


def test_a_base_of_another_version_is_reduced_to_what_there_is() -> None:
    assert ToolRules().select(KNOWN, ("read", "codemode", "read")).names == ("read",)


CODE, LATER = ("mcp__x__a", "code"), ("mcp__y__b", "later")
DIRECT = ("mcp__x__d", "mcp__y__d", "list_mcp_resources", "direct")
ALL = (*KNOWN, *CODE, *LATER, *DIRECT, "off", "caller", "tool_search")
ACTIVE = (*DIRECT, "caller")
DIRECT_MCP = "mcp__x__d mcp__y__d list_mcp_resources"
MCP = "mcp__x__a mcp__y__b mcp__x__d mcp__y__d list_mcp_resources"


@pytest.mark.parametrize(
    ("wanted", "excluded", "none", "kept", "names"),
    [
        (None, (), False, " ".join(ALL), f"read bash edit write {DIRECT_MCP} direct caller"),
        (("read", "caller"), (), False, f"read {MCP} caller", "read caller"),
        (("read", "caller", "code"), (), False, f"read {MCP} caller code", "read caller code"),
        (
            *(("read", "caller", "mcp__x__*"), (), False),
            *("read mcp__x__a mcp__x__d caller", "read caller mcp__x__d"),
        ),
        (
            *(("*",), (), False, " ".join(ALL)),
            " ".join((*KNOWN, *DIRECT, "off", "caller", "tool_search")),
        ),
        (
            *(("+code", "+mcp__x__a", "-write"), (), False, " ".join(ALL)),
            f"read bash edit code mcp__x__a {DIRECT_MCP} direct caller",
        ),
        (("-caller",), (), False, " ".join(ALL), f"read bash edit write {DIRECT_MCP} direct"),
        (
            *(None, ("mcp__*", "*_mcp_*", "later"), False),
            " ".join((*KNOWN, "code", "direct", "off", "caller", "tool_search")),
            "read bash edit write direct caller",
        ),
        (None, (), True, "", ""),
        (("caller",), (), True, f"{MCP} caller", "caller"),
        (("+read", "+caller"), (), True, f"read {MCP} caller", "read caller"),
    ],
)
def test_with_extensions(
    wanted: tuple[str, ...] | None,
    excluded: tuple[str, ...],
    none: bool,
    kept: str,
    names: str,
) -> None:
    """A list keeps MCP tools for others to call, and patterns switch on what is direct."""
    rules = ToolRules.of(wanted, excluded, none=none)
    assert set(filter(rules.keeps, ALL)) == set(kept.split())
    chosen = rules.select(ALL, BASE, ACTIVE, (*CODE, *LATER))
    assert (" ".join(chosen.names), chosen.unknown) == (names, ())


def test_a_list_keeps_the_model_from_mcp_tools_it_does_not_name() -> None:
    assert not ToolRules.of(("read",)).may_declare("mcp__x__a")
    assert ToolRules.of(("read", "mcp__*")).may_declare("mcp__x__a")
    assert ToolRules.of(("read", "tool_search")).may_declare("mcp__x__a")
