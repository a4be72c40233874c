"""JSON for people: what cannot be seen, or would reorder the text around it, is written as an escape."""

import json


def visible(text: str) -> str:
    """`text`, which is JSON, with an escape for each character that is not printable, except ends of lines.

    Such a character can only stand in a string.
    """
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    return character if character.isprintable() or character == "\n" else json.dumps(character)[1:-1]
