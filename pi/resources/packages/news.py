"""What is new in packages: what their changelogs say of the versions since those last seen."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pi.resources.changelog import newer, read_changelog
from pi.resources.found import Found, Origin
from pi.resources.manifest import read_release
from pi.wire import jsonio

__all__ = ["News", "package_key", "package_news"]


class News(NamedTuple):
    """text: markdown, headings with the name of the package; empty where only `version` counts.

    key, version: what is to be noted as seen.
    """

    key: str
    name: str
    version: str
    text: str


def package_news(extensions: Sequence[Found], seen: Mapping[str, str]) -> Iterator[News]:
    """For the packages that brought these; nothing for those where there is nothing to note.

    seen: the version last seen of each package. One that is seen for the first time has no text.
    """
    asked = set()
    for item in extensions:
        origin = item.origin
        if not origin.package or origin.changelog is None:
            continue
        key = package_key(origin.source, origin.scope)
        if key in asked:
            continue
        asked.add(key)
        name, version = _release(origin)
        last = seen.get(key)
        if version is None or version == last:
            continue
        if not last:
            yield News(key, name, version, "")
            continue
        try:
            sections = newer(read_changelog(origin.changelog), last)
        except OSError:
            continue
        if sections is None:  # what was noted is no version: begin anew
            yield News(key, name, version, "")
        elif sections:
            texts = [
                f"## {name} {section.text.removeprefix('##').lstrip()}" for section in sections
            ]
            yield News(key, name, version, "\n\n".join(texts))


def package_key(source: str, scope: str) -> str:
    """What `extensionChangelogVersions` in settings calls a package."""
    return jsonio.dumps({"source": source, "scope": scope}).decode()


def _release(origin: Origin) -> tuple[str, str | None]:
    """Its name and version."""
    if origin.base is None:
        return origin.source, None
    if origin.source.startswith("pip:"):
        # Only where there is such a package.
        from pi.resources.packages.pip import installed_version  # noqa: PLC0415
        from pi.resources.packages.source import PipSource, parse_source  # noqa: PLC0415

        source = parse_source(origin.source)
        if isinstance(source, PipSource):
            return source.name, installed_version(source, origin.base)
    name, version = read_release(origin.base)
    return name or origin.source, version
