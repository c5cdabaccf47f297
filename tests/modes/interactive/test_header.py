"""What stands at the top when pi starts."""

import pytest

from pi.modes.interactive.cells import plain, width
from pi.modes.interactive.header import Header
from pi.modes.interactive.keymap import Keymap
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.pickers.stage import Stage
from pi.resources.themes import builtin_theme


@pytest.mark.parametrize("columns", [1, 12, 40, 80, 200])
def test_no_row_begins_or_ends_between_two_hints(columns: int) -> None:
    theme = Theme.of(builtin_theme("dark"))
    stage = Stage(theme, Keymap(), lambda **_: None, lambda *_: lambda: None, lambda _: None)
    header = Header(stage, [("Skills", ["one", "two"]), ("Prompts", [])])
    rows = [plain(row).strip() for row in header.render(columns)]
    assert all(width(row) <= columns for row in rows)
    assert not [row for row in rows if row.startswith("·") or row.endswith("·")]
    if columns >= 40:
        text = " ".join(rows)
        assert "ctrl+c clear, twice: quit" in text and "Skills: one, two" in text
        assert "Prompts" not in text
