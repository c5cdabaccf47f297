"""What a model probably meant when the text it quoted is not in the file."""

from collections import Counter
from difflib import SequenceMatcher, get_close_matches

__all__ = ["near_miss"]

_SHOWN_LINES = 12
_SHOWN_CHARS = 1200
_COMPARED_LINES = 20_000
_COMPARED_CHARS = 200


def near_miss(text: str, sought: str) -> str:
    """A sentence that shows the closest place of `text`, or nothing where none is close.

    Both are normalised. Starts with a period, to be added to another sentence.
    """
    lines = text.split("\n")[:_COMPARED_LINES]
    wanted = sought.strip("\n").split("\n")
    start = _alignment(lines, wanted)
    if start is None:
        return ""
    start = max(0, start)
    window = lines[start : start + len(wanted)]
    if not any(line.strip() for line in window):
        return ""
    hint = ""
    if [line.strip() for line in window] == [line.strip() for line in wanted]:
        hint = " (only the indentation differs: tabs or spaces)"
    shown = window[:_SHOWN_LINES]
    excerpt = "\n".join(shown)[:_SHOWN_CHARS]
    more = "\n…" if len(window) > len(shown) or len("\n".join(shown)) > len(excerpt) else ""
    last = start + len(window)
    place = f"line {last}" if len(window) == 1 else f"lines {start + 1}-{last}"
    return f". The closest text is at {place}{hint}:\n{excerpt}{more}"


def _alignment(lines: list[str], wanted: list[str]) -> int | None:
    """The line where the wanted lines fit best: most of them agree, or the longest is similar."""
    votes: Counter[int] = Counter()
    places: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        bare = line.strip()
        if bare:
            places.setdefault(bare, []).append(number)
    for offset, line in enumerate(wanted):
        bare = line.strip()
        for number in places.get(bare, ())[:100]:
            votes[number - offset] += len(bare)
    if votes:
        return max(votes, key=lambda start: (votes[start], -start))
    offset, longest = max(enumerate(wanted), key=lambda item: len(item[1].strip()))
    key = longest.strip()[:_COMPARED_CHARS]
    if len(key) < 4:
        return None
    contained = [number for bare, at in places.items() if key in bare for number in at[:1]]
    if contained:
        return contained[0] - offset
    limit = range(len(key) // 2, len(key) * 2 + 1)
    candidates = [bare for bare in places if len(bare) in limit][:2000]
    close = get_close_matches(key, candidates, n=1, cutoff=0.6)
    if close:
        return places[close[0]][0] - offset
    return _partial(places, key, offset)


def _partial(places: dict[str, list[int]], key: str, offset: int) -> int | None:
    """A longer line that holds most of `key` in one piece."""
    best, best_size = None, max(6, len(key) * 6 // 10)
    for bare, at in list(places.items())[:2000]:
        if len(bare) < best_size or len(bare) > 2000:
            continue
        matcher = SequenceMatcher(None, bare, key, autojunk=False)
        if matcher.real_quick_ratio() * (len(bare) + len(key)) / 2 < best_size:
            continue
        size = matcher.find_longest_match().size
        if size > best_size:
            best, best_size = at[0] - offset, size
    return best
