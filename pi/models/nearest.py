"""Names a mistyped one may have meant."""

from collections.abc import Sequence

__all__ = ["nearest"]


def nearest(wanted: str, known: Sequence[str], *, most: int = 3) -> list[str]:
    """Up to `most` of `known`, closest first; their last part after "/" counts as well."""
    import difflib  # noqa: PLC0415  (only for mistakes)

    target = wanted.lower()
    short = target.rpartition("/")[2]
    scored: list[tuple[float, int, str]] = []
    matcher = difflib.SequenceMatcher(autojunk=False)
    for order, name in enumerate(known):
        best = 0.0
        for ours, theirs in ((target, name.lower()), (short, name.lower().rpartition("/")[2])):
            matcher.set_seq2(ours)
            matcher.set_seq1(theirs)
            if matcher.real_quick_ratio() >= 0.6 and matcher.quick_ratio() >= 0.6:
                best = max(best, matcher.ratio())
        if best >= 0.6:
            scored.append((-best, order, name))
    return [name for _, _, name in sorted(scored)[:most]]
