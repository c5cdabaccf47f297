"""What comparisons with the reference share."""

import shlex
import subprocess

import pytest

from tests.differential.programs import REFERENCE, environment


@pytest.fixture(scope="session")
def typescript(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A reference that loads extensions: a copy may lack jiti, which NODE_PATH then finds."""
    if not REFERENCE:
        pytest.skip("PI_REFERENCE names no command to compare with")
    home = tmp_path_factory.mktemp("typescript")
    (home / "nothing.ts").write_text("export default function () {}\n")
    done = subprocess.run(
        [*shlex.split(REFERENCE), "-e", "nothing.ts", "--help"],
        capture_output=True,
        cwd=home,
        env=environment(home),
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    if b"jiti" in done.stdout + done.stderr:
        pytest.skip("this copy of the reference loads no extensions: it misses jiti")
