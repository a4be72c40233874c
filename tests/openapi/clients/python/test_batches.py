"""Many items from an iterator, in requests of limited size; and each item's result."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from openapi.clients.python.batches import Limits, each_result
from openapi.clients.python.errors import BadRequest, InvalidItem, UnexpectedAnswer
from openapi.clients.python.testing import FakeHub
from tests.openapi.clients.python.outboxes import OPERATION, caller, event

Reply = tuple[int, dict[str, str], bytes]


def results(hub: FakeHub, items: Any, limits: Limits | None = None, patience: float = 0.0) -> Iterator[Any]:
    """The results of items."""
    return each_result(caller(hub.url, patience=patience), OPERATION, items, limits or Limits())


@pytest.mark.parametrize(
    ("limits", "requests"),
    [(Limits(), 1), (Limits(items=10), 3), (Limits(bytes=100), 13), (Limits(items=25), 1), (Limits(items=24), 2)],
)
def test_each_request_keeps_the_limits(hub: FakeHub, limits: Limits, requests: int) -> None:
    """And each item has its result, by its index among all."""
    sizes: list[int] = []

    def measure(_method: str, _target: str, body: bytes) -> Reply | None:
        sizes.append(len(body))
        assert len(json.loads(body)) <= limits.items
        return None

    hub.answer = measure
    found = list(results(hub, (event(number, client_event_id=f"k{number:05}") for number in range(25)), limits))
    assert [result["index"] for result in found] == list(range(25))
    assert [item["number"] for item in hub.accepted["events"]] == list(range(25))
    assert (len(sizes), max(sizes) <= limits.bytes) == (requests, True)


def test_an_item_that_cannot_be_sent_comes_after_the_results_of_those_before_it(hub: FakeHub) -> None:
    """Its index and its place are named; those after it are not sent."""
    found = results(hub, [event(1), event(2), event(3, text="\ud800"), event(4)], Limits(items=2))
    assert [next(found)["index"], next(found)["index"]] == [0, 1]
    with pytest.raises(InvalidItem) as error:
        next(found)
    assert error.value.pointer == "/2/text"
    assert [item["number"] for item in hub.accepted["events"]] == [1, 2]
    with pytest.raises(InvalidItem, match="the service takes 10"):
        list(results(hub, [event(1, text="a" * 20)], Limits(bytes_of_item=10)))


def test_an_item_that_may_pass_is_sent_again_until_patience_ends(hub: FakeHub) -> None:
    """The others are not; without patience the caller gets what the service said."""
    later = {"status": "rejected", "code": "unavailable", "error": "not now", "retry": True}
    asked: list[list[int]] = []

    def busy(_method: str, _target: str, body: bytes) -> Reply | None:
        numbers = [item["number"] for item in json.loads(body)]
        asked.append(numbers)
        if len(asked) > 2:
            return None
        done = {"status": "created", "id": "x"}
        told = [{"index": index, **(later if number else done)} for index, number in enumerate(numbers)]
        return 503, {}, json.dumps({"results": told}).encode()

    hub.answer = busy
    statuses = [result["status"] for result in results(hub, [event(0), event(1)], patience=60)]
    assert statuses == ["created", "created"]
    assert asked == [[0, 1], [1], [1]]
    asked.clear()
    assert [result["status"] for result in results(hub, [event(0), event(1)])] == ["created", "rejected"]


def test_an_answer_without_a_result_for_each_item_is_unexpected(hub: FakeHub) -> None:
    """Nobody can tell what became of the others; an error without results is that error."""
    hub.answer = lambda *_: (200, {}, b'{"results": [{"index": 0, "status": "created"}]}')
    with pytest.raises(UnexpectedAnswer, match="1 results for 2 items"):
        list(results(hub, [event(1), event(2)]))
    hub.answer = lambda *_: (400, {}, b'{"error": "the body is no array", "help": "Send one."}')
    with pytest.raises(BadRequest, match="no array"):
        list(results(hub, [event(1)]))
