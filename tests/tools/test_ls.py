import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.tools.collation import collation_key


def test_the_order_of_a_listing(run, put) -> None:
    names = [
        "_u",
        "-dash",
        ".hid",
        "#x",
        "~t",
        "1",
        "10",
        "2",
        "a",
        "ä",
        "a1",
        "a10",
        "a2",
        "alpha",
        "b c",
        "b_c",
        "b-c",
        "b.c",
        "bc",
        "Beta",
        "é",
        "eé",
        "ez",
        "z",
        "Zeta",
        "Ω",
    ]
    for name in reversed(names):
        put(name)
    assert run("ls").text.split("\n") == names


def test_folders_and_links(run, put) -> None:
    put("dir/inner")
    try:
        (run.cwd / "to-dir").symlink_to("dir")
        (run.cwd / "broken").symlink_to("nowhere")
    except OSError:
        pytest.skip("no symbolic links here")
    assert run("ls", path=".").text == "dir/\nto-dir/"
    assert run("ls", path="to-dir").text == "inner"
    assert run("ls", path="broken").is_error


def test_an_empty_folder(run) -> None:
    ran = run("ls", path="")
    assert "empty" in ran.text
    assert ran.details is None


@pytest.mark.parametrize(
    ("limit", "shown", "reached"),
    [
        (2.9, 2, True),
        (0, 1, True),
        (-5, 1, True),
        ("3", 3, True),
        (9, 9, True),
        (10, 10, False),
        (11, 10, False),
        (None, 10, False),
    ],
)
def test_limits(run, put, limit, shown: int, reached: bool) -> None:
    for number in range(10):
        put(f"f{number}")
    ran = run("ls", limit=limit)
    assert sum(line.startswith("f") for line in ran.text.split("\n")) == shown
    if reached:
        assert ran.details == {"entryLimitReached": shown}
        assert f"limit={shown * 2}" in ran.text
    else:
        assert ran.details is None


def test_500_entries_or_50_kb(run, put) -> None:
    for number in range(501):
        put(f"n/{number:03}")
    for number in range(260):
        put(f"w/{'x' * 240}{number:03}")
    assert run("ls", path="n").details == {"entryLimitReached": 500}
    ran = run("ls", path="w", limit=255)
    assert list(ran.details) == ["entryLimitReached", "truncation"]
    truncation = ran.details["truncation"]
    assert (truncation["outputLines"], truncation["totalLines"]) == (209, 255)
    assert truncation["maxLines"] == 9007199254740991


def test_errors(run, put) -> None:
    path = put("file")
    assert str(path) in run("ls", path="file").text
    assert str(run.cwd / "missing") in run("ls", path="missing").text
    assert run("ls", path="missing").is_error


@given(st.text(st.sampled_from("aàAz1_- é\u0301Ω"), max_size=6), st.text("azé", max_size=6))
def test_accents_decide_only_between_equal_letters(left: str, right: str) -> None:
    plain = str.maketrans("àé", "ae", "\u0301")
    bare_left, bare_right = left.lower().translate(plain), right.lower().translate(plain)
    if bare_left != bare_right:
        assert (collation_key(left.lower()) < collation_key(right.lower())) == (
            collation_key(bare_left) < collation_key(bare_right)
        )
