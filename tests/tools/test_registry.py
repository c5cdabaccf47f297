import subprocess
import sys

import pytest

from pi.errors import UsageError
from pi.tools import registry
from pi.tools.base import declaration

ORDER = ("read", "bash", "edit", "write", "grep", "find", "ls")

SHAPES = {
    "read": (["path"], {"path": "string", "offset": "number", "limit": "number"}),
    "bash": (["command"], {"command": "string", "timeout": "number"}),
    "edit": (["path", "edits"], {"path": "string", "edits": "array"}),
    "write": (["path", "content"], {"path": "string", "content": "string"}),
    "grep": (
        ["pattern"],
        {
            "pattern": "string",
            "path": "string",
            "glob": "string",
            "ignoreCase": "boolean",
            "literal": "boolean",
            "context": "number",
            "limit": "number",
        },
    ),
    "find": (["pattern"], {"pattern": "string", "path": "string", "limit": "number"}),
    "ls": (None, {"path": "string", "limit": "number"}),
}


def test_the_names_in_order() -> None:
    assert registry.BUILTIN == ORDER


@pytest.mark.parametrize("name", ORDER)
def test_declarations(name: str) -> None:
    tool = registry.load(name)
    declared = declaration(tool)
    required, types = SHAPES[name]
    assert declared["name"] == tool.name == name
    assert declared["parameters"].get("required") == required
    properties = declared["parameters"]["properties"]
    assert {key: value["type"] for key, value in properties.items()} == types
    assert list(properties) == list(types)
    assert all(value["description"] for value in properties.values())
    assert tool.snippet and isinstance(tool.rules, tuple)
    constrained = name in ("read", "bash", "edit", "write")
    assert declared.get("constrainedSampling") == (
        {"type": "json_schema", "strict": "prefer"} if constrained else None
    )


def test_the_items_of_edits() -> None:
    items = registry.load("edit").parameters["properties"]["edits"]["items"]
    assert items["required"] == ["oldText", "newText"] == list(items["properties"])


def test_unknown_names() -> None:
    with pytest.raises(UsageError, match="Read"):
        registry.load("Read")


def loaded_after(code: str) -> set[str]:
    program = f"import sys; {code}; print(*sys.modules)"
    return set(subprocess.check_output([sys.executable, "-c", program], text=True).split())


def test_a_tool_costs_nothing_until_it_is_asked_for() -> None:
    loaded = loaded_after("import pi.tools.registry")
    assert not {f"pi.tools.{name}" for name in ORDER} & loaded


def test_declaring_all_tools_loads_no_library() -> None:
    loaded = loaded_after(
        "from pi.tools import registry; [registry.load(n) for n in registry.BUILTIN]"
    )
    assert not {"PIL", "jsonschema_rs", "httpx", "click", "difflib", "tempfile"} & loaded
    assert not {"pi.tools.search", "pi._speedups.scan", "pi._speedups._scan"} & loaded
