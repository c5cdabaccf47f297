"""From a record, of the catalogue or of models.json, to a Model."""

from collections.abc import Mapping
from typing import Any

from pi.wire.model import Model, Prices, PriceTier, prices_of

__all__ = ["model_from_record", "record_of_model"]


def model_from_record(provider: str, record: Mapping[str, Any]) -> Model:
    """record: wire keys, with `id`, `api` and `baseUrl`; the rest has defaults."""
    return Model(
        id=record["id"],
        provider=provider,
        api=record["api"],
        base_url=record["baseUrl"],
        name=record.get("name", record["id"]),
        reasoning=record.get("reasoning", False),
        thinking_level_map=record.get("thinkingLevelMap", {}),
        input=tuple(record.get("input", ("text",))),
        prices=prices_of(record.get("cost", {})),
        context_window=int(record.get("contextWindow", 128_000)),
        max_tokens=int(record.get("maxTokens", 16_384)),
        headers=record.get("headers", {}),
        compat=record.get("compat", {}),
        sampling_params=record.get("samplingParams", {}),
        sampling_params_by_level=record.get("samplingParamsByThinkingLevel", {}),
        input_limits=record.get("inputLimits", {}),
        prompt_cache=record.get("promptCache", {}),
        type=record.get("type"),
        output=tuple(record.get("output", ("text",))),
    )


def record_of_model(model: Model) -> dict[str, Any]:
    """What programs are told of a model: the other way, without headers, which may be secret."""
    optional = {
        "thinkingLevelMap": model.thinking_level_map,
        "compat": model.compat,
        "samplingParams": model.sampling_params,
        "samplingParamsByThinkingLevel": model.sampling_params_by_level,
        "inputLimits": model.input_limits,
        "promptCache": model.prompt_cache,
    }
    return {
        **({} if model.type is None else {"type": model.type}),
        "id": model.id,
        "name": model.name,
        "api": model.api,
        "provider": model.provider,
        "baseUrl": model.base_url,
        "reasoning": model.reasoning,
        "input": list(model.input),
        "cost": _cost(model.prices),
        "contextWindow": model.context_window,
        "maxTokens": model.max_tokens,
        **{key: dict(value) for key, value in optional.items() if value},
    }


def _cost(prices: Prices) -> dict[str, Any]:
    cost: dict[str, Any] = _figures(prices)
    if prices.tiers:
        cost["tiers"] = [
            {"inputTokensAbove": tier.input_tokens_above, **_figures(tier)} for tier in prices.tiers
        ]
    return cost


def _figures(prices: Prices | PriceTier) -> dict[str, float]:
    return {
        "input": prices.input,
        "output": prices.output,
        "cacheRead": prices.cache_read,
        "cacheWrite": prices.cache_write,
    }
