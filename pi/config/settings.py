"""settings.json: the user's file, the project's over it, one frozen value out of both.

Objects merge key by key; lists replace, except resource lists (both count) and `defaultTools`
(rules of its own, see tools_list.py). A malformed file or a value of the wrong type never stops a
run: it is left out and reported in `diagnostics`. Nothing here writes. Source: docs/settings.md.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pi.config.documents import merge_fields, read_document
from pi.config.paths import Paths
from pi.config.settings_types import (
    NOTHING,
    BranchSummary,
    Codemode,
    Compaction,
    CompactionOverride,
    Images,
    Markdown,
    ProviderRetry,
    Resource,
    Retry,
    Settings,
    Terminal,
    ThinkingBudgets,
    Warnings,
)
from pi.config.tools_list import DEFAULT_TOOLS, apply_tool_entries
from pi.errors import ConfigError

__all__ = ["GLOBAL_ONLY", "SettingsFiles", "checked_settings", "load_settings", "read_settings"]

_WHOLE_FILE = "; using defaults"
GLOBAL_ONLY = ("defaultProjectTrust", "httpProxy", "cacheWarming", "selfUpdateCommand")
"""What a project may not decide for the person who opens it."""
_RESOURCES = ("packages", "extensions", "skills", "prompts", "themes")
_SECTIONS: Mapping[str, type] = {
    "branch_summary": BranchSummary,
    "codemode": Codemode,
    "images": Images,
    "markdown": Markdown,
    "terminal": Terminal,
    "thinking_budgets": ThinkingBudgets,
    "warnings": Warnings,
    "provider": ProviderRetry,
    "retry": Retry,
}


class SettingsFiles(NamedTuple):
    """Both files as they are, wrong values taken out, before it is known whether to trust one."""

    user: Mapping[str, Any]
    project: Mapping[str, Any]
    user_problems: tuple[str, ...]
    project_problems: tuple[str, ...]
    paths: Paths

    @property
    def default_project_trust(self) -> Literal["ask", "always", "never"]:
        value: Literal["ask", "always", "never"] = self.user.get("defaultProjectTrust", "ask")
        return value

    def without_project(self) -> "SettingsFiles":
        """What the project says left out, but for where sessions are."""
        kept = {key: value for key, value in self.project.items() if key == "sessionDir"}
        return self._replace(project=kept, project_problems=())

    def resolve(self, *, trusted: bool, over: Mapping[str, Any] = NOTHING) -> Settings:
        """The settings of this run. Without trust only `sessionDir` of the project counts.

        over: goes over both files, see `checked_settings`.
        """
        problems = list(self.user_problems)
        project: Mapping[str, Any] = {}
        if trusted:
            project = {k: v for k, v in self.project.items() if k not in GLOBAL_ONLY}
            problems += self.project_problems
        elif "sessionDir" in self.project:
            project = {"sessionDir": self.project["sessionDir"]}
        if not trusted:
            problems += [text for text in self.project_problems if text.endswith(_WHOLE_FILE)]
        merged = merge_fields(self.user, project)
        if over:
            merged = merge_fields(merged, over)
        values = dict(_values(Settings, merged))
        for name in _RESOURCES:
            values[name] = (
                *_resources(self.user, name, self.paths.agent, "user"),
                *_resources(project, name, self.paths.project, "project"),
            )
        tools: tuple[str, ...] = DEFAULT_TOOLS
        if "defaultTools" in self.user:
            tools = apply_tool_entries(tools, self.user["defaultTools"])
        if project.get("defaultTools"):  # an empty list of the project's changes nothing
            tools = apply_tool_entries(tools, project["defaultTools"])
        if over.get("defaultTools"):
            tools = apply_tool_entries(tools, over["defaultTools"])
        values["default_tools"] = tools
        values["compaction"] = _compaction(merged.get("compaction", {}))
        return Settings(**values, trusted=trusted, diagnostics=tuple(problems), raw=merged)


def read_settings(paths: Paths) -> SettingsFiles:
    """Both files. Never raises: what cannot be used is reported."""
    user, user_problems = _read(paths.settings)
    project, project_problems = _read(paths.project_settings)
    # Started in the home folder with an agent folder moved elsewhere, or in the agent's own parent,
    # the two may be one file.
    if paths.settings == paths.project_settings:
        project, project_problems = {}, []
    return SettingsFiles(user, project, tuple(user_problems), tuple(project_problems), paths)


def load_settings(paths: Paths, *, trusted: bool) -> Settings:
    """For callers that already know whether the project is trusted (see trust.py)."""
    return read_settings(paths).resolve(trusted=trusted)


def checked_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that come from a program. Raises ConfigError for the first that is wrong."""
    problems: list[str] = []
    checked = _checked(_migrated(values), Path("settings"), problems)
    if problems:
        raise ConfigError(problems[0].removesuffix("; ignored"))
    return checked


def _read(path: Path) -> tuple[dict[str, Any], list[str]]:
    try:
        value = read_document(path)
    except ConfigError as error:
        return {}, [f"{error}{_WHOLE_FILE}"]
    if value is None:
        return {}, []
    problems: list[str] = []
    return _checked(_migrated(value), path, problems), problems


def _checked(value: Mapping[str, Any], path: Path, problems: list[str]) -> dict[str, Any]:
    """A copy without the values of the wrong type, each of which adds a problem."""
    from pi.config.settings_shapes import problems_of  # noqa: PLC0415  (only if there is a file)

    def keep(part: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for key, item in part.items():
            found = problems_of(prefix + key, item)
            if found is None:
                kept[key] = keep(item, f"{prefix}{key}.")
            elif found and prefix + key in _RESOURCES and isinstance(item, list):
                # One bad entry of many: the others are as good as they were.
                problems.extend(f"{path}: {text}; ignored" for text in found)
                kept[key] = [one for one in item if not problems_of(key, [one])]
            elif found:
                problems.extend(f"{path}: {text}; ignored" for text in found)
            else:
                kept[key] = item
        return kept

    return keep(value, "")


def _migrated(value: Mapping[str, Any]) -> dict[str, Any]:
    """Names of earlier versions under their present ones; the file keeps what it has."""
    new = dict(value)
    if "queueMode" in new:
        new.setdefault("steeringMode", new["queueMode"])
    if isinstance(new.get("websockets"), bool):
        new.setdefault("transport", "websocket" if new["websockets"] else "sse")
    skills = new.get("skills")
    if isinstance(skills, dict):
        new.pop("skills")
        if "enableSkillCommands" in skills:
            new.setdefault("enableSkillCommands", skills["enableSkillCommands"])
        if "customDirectories" in skills:
            new["skills"] = skills["customDirectories"]
    retry = new.get("retry")
    if isinstance(retry, dict) and "maxDelayMs" in retry:
        provider = retry.get("provider", {})
        if isinstance(provider, dict):
            merged = {"maxRetryDelayMs": retry["maxDelayMs"], **provider}
            new["retry"] = {**retry, "provider": merged}
    return new


def _values(kind: Any, raw: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Keyword arguments for a settings class from its (checked) object in the file."""
    for name in kind._fields:
        key = _wire_name(name)
        if key not in raw:
            continue
        value = raw[key]
        section = _SECTIONS.get(name)
        # terminal.images is a word, while images is a section.
        if section is not None and isinstance(value, Mapping):
            yield name, section(**dict(_values(section, value)))
        elif name.endswith("_ms") and value == "disabled":
            yield name, 0
        elif isinstance(value, float) and value.is_integer():
            yield name, int(value)  # JSON has no whole numbers: 5.0 is 5
        elif isinstance(value, list):
            yield name, tuple(value)
        elif value is not None or kind._field_defaults[name] is not NOTHING:
            yield name, value


def _compaction(raw: Mapping[str, Any]) -> Compaction:
    overrides = {
        name: CompactionOverride(
            reserve_tokens=_whole(value.get("reserveTokens")),
            keep_recent_tokens=_whole(value.get("keepRecentTokens")),
        )
        for name, value in raw.get("modelOverrides", {}).items()
    }
    plain = {k: v for k, v in _values(Compaction, raw) if k != "model_overrides"}
    return Compaction(**plain, model_overrides=overrides)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _resources(
    layer: Mapping[str, Any], name: str, base: Path, scope: Literal["user", "project"]
) -> tuple[Resource, ...]:
    return tuple(Resource(value=item, base=base, scope=scope) for item in layer.get(name, ()))


def _wire_name(name: str) -> str:
    """snake_case to the file's camelCase: editor_padding_x to editorPaddingX."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
