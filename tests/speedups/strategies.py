"""Generated patterns, lines, globs and ignore files."""

from hypothesis import strategies as st

LETTERS = ["a", "b", "é", "K", "k", "s", "ſ", "_", " ", "-", ".", "1", "日"]

# Written so that Python's `re` means the same by them, on one line without a line feed.
ATOMS = ["a", "b", "é", "k", "s", "_", ".", r"\w", r"\W", r"\d", r"\s", r"\S", r"\.", r"\x61",
         "[ab]", "[^a]", "[^é]", "[a-k]", r"[\w-]", "^", "$", r"\b", "日"]  # fmt: skip
QUANTIFIERS = ["*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?"]


def patterns() -> st.SearchStrategy[str]:
    def extend(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.lists(inner, min_size=2, max_size=4).map("".join),
            st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
            st.tuples(inner, st.sampled_from(QUANTIFIERS)).map(lambda two: f"(?:{two[0]}){two[1]}"),
        )

    return st.recursive(st.sampled_from(ATOMS), extend, max_leaves=8)


def lines() -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(LETTERS), max_size=9).map("".join)


def garbage() -> st.SearchStrategy[bytes]:
    """Bytes with few different values, so that patterns meet them; broken UTF-8 too."""
    return st.lists(
        st.sampled_from([b"a", b"b", b"k", b"_", b" ", b"\n", b"\r\n", b"\0", b"\xc3", b"\xa9",
                         "é".encode(), b"\xff", b"\xe6\x97", "日".encode(), b"1"]),
        max_size=40,
    ).map(b"".join)  # fmt: skip


NAMES = ["a", "b", "ab", "abc", ".x", "a b", "b ", "é", "#c", "!d", "a.txt", "x.log", "A"]
IGNORE_ATOMS = ["a", "b", "ab", "*", "?", "**", "[ab]", "[!a]", "[^b]", ".txt", "\\*", "\\ ", " ",
                "#", "!", "\\!", "\\#", "[a", "[]a]", "[a-c]", "[[:alpha:]]", "é", "\\", "x", "[",
                "/", "/", "/", "/", "\\/", "[a/b]", "//", "***", "-", "]", "[!]]", "[\\]]", "[z-a]",
                "**/", "/**"]  # fmt: skip


def ignore_lines() -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(IGNORE_ATOMS), min_size=1, max_size=5).map("".join)


def paths() -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join)


GLOB_ATOMS = ["a", "b", "*", "?", "**", "/", ".txt", "[ab]", "[!a]", "{a,b}", "{a,}", "é", "**/",
              "/**", "{a/b,*}", "\\*", "x"]  # fmt: skip


def globs() -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(GLOB_ATOMS), min_size=1, max_size=5).map("".join)
