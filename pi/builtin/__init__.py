"""The extensions that come with pi, one module each; `pi.resources.builtin` lists them.

They use what everybody's extensions use. A module is imported as soon as any extension is: what is
heavy in it belongs where it is used.
"""
