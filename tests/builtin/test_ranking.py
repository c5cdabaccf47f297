"""What a search for tools finds first."""

from typing import Any

import pytest

from pi.builtin.ranking import rank
from pi.tools.exposure import Namespace

CITY = {"type": "object", "properties": {"city": {"type": "string", "description": "The town"}}}
DEEP = {"properties": {"rows": {"items": {"properties": {"omicron": {"description": "pi sigma"}}}}}}


def tool(name: str, description: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "description": description, "parameters": CITY, **more}


TOOLS = [
    tool("weather_week", "Forecast for a week"),
    tool("weatherToday", "Now"),
    tool(
        "search_issues",
        "Search project issues by keyword",
        namespace=Namespace("mcp__tracker", ["jira"], "Bug database", "zebra"),
    ),
    tool("list_files", "List the files of a folder"),
    tool("fileReader", "Reads files, files and more files"),
    tool("x1", "alpha beta"),
    tool("x2", "alpha alpha beta"),
    tool("x3", "alpha"),
    tool("x4", "param", parameters=DEEP),
    tool("x5", "ünïcode Größe 日本語"),
    *(tool(f"bulk_{number}", f"bulk tool number {number}") for number in range(12)),
]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("weather", "weatherToday weather_week"),
        ("today", "weatherToday"),
        ("weatherToday", "weatherToday weather_week"),
        ("tracker", "search_issues"),
        ("database", "search_issues"),
        ("zebra", "search_issues"),
        ("issue", "search_issues"),
        ("SEARCH issues", "search_issues"),
        ("files", "fileReader list_files"),
        ("file", "fileReader list_files"),
        ("reader", "fileReader"),
        ("alpha", "x2 x3 x1"),
        ("alpha beta", "x2 x1 x3"),
        ("omicron", "x4"),
        ("sigma", "x4"),
        ("größe", "x5"),
        ("日本語", "x5"),
        ("x1 x2", "x1 x2"),
        ("the", ""),
        (":", ""),
        ("", ""),
        ("nothing of this", ""),
    ],
)
def test_rank(query: str, found: str) -> None:
    assert " ".join(tool["name"] for tool in rank(query, TOOLS)) == found


def test_ties_are_in_order_and_a_number_decides() -> None:
    names = [tool["name"] for tool in rank("bulk_3", TOOLS)]
    assert names == ["bulk_3", *(f"bulk_{number}" for number in range(12) if number != 3)]


def test_no_tools() -> None:
    assert rank("weather", []) == []


@pytest.mark.parametrize("schema", [None, [], {"properties": []}, {"properties": {"a": 7}}])
def test_any_schema(schema: Any) -> None:
    assert rank("found", [tool("found", "x", parameters=schema)])
