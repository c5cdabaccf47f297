"""Write the samples about extensions in docs/ into a folder, for type checkers: `make check`."""

import sys
from pathlib import Path

from tests.extensions.test_docs import samples


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.py"):
        old.unlink()
    for name, text in samples().items():
        (folder / f"{name.replace(' ', '_').replace('-', '_')}.py").write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
