"""The query of a page: what cannot be read is refused by its name."""

import pytest
from starlette.requests import Request

from handlers.pages import parameters
from handlers.pages.parameters import UnreadableParameter


def request(query: str) -> Request:
    """A request for a page with a query."""
    return Request({"type": "http", "query_string": query.encode("latin-1"), "headers": []})


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("q=%ff", "q is no percent-encoded UTF-8"),
        ("a=1&q=%ff", "q is no percent-encoded UTF-8"),
        ("a=1&%ff=1", "\N{REPLACEMENT CHARACTER} is no percent-encoded UTF-8"),
        ("&".join(f"q{number}=1" for number in range(parameters.MOST + 1)), "the query has more than 100 parameters"),
        ("a=1&a=2", "a comes 2 times"),
        ("a=%00", "a has a NUL character"),
        ("a=" + "x" * 201, "a has 201 characters; the limit is 200"),
    ],
)
def test_the_parameter_that_cannot_be_read_is_named(query: str, named: str) -> None:
    """Whichever is asked for first."""
    with pytest.raises(UnreadableParameter) as refusal:
        parameters.text(request(query), "a")
    assert refusal.value.error.startswith(named)
    assert refusal.value.status == 400
