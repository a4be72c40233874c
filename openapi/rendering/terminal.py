"""Texts for a terminal, and for the log of a pipeline."""

import re

_COMMAND = re.compile(r"(^|[\r\n])([ \t]*)(?=::|##\[)")


def printable(text: str) -> str:
    """`text` with unprintable characters escaped, because a terminal would obey them.

    Texts of hubs and documents may contain some.
    """
    return "".join([sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text])


def one_line(text: str) -> str:
    """`text` in one line, with unprintable characters escaped."""
    return printable(" ".join(text.split()))


def without_commands(text: str) -> str:
    """`text` with a bar before what GitHub Actions would take for a command, at the beginning of a line."""
    return _COMMAND.sub(r"\1\2| ", text)
