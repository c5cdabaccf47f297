"""System messages: replayed into a state, and made from a change of state."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pi.wire.messages import ToolDeclaration
from pi.wire.system import SystemState, diff_sections, replay_system, system_change


def tool(name: str, description: str = "") -> ToolDeclaration:
    return {"name": name, "description": description, "parameters": {"type": "object"}}


def message(**parts: Any) -> dict[str, Any]:
    return {"role": "system", "content": "", "timestamp": 1, **parts}


def test_a_session_starts_with_everything() -> None:
    sections = {"preamble": "P", "cwd": "C"}
    change = system_change(SystemState(), sections, [tool("read")], timestamp=7)
    assert change == {
        "role": "system",
        "content": "",
        "sections": sections,
        "timestamp": 7,
        "toolsAdded": [tool("read")],
    }
    assert list(change) == ["role", "content", "sections", "timestamp", "toolsAdded"]


def test_nothing_changed_nothing_said() -> None:
    state = SystemState((), {"a": "A"}, {"read": tool("read")})
    assert system_change(state, {"a": "A"}, [tool("read")]) is None
    assert system_change(SystemState(), {}, []) is None


def test_order_alone_is_no_change_of_tools() -> None:
    state = SystemState((), {}, {"read": tool("read"), "ls": tool("ls")})
    assert system_change(state, {}, [tool("ls"), tool("read")]) is None


def test_a_change_of_tools_leaves_the_sections_out() -> None:
    state = SystemState((), {"a": "A"}, {"read": tool("read"), "ls": tool("ls")})
    change = system_change(state, {"a": "A"}, [tool("read")], timestamp=7)
    assert change == message(timestamp=7, toolsRemoved=[{"name": "ls"}])


def test_a_tool_that_changed_is_removed_and_added() -> None:
    state = SystemState((), {}, {"read": tool("read", "old"), "ls": tool("ls")})
    change = system_change(state, {}, [tool("read", "new"), tool("ls")], timestamp=1)
    assert change == message(toolsAdded=[tool("read", "new")], toolsRemoved=[{"name": "read"}])
    assert change is not None
    assert replay_system([change]).tools == {"read": tool("read", "new")}


def test_a_patch_names_what_is_new_then_what_is_gone() -> None:
    old = {"preamble": "P", "tools": "T", "rules": "R", "cwd": "C"}
    patch = diff_sections(old, {"preamble": "X", "addendum": "A", "cwd": "C"})
    assert list(patch.items()) == [
        ("preamble", "X"),
        ("addendum", "A"),
        ("tools", None),
        ("rules", None),
    ]


def test_a_section_keeps_its_place() -> None:
    """Also for when it comes back: the prompt is then what it was, and still cached."""
    first = message(sections={"preamble": "P", "tools": "T", "cwd": "C"})
    state = replay_system([first, message(sections={"preamble": "Q"})])
    assert state.prompt == "Q\n\nT\n\nC"
    state = replay_system(
        [first, message(sections={"tools": None}), message(sections={"tools": "U"})]
    )
    assert state.prompt == "P\n\nU\n\nC"


def test_a_tool_keeps_its_place() -> None:
    names = ("read", "bash", "edit")
    gone = message(toolsRemoved=[{"name": "bash"}, {"name": "never"}])
    first = message(toolsAdded=[tool(name) for name in names])
    assert list(replay_system([first, gone]).tools) == ["read", "edit"]
    back = message(toolsAdded=[tool("grep"), tool("bash")])
    assert list(replay_system([first, gone, back]).tools) == ["read", "bash", "edit", "grep"]


def test_free_text_adds_up_before_the_sections() -> None:
    state = replay_system(
        [
            message(content="ONE", sections={"a": "A", "empty": ""}),
            {"role": "user", "content": "not this", "timestamp": 1},
            message(content=[{"type": "text", "text": "L1"}, {"type": "text", "text": "L2"}]),
        ]
    )
    assert state.texts == ("ONE", "L1\nL2")
    assert state.prompt == "ONE\n\nL1\nL2\n\nA"


def test_parts_of_the_wrong_shape_are_left_out() -> None:
    state = replay_system(
        [
            message(content=None, sections=["a"], toolsAdded="read", toolsRemoved={"name": "x"}),
            message(sections={"a": 1, "b": "B"}, toolsAdded=[None, {"name": 3}, tool("ls")]),
        ]
    )
    assert state == SystemState((), {"b": "B"}, {"ls": tool("ls")})


NAMES = st.sampled_from("abcde")
SECTIONS = st.dictionaries(NAMES, st.text(max_size=2))
TOOLS = st.dictionaries(NAMES, st.sampled_from(["old", "new"])).map(
    lambda described: [tool(name, text) for name, text in described.items()]
)


@given(st.lists(st.tuples(SECTIONS, TOOLS), max_size=5))
def test_replaying_the_changes_gives_the_last_state(states: list[tuple[Any, Any]]) -> None:
    messages: list[Any] = []
    for sections, tools in states:
        change = system_change(replay_system(messages), sections, tools)
        if change is not None:
            messages.append(change)
        state = replay_system(messages)
        assert state.sections == sections
        assert state.tools == {item["name"]: item for item in tools}
        assert system_change(state, sections, tools) is None
