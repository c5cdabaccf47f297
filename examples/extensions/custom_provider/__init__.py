"""A provider that pi does not know: its models, its own stream of answers, and a way to sign in.

The service here is a toy that speaks one JSON object a line. What a real one needs is the same:
make an Assembly, yield `start`, then each block's events as they come, then `done` or `error`.
"""

import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from pi.errors import PiError, ProviderError
from pi.extensions import OAuth, Pi
from pi.providers.assembly import Assembly
from pi.providers.base import Context, StreamOptions
from pi.providers.prompt import fold
from pi.providers.transform import encode_body
from pi.wire.events import AssistantEvent
from pi.wire.messages import text_of
from pi.wire.model import Model

MODELS = [
    {"id": "lines-small", "name": "Lines Small", "contextWindow": 32_000, "maxTokens": 4096},
    {"id": "lines-large", "name": "Lines Large", "contextWindow": 200_000, "maxTokens": 16_384},
]


async def stream(
    model: Model, context: Context, options: StreamOptions
) -> AsyncGenerator[AssistantEvent, None]:
    """One request: `{"text": …}` lines become text, `{"usage": …}` and the end finish it."""
    assembly = Assembly(model)
    body: Mapping[str, Any] = {
        "model": model.id,
        "system": fold(context.messages).text,
        "messages": [
            {"role": m["role"], "text": text_of(m["content"])}
            for m in context.messages
            if m["role"] in ("user", "assistant", "toolResult")
        ],
    }
    headers = {"authorization": f"Bearer {options.api_key}", **options.headers}
    try:
        if options.watch is not None:  # extensions that look at requests
            headers = await options.watch.headers(headers)
            body = await options.watch.payload(body)
        request = options.http.stream(
            f"{model.base_url}/lines", headers=headers, content=encode_body(body)
        )
        async with request as answer:
            if options.watch is not None:
                await options.watch.response(answer.status_code, dict(answer.headers))
            if answer.status_code != 200:
                raise ProviderError(
                    f"{answer.status_code} from {model.base_url}", status=answer.status_code
                )
            yield assembly.start()
            block, opened = assembly.open_text()
            yield opened
            async for line in answer.aiter_lines():
                if not line:
                    continue
                said = json.loads(line)
                if "text" in said:
                    yield block.delta(said["text"])
                elif "usage" in said:
                    assembly.count(**said["usage"])
            yield assembly.end(block)
            yield assembly.done("stop")
    except PiError as failure:
        yield assembly.fail(failure)
    finally:
        assembly.flush()  # what came is complete, however this ends


def sign_in(person: Any) -> dict[str, Any]:
    """A code from a page; a real flow exchanges it for tokens."""
    person.show_address("https://lines.example/sign-in", note="Copy the code that it shows.")
    code = person.ask("The code:")
    return {"access": code, "refresh": code, "expires": 4_102_444_800_000}


def extend(pi: Pi) -> None:
    address = pi.flag("lines-url", "Where the service is", kind="string")

    def register(url: str) -> None:
        pi.register_provider(
            "lines",
            display_name="Lines",
            base_url=url,
            api_key="$LINES_API_KEY",
            models=MODELS,
            stream=stream,
            oauth=OAuth("Lines", sign_in, lambda entry: entry),
        )

    register("http://127.0.0.1:8099")

    @pi.on("session_start")
    def elsewhere() -> None:
        if url := address():
            register(str(url))
