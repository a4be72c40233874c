"""The output of commands: a table for operators, JSON for programs."""

import dataclasses
import json
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from openapi.rendering.terminal import printable
from openapi.standards import date_times

_WIDTH_OF_A_PIPE = 240
_DIGEST = re.compile(r"[0-9a-f]{64}")
_DIGEST_DIGITS = 12


def show(value: Any, as_json: bool) -> None:
    """Print a dataclass, a dict, or a list of either."""
    values = [_as_dict(item) for item in value] if isinstance(value, Sequence) else _as_dict(value)
    if as_json:
        print(json.dumps(values, default=_as_text, indent=2, ensure_ascii=False))
    elif isinstance(values, dict):
        _print_table(["", ""], [[name, cell] for name, cell in values.items()])
    elif values:
        _print_table(list(values[0]), [list(row.values()) for row in values])
    else:
        print("There are none.")


def note(text: str) -> None:
    """Print a note to the operator on standard error, apart from the result."""
    print(text, file=sys.stderr)


def note_ended(until: datetime | None, credential: str) -> None:
    """Note that a rotation has ended an overlap before its time, if it was to last `until` then."""
    if until:
        note(f"The {credential} before the previous one, which was to be accepted until {_as_text(until)}, has ended.")


def counted(count: int, singular: str, plural: str) -> str:
    """`count` with the noun in the right number."""
    return f"{count} {singular if count == 1 else plural}"


def with_short_digests(row: Mapping[str, Any]) -> dict[str, Any]:
    """`row` for a table: the first 12 digits of each SHA-256 digest, so that the table fits a terminal."""
    return {
        name: value[:_DIGEST_DIGITS] if isinstance(value, str) and _DIGEST.fullmatch(value) else value
        for name, value in row.items()
    }


def _as_dict(item: Any) -> dict[str, Any]:
    return dict(item) if isinstance(item, dict) else dataclasses.asdict(item)


def _print_table(columns: list[str], rows: list[list[Any]]) -> None:
    table = Table(box=None, show_header=any(columns), header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_as_cell(value) for value in row))
    Console(width=None if sys.stdout.isatty() else _WIDTH_OF_A_PIPE, markup=False, highlight=False, emoji=False).print(
        table
    )


def _as_cell(value: Any) -> str:
    """The text of a cell; a list has a line for each item. Hubs wrote some values: control characters are escaped."""
    if isinstance(value, list):
        return "\n".join(map(_as_cell, value))
    return "" if value is None else printable(_as_text(value))


def _as_text(value: Any) -> str:
    """The text of a value that JSON cannot represent; an instant in the format of RFC 3339."""
    return date_times.render(value) if isinstance(value, datetime) else str(value)
