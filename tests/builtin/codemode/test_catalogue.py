"""Tools as JavaScript and TypeScript have them."""

from typing import Any

import pytest

from pi.builtin.codemode.catalogue import by_identifier, declaration, identifier


def info(name: str, parameters: Any = None, output: Any = None) -> dict[str, Any]:
    return {
        "name": name,
        "description": "Does it",
        "parameters": parameters or {"type": "object"},
        "promptGuidelines": [],
        "outputSchema": output,
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [("read", "read"), ("mcp__my-docs__a.b", "mcp__my_docs__a_b"), ("1st", "_1st"), ("ü", "_")],
)
def test_identifiers(name: str, expected: str) -> None:
    assert identifier(name) == expected


def test_two_of_one_name_are_told_apart() -> None:
    assert list(by_identifier([info("a-b"), info("a_b"), info("a.b")])) == ["a_b", "a_b_2", "a_b_3"]


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "string"}, "string"),
        ({"type": "integer"}, "number"),
        ({"type": ["string", "null"]}, "string | null"),
        ({"enum": ["a", 1]}, '"a" | 1'),
        ({"const": "x"}, '"x"'),
        ({"anyOf": [{"type": "string"}, {"type": "number"}]}, "string | number"),
        ({"allOf": [{"$ref": "#/x"}, {"type": "string"}]}, "unknown & string"),
        ({"type": "array", "items": {"type": "string"}}, "string[]"),
        ({"type": "array", "items": {"enum": [1, 2]}}, "(1 | 2)[]"),
        ({"type": "array"}, "unknown[]"),
        ({"type": "object"}, "Record<string, unknown>"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "Record<string, number>"),
        ({"type": "object", "additionalProperties": False}, "{}"),
        ({"properties": {"a-b": {"type": "null"}}}, '{\n  "a-b"?: null;\n}'),
        ({"type": "odd"}, "unknown"),
        (True, "unknown"),
    ],
)
def test_types(schema: Any, text: str) -> None:
    (tool,) = by_identifier([info("x", output=schema)]).values()
    expected = f"tools.x(args?: Record<string, unknown>): Promise<{text}>"
    assert declaration(tool) == expected


def test_a_declaration_with_comments() -> None:
    inner = {"type": "object", "properties": {"n": {"description": "How\n many"}}}
    parameters = {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": "string", "description": "It"}, "b": inner},
    }
    (tool,) = by_identifier([info("x", parameters)]).values()
    assert declaration(tool) == (
        "tools.x(args: {\n  // It\n  a: string;\n  b?: {\n    // How many\n    n?: unknown;\n  };\n"
        "}): Promise<string>"
    )


def test_a_schema_without_end_has_one() -> None:
    schema: dict[str, Any] = {"type": "array"}
    schema["items"] = schema
    (tool,) = by_identifier([info("x", output=schema)]).values()
    assert "unknown" in declaration(tool)
