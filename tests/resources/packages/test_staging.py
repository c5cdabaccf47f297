"""Folders put in place as a whole."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pi.resources.packages.staging import discard, own_root, staged


def fill(text: str) -> Callable[[Path], None]:
    def build(folder: Path) -> None:
        (folder / "a").write_text(text)

    return build


def test_in_place_or_not_at_all(tmp_path: Path) -> None:
    place = tmp_path / "x" / "place"
    staged(place, fill("one"))
    assert (place / "a").read_text() == "one"

    def failing(folder: Path) -> None:
        (folder / "a").write_text("half")
        raise ValueError("half")

    with pytest.raises(ValueError, match="half"):
        staged(place, failing)
    assert (place / "a").read_text() == "one"
    staged(place, fill("two"))
    assert (place / "a").read_text() == "two"
    assert [path.name for path in place.parent.iterdir()] == ["place"]


def test_what_a_kill_left(tmp_path: Path) -> None:
    place = tmp_path / "place"
    (tmp_path / ".place.partial-x").mkdir()
    (tmp_path / ".place.old-1").mkdir()
    (tmp_path / ".place.old-1" / "a").write_text("old")

    def failing(folder: Path) -> None:
        raise ValueError("half")

    # Between the two renames: the old one serves again, even if there is no new one.
    with pytest.raises(ValueError, match="half"):
        staged(place, failing)
    assert (place / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["place"]


@pytest.mark.skipif(os.name == "nt", reason="no file may be called so there")
@pytest.mark.parametrize("name", ["a**b", "*", "[!x]*", "**"])
def test_names_are_no_patterns(tmp_path: Path, name: str) -> None:
    (tmp_path / ".other.partial-x").mkdir()
    (tmp_path / ".other.old-1").mkdir()
    staged(tmp_path / name, fill("one"))
    assert (tmp_path / name / "a").read_text() == "one"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [".other.old-1", ".other.partial-x", name]
    )


def test_discard_takes_all_there_is(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    (folder / "y").mkdir(parents=True)
    (folder / "y" / "z").write_text("")
    (folder / "y" / "z").chmod(0o400)
    (folder / "y").chmod(0o500)
    discard(folder)
    discard(folder)
    assert not folder.exists()


def test_the_root_is_kept_out_of_git(tmp_path: Path) -> None:
    for _ in range(2):
        with own_root(tmp_path / "npm"):
            assert (tmp_path / "npm" / ".gitignore").read_text() == "*\n!.gitignore\n"
            assert (tmp_path / "npm" / ".install.lock").exists()
    assert not (tmp_path / "npm" / ".install.lock").exists()
