"""The compiled modules, each beside its pure twin, and the one place that picks.

COMPILED says which are in use. PI_PURE=1 picks the twins at run time, as PI_NO_EXTENSIONS=1 does
in the build. Nothing else in the program imports a compiled module or its twin by name.
"""
