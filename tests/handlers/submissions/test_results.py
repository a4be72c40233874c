"""The response to a batch: all results determine its status, in an array as in a stream."""

import asyncio
import json
from collections.abc import AsyncGenerator

import pytest

from handlers.submissions.results import Results, rejected, stored
from openapi.problems import Problem
from openapi.serving.error_styles import ERROR_OBJECTS, ProblemDetails
from openapi.serving.messages import Answer
from tests.examples import EVENT
from tests.handlers.conftest import DRY_RUN
from tests.service import Service
from tests.tokens import PATH, asking, bearer, client_of

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


@pytest.mark.parametrize(
    ("results", "is_dry_run", "detail", "remedy"),
    [
        ([CREATED, REFUSED], False, "1 of 2 items were rejected; the others are stored", "send only these again"),
        ([REFUSED], False, "1 of 1 items were rejected; nothing is stored", "send them again"),
        ([CREATED, REFUSED], True, "1 of 2 items were rejected; nothing is stored, as this", "send all items again"),
        ([REFUSED], True, "1 of 1 items were rejected; nothing is stored, as this", "send all items again"),
    ],
    ids=["some", "all", "some in a dry run", "all in a dry run"],
)
def test_the_problem_says_what_is_stored(
    results: list[dict[str, object]], is_dry_run: bool, detail: str, remedy: str
) -> None:
    """Nothing is stored if each item is rejected, and in a dry run."""
    with Results(False, ProblemDetails(), is_dry_run) as collected:
        collected.add(results)
        body = collected.answer().body
    assert body["detail"].startswith(detail)
    assert remedy in body["help"]


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


def test_the_problem_of_a_dry_run_says_that_nothing_is_stored(newest: Service) -> None:
    """For a batch as for a replay, in version 2."""
    headers = bearer(client_of(newest).token())
    with asking(newest) as client:
        client.headers.update(headers)
        dry = client.post(f"{PATH}/batch", json=[EVENT, {}], headers=DRY_RUN).json()
        client.post(PATH, json={})
        replayed = client.post("/api/v2/rejected-submissions/replay", json={}, headers=DRY_RUN).json()
    assert dry["detail"] == "1 of 2 items were rejected; nothing is stored, as this is a dry run"
    assert replayed["detail"] == "1 of 1 items were rejected; nothing is stored, as this is a dry run"
    assert dry["help"] == replayed["help"]
    assert dry["help"].endswith("and send all items again.")
