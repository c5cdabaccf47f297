"""Credentials that a platform supplies: whether there are any, as far as that is cheap to tell."""

from collections.abc import Mapping

from pi.auth.providers import key_source

__all__ = ["has_ambient"]


def has_ambient(provider: str, variables: Mapping[str, str], *, chosen: bool) -> bool:
    """Whether a request should find some. No network, no program runs.

    chosen: whether the person stored an entry for the provider. For AWS that is enough: the files
    and services that its tools look at are many.
    """
    sets = key_source(provider).ambient
    named = any(all(variables.get(name) for name in names) for names in sets)
    if provider != "google-vertex":
        return named or (chosen and bool(sets))
    if not named:
        return False
    from pi.auth.google import default_credentials  # noqa: PLC0415  (for Vertex alone)

    return default_credentials(variables).is_file()
