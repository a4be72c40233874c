"""The names of fields in field errors."""

import pytest

from openapi.schemas.field_errors import field_name


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param((), "the body", id="the whole"),
        pytest.param(("a", 0, "b/c"), "a/0/b~1c", id="a pointer"),
        pytest.param(("n" * 60,), "n" * 60, id="sixty characters"),
        pytest.param(("n" * 61,), "n" * 59 + "\u2026", id="a long name"),
    ],
)
def test_the_name_of_a_field_is_its_pointer(parts: tuple[str | int, ...], expected: str) -> None:
    """A response names a field by its JSON Pointer, shortened."""
    assert field_name(*parts) == expected
