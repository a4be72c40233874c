"""The response to a batch: all results determine its status, in an array as in a stream."""

import asyncio
import json
from collections.abc import AsyncGenerator

import pytest

from handlers.submissions.results import Results, rejected, stored
from openapi.problems import Problem
from openapi.serving.error_styles import ERROR_OBJECTS
from openapi.serving.messages import Answer

CREATED = stored(0, "created", "a")
REFUSED = rejected(1, Problem("event_type_not_registered", name="x"), ERROR_OBJECTS)
POSTPONED = rejected(2, Problem("unavailable"), ERROR_OBJECTS)


def lines_of(answer: Answer) -> list[dict[str, object]]:
    """The lines in the body of the response to a stream."""

    async def read(pieces: AsyncGenerator[bytes]) -> bytes:
        return b"".join([piece async for piece in pieces])

    return [json.loads(line) for line in asyncio.run(read(answer.body)).splitlines()]


@pytest.mark.parametrize(
    ("results", "status"),
    [([], 200), ([CREATED], 200), ([CREATED, REFUSED], 422), ([REFUSED, POSTPONED], 503), ([POSTPONED, REFUSED], 503)],
    ids=["nothing", "stored", "refused", "refused and postponed", "postponed and refused"],
)
@pytest.mark.parametrize("is_stream", [False, True], ids=["array", "stream"])
def test_the_status_is_that_of_the_worst_result(results: list[dict[str, object]], status: int, is_stream: bool) -> None:
    """503 if a later attempt may store an item, else 422 if an item is not stored, else 200; totals count all."""
    with Results(is_stream, ERROR_OBJECTS) as collected:
        for result in results:
            collected.add([result])
        answer = collected.answer()
    assert answer.status == status
    totals = {"received": len(results), "created": results.count(CREATED), "duplicate": 0}
    totals["rejected"] = totals["received"] - totals["created"]
    if is_stream:
        assert lines_of(answer) == [*results, {"totals": totals}]
    else:
        assert answer.body == {"results": results, "totals": totals}


def test_an_interruption_is_in_the_last_line() -> None:
    """After the results so far, and with its own status."""
    with Results(True, ERROR_OBJECTS) as collected:
        collected.add([CREATED])
        answer = collected.answer(Problem("malformed_content_coding"))
    result, last = lines_of(answer)
    assert (answer.status, result) == (400, CREATED)
    assert last["error"] == Problem("malformed_content_coding").error


def test_without_an_answer_the_file_is_closed() -> None:
    """A batch that raises an error leaves no open file."""
    collected = Results(True, ERROR_OBJECTS)
    with pytest.raises(RuntimeError), collected:
        raise RuntimeError
    with pytest.raises(ValueError, match="closed"):
        collected.add([CREATED])
