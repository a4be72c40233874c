"""Texts for a terminal."""


def printable(text: str) -> str:
    """`text` with unprintable characters escaped, because a terminal would obey them.

    Texts of hubs and documents may contain some.
    """
    return "".join([sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text])
