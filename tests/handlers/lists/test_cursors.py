"""Cursors: a list accepts only its own."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from handlers.lists import cursors
from openapi.problems import Problem

KINDS: list[tuple[Callable[[Any], str], Callable[[str], Any], Any]] = [
    (cursors.position_cursor, cursors.read_position, 42),
    (cursors.name_cursor, cursors.read_name, "a name with spaces"),
    (cursors.id_cursor, cursors.read_id, UUID(int=42)),
]


@pytest.mark.parametrize(("write", "read", "value"), KINDS)
def test_a_cursor_is_read_only_by_lists_of_its_kind(
    write: Callable[[Any], str], read: Callable[[str], Any], value: Any
) -> None:
    """It is opaque: lists of other kinds refuse it, and a changed cursor is refused too."""
    cursor = write(value)
    assert read(cursor) == value
    for text, reader in [(cursor, other) for _, other, _ in KINDS if other is not read] + [(f"{cursor}!", read)]:
        with pytest.raises(Problem) as raised:
            reader(text)
        assert raised.value.error == "cursor is not one that this list returned"
