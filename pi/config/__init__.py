"""Folders, environment, settings.json, values with indirection, project trust."""

from pi.config.environment import Environment, read_environment
from pi.config.paths import Paths, find_paths
from pi.config.settings import SettingsFiles, load_settings, read_settings
from pi.config.settings_types import Settings
from pi.config.trust import decide_trust, is_trusted

__all__ = [
    "Environment",
    "Paths",
    "Settings",
    "SettingsFiles",
    "decide_trust",
    "find_paths",
    "is_trusted",
    "load_settings",
    "read_environment",
    "read_settings",
]
