"""The texts of the handlers' 422 errors, which must not change because clients read them."""

import pytest

from handlers import field_errors
from openapi.problems import Problem


@pytest.mark.parametrize(
    ("problem", "error", "remedy", "pointer"),
    [
        (
            field_errors.repeated_entry("widgets", 1, "id", "w"),
            "widgets/1: 'w' stands twice",
            "List it once.",
            "/widgets/1/id",
        ),
        (
            field_errors.unaccepted_schema(2, "/type", "'x' is not a type"),
            "event_types/2/metadata_schema/type: 'x' is not a type",
            "Mend the schema.",
            "/event_types/2/metadata_schema/type",
        ),
        (
            field_errors.unknown_cursor(),
            "cursor is not one that this list gave out",
            "Send the next_cursor of an earlier page of this list as it is, or none to begin with the first item.",
            None,
        ),
        (
            field_errors.period_out_of_range(31),
            "since is not within 31 days before until",
            "Ask for at most 31 days, and for since before until.",
            None,
        ),
        (
            field_errors.too_many_counts(20_000),
            "from since until before until there are more than 20000 counts",
            "Ask for fewer hours at once.",
            None,
        ),
        (
            field_errors.days_out_of_range(366, 14),
            "days is not one number from 1 to 366",
            "Ask for 1 to 366 days, or leave days out: there are 14 then.",
            None,
        ),
    ],
    ids=["entry", "schema", "cursor", "period", "counts", "days"],
)
def test_an_error_keeps_its_text(problem: Problem, error: str, remedy: str, pointer: str | None) -> None:
    """422, with exactly the same error, help and pointer."""
    assert (problem.status, problem.error, problem.help, problem.pointer) == (422, error, remedy, pointer)
