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
    fields: dict[str, Any] = {}
    # A map may say that "off" has no word: then nothing is said where it would be one.
    if on or not (level in model.thinking_level_map and mapped is None and _names_off(compat)):
        fields = _by_format(compat, on=on, effort=effort, mapped=mapped, budget=budget)
    field = compat.get("thinkingTokenBudgetField")
    if field is None and compat.get("supportsThinkingTokenBudget"):
        field = "thinking_token_budget"
    if field and budget is not None:
        fields[field] = budget
    return fields


def _names_off(compat: Mapping[str, Any]) -> bool:
    return compat["thinkingFormat"] in ("openrouter", "deepseek", "string-thinking")


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
            words = effort if on else mapped
            kwargs = _template(compat.get("chatTemplateKwargs"), on=on, effort=words, budget=budget)
            return {"chat_template_kwargs": kwargs} if kwargs else {}
        case "baseten":
            words = effort if on else mapped
            args = _template(compat.get("chatTemplateArgs"), on=on, effort=words, budget=budget)
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
    given: Mapping[str, Any] | None, *, on: bool, effort: str | None, budget: int | None
) -> dict[str, Any]:
    """Arguments for a server's chat template, each `{"$var": …}` replaced.

    A member whose variable has no value is left out, and so is one with `omitWhenOff` when thinking
    is off.
    """
    values = {"thinking.enabled": on, "thinking.effort": effort, "thinking.budget": budget}
    filled: dict[str, Any] = {}
    for name, value in (given or {}).items():
        if not isinstance(value, Mapping) or "$var" not in value:
            filled[name] = value
        elif on or not value.get("omitWhenOff"):
            known = values.get(value["$var"])
            if known is not None:
                filled[name] = known
    return filled
