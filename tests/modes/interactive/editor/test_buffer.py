"""The buffer against a model: a plain string and an index, and a list of earlier states."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import iter_graphemes

from pi.modes.interactive.editor.buffer import EditBuffer, word_end, word_start

FAMILY = "👨\u200d👩\u200d👧"


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("one two", [0, 0, 0, 0, 0, 4, 4, 4]),
        ("a.b", [0, 0, 1, 2]),
        ("a  ", [0, 0, 0, 0]),
        ("ab\n cd", [0, 0, 0, 0, 0, 4, 4]),
        ("ab\n\n\n", [0, 0, 0, 0, 0, 0]),
        ("don't", [0, 0, 0, 0, 0, 0]),
        ("  x", [0, 0, 0, 2]),
    ],
)
def test_starts_of_words(text, starts):
    assert [word_start(text, at) for at in range(len(text) + 1)] == starts


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("one two", [3, 3, 3, 7, 7, 7, 7, 7]),
        ("a.b", [1, 2, 3, 3]),
        ("a \n b", [1, 5, 5, 5, 5, 5]),
        ("a  ", [1, 3, 3, 3]),
    ],
)
def test_ends_of_words(text, ends):
    assert [word_end(text, at) for at in range(len(text) + 1)] == ends


def boundaries(text):
    """Indices between which a person sees one character."""
    at, out = 0, [0]
    for line in text.splitlines(keepends=True):
        body = line.removesuffix("\n")
        for cluster in iter_graphemes(body):
            at += len(cluster)
            out.append(at)
        if body != line:
            at += 1
            out.append(at)
    return out


PIECES = st.sampled_from(["a", "word", " ", "\n", "漢", "e\u0301", FAMILY, "🇩🇪", "x.y", "  "])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("type"), PIECES),
        st.tuples(st.just("put"), PIECES),
        *(
            st.tuples(st.just(name), st.none())
            for name in (
                *("left", "right", "back", "forward", "home", "end", "cut_left", "cut_right"),
                *("yank", "pop", "undo", "redo"),
            )
        ),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(STEPS)
def test_against_a_plain_string(steps):
    buffer = EditBuffer()
    text, caret = "", 0
    ring, last, yanked = [], "", 0
    seen = {""}
    for name, piece in steps:
        places = boundaries(text)
        before = max((at for at in places if at < caret), default=0)
        after = min((at for at in places if at > caret), default=len(text))
        start = text.rfind("\n", 0, caret) + 1
        end = text.find("\n", caret) if "\n" in text[caret:] else len(text)
        kind = ""
        match name:
            case "type" | "put":
                getattr(buffer, name)(piece)
                text, caret = text[:caret] + piece + text[caret:], caret + len(piece)
            case "left":
                buffer.go(buffer.left())
                caret = before
            case "right":
                buffer.go(buffer.right())
                caret = after
            case "home":
                buffer.go(buffer.line_start())
                caret = start
            case "end":
                buffer.go(buffer.line_end())
                caret = end
            case "back":
                buffer.remove(buffer.left(), buffer.cursor_position)
                text, caret = text[:before] + text[caret:], before
            case "forward":
                buffer.remove(buffer.cursor_position, buffer.right())
                text = text[:caret] + text[after:]
            case "cut_left" | "cut_right":
                left = name == "cut_left"
                one, two = (start, caret) if left else (caret, end)
                buffer.cut(one, two)
                cut = text[one:two]
                if cut and last == "cut":
                    ring[0] = cut + ring[0] if left else ring[0] + cut
                elif cut:
                    ring.insert(0, cut)
                kind = "cut" if cut else last
                text, caret = text[:one] + text[two:], one
            case "yank":
                buffer.yank()
                if ring:
                    yanked = caret
                    text, caret = text[:caret] + ring[0] + text[caret:], caret + len(ring[0])
                kind = "yank" if ring else last
            case "pop":
                buffer.yank_pop()
                kind = last
                if last == "yank":
                    ring.append(ring.pop(0))
                    text, caret = text[:yanked] + ring[0] + text[caret:], yanked + len(ring[0])
            case "undo" | "redo":
                getattr(buffer, name)()
                assert buffer.text in seen  # a state that was there
                text, caret = buffer.text, buffer.cursor_position
        last = kind
        seen.add(text)
        # Within a cluster the caret never is, however the text came about.
        assert (buffer.text, buffer.cursor_position) == (text, caret)
    for _ in range(len(steps) + 1):
        buffer.undo()
    assert buffer.text == ""


def test_a_word_and_the_space_behind_it_are_one_step():
    buffer = EditBuffer()
    for letter in "one two  three":
        buffer.type(letter)
    steps = []
    while buffer.text:
        buffer.undo()
        steps.append(buffer.text)
    assert steps == ["one two  ", "one ", ""]
    buffer.redo()
    buffer.redo()
    assert buffer.text == "one two  "


def test_deletions_in_a_row_are_one_step():
    buffer = EditBuffer("word")
    for _ in range(3):
        buffer.remove(buffer.left(), buffer.cursor_position)
    assert buffer.text == "w"
    buffer.undo()
    assert buffer.text == "word"


def test_the_ring():
    buffer = EditBuffer("one two three")
    for _ in range(2):
        buffer.cut(word_start(buffer.text, buffer.cursor_position), buffer.cursor_position)
    assert buffer.text == "one "
    buffer.type("x")
    buffer.cut(0, buffer.cursor_position)
    buffer.yank()
    assert buffer.text == "one x"
    buffer.yank_pop()
    assert buffer.text == "two three"
    buffer.yank_pop()
    assert buffer.text == "one x"
    buffer.go(0)
    buffer.yank_pop()  # only right behind a yank
    assert buffer.text == "one x"
