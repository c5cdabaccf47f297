"""Front matter: the shortcut reads as the parser does, and faults are placed."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pi.resources import front_matter
from pi.resources.front_matter import FrontMatterError, split_front_matter


@pytest.mark.parametrize(
    ("text", "fields", "body"),
    [
        ("", {}, ""),
        (" no front matter\n", {}, " no front matter\n"),
        ("a\r\nb\rc", {}, "a\nb\nc"),
        ("---\n---\n\n x \n", {}, "x"),
        ("---\nname: a-b\n---\nx", {"name": "a-b"}, "x"),
        ("---  \r\nname: a\r\n---  \r\nx\r\ny\r\n", {"name": "a"}, "x\ny"),
        ("---\nname: a", {}, "---\nname: a"),
        ("----\nname: a\n---\n", {}, "----\nname: a\n---\n"),
        ("---\na: 'it''s'\n---\n", {"a": "it's"}, ""),
        ('---\na: "x: # y"\nb: \'z "\'\n---\n', {"a": "x: # y", "b": 'z "'}, ""),
        ("---\na: x # note\n---\n", {"a": "x"}, ""),
        ("---\na: url://x#y and 'z'\n---\n", {"a": "url://x#y and 'z'"}, ""),
        ("---\na: >\n  one\n  two\n---\n", {"a": "one two\n"}, ""),
        ("---\na: |\n  one\n\n  ----\n---\n", {"a": "one\n\n----\n"}, ""),
        ("---\na: one\n  two\n---\n", {"a": "one two"}, ""),
        ("---\na:\nb: [x, 1]\nc: {d: e}\n---\n", {"a": None, "b": ["x", 1], "c": {"d": "e"}}, ""),
        ("---\na: yes\nb: true\nc: True\nd: null\n---\n", {"a": "yes", "b": True, "c": True}, ""),
        ("---\n- a\n- b\n---\nx", {}, "x"),
        ("---\njust words\n---\nx", {}, "x"),
        ("---\n# note\na: b\n---\n", {"a": "b"}, ""),
        ("---\na: b\n---no line of its own\nx", {"a": "b"}, "no line of its own\nx"),
    ],
)
def test_split(text: str, fields: dict[str, object], body: str) -> None:
    found = split_front_matter(text)
    assert {
        key: value for key, value in found.fields.items() if value is not None or key == "a"
    } == fields
    assert found.body == body


@pytest.mark.parametrize(
    ("text", "fields", "body"),
    [
        ("--- a: b\n---\nx", {"a": "b"}, "x"),
        ("---x\na: b\n---\nx", {"a": "b"}, "x"),
        ("---\na: b\n---\n\ufeff\xa0x\x1c\x85\u3000", {"a": "b"}, "x\x1c\x85"),
        ("---\na: >+\n  b\n\n---\n", {"a": "b\n"}, ""),
        (
            "---\na: b\x00\x07\x1b[1m\x7f\x85\u2028c\n---\n",
            {"a": "b\x00\x07\x1b[1m\x7f\x85\u2028c"},
            "",
        ),
        ("---\na: !own b\nc: !!int 5x\nd: !x [1]\n---\n", {"a": "b", "c": "5x", "d": [1]}, ""),
        ("---\n[a]: b\n<<: {c: d}\n---\n", {"['a']": "b", "<<": {"c": "d"}}, ""),
    ],
)
def test_oddities_that_the_npm_package_takes(
    text: str, fields: dict[str, object], body: str
) -> None:
    found = split_front_matter(text)
    assert (found.fields, found.body) == (fields, body)


def test_types_are_those_of_yaml_1_2() -> None:
    text = (
        "---\na: 2024-01-02\nb: 012\nc: 0o12\nd: 1e3\ne: 1:30\nf: on\ng: ~\nh: 0x1F\ni: -.5\n---\n"
    )
    assert split_front_matter(text).fields == {
        "a": "2024-01-02",
        "b": 12,
        "c": 10,
        "d": 1000.0,
        "e": "1:30",
        "f": "on",
        "g": None,
        "h": 31,
        "i": -0.5,
    }


@pytest.mark.parametrize(
    ("block", "where"),
    [
        ("a: b: c", "line 2: "),
        ("ok: x\na: [", "line "),
        ("a: 'open", "line "),
        ("a: \t@x", "line 2: "),
        ("a: *nowhere", "line 2: "),
        ("name: a\nname: b", "line 3: "),
        ("x:\n  a: 1\n  a: 2", "line 4: "),
    ],
)
def test_faults(block: str, where: str) -> None:
    with pytest.raises(FrontMatterError) as caught:
        split_front_matter(f"---\n{block}\n---\nx")
    assert str(caught.value).startswith(where)
    assert "\n" not in str(caught.value)


def test_aliases_cost_what_they_take_to_write() -> None:
    """Each line stands for nine of the one above; the last, written out, for a billion."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    block = "\n".join((*lines, "? *a9", ": x", "loop: &loop [*loop]", "description: 'a\x7fb'"))
    fields = split_front_matter(f"---\n{block}\n---\n").fields
    assert fields["description"] == "a\x7fb"


VALUES = st.text(
    st.sampled_from("abzA01 \t:#'\"\\-[]{}>|&*!%@`,?~.é\xa0\u2028"), max_size=12
) | st.sampled_from(["true", "True", "null", "yes", "off", "1", "x: y", "a #b", "-", "<<", "NULL"])


@given(st.lists(st.tuples(st.sampled_from(["name", "a-b", "null", "B_2"]), VALUES), max_size=3))
@example([("name", "a\tb")])
@example([("name", "a:")])
@example([("name", '"a" b')])
def test_the_shortcut_agrees_with_the_parser(lines: list[tuple[str, str]]) -> None:
    block = "\n".join(f"{key}: {value}" for key, value in lines)
    quick = front_matter._simple(block)
    if quick is not None:
        assert quick == front_matter._parsed(block)


def test_ordinary_files_need_no_parser() -> None:
    block = 'name: pdf-tools\ndescription: Extract text. Use for PDFs, or "forms".\nlicense: MIT'
    assert front_matter._simple(block) is not None
    assert front_matter._simple('argument-hint: "[focus]"\ndisable-model-invocation: true') == {
        "argument-hint": "[focus]",
        "disable-model-invocation": True,
    }
