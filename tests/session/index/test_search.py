"""Full-text search: what it finds, in which order, and what it shows."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi.errors import SessionError
from pi.session.index.catalog import SessionIndex
from pi.session.index.database import TEXTS
from pi.session.index.texts import GAP, query_of, segmented
from tests.session.session_lines import entry, file_bytes, header, message, user, write

Talk = Callable[..., Path]


def found(index: SessionIndex, root: Path, words: str) -> list[str]:
    return [hit.session.summary.id for hit in index.search(root, words)]


def test_the_entry_and_a_piece_of_it(index: SessionIndex, root: Path, talk: Talk) -> None:
    talk("a", "hello", "the quick brown fox " + "filler " * 100, "thanks")
    (hit,) = index.search(root, "quick FOX")
    assert hit.session.summary.id == "a"
    assert (hit.excerpt.entry, hit.excerpt.role) == ("a-1", "assistant")
    assert hit.excerpt.time == "2026-11-23T18:36:05.000Z"
    text = hit.excerpt.text
    assert [text[start:end] for start, end in hit.excerpt.marks] == ["quick", "fox"]
    assert text.endswith("…")
    assert hit.score > 0


def test_only_what_was_said_is_searched(index: SessionIndex, root: Path) -> None:
    write(
        root / "x.jsonl",
        header(id="x"),
        message("s", None, "system", "needle"),
        message("t", "s", "toolResult", [{"type": "text", "text": "needle"}]),
        message("a", "t", "assistant", [{"type": "thinking", "thinking": "needle"}]),
        user("u", "a", "haystack"),
    )
    assert found(index, root, "needle") == []
    assert found(index, root, "haystack") == ["x"]


def test_all_words_must_be_in_one_message(index: SessionIndex, root: Path, talk: Talk) -> None:
    talk("a", "red", "green")
    talk("b", "green and red")
    assert found(index, root, "red green") == ["b"]
    assert found(index, root, '"red green"') == []
    assert found(index, root, '"and red"') == ["b"]


def test_a_word_finds_those_it_begins_but_short_ones_do_not(
    index: SessionIndex, root: Path, talk: Talk
) -> None:
    talk("a", "refactoring session_folder")
    assert found(index, root, "refact") == ["a"]
    assert found(index, root, "session_fol") == ["a"]
    assert found(index, root, "folder") == ["a"]
    assert found(index, root, "re") == []
    assert found(index, root, '"refact"') == []


def test_accents_and_case_do_not_matter(index: SessionIndex, root: Path, talk: Talk) -> None:
    talk("a", "Größe naïve ДАННЫЕ")
    for word in ("GRÖSSE", "grosse"):
        assert found(index, root, word) == []
    for word in ("größe", "naive", "NAÏVE", "данные"):
        assert found(index, root, word) == ["a"]


@pytest.mark.parametrize("word", ["漢字", "字変", "変換する", "カナ"])
def test_words_inside_text_without_blanks(
    index: SessionIndex, root: Path, talk: Talk, word: str
) -> None:
    talk("a", "この漢字変換する関数とカナを直す")
    talk("b", "字漢")
    (hit,) = index.search(root, word)
    assert hit.session.summary.id == "a"
    assert GAP not in hit.excerpt.text
    ((start, end),) = hit.excerpt.marks
    assert hit.excerpt.text[start:end] == word


def test_the_better_match_comes_first(index: SessionIndex, root: Path, talk: Talk) -> None:
    talk("weak", "zebra " + "other words " * 200)
    talk("strong", "zebra zebra")
    talk("none", "nothing")
    assert found(index, root, "zebra") == ["strong", "weak"]


def test_one_hit_a_session_unless_every_entry_is_asked_for(
    index: SessionIndex, root: Path, talk: Talk
) -> None:
    talk("a", "owl", "owl owl", "an owl")
    talk("b", "the owl")
    assert sorted(found(index, root, "owl")) == ["a", "b"]
    every = index.search(root, "owl", every_entry=True)
    assert len(every) == 4
    assert [hit.score for hit in every] == sorted((hit.score for hit in every), reverse=True)
    assert len(index.search(root, "owl", limit=1)) == 1
    only = index.search(root, "owl", only=lambda one: one.summary.id == "b")
    assert [hit.session.summary.id for hit in only] == ["b"]


def test_names_are_found_and_count_more(index: SessionIndex, root: Path, talk: Talk) -> None:
    talk("a", "budget planning for the year")
    named = talk("b", "hello")
    with named.open("ab") as out:
        out.write(file_bytes(entry("session_info", "n", "b-0", name="budget planning")))
    hits = index.search(root, "budget")
    assert [hit.session.summary.id for hit in hits] == ["b", "a"]
    assert (hits[0].excerpt.entry, hits[0].excerpt.role) == (None, "name")
    with named.open("ab") as out:
        out.write(file_bytes(entry("session_info", "m", "n", name="something else")))
    assert found(index, root, "budget") == ["a"]
    assert found(index, root, "something") == ["b"]


def test_texts_added_since_are_found(index: SessionIndex, root: Path, talk: Talk) -> None:
    path = talk("a", "before")
    assert found(index, root, "later") == []
    with path.open("ab") as out:
        out.write(file_bytes(user("u", "a-0", "later")))
    assert index.search(root, "later")[0].excerpt.entry == "u"
    assert len(index.search(root, "before", every_entry=True)) == 1


def test_large_sessions_go_in_piece_by_piece(
    index: SessionIndex, root: Path, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pi.session.index.catalog.TEXTS", 500)
    talk("a", *(f"word{number} " + "x" * 100 for number in range(50)))
    seen: list[tuple[int, int]] = []
    index.search(root, "word1", progress=lambda done, total: seen.append((done, total)))
    assert len(seen) > 5
    assert seen[-1][0] == seen[-1][1]
    for number in range(50):
        (hit,) = index.search(root, f'"word{number}"', every_entry=True)
        assert hit.excerpt.entry == f"a-{number}"


def test_nothing_to_look_for_is_an_error(index: SessionIndex, root: Path) -> None:
    for words in ("", "  ", '""', "!? -", "…"):
        with pytest.raises(SessionError, match="no word"):
            index.search(root, words)


@given(st.text(alphabet=st.characters(), max_size=60) | st.just("\udcff half \ud83d"))
@settings(max_examples=300, deadline=None)
def test_no_query_is_bad_grammar(words: str) -> None:
    query = query_of(words)
    database = sqlite3.connect(":memory:")
    try:
        database.execute(TEXTS)
        if query:
            database.execute("SELECT rowid FROM texts WHERE texts MATCH ?", (query,)).fetchall()
    finally:
        database.close()


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_segmenting_only_adds_gaps(text: str) -> None:
    assert segmented(text).replace(GAP, "") == text.replace(GAP, "")


def test_texts_looked_at_one_by_one(index: SessionIndex, root: Path, talk: Talk) -> None:
    a = talk("a", "hello", "the quick brown fox")
    b = talk("b", "quick 李子")
    talk("c", "slow")
    assert index.matching(root, lambda text: "quick" in text) == {a, b}
    assert index.matching(root, lambda text: "李子" in text) == {b}
    assert index.matching(root, lambda text: False) == set()
