"""Where a run is put together: the only module that knows all the others."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from pi.agent.queues import MessageQueues
from pi.agent.retry import RetryPolicy
from pi.agent.session import AgentSession, Request
from pi.auth.credentials import Credentials
from pi.auth.store import AuthStore
from pi.cli.network import http_options, surroundings
from pi.cli.options import Options
from pi.cli.prompts import AttachedImage, Prompt, compose_prompts
from pi.cli.sessions import Opened, open_session
from pi.config.environment import Environment
from pi.config.paths import Paths, find_paths
from pi.config.settings import read_settings
from pi.config.settings_types import Settings
from pi.config.trust import is_trusted
from pi.errors import AuthError, ToolError
from pi.models.fetched import FetchedModels
from pi.models.listing import list_models as model_table
from pi.models.registry import ModelRegistry
from pi.models.selection import Selection, SessionModel, select_model
from pi.modes.stderr import tell
from pi.providers.base import Context, StreamOptions
from pi.providers.demo_model import DEMO_MODEL
from pi.providers.http import HttpClient
from pi.providers.registry import APIS, stream_function
from pi.resources.context_files import ContextFiles, load_context_files
from pi.resources.system_prompt import build_sections, documentation_folder, load_prompt_texts
from pi.session.context import SessionContext
from pi.tools.base import ImageLimits, Tool, ToolContext, ToolResult, image_block
from pi.tools.registry import BUILTIN, load
from pi.tools.selection import select_tools
from pi.wire.events import AssistantEvent
from pi.wire.messages import ThinkingLevel, UserContent
from pi.wire.model import Model
from pi.wire.system import replay_system

__all__ = ["list_models", "run_prompts"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Setting:
    """What files and environment say, for one working folder."""

    environment: Environment
    paths: Paths
    settings: Settings
    registry: ModelRegistry
    credentials: Credentials


def list_models(options: Options, environment: Environment) -> str:
    """The table of `--list-models`."""
    here = _read(options, environment, find_paths(environment))
    _warn((*options.warnings, *here.settings.diagnostics, *here.registry.diagnostics))
    return model_table(here.registry, here.credentials, options.list_models)


def run_prompts(options: Options, environment: Environment) -> int:
    """Everything between the options and the exit code of a text or JSON run."""
    paths = find_paths(environment)
    opened = _open(options, environment, paths)
    with opened.store:
        if opened.cwd != paths.cwd:
            paths = find_paths(environment, opened.cwd)
        here = _read(options, environment, paths)
        context = opened.store.build_context()
        # Told as soon as they are known: the next step may fail because of one of them.
        _warn(options.warnings)
        _warn(here.settings.diagnostics)
        _warn(here.registry.diagnostics)
        _warn(here.credentials.diagnostics())
        _warn(opened.store.notices)
        _warn(opened.warnings)
        chosen = _choose_model(options, here, context)
        _warn(chosen.warnings)
        tools = _tools(options, here.settings, context if opened.resumed else None)
        sections = _sections(options, here, tools)
        prompts = compose_prompts(
            options.messages,
            options.files,
            None if os.isatty(0) else sys.stdin.buffer.read(),
            cwd=paths.cwd,
            home=paths.home,
            load_image=_image_loader(here.settings, chosen.model),
        )
        if prompts:
            _check_key(options, here, chosen)
            _record_choice(options, opened, context, chosen)
        code = asyncio.run(_run(options, here, opened, chosen, tools, sections, prompts))
        if options.verbose and opened.store.saved:
            tell(f"Session: {opened.store.path}")
        return code


def _open(options: Options, environment: Environment, paths: Paths) -> Opened:
    """The session comes first: it may belong to another folder, whose settings then hold.

    `sessionDir` is the one project setting that counts before trust is known.
    """
    sessions = read_settings(paths).resolve(trusted=False).session_dir
    chosen = paths.session_storage(
        flag=options.session_dir, variable=environment.session_dir, setting=sessions
    )
    return open_session(options, paths, chosen)


def _read(options: Options, environment: Environment, paths: Paths) -> _Setting:
    files = read_settings(paths)
    approve = {"approve": True, "ignore": False, None: None}[options.trust]
    trusted = is_trusted(paths, approve=approve, default=files.default_project_trust)
    settings = files.resolve(trusted=trusted)
    registry = ModelRegistry(
        paths.models,
        supported_apis=APIS,
        extra_models=(DEMO_MODEL,),
        fetched=FetchedModels(paths.models_store),
    )
    credentials = Credentials(
        AuthStore(paths.auth),
        environment.variables,
        registry.configs,
        keyless=(DEMO_MODEL.provider,),
        around=surroundings(environment, settings),
    )
    return _Setting(environment, paths, settings, registry, credentials)


def _choose_model(options: Options, here: _Setting, context: SessionContext) -> Selection:
    """The run's model; `--provider demo` needs no `--model`, it has but one."""
    model = options.model
    if model is None and options.provider == DEMO_MODEL.provider:
        model = DEMO_MODEL.id
    provider, model_id = context.model or (None, None)
    return select_model(
        here.registry,
        here.credentials,
        here.settings,
        model=model,
        provider=options.provider,
        scope_patterns=options.models or None,
        thinking=options.thinking,
        session=SessionModel(provider, model_id, context.thinking_level),  # type: ignore[arg-type]
        key_given=options.api_key is not None,
    )


def _check_key(options: Options, here: _Setting, chosen: Selection) -> None:
    """Say that a key is missing before anything is written. No command runs for it yet."""
    if chosen.model is None:
        raise AuthError(
            "no model can be used: no provider has an API key",
            hint="Set one such as ANTHROPIC_API_KEY or OPENAI_API_KEY, describe a server in "
            f"{here.paths.models}, or look around with: pi --provider demo -p …",
        )
    provider = chosen.model.provider
    if options.api_key is None and not here.credentials.has_credential(provider):
        raise here.credentials.missing(provider)


def _record_choice(
    options: Options, opened: Opened, context: SessionContext, chosen: Selection
) -> None:
    """The entries before the first message: name, model, thinking level."""
    assert chosen.model is not None, "checked before"
    store = opened.store
    if options.name is not None:
        store.append_session_info(options.name)
    if not opened.resumed:
        store.append_model_change(chosen.model.provider, chosen.model.id)
        store.append_thinking_level(chosen.thinking)
    elif context.thinking_level is None or (
        options.thinking is not None and chosen.thinking != context.thinking_level
    ):
        store.append_thinking_level(chosen.thinking)


def _tools(options: Options, settings: Settings, resumed: SessionContext | None) -> list[Tool]:
    """The tools that are on. A resumed session keeps those it had."""
    base: Sequence[str] = ()
    if options.default_tools == "all":
        base = settings.default_tools
        if resumed is not None and any(m["role"] == "system" for m in resumed.messages):
            base = tuple(replay_system(resumed.messages).tools)
    selection = select_tools(BUILTIN, base, options.tools, options.exclude_tools)
    if selection.unknown:
        names = ", ".join(selection.unknown)
        _warn([f"no such tool: {names}; there are {', '.join(BUILTIN)}"])
    return [load(name) for name in selection.names]


def _sections(options: Options, here: _Setting, tools: Sequence[Tool]) -> dict[str, str]:
    paths = here.paths
    texts = load_prompt_texts(
        agent_dir=paths.agent,
        project_dir=paths.project if here.settings.trusted else None,
        cwd=paths.cwd,
        system_prompt=options.system_prompt,
        append_system_prompt=options.append_system_prompt,
    )
    found = ContextFiles()
    if options.context_files:
        found = load_context_files(paths.cwd, paths.agent)
    _warn((*texts.diagnostics, *found.diagnostics))
    return build_sections(
        cwd=paths.cwd,
        tools=tools,
        texts=texts,
        context_files=found.files,
        docs=documentation_folder(),
    )


async def _run(
    options: Options,
    here: _Setting,
    opened: Opened,
    chosen: Selection,
    tools: Sequence[Tool],
    sections: Mapping[str, str],
    prompts: Sequence[Prompt],
) -> int:
    http = HttpClient(http_options(here.environment, here.settings))
    model = chosen.model or DEMO_MODEL  # without a model there is no prompt either
    try:
        session = AgentSession(
            opened.store,
            model=model,
            thinking=chosen.thinking,
            sections=sections,
            tools=tools,
            request=_request(options, here, http, opened.store.id),
            tool_context=_tool_context(here, opened, model, chosen.thinking),
            one_off=_request(options, here, http, opened.store.id, cached=False),
            retry=_retry(here.settings),
            compaction=here.settings.compaction,
            branch_reserve=here.settings.branch_summary.reserve_tokens,
            queues=MessageQueues(here.settings.steering_mode, here.settings.follow_up_mode),
        )
        contents: list[list[UserContent]] = [prompt.content for prompt in prompts]
        if options.mode == "json":
            # A mode is loaded only when it runs.
            from pi.modes.json_events import run_json  # noqa: PLC0415

            return await run_json(session, contents)
        from pi.modes.text import run_text  # noqa: PLC0415

        return await run_text(session, contents)
    finally:
        await http.aclose()


def _request(
    options: Options, here: _Setting, http: HttpClient, session_id: str, *, cached: bool = True
) -> Request:
    """How the agent asks: the key is looked up anew each time, since a command may give it.

    cached: whether the provider is to keep the prompt for the next request.
    """
    settings = here.settings
    provider = settings.retry.provider

    async def request(
        model: Model, context: Context, thinking: ThinkingLevel
    ) -> AsyncGenerator[AssistantEvent, None]:
        credential = await asyncio.to_thread(
            here.credentials.require, model, api_key=options.api_key
        )
        if settings.images.block_images:
            # Loaded by the API's module in any case, but not by a run that sends nothing.
            from pi.providers.transform import without_images  # noqa: PLC0415

            context = Context(without_images(context.messages))
        stream = stream_function(model.api)(
            replace(model, base_url=credential.base_url),
            context,
            StreamOptions(
                http=http,
                api_key=credential.api_key,
                headers=credential.headers,
                deployment=credential.deployment,
                thinking=thinking,
                thinking_budgets=settings.thinking_budgets.as_mapping(),
                session_id=session_id,
                cache_retention=here.environment.cache_retention if cached else "none",
                max_retries=provider.max_retries,
                max_retry_delay=provider.max_retry_delay_ms / 1000 or None,
            ),
        )
        async with aclosing(stream) as events:
            async for event in events:
                yield event

    return request


def _tool_context(
    here: _Setting, opened: Opened, model: Model, thinking: ThinkingLevel
) -> Callable[[str, Callable[[ToolResult], None]], ToolContext]:
    settings = here.settings
    env = {
        **here.environment.variables,
        "AI_AGENT": "pi",
        "PI_CODING_AGENT": "true",
        "PI_SESSION_ID": opened.store.id,
        "PI_PROVIDER": model.provider,
        "PI_MODEL": model.id,
        "PI_REASONING_LEVEL": thinking,
    }
    env.pop("PI_SESSION_FILE", None)  # of a pi that started this one
    if opened.store.path is not None:
        env["PI_SESSION_FILE"] = str(opened.store.path)
    shell = settings.shell_path

    def context(call_id: str, update: Callable[[ToolResult], None]) -> ToolContext:
        return ToolContext(
            call_id=call_id,
            cwd=here.paths.cwd,
            env=env,
            update=update,
            images=_image_limits(model) if model.takes_images else None,
            resize_images=settings.images.auto_resize,
            shell=str(here.paths.absolute(shell)) if shell else None,
            shell_prefix=settings.shell_command_prefix,
        )

    return context


def _retry(settings: Settings) -> RetryPolicy:
    retry = settings.retry
    return RetryPolicy(
        enabled=retry.enabled,
        max_retries=retry.max_retries,
        base_delay=retry.base_delay_ms / 1000,
        max_delay=retry.max_agent_delay_ms / 1000,
    )


def _image_limits(model: Model | None) -> ImageLimits:
    """The model's own limits for new images over the general ones."""
    resize: Mapping[str, Any] = {}
    if model is not None:
        resize = model.input_limits.get("images", {}).get("resize", {})
    general = ImageLimits()
    return ImageLimits(
        max_width=resize.get("maxWidth", general.max_width),
        max_height=resize.get("maxHeight", general.max_height),
        max_bytes=resize.get("maxBytes", general.max_bytes),
        jpeg_quality=resize.get("jpegQuality", general.jpeg_quality),
    )


def _image_loader(
    settings: Settings, model: Model | None
) -> Callable[[bytes], AttachedImage | None]:
    """How an @file becomes an image block, if it is an image."""

    def load_image(data: bytes) -> AttachedImage | None:
        # Only a run with @files needs the image code.
        from pi.tools.images import SNIFF_BYTES, encode, sniff  # noqa: PLC0415

        kind = sniff(data[:SNIFF_BYTES])
        if kind is None:
            return None
        limits = _image_limits(model)
        try:
            encoded = encode(data, kind, limits, resize=settings.images.auto_resize)
        except ToolError as error:
            return AttachedImage(None, note=f"[An image is left out. {error}.]")
        block = image_block(encoded.data, encoded.mime_type)
        return AttachedImage(block, encoded.conversion, encoded.scaling)

    return load_image


def _warn(lines: Iterable[str]) -> None:
    for line in lines:
        log.warning("%s", line)
