"""Names and reasons that people give on the command line."""

import typer

LONGEST = 200


def name_of(text: str) -> str:
    """`text`, if it can be told apart in a list and typed again: 1 to 200 printable characters, no blank at an end."""
    if not 1 <= len(text) <= LONGEST or not text.isprintable() or text != text.strip():
        raise typer.BadParameter(f"it has 1 to {LONGEST} printable characters, and no blank at its ends")
    return text
