"""The parts of prompt-toolkit that are used here: its input, output, buffer and document.

Importing any module of it runs the package, which imports all of the rest: applications, layouts,
shortcuts, 57 modules that take a tenth of the time until the first key. They are kept out until
somebody asks for them: an extension may, and gets the whole package.
"""

import sys
from importlib.util import find_spec, module_from_spec
from typing import Any

__all__ = ["Buffer", "Document", "Input", "Output", "create_input", "standard_output"]


def _postpone(name: str) -> None:
    """Have a package there, to import modules from; it runs once something else of it is wanted."""
    spec = find_spec(name)
    if name in sys.modules or spec is None or spec.loader is None:
        return
    package, loader = module_from_spec(spec), spec.loader

    def run(attribute: str) -> Any:
        if attribute.startswith("__") and attribute != "__version__":  # asked by inspection
            raise AttributeError(attribute)
        del package.__dict__["__getattr__"]
        loader.exec_module(package)
        return getattr(package, attribute)

    package.__dict__["__getattr__"] = run
    sys.modules[name] = package
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, package)


_postpone("prompt_toolkit")
_postpone("prompt_toolkit.application")

from prompt_toolkit.buffer import Buffer  # noqa: E402
from prompt_toolkit.document import Document  # noqa: E402
from prompt_toolkit.input import Input, create_input  # noqa: E402
from prompt_toolkit.output import Output, create_output  # noqa: E402


def standard_output() -> Output:
    """Of this process."""
    if sys.platform == "win32" or not sys.stdout.isatty():
        return create_output()
    # What create_output does on a terminal, but for a look at applications: at the whole package.
    from prompt_toolkit.output.vt100 import Vt100_Output  # noqa: PLC0415  (there is none on Windows)

    return Vt100_Output.from_pty(sys.stdout)
