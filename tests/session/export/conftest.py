"""The browser is started once for all tests of a process, and only if one of them wants it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pi.session.export import Draw, export_file
from tests.session.export.browser import Browser, executable, why_not
from tests.session.session_lines import write


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Skips, and says why, where there is no Chromium to drive."""
    reason = why_not()
    path = executable()
    if reason is not None or path is None:
        pytest.skip(f"browser tests: {reason}")
    browser = Browser(path, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


class Pages:
    """Sessions made of lines, exported, and opened."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self.browser = browser
        self.folder = folder

    def show(self, *lines: Any, fragment: str = "", draw: Draw | None = None) -> Browser:
        """Export a session and open its page in a window of ordinary size."""
        session = write(self.folder / "session.jsonl", *lines)
        page = self.folder / "page.html"
        export_file(session, page, draw)
        self.browser.size(1200, 900)
        self.browser.scheme("light")
        self.browser.open(page, fragment)
        return self.browser


@pytest.fixture
def pages(browser: Browser, tmp_path: Path) -> Pages:
    return Pages(browser, tmp_path)
