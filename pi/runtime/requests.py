"""How the agent of a session asks a model, and what its tools find around them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from pi.agent.session import AgentSession
from pi.agent.summary import Request
from pi.providers.base import Context, StreamOptions, Watch
from pi.providers.http import HttpClient
from pi.providers.registry import stream_function
from pi.runtime.services import Services, image_limits
from pi.tools.base import ToolContext, ToolResult
from pi.wire.events import AssistantEvent
from pi.wire.messages import ThinkingLevel
from pi.wire.model import Model

__all__ = ["model_request", "tool_context"]


def model_request(
    reach: Callable[[], tuple[Services, HttpClient]],
    session_id: str,
    *,
    cached: bool = True,
    watch: Callable[[Model], Watch | None] | None = None,
) -> Request:
    """The key is looked up anew each time, since a command may give it.

    reach: asked at each request, since settings may have changed. cached: whether the provider is
    to keep the prompt for the next request. watch: who looks at a request to a model, if anybody.
    """

    async def request(
        model: Model, context: Context, thinking: ThinkingLevel
    ) -> AsyncGenerator[AssistantEvent, None]:
        services, http = reach()
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
                headers=credential.headers,
                sign=credential.sign,
                deployment=credential.deployment,
                thinking=thinking,
                thinking_budgets=settings.thinking_budgets.as_mapping(),
                session_id=session_id,
                cache_retention=services.environment.cache_retention if cached else "none",
                transport=settings.transport,
                timeout=(provider.timeout_ms or 0) / 1000 or None,
                websocket_timeout=settings.websocket_connect_timeout_ms / 1000 or None,
                max_retries=provider.max_retries,
                max_retry_delay=provider.max_retry_delay_ms / 1000 or None,
                watch=None if watch is None else watch(model),
            ),
        )
        async with aclosing(stream) as events:
            async for event in events:
                yield event

    return request


def tool_context(
    services: Services,
    session: AgentSession,
    call_id: str,
    update: Callable[[ToolResult], None],
) -> ToolContext:
    """What one call may use, by the model and level in force at this moment."""
    settings, store, model = services.settings, session.store, session.model
    env = {
        **services.environment.variables,
        "AI_AGENT": "pi",
        "PI_CODING_AGENT": "true",
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
