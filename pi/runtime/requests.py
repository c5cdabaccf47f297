"""How the agent of a session asks a model and keeps its cache, and what tools find around them."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pi.agent.session import AgentSession
from pi.agent.summary import Request
from pi.providers.base import Context, StreamOptions, Watch
from pi.providers.http import HttpClient
from pi.providers.registry import stream_function
from pi.runtime.routing import HostRoutes
from pi.runtime.services import Services, image_limits
from pi.tools.base import ToolContext, Update
from pi.wire.events import AssistantEvent
from pi.wire.messages import AgentMessage, ThinkingLevel
from pi.wire.model import Model

if TYPE_CHECKING:
    from pi.agent.warming import Status, Warmer

__all__ = ["Warmth", "model_request", "operate", "tool_context"]


def model_request(
    reach: Callable[[], tuple[Services, HttpClient]],
    session_id: str,
    *,
    cached: bool = True,
    watch: Callable[[Model], Watch | None] | None = None,
    warmth: "Warmth | None" = None,
    again: bool = False,
    max_tokens: int | None = None,
) -> Request:
    """The key is looked up anew each time, since a command may give it.

    reach: asked at each request, since settings may have changed. cached: whether the provider is
    to keep the prompt for the next request. watch: who looks at a request to a model, if anybody.
    warmth: is told what the provider may have cached. again: for refreshing that: the same request,
    of whose answer nothing is wanted. max_tokens: of an answer, no more than its model gives.
    """

    routes = HostRoutes(lambda: reach()[0])

    async def request(
        model: Model, context: Context, thinking: ThinkingLevel
    ) -> AsyncGenerator[AssistantEvent, None]:
        if model.is_virtual:  # those of a run come with the model that is to answer
            from pi.models.virtual import RouteRequest  # noqa: PLC0415  (loaded with the model)

            asked = RouteRequest(model, thinking, "direct", context.messages)
            route = await routes.resolve(asked)
            model, thinking = route.model, route.thinking
        services, http = reach()
        told = context
        if warmth is not None:
            warmth.asked(model)
        settings = services.settings
        provider = settings.retry.provider
        credential = await asyncio.to_thread(
            services.credentials.require, model, api_key=services.key_given(model.provider)
        )
        if settings.images.block_images:
            # Loaded by the API's module in any case, but not by a run that sends nothing.
            from pi.providers.transform import without_images  # noqa: PLC0415

            context = Context(without_images(context.messages))
        stream = (services.streams.get(model.provider) or stream_function(model.api))(
            replace(model, base_url=credential.base_url),
            context,
            StreamOptions(
                http=http,
                api_key=credential.api_key,
                headers=_named(services, model, credential.headers),
                sign=credential.sign,
                deployment=credential.deployment,
                thinking=thinking,
                max_tokens=1 if again else _most(model, max_tokens),
                thinking_budgets=settings.thinking_budgets.as_mapping(),
                session_id=session_id,
                cache_retention=services.environment.cache_retention if cached else "none",
                continues=not again,
                transport=settings.transport,
                timeout=(provider.timeout_ms or 0) / 1000 or None,
                websocket_timeout=settings.websocket_connect_timeout_ms / 1000 or None,
                max_retries=0 if again else provider.max_retries,
                max_retry_delay=provider.max_retry_delay_ms / 1000 or None,
                watch=None if watch is None else watch(model),
            ),
        )
        async with aclosing(stream) as events:
            async for event in events:
                if warmth is not None and event["type"] == "start":
                    warmth.accepted(model, told, thinking)
                yield event

    return request


def _most(model: Model, wanted: int | None) -> int | None:
    """Tokens of an answer, by the model that a router may have chosen; None for all it gives."""
    if wanted is None or model.max_tokens <= 0:
        return wanted
    return min(wanted, model.max_tokens)


async def operate(
    services: Services, http: HttpClient, session_id: str, model: Model, asked: Any
) -> Any:
    """Let a model do what is no chat; see pi.providers.operations. Raises PiError."""
    from pi.providers.operations import operation  # noqa: PLC0415  (few ask for it)

    credential = await asyncio.to_thread(
        services.credentials.require, model, api_key=services.key_given(model.provider)
    )
    provider = services.settings.retry.provider
    run = services.operations.get((model.provider, model.api)) or operation(model.api)
    return await run(
        replace(model, base_url=credential.base_url),
        asked,
        StreamOptions(
            http=http,
            api_key=credential.api_key,
            headers=credential.headers,
            session_id=session_id,
            timeout=(provider.timeout_ms or 0) / 1000 or None,
            max_retries=provider.max_retries,
            max_retry_delay=provider.max_retry_delay_ms / 1000 or None,
        ),
    )


def _named(services: Services, model: Model, headers: Mapping[str, str]) -> Mapping[str, str]:
    """With the headers that name this program, where a service counts programs."""
    if not services.attributed:
        return headers
    # Loaded by most APIs' modules in any case, but not by a run that sends nothing.
    from pi.providers.hosts import attribution  # noqa: PLC0415

    own = {name.lower() for name in headers}
    return {**{k: v for k, v in attribution(model).items() if k not in own}, **headers}


class Warmth:
    """Whether there is anything to keep warm. What does so is loaded when there is.

    session: asked whenever it matters. reach, watch: as for model_request.
    """

    def __init__(
        self,
        session: Callable[[], AgentSession],
        reach: Callable[[], tuple[Services, HttpClient]],
        watch: Callable[[Model], Watch | None],
    ) -> None:
        self._session = session
        self._reach = reach
        self._watch = watch
        self._warmer: Warmer | None = None
        self._asked: tuple[float, list[AgentMessage]] | None = None

    def asked(self, model: Model) -> None:
        """A request of the session is on its way; what was cached for the last is done with."""
        if self._warmer is not None:
            self._warmer.stop("no answer to the last request yet")
        # One that a virtual model chose may not be chosen the next time.
        selected = self._session().model.reference == model.reference
        wanted = selected and self._reason_against(model) is None
        self._asked = (time.time(), self._session().transcript.messages[:]) if wanted else None

    def accepted(self, model: Model, context: Context, thinking: ThinkingLevel) -> None:
        """The provider has begun to answer it."""
        asked, self._asked = self._asked, None
        if asked is None:
            return
        if self._warmer is None:
            from pi.agent.warming import Warmer  # noqa: PLC0415  (see above)

            session, reach = self._session(), self._reach
            self._warmer = Warmer(
                session,
                model_request(reach, session.store.id, watch=self._watch, again=True),
                lambda: reach()[0].settings.cache_warming,
                lambda: reach()[0].environment.cache_retention,
            )
        self._warmer.start(model, context, thinking, *asked)

    def stop(self) -> None:
        """Let go of what is kept warm, if anything is."""
        if self._warmer is not None:
            self._warmer.stop()

    def status(self) -> "Status":
        """What is being done, for a person who wants to know."""
        from pi.agent.warming import Status  # noqa: PLC0415  (see above)

        reason = self._reason_against(self._session().model)
        if reason is None and self._warmer is not None:
            return self._warmer.status
        return Status("inactive", reason or "waiting for first request")

    def _reason_against(self, model: Model) -> str | None:
        services = self._reach()[0]
        if services.settings.cache_warming == "off":
            return "cache warming disabled"
        if services.offline:
            return "pi is offline"
        return None if model.prompt_cache else "cache lifetime unavailable"


def tool_context(
    services: Services,
    session: AgentSession,
    call_id: str,
    update: Update,
) -> ToolContext:
    """What one call may use, by the model and level in force at this moment."""
    settings, store, model = services.settings, session.store, session.model
    env = {
        **services.environment.variables,
        "PI_SESSION_ID": store.id,
        "PI_PROVIDER": model.provider,
        "PI_MODEL": model.id,
        "PI_REASONING_LEVEL": session.thinking,
    }
    env.pop("PI_SESSION_FILE", None)  # of a pi that started this one
    if store.path is not None:
        env["PI_SESSION_FILE"] = str(store.path)
    shell = settings.shell_path
    return ToolContext(
        call_id=call_id,
        cwd=services.paths.cwd,
        env=env,
        update=update,
        images=image_limits(model) if model.takes_images else None,
        resize_images=settings.images.auto_resize,
        shell=str(services.paths.absolute(shell)) if shell else None,
        shell_prefix=settings.shell_command_prefix,
    )
