"""Prompt templates: arguments, placeholders, files."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.resources.found import Found, Origin
from pi.resources.prompt_templates import (
    PromptTemplate,
    expand_template,
    fill_template,
    load_template,
    split_arguments,
)

ORIGIN = Origin("auto", "user")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  a  b\n\tc ", ["a", "b", "c"]),
        ('"a b" c', ["a b", "c"]),
        ("'a b' c", ["a b", "c"]),
        ("\"\" ''", ["", ""]),
        ("doesn't matter", ["doesn't", "matter"]),
        ('"open and', ['"open', "and"]),
        ("'", ["'"]),
        ('"the \\"fast\\" path"', ['the "fast" path']),
        ("'it\\'s'", ["it's"]),
        ('"a\\b" c\\"d', ["a\\b", 'c\\"d']),
        ('"a\\" b', ['"a\\"', "b"]),
        ('"a"b "c"', ["ab", "c"]),
        ('"a""b"', ['a"b"']),
        ('a"b c"', ['a"b', 'c"']),
        ("\"a 'b\" c'", ["a 'b", "c'"]),
        ("\"a 'b", ['"a', "'b"]),
        ("a\ufeffb\xa0c\u3000d\u2028e", ["a", "b", "c", "d", "e"]),
        ("a\x1cb\x85c\u200bd", ["a\x1cb\x85c\u200bd"]),
    ],
)
def test_arguments(text: str, expected: list[str]) -> None:
    assert split_arguments(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$1 $2 $3 $0", "a b c "),
        ("$@ | $ARGUMENTS", "a b c | a b c"),
        ("$10 ${1}", " ${1}"),
        ("${@:2} ${@:0} ${@:9}", "b c a b c "),
        ("${@:2:1} ${@:1:2} ${@:2:0} ${@:3:9}", "b a b  c"),
        ("${1:-x} ${9:-x y} ${9:-} ${0:-z}", "a x y  z"),
        ("${@:-x} ${ARGUMENTS:-x}", "a b c a b c"),
        ("${9:-$1}", "$1"),
        ("\\$1 $$1 cost $x $", "\\a $a cost $x $"),
        ("$ARGUMENTSX $@@", "a b cX a b c@"),
    ],
)
def test_placeholders(text: str, expected: str) -> None:
    assert fill_template(text, ["a", "b", "c"]) == expected


def test_what_is_filled_in_is_not_looked_at_again() -> None:
    assert fill_template("$1 $@", ["$2", "${1:-x}"]) == "$2 $2 ${1:-x}"


def test_defaults_stand_in_for_empty_arguments() -> None:
    assert fill_template("${1:-x} ${@:-y}", []) == "x y"
    assert fill_template("${1:-x} $1.", [""]) == "x ."


@given(st.text(st.sampled_from("a \"'\\\n"), max_size=20))
def test_every_argument_is_somewhere_in_the_text(text: str) -> None:
    arguments = split_arguments(text)
    kept = sum(len(argument) for argument in arguments)
    assert kept <= len(text)
    assert sum(argument.count("a") for argument in arguments) == text.count("a")


@given(st.text(st.sampled_from("$@{}:-0129ARGUMENTS ")), st.lists(st.text("ab "), max_size=3))
def test_filling_never_fails(text: str, arguments: list[str]) -> None:
    fill_template(text, arguments)


def template(name: str, text: str) -> PromptTemplate:
    return PromptTemplate(name, "", text, Path(f"/{name}.md"), ORIGIN)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/rev", "Review all."),
        ("/rev ", "Review all."),
        ('/rev "a b" c', "Review a b."),
        ("/rev\na", "Review a."),
        ("/rev\ufeffa", "Review a."),
        ("/rev\x85a", "/rev\x85a"),
        ("/review a", "/review a"),
        ("/REV a", "/REV a"),
        (" /rev a", " /rev a"),
        ("rev a", "rev a"),
        ("/", "/"),
        ("/ rev", "/ rev"),
        ("/other", "/other"),
    ],
)
def test_commands(text: str, expected: str) -> None:
    assert expand_template(text, [template("rev", "Review ${1:-all}.")]) == expected


def load(tmp_path: Path, content: str | bytes, name: str = "x.md") -> PromptTemplate:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    found, _ = load_template(Found(path, ORIGIN))
    assert found is not None
    return found


def test_files(tmp_path: Path) -> None:
    found = load(
        tmp_path, "\ufeff---\ndescription: What\nargument-hint: '[x]'\n---\n\nDo\r\n$1\n\n"
    )
    assert (found.name, found.description, found.hint) == ("x", "What", "[x]")
    assert found.text == "Do\n$1"
    assert load(tmp_path, "\n\n" + "w" * 70).description == "w" * 60 + "..."
    assert load(tmp_path, "w" * 58 + "😀z").description == "w" * 58 + "😀..."
    assert load(tmp_path, "w" * 59 + "😀").description == "w" * 59 + "..."
    assert load(tmp_path, "", "a.b.md").name == "a.b"
    assert load(tmp_path, "").text == ""


def test_wrong_encoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_bytes(b"a\n\xff")
    found, said = load_template(Found(path, ORIGIN))
    assert found is not None
    assert found.text == "a\n�"
    assert "line 2" in said[0]


@pytest.mark.parametrize("content", ["---\na: [\n---\n", None])
def test_what_cannot_be_read_is_left_out(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "x.md"
    if content is None:
        path.mkdir()
    else:
        path.write_text(content)
    found, said = load_template(Found(path, ORIGIN))
    assert found is None
    assert len(said) == 1
    assert str(path) in said[0]
