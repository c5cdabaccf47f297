"""What packages say of themselves."""

from pathlib import Path

import pytest

from pi.resources.manifest import read_dependencies, read_release

NOTHING = (None, None)


@pytest.mark.parametrize(
    ("text", "release", "needed"),
    [
        ('[project]\nname = "a"\nversion = "1"\ndependencies = ["b", 5]\n[tool.pi]\n',
         ("a", "1"), ["b"]),
        ('[project]\nname = "a"\ndependencies = ["b"]\n[tool.other]\n', NOTHING, []),
        ("project = 3\n[tool.pi]\n", NOTHING, []),
        ('tool = "pi"\n[project]\nname = "a"\n', NOTHING, []),
        ("[project]\nname = []\nversion = 1\ndependencies = {}\n[tool.pi]\n", NOTHING, []),
        ("no TOML, tool", NOTHING, []),
        (f"a = {'1' * 5000}\n[tool.pi]\n", NOTHING, []),
    ],
)  # fmt: skip
def test_pyproject(
    tmp_path: Path, text: str, release: tuple[str | None, str | None], needed: list[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert read_release(tmp_path) == release
    assert read_dependencies(tmp_path) == ([], needed)
