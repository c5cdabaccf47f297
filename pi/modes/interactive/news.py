"""What has changed since the last start: in pi, and in packages with extensions. Told once.

Which versions were seen is kept in settings.json as the npm package keeps it, by package, in
`extensionChangelogVersions`. pi's own stands there as well, as a package from the index: the npm
package's own key, `lastChangelogVersion`, counts that program's versions.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pi._version import __version__
from pi.config.documents import read_document
from pi.config.settings_write import change_setting
from pi.errors import ConfigError
from pi.modes.interactive.app import App
from pi.resources.changelog import newer, read_changelog
from pi.resources.packages.news import News, package_key, package_news
from pi.resources.system_prompt import changelog_file
from pi.runtime.host import Host

__all__ = ["tell_news"]

log = logging.getLogger(__name__)

SEEN = "extensionChangelogVersions"
ITSELF = package_key("pip:pi-coding-agent-py", "user")


@dataclass(frozen=True, slots=True)
class _Told:
    own: str
    packages: list[News]


async def tell_news(app: App) -> None:
    """Meant for the start, with a session that has nothing in it yet."""
    told = await asyncio.to_thread(_look, app.host)
    packages = [news for news in told.packages if news.text]
    if app.host.services.settings.collapse_changelog:
        lines = [f"Updated {news.name} to v{news.version}." for news in packages]
        if told.own:
            lines.insert(0, f"Updated to v{__version__}. /changelog shows what has changed.")
        if lines:
            app.say("\n".join(lines))
        return
    if not (told.own or packages):
        return
    # Few starts have news.
    from pi.modes.interactive.pickers.screens import ChangelogScreen  # noqa: PLC0415

    look = app.transcript.look
    if told.own:
        app.show(ChangelogScreen(look, told.own, title="What's New"))
    if packages:
        text = "\n\n".join(news.text for news in packages)
        app.show(ChangelogScreen(look, text, title="Extension Updates"))


def _look(host: Host) -> _Told:
    """Reads files, and notes what is told as seen."""
    try:
        seen = _seen(read_document(host.paths.settings))
        own = _own(seen.get(ITSELF))
        extensions = [file.found for file in host.services.resources.extensions]
        packages = list(package_news(extensions, seen))
        noted = {news.key: news.version for news in packages}
        if own is not None:
            noted[ITSELF] = __version__
        if noted:
            change_setting(host.paths, "user", SEEN, lambda present: _with(present, noted))
    except (ConfigError, OSError) as error:
        # Settings that cannot be written would have it told at every start.
        log.debug("no news: %s", error)
        return _Told("", [])
    return _Told(own or "", packages)


def _with(present: Any, noted: Mapping[str, str]) -> dict[str, Any]:
    return {**(present if isinstance(present, dict) else {}), **noted}


def _own(last: str | None) -> str | None:
    """What is new in pi, "" for nothing to tell; None where there is nothing to note either."""
    if last == __version__:
        return None
    file = changelog_file()
    if last is None or file is None:
        return ""
    sections = newer(read_changelog(file), last)
    if sections is None:
        return ""
    return "\n\n".join(section.text for section in sections) or None


def _seen(document: Mapping[str, Any] | None) -> dict[str, str]:
    table = (document or {}).get(SEEN)
    if not isinstance(table, dict):
        return {}
    return {key: value for key, value in table.items() if isinstance(value, str)}
