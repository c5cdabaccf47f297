"""From a record, of the catalogue or of models.json, to a Model."""

from collections.abc import Mapping
from typing import Any

from pi.wire.model import Model, prices_of

__all__ = ["model_from_record"]


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
    )
