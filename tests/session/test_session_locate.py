"""Which file a person means."""

import os
from pathlib import Path
from typing import Any

import pytest

from pi.errors import SessionError
from pi.session.locate import (
    Found,
    find_by_id,
    find_session,
    is_path,
    list_sessions,
    most_recent,
    require_cwd,
    session_folder,
)
from tests.session.session_lines import header, user, write

HERE = "/home/me/here"


@pytest.mark.parametrize(
    ("cwd", "name"),
    [
        ("/a/b", "--a-b--"),
        ("/", "----"),
        ("/a:b c/é", "--a-b c-é--"),
        ("C:\\x\\y", "--C--x-y--"),
        ("\\\\server\\share", "---server-share--"),
    ],
)
def test_the_folder_of_a_folder(cwd: str, name: str) -> None:
    assert session_folder(Path("root"), cwd) == Path("root") / name


def put(folder: Path, id: str, *, cwd: str = HERE, age: int = 0, talked: str | None = None) -> Path:
    lines: list[Any] = [header(id=id, cwd=cwd)]
    if talked:
        lines.append({**user("a", None), "timestamp": talked})
        lines.append({"type": "label", "id": "l", "parentId": "a", "timestamp": "9999"})
    path = write(folder / f"2026-01-01T00-00-00-000Z_{id}.jsonl", *lines)
    os.utime(path, (1_700_000_000 - age,) * 2)
    return path


def test_the_most_recent(tmp_path: Path) -> None:
    assert most_recent(tmp_path / "none") is None
    assert most_recent(tmp_path) is None
    older = put(tmp_path, "one", age=50)
    newer = put(tmp_path, "two", cwd="/elsewhere", age=10)
    (tmp_path / "garbage.jsonl").write_text("hello\n")
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "notes.txt").touch()
    assert most_recent(tmp_path) == newer
    assert most_recent(tmp_path, HERE) == older
    assert most_recent(tmp_path, "/nobody") is None


def test_a_list(tmp_path: Path) -> None:
    put(tmp_path, "one")
    put(tmp_path, "two", cwd="/elsewhere")
    (tmp_path / "garbage.jsonl").write_text("hello\n")
    assert {session.id for session in list_sessions(tmp_path)} == {"one", "two"}
    (only,) = list_sessions(tmp_path, HERE)
    assert (only.id, only.cwd, only.created) == ("one", HERE, header()["timestamp"])
    assert only.modified == 1_700_000_000
    assert list(list_sessions(tmp_path / "none")) == []


def test_an_exact_id(tmp_path: Path) -> None:
    path = put(tmp_path, "one")
    put(tmp_path, "one-more")
    renamed = put(tmp_path, "two").rename(tmp_path / "renamed.jsonl")
    assert find_by_id(tmp_path, "one") == path
    assert find_by_id(tmp_path, "two") == renamed
    assert find_by_id(tmp_path, "on") is None
    assert find_by_id(tmp_path, "one", "/elsewhere") is None
    assert find_by_id(tmp_path / "none", "one") is None


@pytest.mark.parametrize("text", ["a/b", "./x", "a\\b", "x.jsonl", "~/x", "/x"])
def test_what_is_a_path(tmp_path: Path, home: Path, text: str) -> None:
    assert is_path(text)
    found = find_session(text, str(tmp_path), tmp_path, None)
    assert found.elsewhere is None
    if text == "~/x":
        assert found.path == home / "x"
    elif text != "/x":
        assert found.path == tmp_path / text


def test_an_id_or_its_beginning(tmp_path: Path) -> None:
    folder = session_folder(tmp_path, HERE)
    one = put(folder, "aa-one", talked="2026-01-02T00:00:00.000Z", age=0)
    two = put(folder, "aa-two", talked="2026-01-03T00:00:00.000Z", age=900)
    far = put(session_folder(tmp_path, "/far"), "bb-far", cwd="/far")
    odd = put(folder, "cc-odd", cwd="/far")

    def find(text: str) -> Found:
        return find_session(text, HERE, folder, tmp_path)

    assert find("aa-one") == Found(one)
    # The one last talked in, whatever the file's time says.
    assert find("aa") == Found(two)
    assert find("bb") == Found(far, "/far")
    # In the folder of the project it is the project's, as for --continue.
    assert find("cc") == Found(odd)
    for nothing in ("AA", "one", "zz"):
        with pytest.raises(SessionError, match="no session matches"):
            find(nothing)


def test_an_exact_id_wins_over_longer_ones(tmp_path: Path) -> None:
    one = put(tmp_path, "a", talked="2026-01-02T00:00:00.000Z")
    put(tmp_path, "ab", talked="2026-01-03T00:00:00.000Z")
    assert find_session("a", HERE, tmp_path, None) == Found(one)


def test_one_folder_for_all_projects(tmp_path: Path) -> None:
    mine = put(tmp_path, "aa-mine", talked="2026-01-02T00:00:00.000Z")
    theirs = put(tmp_path, "aa-theirs", cwd="/far", talked="2026-01-03T00:00:00.000Z")
    assert find_session("aa", HERE, tmp_path, None) == Found(mine)
    assert find_session("aa-t", HERE, tmp_path, None) == Found(theirs, "/far")


def test_a_missing_working_folder(tmp_path: Path) -> None:
    assert require_cwd(str(tmp_path), tmp_path / "s.jsonl") == tmp_path
    with pytest.raises(SessionError, match="does not exist") as error:
        require_cwd(str(tmp_path / "gone"), tmp_path / "s.jsonl")
    assert "gone" in str(error.value)
    assert error.value.hint
