"""The texts of the handlers' 422 errors, which must not change because clients read them."""

import pytest

from handlers import field_errors
from openapi.problems import Problem


@pytest.mark.parametrize(
    ("problem", "error", "remedy", "pointer"),
    [
        (
            field_errors.repeated_entry("widgets", 1, "id", "w"),
            "widgets/1: 'w' occurs twice",
            "List it once.",
            "/widgets/1/id",
        ),
        (
            field_errors.unaccepted_schema(2, "/type", "'x' is not a type"),
            "event_types/2/metadata_schema/type: 'x' is not a type",
            "Correct the schema.",
            "/event_types/2/metadata_schema/type",
        ),
        (
            field_errors.unknown_cursor(),
            "cursor is not one that this list returned",
            (
                "Send the next_cursor of an earlier page of this list unchanged, or leave cursor out to begin with the "
                "first item."
            ),
            None,
        ),
        (
            field_errors.period_out_of_range(31),
            "since must be at most 31 days before until, and not after it",
            "Ask for at most 31 days, with since before until.",
            None,
        ),
        (
            field_errors.too_many_counts(20_000),
            "there are more than 20000 counts from since to until",
            "Ask for fewer hours at once.",
            None,
        ),
        (
            field_errors.days_out_of_range(366, 14),
            "days is not one number from 1 to 366",
            "Ask for 1 to 366 days, or leave days out for 14.",
            None,
        ),
    ],
    ids=["entry", "schema", "cursor", "period", "counts", "days"],
)
def test_an_error_keeps_its_text(problem: Problem, error: str, remedy: str, pointer: str | None) -> None:
    """422, with exactly the same error, help and pointer."""
    assert (problem.status, problem.error, problem.help, problem.pointer) == (422, error, remedy, pointer)
