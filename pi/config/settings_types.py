"""The settings of a run, as values. Names and defaults are the file's, in snake_case.

Times in `_ms` are milliseconds, 0 for "no limit" where the file allows "disabled". Source:
docs/settings.md.

Named tuples, and annotations stay text: dataclasses would be most of what importing this module
costs, at every start.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pi.wire.messages import ThinkingLevel

__all__ = [
    "BranchSummary",
    "Codemode",
    "Compaction",
    "CompactionOverride",
    "Images",
    "Markdown",
    "ProviderRetry",
    "Resource",
    "Retry",
    "Settings",
    "Terminal",
    "ThinkingBudgets",
    "Warnings",
]

NOTHING: Mapping[str, Any] = MappingProxyType({})


class ProviderRetry(NamedTuple):
    """timeout_ms: None follows http_idle_timeout_ms. max_retry_delay_ms: 0 for no limit."""

    timeout_ms: float | None = None
    max_retries: int = 0
    max_retry_delay_ms: float = 60_000


class Retry(NamedTuple):
    """The agent's own retries; `provider` is what happens inside one request."""

    enabled: bool = True
    max_retries: int = 3
    base_delay_ms: float = 2_000
    max_agent_delay_ms: float = 60_000
    provider: ProviderRetry = ProviderRetry()


class CompactionOverride(NamedTuple):
    reserve_tokens: int | None = None
    keep_recent_tokens: int | None = None


class Compaction(NamedTuple):
    """Tokens. model_overrides: by exact `provider/id`."""

    enabled: bool = True
    reserve_tokens: int = 16_384
    keep_recent_tokens: int = 20_000
    model_overrides: Mapping[str, CompactionOverride] = NOTHING

    def for_model(self, reference: str) -> tuple[int, int]:
        """(reserve_tokens, keep_recent_tokens) for a model, each resolved on its own."""
        override = self.model_overrides.get(reference, CompactionOverride())
        reserve, keep = override.reserve_tokens, override.keep_recent_tokens
        return (
            self.reserve_tokens if reserve is None else reserve,
            self.keep_recent_tokens if keep is None else keep,
        )


class BranchSummary(NamedTuple):
    reserve_tokens: int = 16_384
    skip_prompt: bool = False


class ThinkingBudgets(NamedTuple):
    """Tokens; None keeps the API's own."""

    minimal: int | None = None
    low: int | None = None
    medium: int | None = None
    high: int | None = None

    def as_mapping(self) -> dict[str, int]:
        pairs = (
            ("minimal", self.minimal),
            ("low", self.low),
            ("medium", self.medium),
            ("high", self.high),
        )
        return {level: tokens for level, tokens in pairs if tokens is not None}


class Images(NamedTuple):
    auto_resize: bool = True
    block_images: bool = False


class Terminal(NamedTuple):
    """clear_on_shrink: None asks PI_CLEAR_ON_SHRINK."""

    show_images: bool = True
    image_width_cells: int = 60
    clear_on_shrink: bool | None = None
    show_terminal_progress: bool = False
    hyperlinks: bool | Literal["auto"] = "auto"
    images: Literal["kitty", "iterm2", "auto", False] = "auto"
    true_color: bool | Literal["auto"] = "auto"


class Markdown(NamedTuple):
    code_block_indent: str = "  "
    mermaid: Literal["off", "final", "streaming"] = "streaming"


class Codemode(NamedTuple):
    mode: Literal["on", "only"] = "on"
    inline_budget: float = 3_000


class Warnings(NamedTuple):
    anthropic_extra_usage: bool = True


class Resource(NamedTuple):
    """One entry of packages, extensions, skills, prompts or themes.

    value: as in the file, a path, pattern, source or (packages) an object.
    base: the folder its relative paths start from.
    """

    value: Any
    base: Path
    scope: Literal["user", "project"]


class Settings(NamedTuple):
    """Everything docs/settings.md lists, user and project merged.

    default_tools: the names selected at start-up, `+` and `-` entries applied.
    trusted: whether the project's file and resources count.
    diagnostics: one line for each thing in the files that was left out, and where it is.
    raw: the merged objects with unknown keys, for extensions.
    """

    default_provider: str | None = None
    default_model: str | None = None
    default_thinking_level: ThinkingLevel | None = None
    model_thinking_levels: Mapping[str, ThinkingLevel] = NOTHING
    thinking_budgets: ThinkingBudgets = ThinkingBudgets()
    enabled_models: tuple[str, ...] | None = None
    hide_thinking_block: bool = False
    show_cache_miss_notices: bool = False
    cache_warming: Literal["off", "streaming", "idle"] = "idle"
    steering_mode: Literal["all", "one-at-a-time"] = "one-at-a-time"
    follow_up_mode: Literal["all", "one-at-a-time"] = "one-at-a-time"
    external_editor: str | None = None
    double_escape_action: Literal["tree", "fork", "none"] = "tree"
    tree_filter_mode: Literal["default", "no-tools", "user-only", "labeled-only", "all"] = "default"
    default_project_trust: Literal["ask", "always", "never"] = "ask"
    default_tools: tuple[str, ...] = ()
    codemode: Codemode = Codemode()
    session_dir: str | None = None
    session_share_destination: Literal["auto", "gist", "radius"] = "auto"
    compaction: Compaction = Compaction()
    branch_summary: BranchSummary = BranchSummary()
    theme: str = "system"
    quiet_startup: bool | Literal["header"] = False
    tui_mode: Literal["regular", "fullscreen"] = "regular"
    fullscreen_exit_output: Literal["transcript", "resume-hint"] = "transcript"
    fullscreen_scrollbar: Literal["auto", "always", "hidden"] = "auto"
    fullscreen_copy_on_select: bool = True
    fullscreen_wheel_scroll_lines: float | Literal["auto"] = "auto"
    editor_padding_x: int = 0
    output_pad: Literal[0, 1] = 1
    autocomplete_max_visible: int = 5
    show_hardware_cursor: bool | None = None
    terminal: Terminal = Terminal()
    images: Images = Images()
    markdown: Markdown = Markdown()
    transport: Literal["auto", "sse", "websocket", "websocket-cached"] = "auto"
    http_proxy: str | None = None
    http_idle_timeout_ms: float = 300_000
    websocket_connect_timeout_ms: float = 15_000
    retry: Retry = Retry()
    shell_path: str | None = None
    shell_command_prefix: str | None = None
    npm_command: tuple[str, ...] = ("npm",)
    self_update_command: tuple[str, ...] | None = None
    packages: tuple[Resource, ...] = ()
    extensions: tuple[Resource, ...] = ()
    skills: tuple[Resource, ...] = ()
    prompts: tuple[Resource, ...] = ()
    themes: tuple[Resource, ...] = ()
    enable_skill_commands: bool = True
    collapse_changelog: bool = False
    enable_install_telemetry: bool = True
    enable_analytics: bool = False
    warnings: Warnings = Warnings()
    trusted: bool = False
    diagnostics: tuple[str, ...] = ()
    raw: Mapping[str, Any] = NOTHING
