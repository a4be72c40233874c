"""The files that say how a comparison is judged, as arguments of commands."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from openapi.diff.policy import MAX_BYTES, Policy, PolicyError

T = TypeVar("T")

Severities = Annotated[
    Path | None,
    typer.Option(
        help="A YAML or JSON file that changes severities: a mapping from rules, or wildcards such as "
        "`response-*-widened`, to none, patch, minor or major.",
        dir_okay=False,
    ),
]


def policy_of(path: Path | None) -> Policy:
    """The policy with the severities of the file at `path`, the policy itself if None; BadParameter if unreadable."""
    if path is None:
        return Policy()
    return read(path, MAX_BYTES, lambda text: Policy.read(text, str(path)))


def read(path: Path, max_bytes: int, of_text: Callable[[str], T]) -> T:
    """What `of_text` makes of the file at `path`, of at most `max_bytes`; BadParameter if that fails."""
    try:
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
        if len(content) > max_bytes:
            raise PolicyError(f"the file is larger than {max_bytes} bytes")
        return of_text(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{path}: byte {error.start} is not UTF-8") from None
    except (ValueError, OSError) as error:
        raise typer.BadParameter(f"{path}: {error}") from None
