"""Header fields: all values of one name in a request."""

import pytest

from openapi.standards.header_fields import field_values, quoted


@pytest.mark.parametrize(
    ("name", "values"),
    [
        pytest.param(b"x-one", [b"1"], id="once"),
        pytest.param(b"x-two", [b"2", b"3"], id="twice, in their order"),
        pytest.param(b"x-none", [], id="never"),
    ],
)
def test_each_value_of_a_repeated_field_is_returned(name: bytes, values: list[bytes]) -> None:
    """All values of one name, and none of another, at each call."""
    scope = {"type": "http", "headers": [(b"x-two", b"2"), (b"x-one", b"1"), (b"x-two", b"3")]}
    assert field_values(scope, name) == values
    assert field_values(scope, name) == values


def test_each_request_has_fields_of_its_own() -> None:
    """The values of one request are not returned for another."""
    assert field_values({"type": "http", "headers": [(b"a", b"1")]}, b"a") == [b"1"]
    assert field_values({"type": "http", "headers": []}, b"a") == []


def test_a_quoted_value_is_short() -> None:
    """A hundred characters at most, in quotes, whatever they are; a cut has its mark."""
    assert quoted(b"\xff" * 100) == "'" + "\xff" * 100 + "'"
    assert quoted("é".encode() * 100) == "'" + "é" * 100 + "'"
    assert quoted(b"\xff" * 101) == "'" + "\xff" * 100 + "\u2026'"
