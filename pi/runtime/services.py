"""What files and environment say for one working folder: settings, models, keys, instructions."""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from pi.agent.retry import RetryPolicy
from pi.auth.credentials import Credentials
from pi.auth.store import AuthStore
from pi.config.environment import Environment
from pi.config.paths import Paths
from pi.config.settings import read_settings
from pi.config.settings_types import Settings
from pi.config.trust import is_trusted
from pi.errors import AuthError
from pi.models.fetched import FetchedModels
from pi.models.registry import ModelRegistry
from pi.models.selection import Selection, SessionModel, select_model
from pi.providers.base import StreamFunction
from pi.providers.demo_model import DEMO_MODEL
from pi.providers.registry import APIS
from pi.resources.context_files import ContextFiles, load_context_files
from pi.resources.loading import Resources, load_resources
from pi.resources.system_prompt import (
    PromptTexts,
    build_sections,
    documentation_folder,
    load_prompt_texts,
)
from pi.resources.textfile import TextFile
from pi.runtime.network import surroundings
from pi.runtime.options import RunOptions
from pi.session.context import SessionContext
from pi.tools.base import ImageLimits, Tool
from pi.tools.registry import BUILTIN, load
from pi.tools.selection import select_tools
from pi.wire.model import Model
from pi.wire.system import replay_system

__all__ = ["OWN_API", "PromptInputs", "Services", "image_limits", "read_services", "warn"]

OWN_API = "own"
"""What the models of a provider speak that a program answers for itself."""

log = logging.getLogger(__name__)


class PromptInputs(NamedTuple):
    """SYSTEM.md, APPEND_SYSTEM.md and their options; AGENTS.md and its kin."""

    texts: PromptTexts
    context_files: Sequence[TextFile]


@dataclass(frozen=True, slots=True)
class Services:
    """options: as given at the start; they hold for every session of this run.

    streams: of providers that bring their own.
    """

    options: RunOptions
    environment: Environment
    paths: Paths
    settings: Settings
    registry: ModelRegistry
    credentials: Credentials
    resources: Resources
    streams: dict[str, StreamFunction] = field(default_factory=dict)

    def diagnostics(self) -> Iterator[str]:
        """What is wrong with the person's files, one line each."""
        yield from self.settings.diagnostics
        yield from self.registry.diagnostics
        yield from self.credentials.diagnostics()
        yield from self.resources.diagnostics

    def choose_model(self, context: SessionContext) -> Selection:
        """The model to begin with. context: of the session, which may have one already."""
        options = self.options
        model = options.model
        if model is None and options.provider == DEMO_MODEL.provider:
            model = DEMO_MODEL.id  # it has but one
        provider, model_id = context.model or (None, None)
        return select_model(
            self.registry,
            self.credentials,
            self.settings,
            model=model,
            provider=options.provider,
            scope_patterns=options.models or None,
            thinking=options.thinking,
            session=SessionModel(provider, model_id, context.thinking_level),  # type: ignore[arg-type]
            key_given=options.api_key is not None,
        )

    def check_key(self, model: Model | None) -> None:
        """Raise AuthError where a request cannot even be tried. No command runs for it yet."""
        if model is None:
            raise AuthError(
                "no model can be used: no provider has an API key",
                hint="Set one such as ANTHROPIC_API_KEY or OPENAI_API_KEY, describe a server in "
                f"{self.paths.models}, or look around with: pi --provider demo -p …",
            )
        given = self.key_given(model.provider) is not None
        if not given and not self.credentials.has_credential(model.provider):
            raise self.credentials.missing(model.provider)

    def key_given(self, provider: str) -> str | None:
        """A key that stands for itself, over all that are configured."""
        return self.options.own.keys.get(provider) or self.options.api_key

    def choose_tools(
        self,
        resumed: SessionContext | None,
        added: Mapping[str, Tool] = MappingProxyType({}),
        active: Sequence[str] = (),
    ) -> list[Tool]:
        """The tools that are on. A resumed session keeps those it had.

        added: tools of extensions; they take the place of built-in ones. active: those of them
        that are on unless somebody says otherwise.
        """
        options = self.options
        known = tuple(dict.fromkeys((*BUILTIN, *added)))
        base: Sequence[str] = ()
        if options.default_tools == "all":
            base = self.settings.default_tools
            if resumed is not None and any(m["role"] == "system" for m in resumed.messages):
                base = tuple(replay_system(resumed.messages).tools)
        if options.default_tools != "none":
            base = (*base, *active)
        selection = select_tools(known, base, options.tools, options.exclude_tools)
        if selection.unknown:
            names = ", ".join(selection.unknown)
            warn([f"no such tool: {names}; there are {', '.join(known)}"])
        return [added[name] if name in added else load(name) for name in selection.names]

    def allowed_tools(self, added: Collection[str]) -> Sequence[str]:
        """Every tool there is, but for those that the command line leaves out."""
        options = self.options
        known = tuple(dict.fromkeys((*BUILTIN, *added)))
        wanted = options.tools
        if wanted is not None and any(entry[:1] not in ("+", "-") for entry in wanted):
            return select_tools(known, (), wanted, options.exclude_tools).names
        return select_tools(known, known, None, options.exclude_tools).names

    def context_files(self) -> ContextFiles:
        """The instructions of the folder, its parents and the agent folder, as they are now."""
        if not self.options.context_files:
            return ContextFiles()
        return load_context_files(self.paths.cwd, self.paths.agent)

    def prompt_sections(self, tools: Sequence[Tool]) -> dict[str, str]:
        """The system prompt for these tools, as the folder and the options have it now."""
        inputs = self.prompt_inputs()
        return build_sections(
            cwd=self.paths.cwd,
            tools=tools,
            texts=inputs.texts,
            context_files=inputs.context_files,
            skills=self.resources.skills,
            docs=documentation_folder(),
        )

    def prompt_inputs(self) -> "PromptInputs":
        """What people wrote for the system prompt, as it is now."""
        options, paths = self.options, self.paths
        texts = load_prompt_texts(
            agent_dir=paths.agent,
            project_dir=paths.project if self.settings.trusted else None,
            cwd=paths.cwd,
            system_prompt=options.system_prompt,
            append_system_prompt=options.append_system_prompt,
        )
        found = self.context_files()
        warn((*texts.diagnostics, *found.diagnostics))
        return PromptInputs(texts, found.files)

    def retry_policy(self) -> RetryPolicy:
        retry = self.settings.retry
        return RetryPolicy(
            enabled=retry.enabled,
            max_retries=retry.max_retries,
            base_delay=retry.base_delay_ms / 1000,
            max_delay=retry.max_agent_delay_ms / 1000,
        )


def read_services(options: RunOptions, environment: Environment, paths: Paths) -> Services:
    """Read what there is for the folder of `paths`. Raises ConfigError.

    May take its time where packages have to be installed: in a thread, where others wait.
    """
    files = read_settings(paths)
    approve = options.trust_of(paths.cwd)
    trusted = is_trusted(paths, approve=approve, default=files.default_project_trust)
    own = options.own
    settings = files.resolve(trusted=trusted, over=own.settings)
    registry = ModelRegistry(
        paths.models,
        supported_apis=(*APIS, OWN_API) if own.streams else APIS,
        extra_models=(DEMO_MODEL,),
        added=own.providers,
        fetched=FetchedModels(paths.models_store),
    )
    credentials = Credentials(
        AuthStore(paths.auth),
        environment.variables,
        registry.configs,
        keyless=(DEMO_MODEL.provider, *own.keys, *own.streams),
        around=surroundings(environment, settings),
    )
    resources = load_resources(
        paths,
        settings,
        environment,
        options.resources,
        offline=options.offline or environment.offline,
    )
    return Services(
        options,
        environment,
        paths,
        settings,
        registry,
        credentials,
        resources,
        dict(own.streams),
    )


def image_limits(model: Model | None) -> ImageLimits:
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


def warn(lines: Iterable[str]) -> None:
    """For the person, by way of the log: each mode shows warnings in its own manner."""
    for line in lines:
        log.warning("%s", line)
