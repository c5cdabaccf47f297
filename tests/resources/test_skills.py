"""Skills: what is one, what the model is told, what `/skill:name` becomes."""

from pathlib import Path

import pytest

from pi.resources.found import Found, Origin
from pi.resources.skills import Skill, expand_skill, load_skill, skills_section

ORIGIN = Origin("auto", "user")


def load(path: Path, content: str) -> tuple[Skill | None, list[str]]:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return load_skill(Found(path, ORIGIN))


def skill(tmp_path: Path, head: str, body: str = "Do it.", name: str = "SKILL.md") -> Skill:
    found, said = load(tmp_path / "pdf" / name, f"---\n{head}\n---\n{body}")
    assert found is not None
    assert said == []
    return found


def test_a_skill(tmp_path: Path) -> None:
    found = skill(tmp_path, "name: pdf-tools\ndescription: Reads PDFs\nlicense: MIT")
    assert (found.name, found.description, found.hidden) == ("pdf-tools", "Reads PDFs", False)
    assert found.folder == tmp_path / "pdf"


@pytest.mark.parametrize(
    "head", ["description: x", "name: ''\ndescription: x", "name: 5\ndescription: x"]
)
def test_without_a_name_it_goes_by_its_folder(tmp_path: Path, head: str) -> None:
    assert skill(tmp_path, head).name == "pdf"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Big", "only a to z"),
        ("-a", "hyphen at an end"),
        ("a--b", "two in a row"),
        ("a" * 65, "65"),
    ],
)
def test_odd_names_load_and_are_told(tmp_path: Path, name: str, said: str) -> None:
    found, problems = load(tmp_path / "SKILL.md", f"---\nname: {name}\ndescription: x\n---\n")
    assert found is not None
    assert found.name == name
    assert len(problems) == 1
    assert said in problems[0]


@pytest.mark.parametrize("value", ["", "''", "'  '", "[a]", "5"])
def test_a_skill_needs_a_description(tmp_path: Path, value: str) -> None:
    found, problems = load(tmp_path / "SKILL.md", f"---\nname: a\ndescription: {value}\n---\nx")
    assert found is None
    assert "needs a description" in problems[0]


def test_other_files_are_skills_only_if_they_say_so(tmp_path: Path) -> None:
    for text in ("# Notes", "---\nname: x\n---\n", "---\na: [\n---\n"):
        assert load(tmp_path / "notes.md", text) == (None, [])
    assert skill(tmp_path, "description: x", name="other.md").name == "pdf"


def test_a_broken_skill_is_told(tmp_path: Path) -> None:
    found, problems = load(tmp_path / "SKILL.md", "---\nname: a\ndescription: b: c\n---\n")
    assert found is None
    assert "line 3" in problems[0]
    assert str(tmp_path / "SKILL.md") in problems[0]


def test_a_long_description_is_told_and_kept(tmp_path: Path) -> None:
    found, problems = load(tmp_path / "SKILL.md", f"---\nname: a\ndescription: {'x' * 1025}\n---\n")
    assert found is not None
    assert "1025" in problems[0]


def test_what_the_model_is_told(tmp_path: Path) -> None:
    one = skill(tmp_path / "1", "name: a\ndescription: 'Uses <b> & \"c\"'")
    hidden = skill(tmp_path / "2", "name: b\ndescription: x\ndisable-model-invocation: true")
    text = skills_section([one, hidden], ["bash", "read"])
    assert "with read" in text
    assert "  <skill>\n    <name>a</name>\n" in text
    assert "<description>Uses &lt;b&gt; &amp; &quot;c&quot;</description>" in text
    assert f"<location>{one.path}</location>" in text
    assert text.count("<skill>") == 1
    assert "with bash" in skills_section([one], ["bash"])
    assert skills_section([one], ["grep", "ls"]) == ""
    assert skills_section([hidden], ["read"]) == ""


def test_expansion(tmp_path: Path) -> None:
    found = skill(tmp_path, "name: a\ndescription: x", body="\n# A\n\nDo $1.\n")
    block = (
        f'<skill name="a" location="{found.path}">\nRelative paths below start at {found.folder}.'
        "\n\n# A\n\nDo $1.\n</skill>"
    )
    assert expand_skill("/skill:a", [found]) == (block, None)
    assert expand_skill("/skill:a  this, \n that ", [found]) == (f"{block}\n\nthis, \n that", None)
    assert expand_skill("/skill:a\nthis", [found]) == (f"{block}\n\nthis", None)
    for text in ("/skill:b x", "/skill:", " /skill:a", "/skills:a", "hi"):
        assert expand_skill(text, [found]) == (text, None)


def test_a_skill_that_is_gone(tmp_path: Path) -> None:
    found = skill(tmp_path, "name: a\ndescription: x")
    found.path.unlink()
    text, problem = expand_skill("/skill:a x", [found])
    assert text == "/skill:a x"
    assert problem is not None
    assert str(found.path) in problem
