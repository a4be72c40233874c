"""The texts of the 422 answers of this room: the error in a field or a parameter, and the remedy."""

from openapi.problems import Problem
from openapi.schemas.field_errors import UNKNOWN_CURSOR


def repeated_entry(entries: str, index: int, key: str, value: str) -> Problem:
    """The entry `index` of the list `entries` repeats the `value` of `key` of an earlier entry."""
    return Problem(
        "invalid_body",
        pointer=f"/{entries}/{index}/{key}",
        errors=f"{entries}/{index}: '{value}' occurs twice",
        remedies="List it once.",
    )


def unaccepted_schema(index: int, pointer: str, message: str) -> Problem:
    """The metadata schema of the event type `index` of a manifest has an error at `pointer`, relative to the schema."""
    path = f"event_types/{index}/metadata_schema{pointer}"
    return Problem("invalid_body", pointer=f"/{path}", errors=f"{path}: {message}", remedies="Correct the schema.")


def unknown_cursor() -> Problem:
    """No page of the list returned the cursor."""
    error, remedy = UNKNOWN_CURSOR
    return Problem("invalid_parameters", errors=error, remedies=remedy)


def period_out_of_range(limit: int) -> Problem:
    """`since` is after `until`, or more than `limit` days before it."""
    return Problem(
        "invalid_parameters",
        errors=f"since must be at most {limit} days before until, and not after it",
        remedies=f"Ask for at most {limit} days, with since before until.",
    )


def too_many_counts(limit: int) -> Problem:
    """The hours that the client asks for have more than `limit` counts."""
    return Problem(
        "invalid_parameters",
        errors=f"there are more than {limit} counts from since to until",
        remedies="Ask for fewer hours at once.",
    )


def days_out_of_range(limit: int, default: int) -> Problem:
    """`days` is not one number from 1 to `limit`."""
    return Problem(
        "invalid_parameters",
        errors=f"days is not one number from 1 to {limit}",
        remedies=f"Ask for 1 to {limit} days, or leave days out for {default}.",
    )
