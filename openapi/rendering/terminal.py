"""Texts for a terminal."""


def printable(text: str) -> str:
    """`text` with escapes for unprintable characters, which a terminal would obey; hubs and documents may send some."""
    return "".join([sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text])
