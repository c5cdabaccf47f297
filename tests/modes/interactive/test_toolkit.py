"""What is loaded of prompt-toolkit, and that whoever wants the rest gets it."""

import subprocess
import sys


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_terminal_interface_starts_without_applications_and_layouts() -> None:
    code = "import sys, pi.modes.interactive.start; print(*sys.modules)"
    loaded = set(run(code).split())
    assert "prompt_toolkit.buffer" in loaded
    heavy = {f"prompt_toolkit.{name}" for name in ("application.application", "layout", "renderer")}
    assert not heavy & loaded


def test_an_extension_gets_the_whole_package() -> None:
    code = """
import pi.modes.interactive.toolkit as ours
import prompt_toolkit
from prompt_toolkit import Application, PromptSession
from prompt_toolkit.application import get_app, run_in_terminal
from prompt_toolkit.buffer import Buffer
assert Buffer is ours.Buffer
assert prompt_toolkit.application.Application is Application
assert prompt_toolkit.__version__.startswith("3.")
assert PromptSession and get_app and run_in_terminal
print("whole")
"""
    assert run(code) == "whole"


def test_what_is_asked_for_in_the_other_order_is_the_same() -> None:
    code = """
import prompt_toolkit
from prompt_toolkit.buffer import Buffer
import pi.modes.interactive.toolkit as ours
assert Buffer is ours.Buffer and prompt_toolkit.Application
print("same")
"""
    assert run(code) == "same"


def test_what_the_package_does_not_have_is_missed_as_ever() -> None:
    code = """
import pi.modes.interactive.toolkit
try:
    from prompt_toolkit import nonsense
except ImportError:
    print("missed")
"""
    assert run(code) == "missed"
