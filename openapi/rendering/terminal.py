"""Texts as a terminal may have them."""


def printable(text: str) -> str:
    """`text` with what a terminal would obey as an escape: hubs and documents may hold such characters."""
    return "".join([sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text])
