"""Operations, and the requests of their calls."""

import pytest

from openapi.clients.python.errors import InvalidItem
from openapi.clients.python.operations import Call, Operation

OPERATION: Operation[object] = Operation("getLabel", "DELETE", "/labels/{name}/colours/{colour}")


def test_a_value_stays_within_its_segment_of_the_path() -> None:
    """Whatever it holds: a slash, a parameter's name in braces, or what is escaped already."""
    call = Call(OPERATION, {"name": "../{colour}", "colour": "%2e"})
    assert call.target == "/labels/..%2F%7Bcolour%7D/colours/%252e"


@pytest.mark.parametrize("value", [".", ".."])
def test_a_value_that_leads_to_another_path_is_refused(value: str) -> None:
    """A proxy or a server would leave it out: another resource would be deleted."""
    for path in ({"name": value, "colour": "red"}, {"name": "a", "colour": value}):
        with pytest.raises(InvalidItem, match="path: a dot or two are no value"):
            _ = Call(OPERATION, path).target
