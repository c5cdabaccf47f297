"""The version, alone in its module: the build reads it and `pi --version` prints it."""

__version__ = "0.1.0"
