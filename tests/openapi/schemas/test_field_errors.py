"""How field errors call the fields that they are about."""

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
def test_a_field_is_called_by_its_pointer(parts: tuple[str | int, ...], expected: str) -> None:
    """A field's name in an answer is its JSON Pointer, shortened."""
    assert field_name(*parts) == expected
