"""The files with the credentials that trials of a running service use."""

import json
from pathlib import Path
from typing import Any

import typer

MAKES_KEY = "'interaction-reporting hub create NAME --json > FILE'"
MAKES_CLIENT = "'interaction-reporting hub issue-client NAME --scopes \"SCOPES\" --json > FILE'"


def api_key(file: Path) -> str:
    """The API key in `file`: alone, or in the JSON that `hub create --json` prints; BadParameter if there is none."""
    text = _text(file).strip()
    key = _json(text).get("api_key") if text.startswith("{") else text
    if not _is_printable(key):
        raise typer.BadParameter(
            f"{file} holds no key: it must be one line with a hub's API key, and nothing else, or what "
            f"{MAKES_KEY} makes"
        )
    return str(key)


def client(file: Path) -> str:
    """The id of the client in `file`, a colon and its secret; BadParameter if there is none.

    The file is what `hub issue-client --json` prints, or two lines: the id and the secret, without a blank.
    """
    text = _text(file)
    members = _json(text) if text.startswith("{") else None
    pair = text.split("\n") if members is None else [members.get("client_id"), members.get("client_secret")]
    if len(pair) != 2 or not all(map(_is_printable, pair)) or ":" in str(pair[0]):
        raise typer.BadParameter(
            f"{file} holds no client with a secret: it must be what {MAKES_CLIENT} makes, or a line with the id and "
            "one with the secret"
        )
    return ":".join(map(str, pair))


def _text(file: Path) -> str:
    """The text of `file` without the empty lines around it; BadParameter if it cannot be read."""
    try:
        return file.read_text(encoding="utf-8-sig", errors="replace").strip("\n")
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}") from None


def _json(text: str) -> dict[str, Any]:
    """The members of the JSON object in `text`; none if it is not one."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _is_printable(value: Any) -> bool:
    """True for a text that a header may carry."""
    return isinstance(value, str) and value.isascii() and value.isprintable() and bool(value) and " " not in value
