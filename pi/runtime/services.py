"""What files and environment say for one working folder: settings, models, keys, instructions."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from pi.agent.retry import RetryPolicy
from pi.auth.credentials import Credentials
from pi.auth.store import AuthStore
from pi.config.environment import Environment
from pi.config.paths import Paths
from pi.config.settings import read_settings
from pi.config.settings_types import Settings
from pi.config.tools_list import apply_tool_entries
from pi.config.trust import is_trusted, protected_resources
from pi.errors import AuthError
from pi.models.fetched import FetchedModels
from pi.models.registry import ModelRegistry
from pi.models.selection import Selection, SessionModel, select_model
from pi.providers.base import StreamFunction
from pi.providers.demo_model import DEMO_MODEL
from pi.providers.registry import APIS
from pi.resources.builtin import is_builtin
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
from pi.session.context import SessionContext, selected_model
from pi.session.store import SessionStore
from pi.tools.base import ImageLimits, Tool
from pi.tools.registry import BUILTIN, load
from pi.tools.selection import Selection as ToolSelection
from pi.tools.selection import ToolRules
from pi.wire.messages import AgentMessage
from pi.wire.model import Model
from pi.wire.system import replay_system

if TYPE_CHECKING:
    from pi.providers.operations import Operation

__all__ = [
    "OWN_API",
    "PromptInputs",
    "Services",
    "image_limits",
    "missing_packages",
    "read_services",
    "tools_of",
    "warn",
]

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

    streams: of providers that bring their own. operations: of them too, by provider and api.
    bare: whether the project had nothing to be trusted when it was read; what comes to be there
    later was not decided on.
    """

    options: RunOptions
    environment: Environment
    paths: Paths
    settings: Settings
    registry: ModelRegistry
    credentials: Credentials
    resources: Resources
    streams: dict[str, StreamFunction] = field(default_factory=dict)
    bare: bool = False
    operations: dict[tuple[str, str], "Operation"] = field(default_factory=dict)

    @property
    def offline(self) -> bool:
        """Whether nothing is fetched that nobody asked for."""
        return self.options.offline or self.environment.offline

    @property
    def clear_on_shrink(self) -> bool:
        """Whether rows that become free below the editor are filled (terminal interface)."""
        chosen = self.settings.terminal.clear_on_shrink
        return self.environment.clear_on_shrink if chosen is None else chosen

    @property
    def hardware_cursor(self) -> bool:
        """Whether the terminal draws the caret (terminal interface)."""
        chosen = self.settings.show_hardware_cursor
        return self.environment.hardware_cursor if chosen is None else chosen

    @property
    def attributed(self) -> bool:
        """Whether services that count programs are told which one this is."""
        chosen = self.environment.telemetry
        return self.settings.enable_install_telemetry if chosen is None else chosen

    def diagnostics(self) -> Iterator[str]:
        """What is wrong with the person's files, one line each."""
        yield from self.settings.diagnostics
        yield from self.registry.diagnostics
        yield from self.credentials.diagnostics()
        yield from self.resources.diagnostics

    def choose_model(self, store: SessionStore, context: SessionContext) -> Selection:
        """The model to begin with. context: of the session, which may have one already."""
        options = self.options
        model = options.model
        if model is None and options.provider == DEMO_MODEL.provider:
            model = DEMO_MODEL.id  # it has but one
        before = context.model
        if self.registry.has_virtual:
            virtual = self.registry.virtual
            before = selected_model(
                store.history, context, lambda *named: virtual(*named) is not None
            )
        provider, model_id = before or (None, None)
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
        if not self.can_use(model.provider):
            raise self.credentials.missing(model.provider)

    def can_use(self, provider: str) -> bool:
        """Whether there is a key for a provider, as far as can be told without a request."""
        return self.key_given(provider) is not None or self.credentials.has_credential(provider)

    def key_given(self, provider: str) -> str | None:
        """A key that stands for itself, over all that are configured."""
        return self.options.own.keys.get(provider) or self.options.api_key

    def choose_tools(
        self,
        had: Sequence[str] | None,
        added: Mapping[str, Tool] = MappingProxyType({}),
        active: Sequence[str] = (),
        indirect: Sequence[str] = (),
    ) -> list[Tool]:
        """The tools that are on. had: those of a session that is resumed, which keeps them.

        added: tools of extensions; they take the place of built-in ones. active: those of them
        that are on unless somebody says otherwise. indirect: see ToolRules.select.
        """
        selection = self.select_tools(had, added, active, indirect)
        if selection.unknown:
            names = ", ".join(selection.unknown)
            warn([f"no such tool: {names}; there are {', '.join((*BUILTIN, *added))}"])
        return [added[name] if name in added else load(name) for name in selection.names]

    def select_tools(
        self,
        had: Sequence[str] | None,
        added: Collection[str],
        active: Sequence[str] = (),
        indirect: Sequence[str] = (),
    ) -> ToolSelection:
        """Their names; see `choose_tools`."""
        base: Sequence[str] = ()
        if self.options.default_tools == "all":
            base = self.settings.default_tools if had is None else had
        return self.tool_rules().select((*BUILTIN, *added), base, active, indirect)

    def default_tools(self) -> Sequence[str]:
        """What settings switch on, with the command line's changes; none where that chooses."""
        rules = self.tool_rules()
        if rules.allowed is not None or self.options.default_tools != "all":
            return ()
        return apply_tool_entries(self.settings.default_tools, rules.changes)

    def tool_rules(self) -> ToolRules:
        """What the command line says of tools."""
        options = self.options
        none = options.default_tools == "none"
        return ToolRules.of(options.tools, options.exclude_tools, none=none)

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
            project_dir=paths.project if self.project_counts() else None,
            cwd=paths.cwd,
            system_prompt=options.system_prompt,
            append_system_prompt=options.append_system_prompt,
        )
        found = self.context_files()
        warn((*texts.diagnostics, *found.diagnostics))
        return PromptInputs(texts, found.files)

    def project_counts(self) -> bool:
        """Whether to take what there is of the project now: what is new was not decided on."""
        settings = self.settings
        if not settings.trusted or not self.bare:
            return settings.trusted
        approve = self.options.trust_of(self.paths.cwd)
        return is_trusted(self.paths, approve=approve, default=settings.default_project_trust)

    def retry_policy(self) -> RetryPolicy:
        retry = self.settings.retry
        return RetryPolicy(
            enabled=retry.enabled,
            max_retries=retry.max_retries,
            base_delay=retry.base_delay_ms / 1000,
            max_delay=retry.max_agent_delay_ms / 1000,
        )


def missing_packages(
    options: RunOptions, environment: Environment, paths: Paths
) -> Callable[[], None] | None:
    """What installs the packages that `read_services` would have to install; None for none."""
    if options.offline or environment.offline:
        return None
    files = read_settings(paths)
    approve = options.trust_of(paths.cwd)
    trusted = is_trusted(paths, approve=approve, default=files.default_project_trust)
    settings = files.resolve(trusted=trusted and bool(protected_resources(paths)))
    sources = [text for text in options.resources.extensions if not is_builtin(text)]
    if not settings.packages and not sources:
        return None
    from pi.resources.packages.configured import missing  # noqa: PLC0415  (for who has packages)

    return missing(paths, settings, sources, environment)


def read_services(options: RunOptions, environment: Environment, paths: Paths) -> Services:
    """Read what there is for the folder of `paths`. Raises ConfigError.

    May take its time where packages have to be installed: in a thread, where others wait.
    """
    files = read_settings(paths)
    approve = options.trust_of(paths.cwd)
    trusted = is_trusted(paths, approve=approve, default=files.default_project_trust)
    own = options.own
    # What is put there or taken away from here on must not count as decided on.
    bare = not protected_resources(paths)
    if bare:
        files = files.without_project()
    settings = files.resolve(trusted=trusted, over=own.settings)
    registry = ModelRegistry(
        paths.models,
        supported_apis=(*APIS, OWN_API) if own.streams else APIS,
        extra_models=(DEMO_MODEL,),
        added=own.providers,
        fetched=FetchedModels(paths.models_store),
    )
    for virtual in own.virtual:
        registry.register_virtual(virtual)
    registry.keyless |= {*own.keys, *own.streams}
    credentials = Credentials(
        AuthStore(paths.auth),
        environment.variables,
        registry.configs,
        keyless=registry.keyless,
        around=surroundings(environment, settings),
    )
    resources = load_resources(
        paths,
        settings._replace(trusted=False) if bare else settings,
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
        bare,
    )


def tools_of(messages: Sequence[AgentMessage]) -> tuple[str, ...] | None:
    """The names of those a session told the model of; None where it told of nothing yet."""
    if not any(message["role"] == "system" for message in messages):
        return None
    return tuple(replay_system(messages).tools)


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
