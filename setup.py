"""Builds the compiled modules of `pi._speedups`; everything else is in pyproject.toml.

Without a compiler, or with PI_NO_EXTENSIONS=1, the install succeeds without them and `pi` uses the
pure twins. PI_REQUIRE_EXTENSIONS=1 (set where wheels are made) makes a failed compile an error.
"""

import os
import shutil
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

SPEEDUPS = Path("pi/_speedups")
POSIX_ONLY = ("scan", "search", "walk")
"""They read folders and files by POSIX's own calls; elsewhere their twins are used."""
REQUIRED = bool(os.environ.get("PI_REQUIRE_EXTENSIONS"))


class OptionalBuild(build_ext):
    """Compiles what it can: a missing compiler is a warning, unless REQUIRED."""

    def run(self) -> None:
        try:
            super().run()
        except Exception as error:
            self.give_up(error)

    def build_extension(self, ext: Extension) -> None:
        try:
            super().build_extension(ext)
        except Exception as error:
            self.give_up(error)

    def give_up(self, error: Exception) -> None:
        if REQUIRED:
            raise error
        print(f"pi: not compiled ({error}); the pure-Python twins will be used", file=sys.stderr)


class BuildWithDocs(build_py):
    """Puts what people and the agent itself read about pi into the package."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return  # the tree has them
        target = Path(self.build_lib) / "pi" / "documentation"
        target.mkdir(parents=True, exist_ok=True)
        for page in (*Path("docs").glob("*.md"), Path("CHANGELOG.md")):
            shutil.copy2(page, target / page.name)
        if Path("examples").is_dir():
            shutil.copytree(
                "examples",
                target / "examples",
                dirs_exist_ok=True,
                ignore=shutil.ignore_patterns("__pycache__"),
            )


def extensions() -> list[Extension]:
    if os.environ.get("PI_NO_EXTENSIONS"):
        return []
    try:
        from Cython.Build import cythonize
    except ImportError:
        if REQUIRED:
            raise
        return []
    flags = [] if sys.platform == "win32" else ["-O3"]
    # Cython knows what a module includes by `cimport`; this is for what C includes.
    headers = sorted(map(str, SPEEDUPS.glob("*.h")))
    modules = [
        Extension(
            f"pi._speedups.{path.stem}", [str(path)], depends=headers, extra_compile_args=flags
        )
        for path in sorted(SPEEDUPS.glob("*.pyx"))
        if os.name == "posix" or path.stem not in POSIX_ONLY
    ]
    return cythonize(modules, language_level=3, compiler_directives={"embedsignature": True})


setup(ext_modules=extensions(), cmdclass={"build_ext": OptionalBuild, "build_py": BuildWithDocs})
