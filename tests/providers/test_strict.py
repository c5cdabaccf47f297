"""Strict forms of schemas, and what becomes of tools that have none; grammars."""

import pytest

from pi.errors import InvalidRequestError
from pi.providers.grammar_calls import GrammarText
from pi.providers.strict import Grammar, grammar_inputs, grammar_of, strict_form
from pi.wire.jsonio import loads
from tests.providers.exchange import TOOL, system

NULLABLE = {"anyOf": [{"type": "string"}, {"type": "null"}]}


def asking(schema, strict="prefer"):
    return {
        "name": "t",
        "parameters": schema,
        "constrainedSampling": {"type": "json_schema", "strict": strict},
    }


def form(schema, **options):
    return strict_form(asking(schema), able=True, **options)


def test_nested():
    schema = {
        "type": "object",
        "required": ["edits"],
        "properties": {
            "edits": {
                "type": "array",
                "items": {"type": "object", "properties": {"a": {"type": "string"}}},
            },
            "mode": NULLABLE,
            "kind": {"type": ["string", "null"]},
            "word": {"enum": ["a", None]},
        },
    }
    strict = form(schema)
    assert strict["required"] == ["edits", "mode", "kind", "word"]
    for name in ("mode", "kind", "word"):
        assert strict["properties"][name] == schema["properties"][name]
    inner = strict["properties"]["edits"]["items"]
    assert inner["additionalProperties"] is False and inner["required"] == ["a"]
    assert inner["properties"]["a"] == NULLABLE
    assert "additionalProperties" not in schema


LOOSE = [
    {"type": "object"},
    {"type": "object", "properties": {}, "additionalProperties": {"type": "string"}},
    {"type": "object", "properties": {"a": {"type": "object"}}},
    {"type": "object", "properties": {"a": {"type": "array", "items": [{}]}}},
    {"type": "object", "properties": {"a": True}},
    {"type": "object", "properties": {}, "required": ["b"]},
    {"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}},
    {"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}]}}},
    {"type": "object", "properties": {"a": {"anyOf": []}}},
    {"type": "object", "properties": {"a": {"anyOf": [{"type": "object", "properties": {}}]}}},
    {"type": "object", "properties": {"a": {"properties": {}}}},
]


@pytest.mark.parametrize("schema", LOOSE)
def test_what_has_no_strict_form(schema):
    assert form(schema) is None
    with pytest.raises(InvalidRequestError, match=r'"t"'):
        strict_form(asking(schema, "require"), able=True)


def test_what_a_provider_refuses_besides():
    schema = {"type": "object", "properties": {"a": {"type": "number", "minimum": 1}}}
    assert form(schema) is not None
    assert form(schema, refuses=lambda key, value: (key, value) == ("minimum", 1)) is None


def test_who_gets_strict_calls():
    assert strict_form(TOOL, able=True) is not None
    assert strict_form(TOOL, able=True, preferred=False) is None
    assert strict_form(TOOL, able=False) is None
    assert strict_form({**TOOL, "constrainedSampling": None}, able=True) is None
    plain = {key: value for key, value in TOOL.items() if key != "constrainedSampling"}
    assert strict_form(plain, able=True) is None
    must = asking(TOOL["parameters"], "require")
    assert strict_form(must, able=True, preferred=False) is not None
    with pytest.raises(InvalidRequestError, match="no strict tools"):
        strict_form(must, able=False)


def grammatical(variants, schema=None):
    schema = schema or {
        "type": "object",
        "properties": {"code": {"type": "string"}},
        "required": ["code"],
    }
    asked = {"type": "grammar", "variants": variants}
    return {"name": "t", "description": "d", "parameters": schema, "constrainedSampling": asked}


def test_grammars():
    both = grammatical({"openai_lark": "start: X", "openai_regex": "x+"})
    assert grammar_of(both, able=True) == Grammar("lark", "start: X", "code")
    assert grammar_of(both, able=False) is None
    regex = grammatical({"openai_lark": " ", "openai_regex": "x+"})
    assert grammar_of(regex, able=True) == Grammar("regex", "x+", "code")
    assert grammar_of(TOOL, able=True) is None


@pytest.mark.parametrize(
    ("variants", "schema"),
    [
        ({}, None),
        ({"other": "x"}, None),
        ({"openai_lark": "x"}, {"type": "object", "properties": {}}),
        ({"openai_lark": "x"}, {"type": "object", "properties": {}, "required": ["a"]}),
        (
            {"openai_lark": "x"},
            {"type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"]},
        ),
        (
            {"openai_lark": "x"},
            {
                "type": "object",
                "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                "required": ["a", "b"],
            },
        ),
    ],
)
def test_grammars_of_no_use(variants, schema):
    tool = grammatical(variants, schema)
    with pytest.raises(InvalidRequestError, match=r'"t"'):
        grammar_of(tool, able=True)
    assert grammar_inputs([system(toolsAdded=[tool])], able=True) == {}


def test_every_tool_that_was_ever_declared():
    tool = grammatical({"openai_lark": "x"})
    messages = [
        system(toolsAdded=[tool, TOOL]),
        system(toolsRemoved=[{"name": "t"}], toolsAdded=[{**tool, "name": "u"}]),
    ]
    assert grammar_inputs(messages, able=True) == {"t": "code", "u": "code"}
    assert grammar_inputs(messages, able=False) == {}


@pytest.mark.parametrize("whole", [None, 'a"b\n€😀', "something else"])
def test_text_becomes_arguments(whole):
    text = GrammarText('the "code"')
    pieces = [text.piece(delta) for delta in ('a"', "", "b\n", "€😀")]
    assert loads("".join(pieces) + text.close(whole)) == {'the "code"': 'a"b\n€😀'}


def test_a_text_that_comes_at_the_end():
    assert loads(GrammarText("x").close("whole")) == {"x": "whole"}
    assert loads(GrammarText("x").close()) == {"x": ""}
