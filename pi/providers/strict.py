"""JSON Schemas in the form that strict tool calling wants.

Every object is closed and all its properties are required; what was optional may be null instead,
which reads back as absent.
"""

from typing import Any

__all__ = ["strict_schema", "wants_strict"]


def wants_strict(tool: Any) -> bool:
    """Whether a tool's declaration asks for strict calls where the model can."""
    asked = tool.get("constrainedSampling")
    return (
        isinstance(asked, dict)
        and asked.get("type") == "json_schema"
        and asked.get("strict") not in (None, False, "never")
    )


def strict_schema(schema: dict[str, Any]) -> dict[str, Any] | None:
    """The strict form, or None for a schema that has none (free-form objects)."""
    try:
        return _strict(schema)
    except _NotStrict:
        return None


class _NotStrict(Exception):
    pass


def _strict(schema: dict[str, Any]) -> dict[str, Any]:
    result = dict(schema)
    if "items" in schema:
        if not isinstance(schema["items"], dict):
            raise _NotStrict
        result["items"] = _strict(schema["items"])
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            result[key] = [_strict(part) for part in schema[key]]
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties")
        if not isinstance(properties, dict) or schema.get("additionalProperties"):
            raise _NotStrict
        required = schema.get("required", [])
        result["required"] = list(properties)
        result["properties"] = {
            name: _strict(part) if name in required else _nullable(_strict(part))
            for name, part in properties.items()
        }
        result["additionalProperties"] = False
    return result


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema.get("anyOf"), list):
        if {"type": "null"} in schema["anyOf"]:
            return schema
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    return {"anyOf": [schema, {"type": "null"}]}
