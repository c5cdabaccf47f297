"""`models` in scripts: the models there are, and questions to those that are not for chat.

Source: docs/codemode.md, Models.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from pi.agent.tokens import add_usage
from pi.extensions import Context, ToolFailure
from pi.models.records import record_of_model
from pi.tools.files import whole_characters
from pi.wire.messages import Usage, now_ms
from pi.wire.model import Model, ModelType

__all__ = ["ModelCalls"]

AT_ONCE = 4
"""Calls of models that run at the same time, of one script; more wait."""
ERROR = 500
"""Characters of an error that are listed with the calls."""

_TYPES: Mapping[str, ModelType] = {"chat": "chat", "image": "image", "classifier": "classifier"}


class _Operation(NamedTuple):
    """kind: of the models it is for. empty: what a failed one gives. run: asks the model."""

    name: str
    kind: ModelType
    empty: Mapping[str, Any]
    run: Callable[[Model, Mapping[str, Any]], Awaitable[dict[str, Any]]]


class ModelCalls:
    """Those of one script. usage: what they cost so far. images: how many were generated.

    note: takes down a call that begins. tell: shows what became of the calls.
    """

    def __init__(
        self,
        ctx: Context,
        call_id: str,
        note: Callable[[dict[str, Any]], None],
        tell: Callable[[], None],
    ) -> None:
        self.usage: Usage | None = None
        self.images = 0
        self._models = ctx.models
        self._call_id = call_id
        self._note, self._tell = note, tell
        self._count = 0
        self._room = asyncio.Semaphore(AT_ONCE)
        self._operations = {
            "classify": _Operation("classify", "classifier", {"answers": {}}, self._classify),
            "generateImages": _Operation("generateImages", "image", {"output": []}, self._draw),
        }

    async def answer(self, what: str, args: Mapping[str, Any]) -> Any:
        """What a function of `models` gives. Raises ToolFailure for arguments that are none."""
        if operation := self._operations.get(what):
            return await self._operate(operation, args)
        kind = _TYPES.get(str(args.get("type")))
        if kind is None:
            raise ToolFailure(
                f"models.{what}: the type is {_shown(args.get('type'))}; "
                'it must be "chat", "image" or "classifier"'
            )
        provider = args.get("provider")
        if what == "getModelOfType":
            model_id = args.get("id")
            if not isinstance(provider, str) or not isinstance(model_id, str):
                raise ToolFailure(
                    "models.getModelOfType(type, provider, id): provider and id must be strings, "
                    "each by itself"
                )
            model = self._models.find_of_type(kind, provider, model_id)
            return None if model is None else _about(model)
        if provider is not None and not isinstance(provider, str):
            raise ToolFailure(f"models.{what}: the provider must be a string")
        every = what == "getModelsOfType"
        find = self._models.of_type if every else self._models.available_of_type
        return [_about(model) for model in find(kind, provider)]

    async def _operate(self, operation: _Operation, args: Mapping[str, Any]) -> dict[str, Any]:
        """What a call gives: a result, also for what fails at the provider."""
        model = self._model(operation, args.get("model"))
        asked = args.get("context")
        if not isinstance(asked, dict):
            raise _wrong(operation.name, f"the second argument is {_shown(asked)}, no object")
        (_check_question if operation.name == "classify" else _check_prompt)(asked)
        self._count += 1
        told: dict[str, Any] = {
            "id": f"{self._call_id}/models.{operation.name}/{self._count}",
            "name": f"models.{operation.name}",
            "args": whole_characters(model.reference),
            "status": "running",
        }
        self._note(told)
        self._tell()
        began = time.monotonic()
        result: dict[str, Any] = {"api": model.api, "provider": model.provider, "model": model.id}
        try:
            async with self._room:
                result |= await operation.run(model, asked)
            result["stopReason"] = "stop"
        except asyncio.CancelledError:
            told["status"] = "cancelled"
            raise
        except Exception as error:  # noqa: BLE001  (it may be a provider of an extension)
            text = str(error) or type(error).__name__
            if isinstance(error, RecursionError):
                text = "what is asked is nested too deep"
            result |= {**operation.empty, "stopReason": "error", "errorMessage": text}
            if usage := getattr(error, "usage", None):
                result["usage"] = usage
            told["error"] = whole_characters(text[:ERROR])
        result["timestamp"] = now_ms()
        told["status"] = "ok" if result["stopReason"] == "stop" else "error"
        told["durationMs"] = round((time.monotonic() - began) * 1000)
        if usage := result.get("usage"):
            told["cost"] = usage["cost"]["total"]
            self.usage = usage if self.usage is None else add_usage(self.usage, usage)
        self._tell()
        return result

    def _model(self, operation: _Operation, given: Any) -> Model:
        """The one that is meant. An address or headers a script made up never meet a key."""
        kind = operation.kind
        list_them = f'models.getAvailableOfType("{kind}") lists those that can be used'
        where = f"models.{operation.name}"
        if not isinstance(given, dict):
            why = (
                "" if given is not None else ", which is what getModelOfType gives for unknown ones"
            )
            raise ToolFailure(f"{where}: the model is {_shown(given)}{why}; {list_them}")
        provider, model_id = given.get("provider"), given.get("id")
        if not isinstance(provider, str) or not isinstance(model_id, str):
            raise ToolFailure(f"{where}: a model has a provider and an id; {list_them}")
        model = self._models.find_of_type(kind, provider, model_id)
        if model is not None:
            return model
        reference = f"{provider}/{model_id}"
        for other in _TYPES.values():
            if self._models.find_of_type(other, provider, model_id) is not None:
                raise ToolFailure(
                    f"{where}: {reference} is a model of the type {other}, not {kind}; {list_them}"
                )
        raise ToolFailure(f"{where}: there is no {kind} model {reference}; {list_them}")

    async def _classify(self, model: Model, asked: Mapping[str, Any]) -> dict[str, Any]:
        images = [_image(block) for block in asked.get("images") or ()]
        done = await self._models.classify(model, asked["state"], asked["questions"], images=images)
        return {"answers": dict(done.answers), **_counted(done.usage)}

    async def _draw(self, model: Model, asked: Mapping[str, Any]) -> dict[str, Any]:
        blocks = [b if b["type"] == "text" else _image(b) for b in asked["input"]]
        done = await self._models.generate_images(model, blocks)
        self.images += len(done.images)
        named = {} if done.response_id is None else {"responseId": done.response_id}
        return {"output": list(done.output), **named, **_counted(done.usage)}


def _counted(usage: Usage | None) -> dict[str, Any]:
    return {} if usage is None else {"usage": usage}


def _about(model: Model) -> dict[str, Any]:
    """A model as scripts see it: with what its type has, and without headers."""
    record = record_of_model(model)
    if model.type not in ("chat", None):
        del record["reasoning"], record["maxTokens"]
    if model.type == "image":
        del record["contextWindow"]
        record["output"] = list(model.output)
    return record


def _image(block: Mapping[str, Any]) -> Any:
    """Without what else is in it, such as the note of `read`."""
    return {"type": "image", "data": block["data"], "mimeType": block["mimeType"]}


_SHAPES = {
    "classify": (
        'it is {state: {…}, questions: {ID: {type: "choice", instructions, criteria: {label: '
        'meaning}} | {type: "score", instructions, criteria: [lowest level, …]} | {type: "bool", '
        "instructions, criteria: {true: meaning, false: meaning}}}, images?: [image block]}"
    ),
    "generateImages": (
        'it is {input: [{type: "text", text: prompt}, …{type: "image", data: base64, mimeType}]}'
    ),
}


def _wrong(name: str, what: str) -> ToolFailure:
    return ToolFailure(f"models.{name}: {what}; {_SHAPES[name]}")


def _check_question(asked: Mapping[str, Any]) -> None:
    """Raises ToolFailure unless it is state, questions and perhaps images."""
    state, images, questions = (asked.get(key) for key in ("state", "images", "questions"))
    if not isinstance(state, dict):
        raise _wrong("classify", f"context.state is {_shown(state)}, no object")
    if images is not None and not (isinstance(images, list) and all(map(_is_image, images))):
        raise _wrong("classify", "context.images must be a list of image blocks")
    if not isinstance(questions, dict) or not questions:
        raise _wrong("classify", f"context.questions is {_shown(questions)}, no questions by ID")
    for name, question in questions.items():
        if not isinstance(question, dict):
            raise _wrong("classify", f"the question {name!r} is {_shown(question)}, no object")
        if not isinstance(question.get("instructions"), str):
            raise _wrong("classify", f"the question {name!r} has no instructions")
        if not _fits(question.get("type"), question.get("criteria")):
            what = f"the question {name!r} has no type, or not the criteria that its type has"
            raise _wrong("classify", what)


def _fits(kind: Any, criteria: Any) -> bool:
    match kind:
        case "choice":
            texts = list(criteria.values()) if isinstance(criteria, dict) else []
        case "score":
            texts = criteria if isinstance(criteria, list) else []
        case "bool" if isinstance(criteria, dict):
            texts = [criteria.get("true"), criteria.get("false")]
        case _:
            return False
    return bool(texts) and all(isinstance(text, str) for text in texts)


def _check_prompt(asked: Mapping[str, Any]) -> None:
    """Raises ToolFailure unless it is texts and images."""
    blocks = asked.get("input")
    if not isinstance(blocks, list) or not blocks:
        raise _wrong("generateImages", f"context.input is {_shown(blocks)}, no blocks")
    if not all(_is_image(block) or _is_text(block) for block in blocks):
        raise _wrong("generateImages", "context.input must be blocks of text and images")


def _is_image(block: Any) -> bool:
    if not isinstance(block, dict) or block.get("type") != "image":
        return False
    return isinstance(block.get("data"), str) and isinstance(block.get("mimeType"), str)


def _is_text(block: Any) -> bool:
    return (
        isinstance(block, dict)
        and block.get("type") == "text"
        and isinstance(block.get("text"), str)
    )


def _shown(value: Any) -> str:
    """What kind of value it is, for a message."""
    match value:
        case None:
            return "undefined or null"
        case bool() | int() | float():
            return "a number" if not isinstance(value, bool) else "true or false"
        case str():
            return f'"{value}"' if len(value) <= 40 else "a string"
        case list():
            return "a list"
    keys = list(value)
    more = ", …" if len(keys) > 6 else ""
    return f"{{{', '.join(str(key)[:40] for key in keys[:6])}{more}}}"
