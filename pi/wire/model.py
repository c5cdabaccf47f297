"""A model as the rest of the program sees it: plain data, no matter which file it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from pi.wire.messages import THINKING_LEVELS, ThinkingLevel

__all__ = ["VIRTUAL_API", "Model", "ModelType", "PriceTier", "Prices", "prices_of"]

VIRTUAL_API = "pi-virtual"
"""The api of models that another one answers for, chosen for each request."""


ModelType = Literal["chat", "image", "classifier"]


class PriceTier(NamedTuple):
    """Prices that hold for the whole request once its input exceeds `input_tokens_above`."""

    input_tokens_above: int
    input: float
    output: float
    cache_read: float
    cache_write: float


class Prices(NamedTuple):
    """US dollars a million tokens."""

    input: float = 0
    output: float = 0
    cache_read: float = 0
    cache_write: float = 0
    tiers: tuple[PriceTier, ...] = ()


def prices_of(cost: Mapping[str, Any]) -> Prices:
    """The prices a record tells, of the catalogue or of models.json: wire keys."""
    return Prices(
        input=cost.get("input", 0),
        output=cost.get("output", 0),
        cache_read=cost.get("cacheRead", 0),
        cache_write=cost.get("cacheWrite", 0),
        tiers=tuple(
            PriceTier(
                input_tokens_above=int(tier["inputTokensAbove"]),
                input=tier["input"],
                output=tier["output"],
                cache_read=tier["cacheRead"],
                cache_write=tier["cacheWrite"],
            )
            for tier in cost.get("tiers", ())
        ),
    )


FREE = Prices()


@dataclass(frozen=True, slots=True)
class Model:
    """One model of one provider.

    type: what it is for, None where its record does not say: for chat. Those of "image" and
        "classifier" have no chat.
    api: which wire format, such as "anthropic-messages".
    context_window, max_tokens: tokens.
    thinking_level_map: the provider's own value for a level; None marks a level unsupported.
    compat, sampling_params, input_limits, prompt_cache: as in models.json, wire keys kept.
    headers: unresolved values ("$NAME", "!command") as the file has them.
    """

    id: str
    provider: str
    api: str
    base_url: str
    name: str = ""
    reasoning: bool = False
    thinking_level_map: Mapping[str, str | None] = field(default_factory=dict)
    input: tuple[str, ...] = ("text",)
    prices: Prices = FREE
    context_window: int = 128_000
    max_tokens: int = 16_384
    headers: Mapping[str, str] = field(default_factory=dict)
    compat: Mapping[str, Any] = field(default_factory=dict)
    sampling_params: Mapping[str, Any] = field(default_factory=dict)
    sampling_params_by_level: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    input_limits: Mapping[str, Any] = field(default_factory=dict)
    prompt_cache: Mapping[str, float] = field(default_factory=dict)
    type: ModelType | None = None
    output: tuple[str, ...] = ("text",)

    @property
    def reference(self) -> str:
        """`provider/id`, as the command line and settings name it."""
        return f"{self.provider}/{self.id}"

    @property
    def is_virtual(self) -> bool:
        """Whether each of its requests goes to another model."""
        return self.api == VIRTUAL_API

    @property
    def takes_images(self) -> bool:
        return "image" in self.input

    def thinking_levels(self) -> tuple[ThinkingLevel, ...]:
        """The levels this model supports, lowest first.

        Unmapped levels through `high` are supported, `xhigh` and `max` only when mapped.
        """
        if not self.reasoning:
            return ("off",)
        mapped = self.thinking_level_map
        return tuple(
            level
            for level in THINKING_LEVELS
            if (mapped[level] is not None if level in mapped else level not in ("xhigh", "max"))
        )

    def clamp_thinking(self, level: ThinkingLevel) -> ThinkingLevel:
        """`level` if supported, else the next supported one above it, else the highest below.

        A name that is no level, from a session or an extension, is below all of them.
        """
        supported = self.thinking_levels()
        if level in supported or not supported:
            return level if supported else "off"
        rank = THINKING_LEVELS.index
        least = rank(level) if level in THINKING_LEVELS else -1
        above = [known for known in supported if rank(known) > least]
        return above[0] if above else supported[-1]
