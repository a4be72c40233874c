"""The files that say how a comparison is judged, as arguments of commands."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from openapi.diff import acknowledgements, policy
from openapi.diff.acknowledgements import Acknowledgement
from openapi.diff.policy import Policy

T = TypeVar("T")

Severities = Annotated[
    Path | None,
    typer.Option(
        help="A YAML or JSON file that changes severities: a mapping from rules, or wildcards such as "
        "`response-*-widened`, to none, patch, minor or major.",
        dir_okay=False,
    ),
]
Acknowledged = Annotated[
    Path | None,
    typer.Option(
        help="A file that `contract acknowledge` writes: its changes are shown, and count for nothing.", dir_okay=False
    ),
]
Sunsets = Annotated[
    bool,
    typer.Option(
        "--sunsets",
        help="A removal needs a minor version, and counts as no break, once the `x-sunset` in OLD has passed of what "
        "is `deprecated` there.",
    ),
]
Paths = Annotated[
    list[str] | None,
    typer.Option("--path", help="Only changes of operations at a path such as `/users/*`, and of the whole document."),
]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", help="Only changes of operations with this tag, and of the whole document."),
]
Operations = Annotated[
    list[str] | None,
    typer.Option("--operation", help="Only changes of this operation: its operationId, or `GET /users`."),
]


def today() -> date:
    """The day in UTC."""
    return datetime.now(UTC).date()


def policy_of(path: Path | None) -> Policy:
    """The policy with the severities of the file at `path`, the policy itself if None; BadParameter if unreadable."""
    if path is None:
        return Policy()
    return read(path, policy.MAX_BYTES, lambda text: Policy.read(text, str(path)))


def acknowledgements_of(path: Path | None) -> dict[str, Acknowledgement]:
    """The acknowledgements of the file at `path` by fingerprint, none if None; BadParameter if unreadable."""
    return {} if path is None else read(path, acknowledgements.MAX_BYTES, acknowledgements.read)


def read(path: Path, max_bytes: int, of_text: Callable[[str], T]) -> T:
    """What `of_text` makes of the file at `path`, of at most `max_bytes`; BadParameter if that fails."""
    try:
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
        if len(content) > max_bytes:
            raise ValueError(f"the file is larger than {max_bytes} bytes")
        return of_text(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{path}: byte {error.start} is not UTF-8") from None
    except (ValueError, OSError) as error:
        raise typer.BadParameter(f"{path}: {error}") from None
