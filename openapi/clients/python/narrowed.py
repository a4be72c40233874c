"""Values of JSON that are objects or arrays, if they are."""

from typing import Any, TypeGuard


def as_object(value: object) -> dict[str, Any] | None:
    """`value` if it is an object, else None."""
    return value if _is_object(value) else None


def as_list(value: object) -> list[Any] | None:
    """`value` if it is an array, else None."""
    return value if _is_list(value) else None


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
