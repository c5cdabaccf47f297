"""The order of names in a listing: the root order of the Unicode Collation Algorithm, in short.

Punctuation, symbols, digits, letters; accents count only between otherwise equal names. Other
scripts follow by code point, which is close to their order in the full tables.
"""

import unicodedata

__all__ = ["collation_key"]

_ASCII = {
    char: rank
    for rank, char in enumerate(
        "\t\n\x0b\x0c\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz"
    )
}


def collation_key(text: str) -> tuple[tuple[int, ...], str]:
    """A key that sorts lower-case names."""
    primary = []
    accents = []
    for char in unicodedata.normalize("NFD", text):
        if unicodedata.combining(char):
            accents.append(char)
            continue
        accents.append("\0")
        rank = _ASCII.get(char)
        primary.append(ord(char) + len(_ASCII) if rank is None else rank)
    return tuple(primary), "".join(accents)
