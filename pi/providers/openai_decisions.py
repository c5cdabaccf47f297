"""OpenAI's Decisions API: `POST /decisions` with `{model, input, questions}`.

The state goes as JSON text. A predicate has no place for what true and false mean, so that is told
with its instructions. A sign-in with ChatGPT is of no use here.
"""

from typing import Any

from pi.providers.base import StreamOptions
from pi.providers.operations import (
    RETRIES,
    Classification,
    Question,
    ToClassify,
    classified,
    post,
    refuse,
)
from pi.providers.transform import data_url
from pi.wire import jsonio
from pi.wire.model import Model

__all__ = ["run"]

MAX_IMAGES = 128


async def run(model: Model, asked: ToClassify, options: StreamOptions) -> Classification:
    """Raises ProviderError."""
    body = {
        "model": model.id,
        "input": _input(model, asked),
        "questions": [_question(name, each) for name, each in asked.questions.items()],
    }
    answer = await post(model, "decisions", body, options, retries=RETRIES)
    listed = answer.get("answers")
    given = {
        each["name"]: each
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, dict) and isinstance(each.get("name"), str)
    }
    return classified(model, asked, given, answer.get("usage"), {"bool": "predicate"})


def _input(model: Model, asked: ToClassify) -> Any:
    state = jsonio.dumps(asked.state).decode()
    if not asked.images:
        return state
    if not model.takes_images:
        refuse(model, "it takes no images")
    if len(asked.images) > MAX_IMAGES:
        refuse(model, f"it takes at most {MAX_IMAGES} images")
    parts = [{"type": "input_image", "image_url": data_url(image)} for image in asked.images]
    return [{"role": "user", "content": [{"type": "input_text", "text": state}, *parts]}]


def _question(name: str, question: Question) -> dict[str, Any]:
    told = {"name": name, "instructions": question["instructions"]}
    criteria = question["criteria"]
    if question["type"] == "choice":
        choices = [
            {"value": label, **({"description": meaning} if meaning else {})}
            for label, meaning in criteria.items()
        ]
        return {"type": "choice", **told, "choices": choices}
    if question["type"] == "score":
        return {"type": "score", **told, "levels": [{"label": level} for level in criteria]}
    meanings = [
        f"{word} means: {criteria[key]}"
        for word, key in (("True", "true"), ("False", "false"))
        if criteria.get(key)
    ]
    if meanings:
        told["instructions"] += "\n\n" + "\n".join(meanings)
    return {"type": "predicate", **told}
