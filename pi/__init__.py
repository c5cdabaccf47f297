"""pi: a coding agent for the terminal."""

from pi._version import __version__

__all__ = ["__version__"]
