"""What the demo provider is called. Every run knows the model; only its own loads the provider."""

from pi.wire.model import Model

__all__ = ["DEMO_MODEL"]

DEMO_MODEL = Model(
    id="demo-1",
    provider="demo",
    api="demo",
    base_url="",
    name="Demo (no language model)",
    reasoning=True,
    context_window=1_000_000,
    max_tokens=16_384,
)
