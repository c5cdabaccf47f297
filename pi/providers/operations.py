"""What models do besides chat: classify, and generate images. One request, one whole answer.

A module of each API exports `run(model, asked, options)`; see APIS. Unlike a chat's stream, it
raises what goes wrong: ProviderError.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any, Literal, Never, TypedDict

from pi.errors import AuthError, InvalidRequestError, ModelError, ProviderError, StreamFormatError
from pi.providers.assembly import usage_of
from pi.providers.base import StreamOptions
from pi.providers.streaming import Call, http_answer
from pi.wire.jsonio import JSONError, loads
from pi.wire.messages import ImageContent, TextContent, Usage
from pi.wire.model import Model

__all__ = [
    "APIS",
    "RETRIES",
    "Answer",
    "Classification",
    "Drawn",
    "Operation",
    "Question",
    "ToClassify",
    "ToDraw",
    "classified",
    "odd",
    "refuse",
    "operation",
    "post",
    "tokens",
]

RETRIES = 2
"""Of a classifier's request: it is small, and something waits for its answer."""

APIS: Mapping[str, str] = {
    "cloudflare-workers-ai-system-one": "pi.providers.system_one",
    "llama-cpp-classify": "pi.providers.llama_classify",
    "openai-decisions": "pi.providers.openai_decisions",
    "openrouter-images": "pi.providers.openrouter_images",
    "typesafe-system-one": "pi.providers.system_one",
}


class Question(TypedDict):
    """criteria: of a choice what each label means, of a score what each level means, lowest first,
    of a bool what "true" and "false" mean."""

    type: Literal["choice", "score", "bool"]
    instructions: str
    criteria: Any


class Answer(TypedDict, total=False):
    """choice: choice, probabilities by label, confidence. score: score, from 0 to the number of
    levels less one, confidence. bool: probability of true."""

    type: Literal["choice", "score", "bool"]
    choice: str
    probabilities: dict[str, float]
    score: float
    confidence: float
    probability: float


@dataclass(frozen=True, slots=True)
class ToClassify:
    """state: what the questions are about, as JSON. images: judged along with it."""

    state: Mapping[str, Any]
    questions: Mapping[str, Question]
    images: Sequence[ImageContent] = ()


@dataclass(frozen=True, slots=True)
class ToDraw:
    """input: what to draw, and images to go by."""

    input: Sequence[TextContent | ImageContent]


@dataclass(frozen=True, slots=True)
class Classification:
    """answers: by the questions' names. usage: None where the service says nothing of it."""

    model: Model
    answers: Mapping[str, Answer]
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """output: images and texts, in order."""

    model: Model
    output: Sequence[TextContent | ImageContent]
    usage: Usage | None = None
    response_id: str | None = None

    @property
    def images(self) -> list[ImageContent]:
        return [block for block in self.output if block["type"] == "image"]


Operation = Callable[[Model, Any, StreamOptions], Awaitable[Any]]


def operation(api: str) -> Operation:
    """Raises ModelError for an API that is not known."""
    if api not in APIS:
        raise ModelError(f"unknown api {api!r}", hint=f"known here: {', '.join(sorted(APIS))}")
    run: Operation = import_module(APIS[api]).run
    return run


async def post(
    model: Model,
    path: str,
    body: Mapping[str, Any],
    options: StreamOptions,
    headers: Mapping[str, str] | None = None,
    *,
    retries: int = 0,
) -> dict[str, Any]:
    """The object that the service answers with. path: below the model's address.

    retries: that are made unless the options ask for more.
    """
    options = replace(options, max_retries=max(retries, options.max_retries))
    if options.api_key is None and not any(n.lower() == "authorization" for n in options.headers):
        raise AuthError(f"no API key for provider {model.provider!r}")
    sent = {"content-type": "application/json", **(headers or {})}
    if options.api_key is not None:
        sent["authorization"] = f"Bearer {options.api_key}"
    sent |= {name.lower(): value for name, value in options.headers.items()}
    call = Call(f"{model.base_url.rstrip('/')}/{path}", sent, body, decoder=_Whole)
    data = b""
    async with aclosing(http_answer(call, options, lambda: False)) as parts:
        async for part in parts:
            if part is not None:
                data = part[1]
    try:
        answer = loads(data)
    except JSONError:
        answer = None
    if not isinstance(answer, dict):
        odd("no JSON object", data)
    return answer


@dataclass(slots=True)
class _Whole:
    """A body that is one piece."""

    parts: list[bytes] = field(default_factory=list)

    def feed(self, chunk: bytes, /) -> Iterable[tuple[str, bytes]]:
        self.parts.append(chunk)
        return ()

    def close(self) -> Iterable[tuple[str, bytes]]:
        yield "", b"".join(self.parts)


def classified(
    model: Model,
    asked: ToClassify,
    given: Mapping[str, Any],
    usage: Any,
    kinds: Mapping[str, str],
) -> Classification:
    """Answers by name, as they are told. kinds: what the service calls each type of question.

    Raises ProviderError, with the usage, for one that is missing, refused or of another type.
    """
    counted = tokens(model, usage)
    try:
        return Classification(model, _checked(asked, given, kinds), counted)
    except ProviderError as error:
        error.usage = counted
        raise


def _checked(
    asked: ToClassify, given: Mapping[str, Any], kinds: Mapping[str, str]
) -> dict[str, Answer]:
    answers: dict[str, Answer] = {}
    for name, question in asked.questions.items():
        kind, answer = question["type"], given.get(name)
        if isinstance(answer, dict) and answer.get("type") == "refusal":
            raise ProviderError(f"the service refused to answer {name!r}")
        if not isinstance(answer, dict) or answer.get("type") != kinds.get(kind, kind):
            odd(f"no {kind} for {name!r}", repr(answer).encode())
        try:
            answers[name] = _answer(kind, answer)
        except (KeyError, TypeError, ValueError):
            odd(f"no {kind} for {name!r}", repr(answer).encode())
    return answers


def _answer(kind: str, answer: Mapping[str, Any]) -> Answer:
    if kind == "bool":
        probability = answer["probability"] if "probability" in answer else answer["noul"]
        return {"type": "bool", "probability": _number(probability)}
    if kind == "score":
        score, confidence = _number(answer["score"]), _number(answer["confidence"])
        return {"type": "score", "score": score, "confidence": confidence}
    listed = answer["probabilities"]
    if isinstance(listed, list):
        listed = {each["value"]: each["probability"] for each in listed}
    return {
        "type": "choice",
        "choice": str(answer["choice"]),
        "probabilities": {str(label): _number(value) for label, value in listed.items()},
        "confidence": _number(answer["confidence"]),
    }


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    return value


def tokens(model: Model, usage: Any) -> Usage | None:
    """What `{"input_tokens": …, "output_tokens": …}` comes to."""
    if not isinstance(usage, dict) or not {"input_tokens", "output_tokens"} & usage.keys():
        return None
    sent, received = (_count(usage.get(key)) for key in ("input_tokens", "output_tokens"))
    return usage_of(model.prices, sent, received)


def _count(value: Any) -> int:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if known and value > 0 else 0


def refuse(model: Model, why: str) -> Never:
    """Raise InvalidRequestError: the service would not take it."""
    raise InvalidRequestError(f"{model.reference}: {why}")


def odd(what: str, data: bytes) -> Never:
    """Raise StreamFormatError for an answer of another shape than was promised."""
    shown = data[:300].decode("utf-8", "replace")
    failure = StreamFormatError(f"malformed answer: {what}: {shown}")
    failure.retryable = False
    raise failure
