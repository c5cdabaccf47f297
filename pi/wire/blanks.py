"""White space as JavaScript has it: what separates words and is trimmed in files that both share.

Python's own set is another: `str.strip` and `\\s` take control characters too, and no U+FEFF.
"""

__all__ = ["BLANKS"]

BLANKS = "\t\n\v\f\r \xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""For `str.strip`, and between brackets in a regular expression."""
