"""Models of a server that says itself which it has, such as llama.cpp, vLLM or LM Studio.

    LOCAL_MODELS_URL=http://gpu.lab:8000/v1 pi -e local_models.py

The list is asked for while pi runs: in the background after the start, when /model is opened, and
by `pi update --models`. What was found last is kept, so that `pi -p --model local/…` works at once.
Of a llama.cpp server they are also there to classify: see docs/models.md.
"""

import os
from collections.abc import Mapping
from typing import Any

from pi.extensions import ModelRefresh, Pi

URL = os.environ.get("LOCAL_MODELS_URL", "http://127.0.0.1:8080/v1")


def as_models(found: Mapping[str, Any], base_url: str) -> list[dict[str, Any]]:
    """An entry of `/models` as models.json would describe it. Servers agree on `id` alone."""
    loaded = (found.get("meta") or {}).get("n_ctx")
    window = found.get("max_model_len") or found.get("context_length") or loaded or 32_768
    about = {"id": found["id"], "contextWindow": window}
    if "decisions" in ((found.get("architecture") or {}).get("output_modalities") or ()):
        return [{**about, "type": "classifier", "api": "typesafe-system-one"}]
    chat = {**about, "maxTokens": min(window // 4, 16_384)}
    if found.get("owned_by") != "llamacpp":
        return [chat]
    root = base_url.removesuffix("/v1")
    return [
        chat,
        {**about, "type": "classifier", "api": "llama-cpp-classify", "baseUrl": root},
    ]


async def models_of_server(refresh: ModelRefresh) -> list[Any] | None:
    if not refresh.network:
        return refresh.stored["models"] if refresh.stored else None
    import httpx  # noqa: PLC0415  (here, not at the top: most starts do without)

    key = refresh.credential["key"] if refresh.credential else None
    async with httpx.AsyncClient(timeout=10) as client:
        answer = await client.get(
            f"{refresh.base_url}/models", headers={"authorization": f"Bearer {key}"}
        )
    answer.raise_for_status()
    listed = answer.json()["data"]
    models = [model for found in listed for model in as_models(found, refresh.base_url or URL)]
    await refresh.store(models)
    return models


def extend(pi: Pi) -> None:
    pi.register_provider(
        "local",
        display_name="Models on this machine",
        base_url=URL,
        api="openai-completions",
        api_key=os.environ.get("LOCAL_MODELS_KEY", "none"),
        refresh_models=models_of_server,
    )
