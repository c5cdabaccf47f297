import os
import subprocess

import pytest

from pi.modes.interactive.completion.file_index import MOST_FOUND, FileIndex, walk

TREE = [
    "README.md",
    "docs/keybindings.md",
    "docs/index.md",
    "pi/auth/keys.py",
    "pi/modes/interactive/keys.py",
    "pi/modes/interactive/keymap.py",
    "pi/modes/interactive/tree_view.py",
    "pi/modes/__init__.py",
    "pi/modes/",
    "pi/",
    "docs/",
    "src/my file.txt",
    "src/",
    ".github/workflows/key.yml",
    ".github/",
    ".gitignore",
    "tests/test_keys.py",
    "tests/monkey.py",
    "Makefile",
]


@pytest.fixture
def index():
    return FileIndex(sorted(TREE))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        # a whole name, its beginning, a word in it, anywhere in it
        (
            "keys",
            ["pi/auth/keys.py", "pi/modes/interactive/keys.py", "tests/test_keys.py"],
        ),
        (
            "key",
            [
                ".github/workflows/key.yml",
                "pi/auth/keys.py",
                "pi/modes/interactive/keys.py",
                "docs/keybindings.md",
                "pi/modes/interactive/keymap.py",
                "tests/test_keys.py",
                "tests/monkey.py",
            ],
        ),
        ("KEYMAP", ["pi/modes/interactive/keymap.py"]),
        ("readme", ["README.md"]),
        ("gitig", [".gitignore"]),
        (".git", [".github/", ".gitignore", ".github/workflows/key.yml"]),
        # paths
        ("auth/k", ["pi/auth/keys.py"]),
        ("int/key", ["pi/modes/interactive/keys.py", "pi/modes/interactive/keymap.py"]),
        ("docs/", ["docs/index.md", "docs/keybindings.md"]),
        ("./docs/", ["docs/index.md", "docs/keybindings.md"]),
        ("my f", ["src/my file.txt"]),
        # letters in their order
        ("tv", ["pi/modes/interactive/tree_view.py"]),
        ("kymp", ["pi/modes/interactive/keymap.py"]),
        ("pmik", ["pi/modes/interactive/keys.py", "pi/modes/interactive/keymap.py"]),
        ("zzz", []),
        ("zz/z", []),
        ("(*[", []),
    ],
)
def test_ranking(index, query, expected):
    assert index.search(query)[: len(expected) or 1] == expected


def test_before_one_types(index):
    assert index.search("")[:8] == [
        *("docs/", "pi/", "src/", "Makefile", "README.md", ".github/", ".gitignore"),
        "pi/modes/",
    ]


def test_the_number_is_bounded():
    index = FileIndex([f"folder{n % 7}/file{n}.py" for n in range(5000)])
    for query in ("", "f", "file", "fol", "fip", "folder1/", "r1/f"):
        assert len(index.search(query)) == MOST_FOUND


def test_walk(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("")
    for name in ("a.txt", "b.log", ".hidden", "sub/c.log", "sub/d.txt", "kept/e.log", "neu/é.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    (tmp_path / ".gitignore").write_text("*.log\n")
    (tmp_path / "kept" / ".ignore").write_text("!*.log\n")
    assert sorted(walk(tmp_path)) == [
        *(".gitignore", ".hidden", "a.txt", "kept/", "kept/.ignore", "kept/e.log"),
        *("neu/", "neu/é.txt", "sub/", "sub/d.txt"),
    ]
    assert "a.txt" not in walk(tmp_path, b"a.txt\n")
    assert walk(tmp_path, stopped=lambda: True) == []
    assert walk(tmp_path / "missing") == []


def test_a_repository_inside_and_names_nobody_can_type(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path / "inner"], check=True)
    (tmp_path / "inner" / "x").write_text("")
    (tmp_path / "a\nb").write_text("")
    (tmp_path / "a\x1b[31mb").write_text("")
    if os.name == "posix":
        with open(os.path.join(os.fsencode(tmp_path), b"\xff"), "w"):
            pass
    assert walk(tmp_path) == ["inner/", "inner/x"]
