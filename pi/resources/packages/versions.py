"""Versions of Python packages: which comes after which, what limits such as `>=1.2,<2` allow."""

__all__ = ["allows", "newer_release"]


def newer_release(one: str, other: str) -> bool:
    """Whether a version comes after another; of what is none, whether they differ."""
    if one == other:
        return False
    # The indexes' own rules; loaded where there is something to compare.
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415

    try:
        return Version(one) > Version(other)
    except InvalidVersion:
        return True


def allows(limits: str, version: str) -> bool:
    """limits: as in a requirement, "" for any. What cannot be understood allows all."""
    if not limits:
        return True
    # As above.
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415

    try:
        # Whoever installed a prerelease meant it.
        return SpecifierSet(limits).contains(Version(version), prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return True
