"""Both implementations of each search module, by one fixture a module."""

import importlib
import os
from types import SimpleNamespace

import pytest

MODULES = ("automaton", "ignore", "scan", "search", "walk")


def search_modules(kind: str) -> SimpleNamespace:
    """`pure` or `compiled`: the search modules under their plain names."""
    prefix = "_" if kind == "pure" else ""
    if kind == "compiled" and (os.name == "nt" or os.environ.get("PI_EXPECT") != "compiled"):
        pytest.importorskip("pi._speedups.scan")
    return SimpleNamespace(
        **{name: importlib.import_module(f"pi._speedups.{prefix}{name}") for name in MODULES}
    )


@pytest.fixture(params=["pure", "compiled"])
def modules(request):
    return search_modules(request.param)


@pytest.fixture
def both():
    return search_modules("pure"), search_modules("compiled")
