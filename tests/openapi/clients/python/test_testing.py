"""The service for tests of programs, with each of its faults (promise 24)."""

from typing import Any

import pytest

from openapi.clients.python.errors import ApiError, Outage, UnexpectedAnswer
from openapi.clients.python.operations import Operation
from openapi.clients.python.testing import FakeHub
from tests.openapi.clients.python.outboxes import KIND, OPERATION, caller

ITEM = {"client_event_id": "a", "number": 1}


def test_24_it_stores_an_item_once(hub: FakeHub) -> None:
    """A repeat is a duplicate; other content under the same id, and what a test refuses, is rejected."""
    first = caller(hub.url).call(OPERATION, [ITEM])
    assert first["results"][0]["status"] == "created"
    assert caller(hub.url).call(OPERATION, [ITEM])["results"][0]["status"] == "duplicate"
    with pytest.raises(ApiError) as error:
        caller(hub.url).call(OPERATION, [{**ITEM, "number": 2}])
    assert error.value.results is not None
    hub.refuse = lambda item: f"no {item['number']}"
    with pytest.raises(ApiError) as error:
        caller(hub.url).call(OPERATION, [{"number": 3}])
    assert error.value.results is not None
    assert error.value.results[0]["error"] == "no 3"
    assert hub.accepted == {"events": [ITEM]}
    assert hub.received["a"] == 3


@pytest.mark.parametrize(
    ("kind", "kind_of_error", "is_stored"),
    [
        ("status", ApiError, False),
        ("html", Outage, False),
        ("cut_before", Outage, False),
        ("cut_after", Outage, True),
        ("half", Outage, True),
        ("delay", Outage, True),
        ("slow", Outage, True),
    ],
)
def test_24_it_fails_as_it_is_told(hub: FakeHub, kind: str, kind_of_error: type[Exception], is_stored: bool) -> None:
    """For one request, before or after the items are stored; the next one is answered."""
    hub.fail(kind, seconds=0.4)  # type: ignore[arg-type] # each is one of them
    with pytest.raises(kind_of_error):
        caller(hub.url, timeout=0.2 if kind in {"delay", "slow"} else 5).call(OPERATION, [ITEM])
    answer = caller(hub.url).call(OPERATION, [ITEM])
    assert answer["results"][0]["status"] == ("duplicate" if is_stored and kind != "delay" else "created")


def test_24_faults_end_when_it_is_told(hub: FakeHub) -> None:
    """Those without a number of times, and those that wait."""
    hub.fail("status", times=None, status=418, retry_after="9")
    hub.fail("html")
    for _ in range(3):
        with pytest.raises(ApiError) as error:
            caller(hub.url).call(OPERATION, [ITEM])
        assert (error.value.status, error.value.retry_after) == (418, 9.0)
    hub.reset()
    assert caller(hub.url).call(OPERATION, [ITEM])["results"][0]["status"] == "created"
    assert [(method, path) for method, path, _ in hub.requests] == [("POST", OPERATION.path)] * 4


def test_24_two_of_them_know_nothing_of_each_other(hub: FakeHub) -> None:
    """So that tests may run side by side."""
    with FakeHub([KIND]) as other:
        hub.fail("html", times=None)
        caller(other.url).call(OPERATION, [ITEM])
        with pytest.raises(UnexpectedAnswer):
            caller(hub.url).call(OPERATION, [ITEM])
    assert hub.accepted == {"events": []}


def test_24_it_takes_single_items_too(hub: FakeHub) -> None:
    """An item that is refused is an error, and one of the same key is stored once."""
    single: Operation[Any] = Operation("report", "POST", "/api/events")
    hub.refuse = lambda item: "too old" if item["number"] == 2 else None
    assert caller(hub.url).call(single, {**ITEM, "client_event_id": "k"})["id"]
    assert caller(hub.url).call(single, {**ITEM, "client_event_id": "k"})["id"]
    with pytest.raises(ApiError, match="too old"):
        caller(hub.url).call(single, {"number": 2})
    assert [item["client_event_id"] for item in hub.accepted["events"]] == ["k"]
