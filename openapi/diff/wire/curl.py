"""Requests as commands for curl, in one line for any POSIX shell."""

import re
import shlex
from collections.abc import Sequence

from openapi.diff.wire.bodies import Body, Part

UNKNOWN_HOST = "https://<host>"
"""The beginning of the URL for a document that names no host."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNNAMEABLE = re.compile(r'[="\\;,]')
"""What ends the name of a part in an argument of curl, or begins something else."""
_GLOBS = re.compile(r"[\[\]{}]")
_MOST_BYTES = 100_000
"""Limit on the bytes of an argument: Linux takes fewer than 131,072."""


def command(method: str, url: str, headers: Sequence[tuple[str, str]], body: Body | None) -> str | None:
    """The command that sends a request; None if curl cannot send it, or if an argument is too long for Linux."""
    arguments = ["curl"]
    if method == "HEAD":
        arguments.append("--head")
    elif method != ("POST" if body else "GET"):
        arguments += ["-X", method]
    if _GLOBS.search(url):
        arguments.append("--globoff")
    arguments.append(url)
    for name, value in headers:
        arguments += ["-H", f"{name}: {value}" if value else f"{name};"]
    piped = ""
    if body and body.parts:
        if any(_UNNAMEABLE.search(part.name) for part in body.parts):
            return None
        arguments += [argument for part in body.parts for argument in _of_part(part)]
    elif body:
        is_piped = _CONTROL.search(body.text) is not None
        arguments += ["-H", f"Content-Type: {body.media_type}"]
        arguments += ["--data-binary", "@-"] if is_piped else ["--data-raw", body.text]
        piped = f"printf {shlex.quote(_format(body.text))} | " if is_piped else ""
    if any(_CONTROL.search(argument) or len(argument.encode(errors="replace")) > _MOST_BYTES for argument in arguments):
        return None
    return piped + " ".join(map(shlex.quote, arguments))


def _of_part(part: Part) -> list[str]:
    if not part.media_type:
        return ["--form-string", f"{part.name}={part.text}"]
    text = part.text.replace("\\", "\\\\").replace('"', '\\"')
    file = f';filename="{part.name}"' if part.is_file else ""
    return ["-F", f'{part.name}="{text}"{file};type={part.media_type}']


def _format(text: str) -> str:
    """The format with which `printf` writes `text`, in one line."""
    escaped = text.replace("\\", "\\\\").replace("%", "%%")
    return _CONTROL.sub(lambda match: f"\\{ord(match[0]):03o}", escaped)
