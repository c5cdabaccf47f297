"""The pure twin of ignore.pyx: matches paths with the rules of one ignore file."""

from pi._speedups.pattern.gitignore import ANY, CLASS, FOLDERS, LITERAL, STAR, parse_rules

__all__ = ["Rules"]

_SIZES = {LITERAL: 2, ANY: 1, STAR: 1, CLASS: 33}
_FOLDERS = bytes([FOLDERS])


class Rules:
    """The rules of one ignore file, for paths below its folder."""

    def __init__(self, text: bytes) -> None:
        self._rules = parse_rules(text)

    def __len__(self) -> int:
        return len(self._rules)

    def check(self, path: bytes, folder: bool) -> int:
        """1: the path is ignored, -1: a negated rule keeps it, 0: no rule says anything."""
        name = path.rpartition(b"/")[2]
        for rule in reversed(self._rules):
            if rule.folders_only and not folder:
                continue
            subject = name if rule.by_name else path
            if rule.segments:
                hit = subject.startswith(rule.prefix) and _match_path(
                    rule.segments, subject[len(rule.prefix) :].split(b"/")
                )
            else:
                hit = subject == rule.prefix
            if hit:
                return -1 if rule.negated else 1
        return 0


def _match_segment(code: bytes, text: bytes) -> bool:
    at = place = 0
    star = retry = -1
    while True:
        if at < len(code) and code[at] == STAR:
            at += 1
            star, retry = at, place
            continue
        if place == len(text):
            return at == len(code)
        if at < len(code):
            byte = text[place]
            operation = code[at]
            if (
                operation == ANY
                or (operation == LITERAL and code[at + 1] == byte)
                or (operation == CLASS and code[at + 1 + (byte >> 3)] >> (byte & 7) & 1)
            ):
                at += _SIZES[operation]
                place += 1
                continue
        if star < 0:
            return False
        retry += 1
        at, place = star, retry


def _match_path(segments: tuple[bytes, ...], parts: list[bytes]) -> bool:
    at = place = 0
    again = retry = -1
    while True:
        if at < len(segments) and segments[at] == _FOLDERS:
            if at < len(segments) - 1:
                at += 1
                again, retry = at, place
                continue
            if place < len(parts):
                return True
        elif place == len(parts):
            return at == len(segments)
        elif at < len(segments) and _match_segment(segments[at], parts[place]):
            at += 1
            place += 1
            continue
        if again < 0 or retry >= len(parts) - 1:
            return False
        retry += 1
        at, place = again, retry
