"""The system prompt's sections, and the files and options that change them."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from pi.errors import ConfigError
from pi.resources.system_prompt import (
    PREAMBLE,
    SHELL_FOR_SEARCH,
    PromptTexts,
    build_sections,
    documentation_folder,
    load_prompt_texts,
)
from pi.resources.textfile import TextFile


@dataclass(frozen=True)
class FakeTool:
    name: str
    snippet: str
    rules: tuple[str, ...] = ()


READ = FakeTool("read", "Read files", ("Read before you write.",))
BASH = FakeTool("bash", "Run commands", ("Mind the time-out.",))
WRITE = FakeTool("write", "Write files", ("Read before you write.",))
LS = FakeTool("ls", "List folders")
HERE = Path("/project")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    """The agent folder, the project's .pi, and the working folder."""
    work = tmp_path / "work"
    for folder in (tmp_path / "agent", work / ".pi"):
        folder.mkdir(parents=True)
    return tmp_path / "agent", work / ".pi", work


def test_sections_are_tagged_and_ordered() -> None:
    sections = build_sections(
        cwd=HERE,
        tools=[READ, BASH],
        texts=PromptTexts(addenda=("One", "Two")),
        context_files=[TextFile(Path("/AGENTS.md"), "A\n"), TextFile(Path("/project/C.md"), "C")],
        docs=Path(__file__).parent,
    )
    assert list(sections) == [
        "preamble",
        "tools",
        "rules",
        "docs",
        "addendum",
        "project_context",
        "cwd",
    ]
    for name, text in list(sections.items())[1:]:
        assert text.startswith(f"<{name}>\n") and text.endswith(f"\n</{name}>")
    assert sections["preamble"] == PREAMBLE
    assert sections["tools"] == "<tools>\n- read: Read files\n- bash: Run commands\n</tools>"
    assert sections["addendum"] == "<addendum>\nOne\n\nTwo\n</addendum>"
    assert sections["cwd"] == "<cwd>\n/project\n</cwd>"
    blocks = re.findall(
        r'<project_instructions path="(.*?)">\n(.*?)\n</project_instructions>',
        sections["project_context"],
        re.DOTALL,
    )
    assert [text for _, text in blocks] == ["A\n", "C"]
    assert [Path(path) for path, _ in blocks] == [Path("/AGENTS.md"), Path("/project/C.md")]


def test_with_nothing_to_say_there_is_no_section() -> None:
    assert list(build_sections(cwd=HERE, tools=[READ])) == ["preamble", "tools", "rules", "cwd"]


def test_a_custom_prompt_takes_the_place_of_everything_built_in() -> None:
    sections = build_sections(
        cwd=HERE,
        tools=[READ, BASH],
        texts=PromptTexts("Custom\n", ("More",)),
        context_files=[TextFile(Path("/AGENTS.md"), "A")],
        docs=Path(__file__).parent,
    )
    assert list(sections) == ["preamble", "addendum", "project_context", "cwd"]
    assert sections["preamble"] == "Custom\n"


def test_rules_follow_the_tools_and_say_each_thing_once() -> None:
    rules = build_sections(cwd=HERE, tools=[READ, BASH, WRITE])["rules"].splitlines()
    assert rules[1] == f"- {SHELL_FOR_SEARCH}"
    assert rules.count("- Read before you write.") == 1
    assert rules.index("- Read before you write.") < rules.index("- Mind the time-out.")


def test_searching_through_the_shell_is_advised_only_without_search_tools() -> None:
    assert SHELL_FOR_SEARCH not in build_sections(cwd=HERE, tools=[BASH, LS])["rules"]
    assert SHELL_FOR_SEARCH not in build_sections(cwd=HERE, tools=[READ])["rules"]


def test_without_tools_the_prompt_says_so() -> None:
    sections = build_sections(cwd=HERE, tools=[])
    assert "- " not in sections["tools"]
    assert "<rules>" in sections["rules"]


def test_the_docs_section_names_pages_that_exist() -> None:
    folder = documentation_folder()
    if folder is None:
        pytest.skip("not running from the source tree")
    docs = build_sections(cwd=HERE, tools=[], docs=folder)["docs"]
    pages = [Path(line[2:]) for line in docs.splitlines() if line.startswith("- ")]
    assert pages and all(page.is_file() for page in pages)


def test_nothing_changes_from_run_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    first = build_sections(cwd=HERE, tools=[READ, BASH])
    monkeypatch.setattr("time.time", lambda: 0)
    assert build_sections(cwd=HERE, tools=[READ, BASH]) == first
    assert not re.search(r"\d{4}|:\d\d", "".join(first.values()))


def test_prompt_files_of_the_trusted_project_win(folders: tuple[Path, Path, Path]) -> None:
    agent, project, work = folders
    (agent / "SYSTEM.md").write_text("agent system")
    (agent / "APPEND_SYSTEM.md").write_text("agent append")
    (project / "SYSTEM.md").write_text("project system")
    untrusted = load_prompt_texts(agent_dir=agent, project_dir=None, cwd=work)
    assert untrusted == PromptTexts("agent system", ("agent append",))
    trusted = load_prompt_texts(agent_dir=agent, project_dir=project, cwd=work)
    assert trusted == PromptTexts("project system", ("agent append",))


def test_without_files_and_options_the_prompt_is_built_in(
    folders: tuple[Path, Path, Path],
) -> None:
    agent, project, work = folders
    (agent / "APPEND_SYSTEM.md").write_text("")
    assert load_prompt_texts(agent_dir=agent, project_dir=project, cwd=work) == PromptTexts()


def test_options_win_over_files_and_take_text_or_paths(folders: tuple[Path, Path, Path]) -> None:
    agent, project, work = folders
    (agent / "SYSTEM.md").write_text("agent system")
    (agent / "APPEND_SYSTEM.md").write_text("agent append")
    (work / "s.txt").write_bytes(b"\xef\xbb\xbffrom a file\n")
    texts = load_prompt_texts(
        agent_dir=agent,
        project_dir=project,
        cwd=work,
        system_prompt="s.txt",
        append_system_prompt=["plain", "", "./nope.md", str(work / "s.txt"), "x" * 5000, "a\0b"],
    )
    assert texts.custom == "from a file\n"
    assert texts.addenda == ("plain", "./nope.md", "from a file\n", "x" * 5000, "a\0b")


def test_an_empty_option_asks_for_the_built_in_prompt(folders: tuple[Path, Path, Path]) -> None:
    agent, project, work = folders
    (agent / "SYSTEM.md").write_text("agent system")
    (agent / "APPEND_SYSTEM.md").write_text("agent append")
    texts = load_prompt_texts(
        agent_dir=agent, project_dir=project, cwd=work, system_prompt="", append_system_prompt=[""]
    )
    assert texts == PromptTexts()


def test_a_prompt_file_in_another_encoding_is_reported(folders: tuple[Path, Path, Path]) -> None:
    agent, project, work = folders
    (agent / "SYSTEM.md").write_bytes(b"caf\xe9")
    texts = load_prompt_texts(agent_dir=agent, project_dir=project, cwd=work)
    assert texts.custom == "caf\N{REPLACEMENT CHARACTER}"
    (line,) = texts.diagnostics
    assert str(agent / "SYSTEM.md") in line


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="needs a file nobody can read")
def test_unreadable_prompt_files(folders: tuple[Path, Path, Path]) -> None:
    agent, project, work = folders
    (project / "SYSTEM.md").symlink_to("/proc/self/mem")
    (agent / "SYSTEM.md").write_text("agent system")
    texts = load_prompt_texts(agent_dir=agent, project_dir=project, cwd=work)
    assert texts.custom == "agent system"
    (line,) = texts.diagnostics
    assert str(project / "SYSTEM.md") in line
    with pytest.raises(ConfigError, match=r"--system-prompt: .*mem cannot be read"):
        load_prompt_texts(
            agent_dir=agent, project_dir=None, cwd=work, system_prompt="/proc/self/mem"
        )
