from pathlib import Path

import pytest

from pi.resources.changelog import changelog_of, newer, sections
from pi.resources.manifest import Manifest

TEXT = """# Changelog

What stands before the first heading belongs to none.

## [Unreleased]

- soon

## [1.10.0] - 2026-02-01

- ten

## v1.2.0

- two
### Fixed
- more

## 1.1.9-beta.1
- nine
"""


def test_sections() -> None:
    found = sections(TEXT)
    assert [item.version for item in found] == [None, (1, 10, 0), (1, 2, 0), (1, 1, 9)]
    assert found[2].text == "## v1.2.0\n\n- two\n### Fixed\n- more"
    assert sections(TEXT.replace("\n", "\r\n")) == found
    assert sections("") == []


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("1.1.9", ["1.10.0", "1.2.0"]),
        ("1.1.9-alpha", ["1.10.0", "1.2.0"]),
        ("v1.2.0", ["1.10.0"]),
        ("1.2", ["1.10.0"]),
        ("1", None),
        ("1.10.0-20260101.7", []),
        ("0.0.0", ["1.10.0", "1.2.0", "1.1.9"]),
        ("next", None),
    ],
)
def test_newer(last: str, expected: list[str] | None) -> None:
    found = newer(TEXT, last)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        versions = [".".join(map(str, item.version or ())) for item in found]
        assert versions == expected


def test_numbers_without_end() -> None:
    assert newer(f"## {'9' * 5000}.0.0\n", "1.0.0") is not None


def test_where_it_is(tmp_path: Path) -> None:
    def where(named: str | None) -> Path | None:
        return changelog_of(root, Manifest({}, named))

    root = tmp_path / "package"
    root.mkdir()
    assert where(None) is changelog_of(root, None) is None
    (root / "CHANGELOG.md").write_text(TEXT)
    (root / "docs").mkdir()
    (root / "docs" / "news.md").write_text(TEXT)
    (tmp_path / "secret.md").write_text(TEXT)
    (root / "link.md").symlink_to(tmp_path / "secret.md")
    (root / "fine.md").symlink_to("docs/news.md")
    assert where(None) == changelog_of(root, None) == root / "CHANGELOG.md"
    assert where("./docs/news.md") == root / "docs" / "news.md"
    assert where("fine.md") == root / "fine.md"
    for refused in (
        "",
        "../secret.md",
        str(tmp_path / "secret.md"),
        "link.md",
        "docs",
        "a\0b",
        ".",
    ):
        assert where(refused) is None, refused
