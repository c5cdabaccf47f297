"""The table of `--list-models`."""

from pi.models.matching import collation_key, fuzzy_match
from pi.models.registry import HasCredential, ModelRegistry
from pi.wire.model import Model

__all__ = ["list_models", "short_count"]

_HEADER = ("provider", "model", "context", "max-out", "thinking", "images")


def list_models(
    registry: ModelRegistry, credentials: HasCredential, search: str | None = None
) -> str:
    """The table, or a sentence when there is nothing to list. No newline at the end."""
    names = registry.available_names(credentials)
    if not names:
        return (
            "No models available: no provider has an API key.\n"
            "Set one in the environment (such as ANTHROPIC_API_KEY), auth.json or models.json."
        )
    if search and search.strip():
        names = [name for name in names if fuzzy_match(search, f"{name.provider} {name.id}")]
        if not names:
            return f'No models matching "{search}"'
    names.sort(key=lambda name: (collation_key(name.provider), collation_key(name.id)))
    rows = [_HEADER, *(_row(registry.get(name)) for name in names)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )


def short_count(count: int) -> str:
    """Tokens as people say them: 200K, 1M, 131.1K, 1.0M (a little over a million)."""
    for unit, letter in ((1_000_000, "M"), (1_000, "K")):
        if count >= unit:
            if count % unit == 0:
                return f"{count // unit}{letter}"
            return f"{_tenths(count / unit)}{letter}"
    return str(count)


def _tenths(value: float) -> str:
    # The only halves a float can hold exactly at this place are .25 and .75: they round up.
    if value * 4 % 2 == 1:
        value += 0.01
    return f"{value:.1f}"


def _row(model: Model) -> tuple[str, str, str, str, str, str]:
    return (
        model.provider,
        model.id,
        short_count(model.context_window),
        short_count(model.max_tokens),
        "yes" if model.reasoning else "no",
        "yes" if model.takes_images else "no",
    )
