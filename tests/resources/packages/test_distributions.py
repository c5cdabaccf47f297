"""Python packages whose own description of themselves is damaged, or meant to do harm."""

from pathlib import Path

import pytest

from pi.resources.found import Origin
from pi.resources.packages.contents import python_contents
from pi.resources.packages.hosts import host_problem
from pi.resources.packages.pip import installed_version
from pi.resources.packages.programs import PackageError
from pi.resources.packages.source import PipSource

SOURCE = PipSource("tools", "tools", "")
ORIGIN = Origin("pip:tools", "user", package=True)


def site(tmp_path: Path, name: str, content: bytes) -> Path:
    """A folder with the package `tools`, one file of its description as given."""
    skill = tmp_path / "tools" / "skills" / "one" / "SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text("---\nname: one\ndescription: x\n---\n")
    info = tmp_path / "tools-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tools\nVersion: 1.0\n")
    (info / "RECORD").write_text("tools/__init__.py,,\n")
    (info / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("entry_points.txt", b"[pi.extensions]\nno value\n"),
        ("entry_points.txt", b"[pi.extensions]\nno = \n"),
        ("entry_points.txt", b"[pi.extensions]\na = /etc/passwd:x\n"),
        ("entry_points.txt", b"[pi.extensions]\n\xff = a:b\n"),
        ("RECORD", b"\xff,,\n"),
        ("RECORD", b"a" * 200_000 + b",,\n"),
        ("RECORD", b"a/b,c,d,e,f\n"),
        ("RECORD", b"a/b,sha256=x,many\n"),
        ("METADATA", b"\xff\xfe\x00"),
    ],
)
def test_a_damaged_description_is_the_package_s_own_matter(
    tmp_path: Path, name: str, content: bytes
) -> None:
    place = site(tmp_path, name, content)
    assert installed_version(SOURCE, place) == (None if name == "METADATA" else "1.0")
    if name == "METADATA":
        assert "makes no sense" in (host_problem(SOURCE, place) or "")
        return
    with pytest.raises(PackageError, match="what is written of tools"):
        python_contents(place, "tools", ORIGIN, None, tmp_path)


def test_only_folders_of_the_site_are_looked_into(tmp_path: Path) -> None:
    outside = tmp_path / "skills" / "outside" / "SKILL.md"
    outside.parent.mkdir(parents=True)
    outside.write_text("---\nname: outside\ndescription: x\n---\n")
    record = f"{outside},,\n../skills/outside/SKILL.md,,\ntools/__init__.py,,\n/a,,\n"
    place = site(tmp_path / "site", "RECORD", record.encode())
    found = python_contents(place, "tools", ORIGIN, None, tmp_path)
    assert [item.path for item in found["skills"]] == [place / "tools/skills/one/SKILL.md"]
