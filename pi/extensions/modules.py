"""An extension's file as a module of its own.

Each is imported under a name that nothing else has, so two extensions may both have a `tools.py`.
Its bytecode is kept beside it as Python always does. A reload imports it anew.
"""

import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import Any

from pi.errors import PiError

__all__ = ["LoadError", "entry_point", "forget", "function_of", "load_module"]

FUNCTION = "extend"
"""What an extension's module must have."""


class LoadError(PiError):
    """A file that is no extension."""


def load_module(path: Path) -> ModuleType:
    """Import a file, or a folder with an `__init__.py`. Raises LoadError, or what its code raises.

    A file finds those beside it as an `__init__.py` does: `from .other import …`.
    """
    file = path / "__init__.py" if path.is_dir() else path
    if not file.exists():
        raise LoadError(f"{file} is not there")
    name = _name(path)
    forget(path)
    spec = importlib.util.spec_from_file_location(
        name,
        file,
        loader=importlib.machinery.SourceFileLoader(name, str(file)),
        submodule_search_locations=[str(file.parent)],
    )
    assert spec is not None and spec.loader is not None, "it has a loader"
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        forget(path)
        raise
    return module


def entry_point(text: str, site: Path | None) -> Callable[..., Any]:
    """The function that "module:attribute" names. site: a folder of packages it is to be found in.

    Raises ImportError, AttributeError, or what its code raises.
    """
    if site is not None and str(site) not in sys.path:
        sys.path.append(str(site))  # last: it must not replace what pi itself uses
    module, _, attribute = text.partition(":")
    found: Any = importlib.import_module(module)
    for part in (attribute or FUNCTION).split("."):
        found = getattr(found, part)
    return _callable(found, text)


def function_of(module: ModuleType, path: Path) -> Callable[..., Any]:
    """The function that receives the API. Raises LoadError."""
    found = getattr(module, FUNCTION, None)
    if found is None:
        raise LoadError(f"{path} has no function {FUNCTION}(pi)")
    return _callable(found, f"{path}: {FUNCTION}")


def forget(path: Path) -> None:
    """Let the next load read it anew, its own modules included."""
    name = _name(path)
    for known in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
        del sys.modules[known]


def _callable(found: Any, what: str) -> Callable[..., Any]:
    if not callable(found):
        raise LoadError(f"{what} is no function")
    return found  # type: ignore[no-any-return]


def _name(path: Path) -> str:
    digest = blake2b(str(path).encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()
    stem = "".join(c if c.isalnum() else "_" for c in path.stem)
    return f"pi_extension_{stem}_{digest}"
