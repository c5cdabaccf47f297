"""How Chat Completions servers are told to think: eleven ways to say the same.

Source: docs/models-configuration.md, `thinkingFormat`.
"""

from collections.abc import Mapping
from typing import Any

from pi.wire.messages import ThinkingLevel
from pi.wire.model import Model

__all__ = ["thinking_fields"]


def thinking_fields(
    model: Model, compat: Mapping[str, Any], level: ThinkingLevel, budget: int | None
) -> dict[str, Any]:
    """The request's fields for this level; none for a model that does not reason.

    budget: tokens, for the servers that take a cap; None when thinking is off.
    """
    if not model.reasoning:
        return {}
    on = level != "off"
    mapped = model.thinking_level_map.get(level)
    effort = mapped or level
    fields = _by_format(compat, on=on, effort=effort, mapped=mapped, budget=budget)
    field = compat.get("thinkingTokenBudgetField")
    if field is None and compat.get("supportsThinkingTokenBudget"):
        field = "thinking_token_budget"
    if field and budget is not None:
        fields[field] = budget
    return fields


def _by_format(
    compat: Mapping[str, Any], *, on: bool, effort: str, mapped: str | None, budget: int | None
) -> dict[str, Any]:
    takes_effort = compat["supportsReasoningEffort"]
    graded: dict[str, Any] = {"reasoning_effort": effort} if on and takes_effort else {}
    # Thinking that is off is said only where the model's map has a word for it.
    plain: dict[str, Any] = graded
    if not on and mapped and takes_effort:
        plain = {"reasoning_effort": mapped}
    match compat["thinkingFormat"]:
        case "openrouter":
            return {"reasoning": {"effort": effort if on else mapped or "none"}}
        case "deepseek":
            return {"thinking": {"type": "enabled" if on else "disabled"}, **graded}
        case "together":
            return {"reasoning": {"enabled": on}, **graded}
        case "zai":
            if not on:
                return {"thinking": {"type": "disabled"}}
            return {"thinking": {"type": "enabled", "clear_thinking": False}, **graded}
        case "qwen":
            return {"enable_thinking": on, **graded}
        case "qwen-chat-template":
            return {"chat_template_kwargs": {"enable_thinking": on, "preserve_thinking": True}}
        case "chat-template":
            kwargs = _template(
                compat.get("chatTemplateKwargs"), on=on, effort=effort, budget=budget
            )
            return {"chat_template_kwargs": kwargs} if kwargs else {}
        case "baseten":
            args = _template(compat.get("chatTemplateArgs"), on=on, effort=effort, budget=budget)
            return {**({"chat_template_args": args} if args else {}), **plain}
        case "string-thinking":
            return {"thinking": effort if on else mapped or "none"}
        case "ant-ling":
            if on:
                return {"reasoning": {"effort": mapped}} if mapped else {}
            return plain
        case _:
            return plain


def _template(
    given: Mapping[str, Any] | None, *, on: bool, effort: str, budget: int | None
) -> dict[str, Any]:
    """Arguments for a server's chat template, each `{"$var": …}` replaced.

    Effort and budget have no value when thinking is off; those members are left out then.
    """
    values: dict[str, Any] = {"thinking.enabled": on}
    if on:
        values |= {"thinking.effort": effort, "thinking.budget": budget}
    filled: dict[str, Any] = {}
    for name, value in (given or {}).items():
        if isinstance(value, Mapping) and "$var" in value:
            if value["$var"] in values:
                filled[name] = values[value["$var"]]
        else:
            filled[name] = value
    return filled
