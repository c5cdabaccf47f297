"""The pure twin of automaton.pyx: the same lazily determinised automaton, in Python.

A state of the deterministic automaton is a frozenset of states with flags; its transitions are a
list over byte classes, filled in when first taken. The cache is bounded, so memory is too.
"""

from pi._speedups.pattern.nodes import LookKind
from pi._speedups.pattern.program import LOOK, MATCH, SPLIT, STEP, Program

__all__ = ["Automaton"]

_DEAD, _HIT, _QUIT, _START = range(4)
_MOST_STATES = 10_000
_MOST_MEMBERS = 2_000_000
_WORD_BYTES = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")

# What a deterministic state is made of: NFA states, whether it is the start, whether a word
# character came before.
_Key = tuple[frozenset[int], bool, bool]


class Automaton:
    """A pattern ready to run. Not for two threads at a time: each makes its own."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._sample = [-1] * (program.end + 1)
        for byte in range(255, -1, -1):
            self._sample[program.classes[byte]] = byte
        points = program.word_points
        self._words = list(zip(points[::2], points[1::2], strict=True))
        self._edges: dict[int, dict[int, int]] = {}
        self._hit_at_start = False
        self._forget()

    def matches(self, text: bytes) -> bool:
        """Whether the pattern is found in the text (with `lines`, which must be one line)."""
        if self._hit_at_start:
            return True
        state = _START
        for symbol in text.translate(self.program.classes):
            to = self._rows[state][symbol]
            if to is None:
                to = self._step(state, symbol)
            if to <= _QUIT:
                return self._run_nfa(text) if to == _QUIT else to == _HIT
            state = to
        to = self._rows[state][self.program.end]
        return (self._step(state, self.program.end) if to is None else to) == _HIT

    def lines(self, text: bytes) -> list[int]:
        """Where the lines start that match, for a program made with `lines`."""
        out = []
        at = 0
        while at < len(text):
            stop = text.find(b"\n", at)
            if stop < 0:
                stop = len(text)
            if self.matches(text[at:stop]):
                out.append(at)
            at = stop + 1
        return out

    # Determinising

    def _forget(self) -> None:
        self._rows: list[list[int | None]] = [[], [], []]
        self._keys: list[_Key] = [(frozenset(), False, False)] * _START
        self._states: dict[_Key, int] = {}
        self._members = 0
        reached: set[int] = set()
        self._hit_at_start = self._follow(self.program.start, 1, reached)
        self._intern(reached, True, False)

    def _follow(self, root: int, mask: int, reached: set[int], *, resolve: bool = False) -> bool:
        """Adds what is reached from `root` without a byte; true if that is the end."""
        kind, first, second = self.program.kind, self.program.first, self.program.second
        stack = [root]
        while stack:
            state = stack.pop()
            if state in reached:
                continue
            reached.add(state)
            match kind[state]:
                case 0:  # MATCH
                    return True
                case 1:  # SPLIT
                    stack.append(second[state])
                    stack.append(first[state])
                case 2:  # LOOK
                    look = second[state]
                    if (resolve or look == LookKind.START) and mask >> look & 1:
                        stack.append(first[state])
        return False

    def _edge(self, state: int, byte: int) -> int:
        """The target of a STEP state for a byte, -1 if there is none."""
        known = self._edges.setdefault(state, {})
        to = known.get(byte)
        if to is None:
            to = -1
            program = self.program
            offset = program.first[state]
            for at in range(offset, offset + program.second[state]):
                if program.low[at] <= byte <= program.high[at]:
                    to = program.target[at]
                    break
            known[byte] = to
        return to

    def _intern(self, reached: set[int], at_start: bool, word: bool) -> int:
        kind, second = self.program.kind, self.program.second
        kept = frozenset(
            state
            for state in reached
            if kind[state] == STEP or (kind[state] == LOOK and second[state] != LookKind.START)
        )
        if not kept and not at_start:
            return _DEAD
        key = (kept, at_start, word)
        state = self._states.get(key)
        if state is None:
            if len(self._rows) >= _MOST_STATES or self._members > _MOST_MEMBERS:
                self._forget()
            state = self._states[key] = len(self._rows)
            self._rows.append([None] * (self.program.end + 1))
            self._keys.append(key)
            self._members += len(kept)
        return state

    def _step(self, state: int, symbol: int) -> int:
        program = self.program
        kind = program.kind
        at_end = symbol == program.end
        byte = -1 if at_end else self._sample[symbol]
        row = self._rows[state]
        if byte >= 0x80 and program.word_points:
            row[symbol] = _QUIT
            return _QUIT
        members, at_start, word = self._keys[state]
        if any(kind[member] == LOOK for member in members):
            mask = _holds(at_start, at_end, word, byte in _WORD_BYTES)
            resolved: set[int] = set()
            for member in members:
                if kind[member] == STEP:
                    root = member
                elif mask >> program.second[member] & 1:
                    root = program.first[member]
                else:
                    continue
                if self._follow(root, mask, resolved, resolve=True):
                    row[symbol] = _HIT
                    return _HIT
            members = frozenset(resolved)
        if at_end:
            row[symbol] = _START if program.lines else _DEAD
            return _DEAD
        reached: set[int] = set()
        for member in members:
            if kind[member] == STEP:
                to = self._edge(member, byte)
                if to >= 0 and self._follow(to, 0, reached):
                    row[symbol] = _HIT
                    return _HIT
        if self._follow(program.start, 0, reached):
            row[symbol] = _HIT
            return _HIT
        result = self._intern(reached, False, program.looks_at_words and byte in _WORD_BYTES)
        row[symbol] = result  # harmless if the cache was emptied: the row is then gone with it
        return result

    # Unicode's word boundaries

    def _run_nfa(self, text: bytes) -> bool:
        """Whether the line matches, without determinising: knows Unicode's word boundaries."""
        program = self.program
        targets: set[int] = set()
        for at in range(len(text) + 1):
            before = self._is_word(_char_before(text, at)) if at else False
            after = self._is_word(_char_at(text, at)) if at < len(text) else False
            mask = _holds(at == 0, at == len(text), bool(before), bool(after))
            if before is None or after is None:
                mask &= ~(1 << LookKind.NOT_WORD)
            reached: set[int] = set()
            for root in (*targets, program.start):
                if self._follow(root, mask, reached, resolve=True):
                    return True
            if at < len(text):
                targets = {
                    to
                    for state in reached
                    if program.kind[state] == STEP
                    for to in (self._edge(state, text[at]),)
                    if to >= 0
                }
        return False

    def _is_word(self, char: str) -> bool | None:
        """None: there is no valid character."""
        if not char:
            return None
        point = ord(char)
        if point < 0x80:
            return point in _WORD_BYTES
        low, high = 0, len(self._words) - 1
        while low <= high:
            middle = (low + high) // 2
            if point < self._words[middle][0]:
                high = middle - 1
            elif point > self._words[middle][1]:
                low = middle + 1
            else:
                return True
        return False


def _holds(at_start: bool, at_end: bool, before: bool, after: bool) -> int:
    """The conditions that are true here, bit LookKind for each."""
    mask = at_start << LookKind.START | at_end << LookKind.END
    mask |= 1 << (LookKind.WORD if before != after else LookKind.NOT_WORD)
    mask |= (after and not before) << LookKind.WORD_START
    mask |= (before and not after) << LookKind.WORD_END
    mask |= (not before) << LookKind.WORD_START_HALF
    return mask | (not after) << LookKind.WORD_END_HALF


def _char_at(text: bytes, at: int) -> str:
    """The character that starts here, "" if there is none that is valid."""
    lead = text[at]
    size = 1 if lead < 0x80 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    try:
        return text[at : at + size].decode()
    except UnicodeDecodeError:
        return ""


def _char_before(text: bytes, at: int) -> str:
    """The character that ends here, "" if there is none that is valid."""
    start = at - 1
    while start > 0 and at - start < 4 and text[start] & 0xC0 == 0x80:
        start -= 1
    char = _char_at(text, start)
    return char if len(char.encode()) == at - start else ""


assert (MATCH, SPLIT, LOOK, STEP) == (0, 1, 2, 3)  # as `_follow` writes them
