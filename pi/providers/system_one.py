"""System One: typed questions about JSON state, as TypeSafe, OpenRouter and Workers AI answer them.

A `bool` is a `noul` on the wire. Each service takes images in its own form; those of the catalogue
say which (`compat.imageInput`).
"""

from typing import Any

from pi.errors import ProviderError
from pi.providers.base import StreamOptions
from pi.providers.operations import (
    RETRIES,
    Classification,
    ToClassify,
    classified,
    post,
    refuse,
)
from pi.providers.transform import data_url
from pi.wire.model import Model

__all__ = ["run"]

CLOUDFLARE = "cloudflare-workers-ai-system-one"
MAX_IMAGES = 4
"""What Clef takes in one request."""

_ASSETS = {"image/png": "png", "image/jpeg": "jpeg"}
_IMAGES = ("image/png", "image/jpeg", "image/webp")
_EXPERIMENTAL = {"typesafe-danger-zone-images": "true"}


async def run(model: Model, asked: ToClassify, options: StreamOptions) -> Classification:
    """Raises ProviderError."""
    questions = {
        name: {**question, "type": "noul"} if question["type"] == "bool" else dict(question)
        for name, question in asked.questions.items()
    }
    request: dict[str, Any] = {"state": asked.state, "questions": questions}
    headers = _add_images(model, asked, request) if asked.images else {}
    if model.api == CLOUDFLARE:
        body = {"model": model.id, "input": request}
        answer = await post(model, "run", body, options, headers, retries=RETRIES)
        answer = _unwrapped(answer)
    else:
        path = "v1/systemone" if model.provider == "github-copilot" else "systemone"
        body = {"model": model.id, **request}
        answer = await post(model, path, body, options, headers, retries=RETRIES)
    given = answer.get("answers")
    given = given if isinstance(given, dict) else {}
    return classified(model, asked, given, answer.get("usage"), {"bool": "noul"})


def _add_images(model: Model, asked: ToClassify, request: dict[str, Any]) -> dict[str, str]:
    """Put them into the request; headers that go with them."""
    if not model.takes_images:
        refuse(model, "it takes no images")
    form, experimental = _image_form(model)
    kinds = [image["mimeType"] for image in asked.images]
    if form == "images":
        if len(kinds) > MAX_IMAGES:
            refuse(model, f"it takes at most {MAX_IMAGES} images")
        if set(kinds) - set(_IMAGES):
            refuse(model, "it takes PNG, JPEG and WebP images")
        request["images"] = [data_url(image) for image in asked.images]
    elif form == "state-image-urls":
        parts = [{"type": "image_url", "image_url": {"url": data_url(i)}} for i in asked.images]
        request["state"] = [*parts, asked.state]
    else:
        if set(kinds) - set(_ASSETS):
            refuse(model, "it takes PNG and JPEG images")
        assets = {
            f"<image-{number}>": {
                "type": "image",
                "format": _ASSETS[image["mimeType"]],
                "data_base64": image["data"],
            }
            for number, image in enumerate(asked.images, 1)
        }
        # An asset that nothing refers to is an error.
        request |= {"assets": assets, "state": [*assets, asked.state]}
    return _EXPERIMENTAL if experimental else {}


def _image_form(model: Model) -> tuple[str, bool]:
    """How it takes images, and whether it wants to be told that this is an experiment."""
    form, experimental = "assets", model.api != CLOUDFLARE
    if model.api == CLOUDFLARE:
        form = "images" if model.id.startswith("@cf/cloudflare/clef") else form
    elif model.provider == "openrouter" or "openrouter.ai" in model.base_url:
        form, experimental = "state-image-urls", False
    return (
        model.compat.get("imageInput", form),
        model.compat.get("sendImageOptInHeader", experimental),
    )


def _unwrapped(answer: dict[str, Any]) -> dict[str, Any]:
    """Cloudflare's envelope, and the record of a run that a model of others has around it."""
    if answer.get("success") is False:
        errors = answer.get("errors")
        told = [
            str(error["message"])
            for error in (errors if isinstance(errors, list) else ())
            if isinstance(error, dict) and error.get("message")
        ]
        raise ProviderError(f"Cloudflare: {'; '.join(told) or 'the request failed'}")
    result = answer.get("result")
    result = result if isinstance(result, dict) else {}
    if "answers" in result:
        return result
    if result.get("state") != "Completed":
        raise ProviderError(f"Cloudflare: the run is not complete, but {result.get('state')!r}")
    inner = result.get("result")
    return inner if isinstance(inner, dict) else {}
